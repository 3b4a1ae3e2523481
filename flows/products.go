package flows

import (
	"slices"
	"strings"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Product is what understanding needs to know of the catalogue.
type Product struct {
	GTIN      string
	Name      string
	Nicknames []string
}

// catalog finds products by how people call them.
type catalog struct {
	products []Product
	byGTIN   map[string]int
	// calls are the ways to name products, by their first word.
	calls map[string][]call
	// words are the words of each product's name, to tell sizes apart.
	words []map[string]bool
}

type call struct {
	words   []string
	product int
}

func newCatalog(products []Product) *catalog {
	c := &catalog{products: products, byGTIN: map[string]int{}, calls: map[string][]call{}}
	for i, p := range products {
		c.byGTIN[p.GTIN] = i
		words := map[string]bool{}
		for _, name := range append([]string{p.Name}, p.Nicknames...) {
			stems := fold(name)
			for j := range stems {
				stems[j] = stem(stems[j])
				words[stems[j]] = true
			}
			if len(stems) > 0 {
				c.calls[stems[0]] = append(c.calls[stems[0]], call{stems, i})
			}
		}
		c.words = append(c.words, words)
	}
	return c
}

// stem leaves the plural out.
func stem(key string) string {
	if len(key) > 4 && strings.HasSuffix(key, "es") {
		return key[:len(key)-2]
	}
	if len(key) > 3 && (strings.HasSuffix(key, "s") || strings.HasSuffix(key, "e")) {
		return key[:len(key)-1]
	}
	return key
}

// find names the products that the words from i on may mean, and how many words
// name them.
func (c *catalog) find(stems []string, i int) ([]int, int) {
	var found []int
	n := 0
	try := func(first string) {
		for _, call := range c.calls[first] {
			if len(call.words) < n || !hasWords(stems, i, call.words) {
				continue
			}
			if len(call.words) > n {
				found, n = nil, len(call.words)
			}
			if !slices.Contains(found, call.product) {
				found = append(found, call.product)
			}
		}
	}
	try(stems[i])
	if n == 0 && len(stems[i]) >= 5 && !isDigit(stems[i][0]) {
		// One typo in a product's name; the shortest list of them is small.
		firsts := make([]string, 0, 4)
		for first := range c.calls {
			if first != stems[i] && len(first) >= 5 && first[0] == stems[i][0] && within(first, stems[i], 1) {
				firsts = append(firsts, first)
			}
		}
		slices.Sort(firsts)
		for _, first := range firsts {
			for _, call := range c.calls[first] {
				if len(call.words) == 1 && !slices.Contains(found, call.product) {
					found, n = append(found, call.product), 1
				}
			}
		}
	}
	return found, n
}

func hasWords(stems []string, i int, words []string) bool {
	if i+len(words) > len(stems) {
		return false
	}
	for j, w := range words {
		if stems[i+j] != w {
			return false
		}
	}
	return true
}

// joiners stand between a number and a product, or a product and its size.
var joiners = map[string]bool{
	"de": true, "del": true, "la": true, "las": true, "el": true, "los": true, "x": true, "por": true,
	"caja": true, "cajas": true, "pieza": true, "piezas": true, "pza": true, "pzas": true, "pz": true, "pzs": true,
	"lata": true, "latas": true, "botella": true, "botellas": true, "bolsa": true, "bolsas": true, "bolsita": true, "bolsitas": true,
	"paquete": true, "paquetes": true, "reja": true, "rejas": true, "charola": true, "charolas": true, "unidades": true, "unidad": true, "u": true,
}

// items finds the products that a text names, with their quantities. The flags
// say which tokens belong to a product.
func (u *Understander) items(text string, tokens []token, codes []span) ([]Item, []bool) {
	return u.allItems(text, tokens, codes, false)
}

// allItems also takes "2 boings" for an item, with unknown, when the catalogue
// has none: better to say so than to leave it out in silence.
func (u *Understander) allItems(text string, tokens []token, codes []span, unknown bool) ([]Item, []bool) {
	inItem := make([]bool, len(tokens))
	used := make([]bool, len(tokens))
	stems := make([]string, len(tokens))
	for i, t := range tokens {
		stems[i] = stem(t.key)
		used[i] = covered(t, codes)
	}
	var items []Item
	for i := 0; i < len(tokens); i++ {
		if used[i] {
			continue
		}
		if it, ok := u.gtin(tokens[i].plain); ok {
			it.Quantity, it.Stated = quantity(tokens, used, i, i+1)
			items = append(items, it)
			used[i], inItem[i] = true, true
			continue
		}
		found, n := u.catalog.find(stems, i)
		if n == 0 {
			continue
		}
		end := i + n
		found, end = u.narrow(found, stems, tokens, end)
		for j := i; j < end; j++ {
			used[j], inItem[j] = true, true
		}
		it := Item{Query: text[tokens[i].start:tokens[end-1].end]}
		if len(found) == 1 {
			it.GTIN, it.Product = u.catalog.products[found[0]].GTIN, u.catalog.products[found[0]].Name
		} else {
			for _, p := range found {
				it.Candidates = append(it.Candidates, u.catalog.products[p].GTIN)
			}
		}
		it.Quantity, it.Stated = quantity(tokens, used, i, end)
		items = append(items, it)
		i = end - 1
	}
	for i := 0; unknown && i+1 < len(tokens); i++ {
		n, ok := amount(tokens[i].plain)
		if !ok || used[i] {
			continue
		}
		j := i + 1
		for j < len(tokens)-1 && joiners[tokens[j].plain] {
			j++
		}
		if w := tokens[j].plain; !used[j] && len(w) >= 4 && !isDigit(w[0]) && !notProducts[w] && !joiners[w] {
			items = append(items, Item{Query: text[tokens[j].start:tokens[j].end], Quantity: n, Stated: true})
			used[i], used[j] = true, true
		}
	}
	if len(items) > maxItems {
		items = items[:maxItems]
	}
	return items, inItem
}

// maxItems bounds what one message may list.
const maxItems = 20

// narrow tells products of one nickname apart by the words that follow: coca de 600.
func (u *Understander) narrow(found []int, stems []string, tokens []token, end int) ([]int, int) {
	for j := end; len(found) > 1 && j < len(stems) && j < end+3; j++ {
		if joiners[tokens[j].plain] {
			continue
		}
		var fewer []int
		for _, p := range found {
			if u.catalog.words[p][stems[j]] {
				fewer = append(fewer, p)
			}
		}
		if len(fewer) == 0 {
			break
		}
		found, end = fewer, j+1
	}
	return found, end
}

// quantity reads the number before a product, else the one right after it.
func quantity(tokens []token, used []bool, start, end int) (int, bool) {
	for j := start - 1; j >= 0 && j >= start-4 && !used[j]; j-- {
		if n, ok := amount(tokens[j].plain); ok {
			used[j] = true
			return n, true
		}
		if !joiners[tokens[j].plain] {
			break
		}
	}
	for j := end; j < len(tokens) && j < end+2 && !used[j]; j++ {
		if n, ok := amount(tokens[j].plain); ok {
			// "coca y 2 gansitos": that number belongs to what comes next.
			if j+1 < len(tokens) && j == end && !used[j+1] && len(tokens[j].plain) < 3 && tokens[j].plain[0] != 'x' && !joiners[tokens[j+1].plain] {
				break
			}
			used[j] = true
			return n, true
		}
		if tokens[j].plain != "x" && tokens[j].plain != "por" {
			break
		}
	}
	return 1, false
}

// amount reads 2, dos, x2 and 2x.
func amount(w string) (int, bool) {
	if len(w) > 1 && w[0] == 'x' && isDigit(w[1]) {
		w = w[1:]
	} else if n := len(w); n > 1 && w[n-1] == 'x' && isDigit(w[0]) {
		w = w[:n-1]
	}
	return number(w)
}

// gtin reads a word as a GTIN. A long number that does not check is an item all
// the same, so that somebody says that it is not known.
func (u *Understander) gtin(w string) (Item, bool) {
	if len(w) < 8 || len(w) > 14 || strings.Trim(w, "0123456789") != "" {
		return Item{}, false
	}
	for _, g := range []string{w, "0" + w} {
		if i, ok := u.catalog.byGTIN[g]; ok {
			return Item{GTIN: g, Product: u.catalog.products[i].Name, Query: w}, true
		}
	}
	g, err := loyalty.ParseGTIN(w)
	switch {
	case len(w) == 13, len(w) == 12 && err == nil:
		return Item{GTIN: string(g), Query: w}, true // g is empty where the check digit does not fit
	default:
		return Item{}, false
	}
}

// notProducts are words around a code that name no product.
var notProducts = map[string]bool{
	"el": true, "la": true, "los": true, "las": true, "un": true, "una": true, "codigo": true, "code": true, "cod": true, "es": true, "y": true, "llevo": true, "lleva": true, "llevaron": true,
	"compro": true, "compra": true, "compraron": true, "compre": true, "con": true, "de": true, "del": true, "mi": true, "su": true, "este": true, "esta": true, "cliente": true, "clienta": true, "senor": true, "senora": true,
	"le": true, "les": true, "vendi": true, "vendio": true, "vendimos": true, "son": true, "fue": true, "fueron": true, "por": true, "favor": true, "porfa": true, "porfavor": true, "hola": true, "gracias": true, "para": true, "tarjeta": true,
	"que": true, "me": true, "dio": true, "dieron": true, "tengo": true, "trae": true, "aqui": true, "buenas": true, "buenos": true, "dias": true, "tardes": true, "noches": true, "registrar": true, "registra": true, "venta": true, "a": true, "en": true, "ok": true, "ya": true, "si": true, "no": true, "se": true, "lo": true, "quiere": true, "quiero": true, "sirve": true, "evidencia": true, "producto": true, "productos": true, "mas": true, "tambien": true, "otro": true, "otra": true, "paso": true, "clave": true,
	"momento": true, "momentito": true, "rato": true, "ratito": true, "pregunta": true, "vez": true, "veces": true, "persona": true, "muchacho": true, "muchacha": true, "joven": true, "chavo": true, "nino": true, "nina": true, "pesos": true, "peso": true, "litros": true, "litro": true, "gramos": true, "horas": true, "minutos": true, "dia": true, "clientes": true, "codigos": true, "ventas": true, "compras": true, "puntos": true, "sellos": true, "punto": true, "sello": true, "estampa": true, "estampas": true, "cosas": true, "cosa": true, "pagaron": true, "pago": true, "llevaba": true, "hace": true,
}

// otherProduct says whether a text that should only say how many names a
// product besides those it is about: "5 boings" is no number of cocas.
func (u *Understander) otherProduct(text, about string) bool {
	text = tidy(text)
	known := map[string]bool{}
	for _, row := range DecodeList(about) {
		for gtin := range strings.SplitSeq(row["gtin"]+","+row["candidates"], ",") {
			known[gtin] = gtin != ""
		}
	}
	items, _ := u.allItems(text, tokenize(text), nil, true)
	for _, it := range items {
		switch {
		case it.GTIN != "":
			if !known[it.GTIN] {
				return true
			}
		case len(it.Candidates) > 0:
			if !slices.ContainsFunc(it.Candidates, func(gtin string) bool { return known[gtin] }) {
				return true
			}
		default:
			for _, key := range fold(it.Query) {
				if !u.lex.fillers[key] && !u.lex.edges[key] {
					return true
				}
			}
		}
	}
	return false
}

// leftover takes what stands beside a code and names no known product for the
// name of one that is not known.
func (u *Understander) leftover(text string, tokens []token, codes []span) []Item {
	it := Item{Quantity: 1}
	var words []string
	for _, t := range tokens {
		if covered(t, codes) || notProducts[t.plain] || joiners[t.plain] {
			continue
		}
		if n, ok := amount(t.plain); ok && !it.Stated {
			it.Quantity, it.Stated = n, true
			continue
		}
		if len(words) < 4 {
			words = append(words, text[t.start:t.end])
		}
	}
	if len(words) == 0 {
		return nil
	}
	it.Query = strings.Join(words, " ")
	return []Item{it}
}
