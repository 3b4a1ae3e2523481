package flows

import (
	"slices"
	"strings"
)

// Intent is what a person wants.
type Intent string

// The vocabulary of the bot.
const (
	CreateCard   Intent = "create_card"
	Balance      Intent = "balance"
	History      Intent = "history"
	ShowCard     Intent = "show_card"
	EvidenceCode Intent = "evidence_code"
	Redeem       Intent = "redeem"
	CancelReward Intent = "cancel_reward"
	Rewards      Intent = "rewards"
	Campaigns    Intent = "campaigns"
	Help         Intent = "help"
	Greeting     Intent = "greeting"
	Thanks       Intent = "thanks"
	OptOut       Intent = "opt_out"
	OptIn        Intent = "opt_in"
	DeleteData   Intent = "delete_data"
	Privacy      Intent = "privacy"
	Human        Intent = "human"
	MissingStamp Intent = "missing_stamp"
	Yes          Intent = "yes"
	No           Intent = "no"
	Unknown      Intent = "unknown"

	// A tendero's own.
	Evidence     Intent = "evidence"
	EvidenceHelp Intent = "evidence_help"
	ShopReport   Intent = "shop_report"
	Reorder      Intent = "reorder"
	ShopQR       Intent = "shop_qr"
)

// Intents lists all intents; where two are equally likely the earlier one wins.
func Intents() []Intent {
	return []Intent{
		OptOut, DeleteData, OptIn, MissingStamp, EvidenceHelp, ShopQR, ShopReport, Reorder, Evidence,
		EvidenceCode, CancelReward, Redeem, ShowCard, History, Balance, Rewards, Campaigns, Privacy, Human, CreateCard,
		Help, Thanks, Greeting, Yes, No, Unknown,
	}
}

// Confidence is how an intent was found.
type Confidence int

// From a guess over the letters to the very words of a phrase.
const (
	Guess Confidence = iota
	Fuzzy
	Pattern
	Exact
)

// Result is what a message means.
type Result struct {
	Intent     Intent
	Slots      Slots
	Confidence Confidence
}

// Sure says that the words themselves were known.
func (r Result) Sure() bool { return r.Confidence >= Pattern }

func (r Result) vars() map[string]string { return r.Slots.vars() }

// Understander understands messages. It is made once for a catalogue and may be
// used by many goroutines at once.
type Understander struct {
	lex     *lexicon
	catalog *catalog
}

// NewUnderstander loads the lexicon.
func NewUnderstander(products []Product) (*Understander, error) {
	lex, err := loadLexicon()
	if err != nil {
		return nil, err
	}
	return &Understander{lex: lex, catalog: newCatalog(products)}, nil
}

// WithCatalog is the same understanding for another catalogue.
func (u *Understander) WithCatalog(products []Product) *Understander {
	return &Understander{lex: u.lex, catalog: newCatalog(products)}
}

// Understand says what a message means. It reads no clock, no network and no
// more than MaxText characters.
func (u *Understander) Understand(role Audience, text string) Result {
	text = tidy(text)
	tokens := tokenize(text)
	if len(tokens) == 0 {
		return wordless(text)
	}
	var slots Slots
	spans := readCodes(text, false, &slots)
	items, inItem := u.items(text, tokens, spans)
	slots.Items = items

	r := u.classify(role, tokens, inItem, spans)
	r.Slots = slots
	u.byCode(role, &r, len(tokens))
	if r.Intent == Evidence && slots.hasCode() {
		if r.Slots.Items, _ = u.allItems(text, tokens, spans, true); len(r.Slots.Items) == 0 {
			r.Slots.Items = u.leftover(text, tokens, spans)
		}
	}
	if r.Intent == CreateCard {
		r.Slots.ShopName = readShopName(text, tokens, spans)
	}
	return r
}

// slots finds the particulars of a text apart from its intent; expected says
// that the conversation waits for a code.
func (u *Understander) slots(text string, expected bool) Slots {
	text = tidy(text)
	var s Slots
	spans := readCodes(text, expected, &s)
	tokens := tokenize(text)
	s.Items, _ = u.allItems(text, tokens, spans, true)
	return s
}

// tidy bounds a text and makes its dashes one.
func tidy(text string) string {
	return strings.NewReplacer("–", "-", "—", "-", "‑", "-", "−", "-", "\u00a0", " ", "\u200b", "").Replace(cut(strings.ToValidUTF8(text, " "), MaxText))
}

// wordless understands a text of signs only.
func wordless(text string) Result {
	switch {
	case strings.ContainsAny(text, "👍👌✅🆗🤙"):
		return Result{Intent: Yes, Confidence: Exact}
	case strings.ContainsAny(text, "👎❌🚫🙅"):
		return Result{Intent: No, Confidence: Exact}
	case strings.ContainsAny(text, "🙏"):
		return Result{Intent: Thanks, Confidence: Exact}
	case strings.ContainsAny(text, "👋"):
		return Result{Intent: Greeting, Confidence: Exact}
	case strings.ContainsAny(text, "?¿"):
		return Result{Intent: Help, Confidence: Exact}
	default:
		return Result{Intent: Unknown}
	}
}

// byCode lets a code say what a message is about where the words do not.
func (u *Understander) byCode(role Audience, r *Result, words int) {
	s := r.Slots
	sure := func(i Intent) { r.Intent, r.Confidence = i, Exact }
	vague := r.Intent == Unknown || r.Intent == Greeting || r.Intent == Thanks || r.Intent == Yes || r.Intent == No || !r.Sure()
	if role == Tendero {
		switch {
		case r.Intent == OptOut || r.Intent == Human || r.Intent == MissingStamp || r.Intent == CancelReward:
		case s.RedemptionCode != "":
			sure(Redeem)
		case s.EvidenceCode != "" || s.CardCode != "" && r.Intent != ShowCard && r.Intent != Balance:
			sure(Evidence)
		case s.BadCode != "" && s.ShopCode == "" && vague:
			sure(Evidence)
		case s.ShopCode != "" && vague:
			sure(CreateCard)
		case len(s.Items) > 0 && vague && r.Intent != Greeting && (s.Items[0].Stated || s.Items[0].GTIN != "" && words <= 2):
			r.Intent, r.Confidence = Evidence, Pattern
		}
		return
	}
	switch {
	case s.ShopCode != "" && (vague || r.Intent == Help):
		sure(CreateCard)
	case s.EvidenceCode != "" && vague:
		sure(EvidenceCode)
	case s.RedemptionCode != "" && vague:
		sure(Redeem)
	case s.CardCode != "" && vague:
		sure(ShowCard)
	}
}

// classify finds the intent of the words.
func (u *Understander) classify(role Audience, tokens []token, inItem []bool, spans []span) Result {
	l := u.lex
	var keep []token
	var item []bool
	for i, t := range tokens {
		if !covered(t, spans) {
			keep, item = append(keep, t), append(item, inItem[i])
		}
	}
	if len(keep) == 0 {
		return Result{Intent: Unknown}
	}
	keys := l.words(keep)
	if r, ok := l.phrase(role, keys); ok {
		return Result{Intent: r, Confidence: Exact}
	}
	core, coreItem := l.withoutFillers(keys, item)
	if len(core) == 0 {
		return Result{Intent: Greeting, Confidence: Pattern}
	}
	if r, ok := l.phrase(role, core); ok {
		return Result{Intent: r, Confidence: Exact}
	}
	found, score := l.pattern(role, core, coreItem, false)
	if a, b := l.trim(core); b-a < len(core) {
		if r, ok := l.phrase(role, core[a:b]); ok && (score < 8 || b-a > 2) {
			return Result{Intent: r, Confidence: Pattern}
		}
	}
	if score > 0 {
		return Result{Intent: found, Confidence: Pattern}
	}
	return l.guess(role, core, coreItem)
}

func covered(t token, spans []span) bool {
	for _, s := range spans {
		if t.start < s.end && s.start < t.end {
			return true
		}
	}
	return false
}

// phrase looks a whole text up.
func (l *lexicon) phrase(role Audience, keys []string) (Intent, bool) {
	if len(keys) > 14 {
		return "", false
	}
	joined := strings.Join(keys, " ")
	if role == Tendero {
		if p, ok := l.tendero[joined]; ok {
			return p.intent, true
		}
	}
	p, ok := l.phrases[joined]
	return p.intent, ok
}

// withoutFillers leaves the words out that say nothing.
func (l *lexicon) withoutFillers(keys []string, item []bool) ([]string, []bool) {
	core, flags := make([]string, 0, len(keys)), make([]bool, 0, len(keys))
	for i, k := range keys {
		if !l.fillers[k] {
			core, flags = append(core, k), append(flags, item[i])
		}
	}
	return core, flags
}

// trim leaves out what says nothing at the edges.
func (l *lexicon) trim(keys []string) (int, int) {
	a, b := 0, len(keys)
	for a < b-1 && l.edges[keys[a]] {
		a++
	}
	for b > a+1 && l.edges[keys[b-1]] {
		b--
	}
	return a, b
}

// maxPatternWords is how many words of a text are held against patterns.
const maxPatternWords = 48

// pattern finds the pattern that explains most of a text: among the strong ones,
// or among the weak ones (of negative bias), which only point in a direction.
func (l *lexicon) pattern(role Audience, keys []string, item []bool, weak bool) (Intent, int) {
	if len(keys) > maxPatternWords {
		keys, item = keys[:maxPatternWords], item[:maxPatternWords]
	}
	var buf [256]uint16
	all := buf[:0]
	ends := make([]int, len(keys))
	for i, k := range keys {
		all = l.matchers(k, all)
		if item[i] {
			all = append(all, itemMatcher)
		}
		ends[i] = len(all)
	}
	m := matching{words: make([][]uint16, len(keys))}
	from := 0
	for i, end := range ends {
		m.words[i] = all[from:end]
		from = end
	}
	best, intent, place := 0, Unknown, len(l.patterns)
	for _, ids := range m.words {
		for _, id := range ids {
			for _, n := range l.byFirst[id] {
				p := &l.patterns[n]
				if p.tendero && role != Tendero || (p.bias < 0) != weak {
					continue
				}
				score := p.score(len(keys))
				if score < best || score == best && n >= place || !m.fits(p) {
					continue
				}
				best, intent, place = score, p.intent, n
			}
		}
	}
	return intent, best
}

// score weighs a pattern against a text of n words: the more it explains, the
// better. One word in a long text explains nothing.
func (p *pattern) score(n int) int {
	k := len(p.terms)
	if k == 1 && n > 6 {
		return -1
	}
	s := 4*k + 2*p.bias
	if 2*k >= n {
		s++
	}
	if p.tendero {
		s += 2
	}
	return max(s, 1)
}

// matching is a text as the matchers that each of its words satisfies.
type matching struct{ words [][]uint16 }

func (m matching) word(i int, set termSet) bool {
	for _, id := range m.words[i] {
		if set.has(id) {
			return true
		}
	}
	return false
}

func (m matching) fits(p *pattern) bool {
	for _, not := range p.not {
		for i := range m.words {
			if m.word(i, not) {
				return false
			}
		}
	}
	last := len(m.words) - 1
	if p.begin {
		last = 0
	}
	for i := 0; i <= last; i++ {
		if m.word(i, p.terms[0].set) && m.from(p, 1, i+1) {
			return true
		}
	}
	return false
}

// from matches the terms from the t-th on, at word i or a few later.
func (m matching) from(p *pattern, t, i int) bool {
	if t == len(p.terms) {
		return !p.end || i == len(m.words)
	}
	for j := i; j < len(m.words) && j <= i+p.terms[t].gap; j++ {
		if m.word(j, p.terms[t].set) && m.from(p, t+1, j+1) {
			return true
		}
	}
	return false
}

// Limits on guessing: it is the only slow part, and long texts are no typos.
const (
	maxGuessWords = 14
	maxWeakWords  = 5
	alike         = 0.60
)

// guess corrects misspelt words and tries again, then looks for the phrase that
// shares most with the text.
func (l *lexicon) guess(role Audience, keys []string, item []bool) Result {
	if len(keys) > maxGuessWords {
		return Result{Intent: Unknown}
	}
	fixed := slices.Clone(keys)
	changed := false
	for i, k := range keys {
		if item[i] {
			continue
		}
		if w, ok := l.correct(k); ok {
			fixed[i], changed = w, true
		}
	}
	if changed {
		if r, ok := l.phrase(role, fixed); ok {
			return Result{Intent: r, Confidence: Fuzzy}
		}
		a, b := l.trim(fixed)
		if r, ok := l.phrase(role, fixed[a:b]); ok {
			return Result{Intent: r, Confidence: Fuzzy}
		}
		if r, score := l.pattern(role, fixed, item, false); score > 0 {
			return Result{Intent: r, Confidence: Fuzzy}
		}
	}
	if r, ok := l.nearest(role, fixed); ok {
		return Result{Intent: r, Confidence: Guess}
	}
	if len(fixed) <= maxWeakWords {
		if r, score := l.pattern(role, fixed, item, true); score > 0 {
			return Result{Intent: r, Confidence: Guess}
		}
	}
	return Result{Intent: Unknown}
}

// nearest finds the phrase with the most telling words in common.
func (l *lexicon) nearest(role Audience, keys []string) (Intent, bool) {
	if len(keys) < 2 {
		return "", false
	}
	shared := map[int]float64{}
	total := 0.0
	seen := map[string]bool{}
	for _, k := range keys {
		if seen[k] {
			continue
		}
		seen[k] = true
		r, ok := l.rarity[k]
		if !ok {
			r = 6
		}
		total += r
		for _, i := range l.byWord[k] {
			shared[i] += r
		}
	}
	best, at := 0.0, -1
	for i, s := range shared {
		p := l.list[i]
		if p.tendero && role != Tendero || len(p.words) < 2 {
			continue
		}
		if score := s / (total + p.rarity - s); score > best || score == best && i < at {
			best, at = score, i
		}
	}
	if at < 0 || best < alike {
		return "", false
	}
	return l.list[at].intent, true
}

// isCancel says whether a text asks to leave what is open.
func isCancel(text string) bool {
	return cancels[strings.Join(fold(text), " ")]
}

// cancels are the ways to say so, folded.
var cancels = func() map[string]bool {
	m := map[string]bool{}
	for _, s := range []string{
		"cancelar", "cancela", "cancélalo", "cancele", "cancel", "salir", "olvídalo", "olvídelo", "olvida eso", "deja así", "déjalo así", "así déjalo",
		"ya no quiero seguir", "no quiero seguir", "quiero cancelar", "quiero salir", "cancelar por favor", "cancela por favor", "cancelar porfa", "cancela porfa",
		"cancelar todo", "cancela todo", "cancelar compra", "cancelar la compra", "cancela la compra", "cancelar esto", "cancela eso", "mejor cancela", "mejor cancélalo",
	} {
		m[strings.Join(fold(s), " ")] = true
	}
	return m
}()
