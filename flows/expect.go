package flows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Expect is the kind of answer a question waits for.
type Expect string

// The kinds of answer, each with its outcome and the variables it sets.
const (
	ExpectText     Expect = "text"     // text: anything that is no global word
	ExpectName     Expect = "name"     // name: what can be a person's name
	ExpectChoice   Expect = "choice"   // choice: a number of the list choices; or 1, 2, 3 … where the question's own outcomes are numbers
	ExpectYesNo    Expect = "yes_no"   // yes, no
	ExpectCode     Expect = "code"     // code: any code, also one that is mistyped
	ExpectShop     Expect = "shop"     // shop: a shop's code or name
	ExpectProduct  Expect = "product"  // product: items, as nicknames or GTINs
	ExpectQuantity Expect = "quantity" // quantity: a number from 1 to MaxQuantity
	ExpectBirthday Expect = "birthday" // birthday: a day and a month, perhaps a year
)

// MaxQuantity is the largest quantity that is read as one.
const MaxQuantity = 999

// outcomeNo is the outcome that any question may offer for "no".
const outcomeNo = "no"

// answerKind declares what an answer of a kind can lead to.
type answerKind struct {
	outcomes []string // required
	optional []string
	sets     []string
}

// answerKinds is what Lint knows about the kinds.
func answerKinds() map[Expect]answerKind {
	one := func(e Expect, sets ...string) answerKind {
		return answerKind{outcomes: []string{string(e)}, optional: []string{outcomeNo}, sets: sets}
	}
	return map[Expect]answerKind{
		ExpectText:     one(ExpectText),
		ExpectName:     one(ExpectName, VarName),
		ExpectChoice:   one(ExpectChoice, VarChoice),
		ExpectYesNo:    {outcomes: []string{"yes", "no"}},
		ExpectCode:     one(ExpectCode),
		ExpectShop:     one(ExpectShop),
		ExpectProduct:  one(ExpectProduct, VarItems),
		ExpectQuantity: one(ExpectQuantity, VarQuantity, VarItems),
		ExpectBirthday: one(ExpectBirthday, VarBirthday),
	}
}

// answer reads a text as the answer to a question; false when it is none. A
// text that is plainly something else (a global word) is never an answer where
// the question takes free text.
func (e *Engine) answer(state State, role Audience, text string, r Result, vars map[string]string) (string, map[string]string, bool) {
	_, offersNo := state.On[outcomeNo]
	if offersNo && r.Intent == No {
		return outcomeNo, nil, true
	}
	if offersNo && declines(text) {
		return outcomeNo, nil, true
	}
	event := string(state.Expect)
	elsewhere := r.Sure() && r.Intent != Unknown && r.Intent != Yes && r.Intent != No
	switch state.Expect {
	case ExpectYesNo:
		if r.Intent == Yes || r.Intent == No {
			return string(r.Intent), nil, true
		}
	case ExpectChoice:
		if n, own, ok := readChoice(state, text, vars); ok {
			if own {
				event = n
			}
			return event, map[string]string{VarChoice: n}, true
		}
	case ExpectCode:
		// Only here may a word of letters alone be a code.
		slots := e.words.slots(text, true)
		if slots.hasCode() {
			set := map[string]string{VarEvidenceCode: "", VarCardCode: "", VarRedemptionCode: "", VarBadCode: ""}
			for k, v := range slots.vars() {
				set[k] = v
			}
			return event, set, true
		}
	case ExpectShop:
		slots := e.words.slots(text, true)
		if slots.ShopCode != "" {
			return event, map[string]string{VarShopCode: slots.ShopCode}, true
		}
		if !elsewhere {
			return event, map[string]string{VarShopCode: "", VarShopName: shopName(text)}, true
		}
	case ExpectProduct:
		if r.Slots.hasCode() {
			return "", nil, false // a new code begins anew
		}
		if slots := e.words.slots(text, true); len(slots.Items) > 0 {
			return event, map[string]string{VarItems: encodeItems(slots.Items)}, true
		}
		if !elsewhere {
			return event, map[string]string{VarItems: encodeItems([]Item{{Query: cut(text, 60), Quantity: 1}})}, true
		}
	case ExpectQuantity:
		if n, ok := readNumber(text); ok && n >= 1 && n <= MaxQuantity && !e.words.otherProduct(text, vars[VarItems]) {
			return event, map[string]string{VarQuantity: strconv.Itoa(n), VarItems: withQuantity(vars[VarItems], n)}, true
		}
	case ExpectName:
		if name, ok := readName(text, elsewhere || r.Intent == Yes && r.Sure()); ok {
			return event, map[string]string{VarName: name}, true
		}
	case ExpectBirthday:
		if day, ok := readBirthday(text); ok {
			return event, map[string]string{VarBirthday: day}, true
		}
	case ExpectText:
		if !elsewhere {
			return event, nil, true
		}
	}
	return "", nil, false
}

// readChoice reads a number, or the words of one entry of the list. own says
// that the numbers are outcomes of the question itself.
func readChoice(state State, text string, vars map[string]string) (choice string, own, ok bool) {
	n, isNumber := readNumber(text)
	if _, listed := state.On[string(ExpectChoice)]; !listed {
		choice = strconv.Itoa(n)
		_, ok = state.On[choice]
		return choice, true, ok && isNumber
	}
	rows := DecodeList(vars[VarChoices])
	if isNumber {
		return strconv.Itoa(n), false, n >= 1 && n <= len(rows)
	}
	want := strings.Join(fold(text), " ")
	if len(want) < 3 {
		return "", false, false
	}
	found := 0
	for i, row := range rows {
		if strings.Contains(strings.Join(fold(row["label"]), " "), want) {
			found, n = found+1, i+1
		}
	}
	return strconv.Itoa(n), false, found == 1
}

// withQuantity writes a quantity into the first item that has none.
func withQuantity(items string, n int) string {
	rows := DecodeList(items)
	for i, row := range rows {
		if q, err := strconv.Atoi(row["quantity"]); err != nil || q < 1 || q > MaxQuantity || i == len(rows)-1 {
			row["quantity"] = strconv.Itoa(n)
			break
		}
	}
	return EncodeList(rows)
}

// declines says whether a text refuses to answer, in words that are no plain no.
func declines(text string) bool {
	said := strings.Join(strings.Fields(plain(text)), " ")
	return strings.HasPrefix(said, "prefiero no") || strings.HasPrefix(said, "mejor no")
}

// laughs says whether a word is a laugh, which no one is called: jajaja, jeje.
func laughs(w string) bool {
	return len(w) >= 4 && (strings.Trim(w, "ja") == "" || strings.Trim(w, "je") == "" || strings.Trim(w, "ha") == "") && strings.ContainsAny(w, "jh")
}

// namePrefixes may stand before a name.
var namePrefixes = []string{"hola", "buenas tardes", "buenas noches", "buenos dias", "buenos días", "buen dia", "buen día", "buenas", "mi nombre es", "mi nombre", "me llamo", "me dicen", "soy", "yo soy", "es", "a nombre de", "claro", "si", "sí", "con mucho gusto", "mucho gusto"}

// noName are words that stand in sentences and not in names.
var noName = []string{"no", "si", "que", "quien", "como", "cuando", "donde", "cuanto", "cuantos", "cuantas", "porque", "para", "por", "es", "esta", "estoy", "quiero", "tengo", "puedo", "dame", "mi", "mis", "tu", "su", "el", "un", "una", "en", "con", "ya", "pero", "hay", "necesito", "gracias", "hola", "codigo", "tarjeta", "puntos", "tienda", "http", "https", "www", "nombre", "decir", "importa", "despues", "luego", "manana", "digo", "cliente", "clienta", "te"}

// readName takes a name out of an answer. elsewhere says that the text means
// something else, which only "me llamo …" outweighs.
func readName(text string, elsewhere bool) (string, bool) {
	name := strings.TrimSpace(text)
	named := false
	for again := true; again; {
		again = false
		for _, p := range namePrefixes {
			rest, ok := cutPrefixFold(name, p)
			if ok && rest != "" {
				name, again = rest, true
				named = named || strings.Contains(p, "nombre") || strings.Contains(p, "llamo") || strings.Contains(p, "soy")
			}
		}
	}
	if elsewhere && !named {
		return "", false
	}
	if i := strings.IndexAny(name, ",;\n("); i > 0 {
		name = name[:i]
	}
	name = strings.TrimFunc(name, func(r rune) bool { return !unicode.IsLetter(r) })
	words := strings.Fields(name)
	if len(words) == 0 || len(words) > 6 || utf8.RuneCountInString(name) > 60 {
		return "", false
	}
	letters := 0
	for _, w := range words {
		if p := plain(w); slices.Contains(noName, p) || laughs(p) {
			return "", false
		}
		for _, r := range w {
			switch {
			case unicode.IsLetter(r):
				letters++
			case strings.ContainsRune(".'’-", r), unicode.Is(unicode.Mn, r):
			default:
				return "", false
			}
		}
	}
	return strings.Join(words, " "), letters >= 2
}

// cutPrefixFold takes a prefix of whole words off, whatever its case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) <= len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	rest := s[len(prefix):]
	if r, _ := utf8.DecodeRuneInString(rest); unicode.IsLetter(r) || unicode.IsDigit(r) {
		return s, false
	}
	return strings.TrimLeft(rest, " ,.:;!¡-"), true
}

var months = []string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"}

// dayWords are the days of a month, written out in one word.
var dayWords = map[string]int{
	"primero": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10,
	"once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17, "dieciocho": 18, "diecinueve": 19,
	"veinte": 20, "veintiuno": 21, "veintidos": 22, "veintitres": 23, "veinticuatro": 24, "veinticinco": 25, "veintiseis": 26,
	"veintisiete": 27, "veintiocho": 28, "veintinueve": 29, "treinta": 30,
}

// readBirthday reads 12/05, 12-05-1990, 12 de mayo, el doce de mayo, 12 mayo 90.
func readBirthday(text string) (string, bool) {
	var numbers []int
	month := 0
	for _, w := range strings.FieldsFunc(plain(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if n, err := strconv.Atoi(w); err == nil {
			numbers = append(numbers, n)
			continue
		}
		if n, ok := dayWords[w]; ok && len(numbers) == 0 {
			numbers = append(numbers, n)
			continue
		}
		for i, m := range months {
			if w == m || len(w) >= 3 && strings.HasPrefix(m, w) || w == "setiembre" && i == 8 {
				month = i + 1
			}
		}
	}
	if month == 0 && len(numbers) >= 2 {
		month = numbers[1]
		numbers = append(numbers[:1], numbers[2:]...)
	}
	if len(numbers) == 0 || len(numbers) > 2 || month < 1 || month > 12 {
		return "", false
	}
	day := numbers[0]
	if day < 1 || day > []int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1] {
		return "", false
	}
	if len(numbers) == 2 {
		year := numbers[1]
		if year >= 30 && year <= 99 { // 85; what 05 means nobody can tell
			year += 1900
		}
		if year < 1900 || year > 2100 {
			return "", false
		}
		if leap := year%4 == 0 && (year%100 != 0 || year%400 == 0); day == 29 && month == 2 && !leap {
			return "", false
		}
		return fmt.Sprintf("%04d-%02d-%02d", year, month, day), true
	}
	return fmt.Sprintf("%02d-%02d", month, day), true
}
