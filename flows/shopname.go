package flows

import "strings"

// Words after which a shop's name begins, and words that begin one.
var (
	beforeName = map[string]bool{"tienda": true, "tiendita": true, "negocio": true, "local": true, "changarro": true, "tendajon": true}
	inName     = map[string]bool{"abarrotes": true, "abarrotera": true, "miscelanea": true, "minisuper": true, "mini": true, "super": true, "supermercado": true, "farmacia": true, "papeleria": true, "cremeria": true, "dulceria": true, "deposito": true, "tortilleria": true, "carniceria": true, "panaderia": true, "vinateria": true, "recauderia": true}
	naming     = map[string]bool{"de": true, "del": true, "en": true, "con": true, "para": true}
	notName    = map[string]bool{"puntos": true, "punto": true, "sellos": true, "estampas": true, "lealtad": true, "cliente": true, "clientes": true, "recompensas": true, "fidelidad": true, "la": true, "el": true, "mi": true, "su": true, "esta": true, "este": true, "ahi": true, "aqui": true, "alta": true, "nuevo": true, "tu": true, "una": true, "un": true, "descuentos": true, "premios": true, "frecuente": true}
	afterName  = map[string]bool{"porfa": true, "porfavor": true, "gracias": true, "por": true, "favor": true, "plis": true, "y": true, "quiero": true, "para": true, "que": true, "pero": true}
	skipName   = map[string]bool{"de": true, "del": true, "llamada": true, "llamado": true, "que": true, "se": true, "llama": true, "es": true, "nombre": true}
)

// readShopName takes the shop's name out of a wish for a card, as it was
// written: "mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)".
func readShopName(text string, tokens []token, codes []span) string {
	start := -1
	for i, t := range tokens {
		switch {
		case beforeName[t.plain]:
			start = i + 1
			for start < len(tokens) && skipName[tokens[start].plain] {
				start++
			}
		case inName[t.plain] && start < 0 && i > 0:
			start = i
		}
		if start >= 0 {
			break
		}
	}
	if start < 0 {
		// The last "de" or "en" after the card that no plain word follows.
		card := false
		for i, t := range tokens {
			card = card || strings.HasPrefix(t.key, "tarj") || strings.HasPrefix(t.key, "punto") || strings.HasPrefix(t.key, "rejistr")
			if card && naming[t.plain] && beginsName(tokens[i+1:]) {
				start = i + 1
				break
			}
		}
	}
	if start < 0 || start >= len(tokens) {
		return ""
	}
	end := start
	for end < len(tokens) && end < start+8 && !covered(tokens[end], codes) && !(end > start && (afterName[tokens[end].plain] || bracketed(text, tokens[end]))) {
		end++
	}
	if end == start || afterName[tokens[start].plain] || notName[tokens[start].plain] && end == start+1 {
		return ""
	}
	return strings.TrimSpace(text[tokens[start].start:tokens[end-1].end])
}

// beginsName says whether the words after a "de" can be a name: "Lupita", or an
// article with a name, "La Esquinita".
func beginsName(next []token) bool {
	if len(next) > 1 && (next[0].plain == "la" || next[0].plain == "el") {
		next = next[1:]
	}
	return len(next) > 0 && !notName[next[0].plain] && !naming[next[0].plain]
}

// bracketed says whether a word stands in brackets: what the counter's phrase
// has there is the code, be it mistyped, and never the name.
func bracketed(text string, t token) bool { return t.start > 0 && text[t.start-1] == '(' }

// shopName takes a shop's name out of an answer to "which shop?".
func shopName(text string) string {
	tokens := tokenize(text)
	if name := readShopName(text, tokens, nil); name != "" {
		return name
	}
	if len(tokens) > 2 && (tokens[0].plain == "la" || tokens[0].plain == "el") && tokens[1].plain == "de" {
		text = text[tokens[2].start:] // la de doña Tere
	}
	return strings.TrimSpace(cut(text, 80))
}
