package flows

import (
	"bytes"
	"embed"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed lexicon/*.yaml
var lexiconFiles embed.FS

// wordsFile is lexicon/words.yaml.
type wordsFile struct {
	Spelling map[string]string   `yaml:"spelling"`
	Fillers  []string            `yaml:"fillers"`
	Edges    []string            `yaml:"edges"`
	Keep     []string            `yaml:"keep"`
	Classes  map[string][]string `yaml:"classes"`
}

// intentFile is lexicon/<intent>.yaml.
type intentFile struct {
	Role     Audience `yaml:"role"`
	Phrases  []string `yaml:"phrases"`
	Patterns []string `yaml:"patterns"`
}

// lexicon is what the bot has words for, ready to be looked up. It never
// changes once loaded.
type lexicon struct {
	spelling map[string]string // plain or folded word → folded word
	fillers  map[string]bool
	edges    map[string]bool
	// vocabulary are the words that misspelt ones are corrected to, by length.
	vocabulary [32][]string
	known      map[string]bool

	phrases  map[string]phrase   // all intents but the tendero's
	tendero  map[string]phrase   // the tendero's own
	list     []phrase            // all
	byWord   map[string][]int    // word → places in list
	rarity   map[string]float64  // word → how telling it is
	exact    map[string][]uint16 // word → matchers it satisfies
	prefixes map[string][]uint16 // beginning of a word → matchers
	patterns []pattern
	byFirst  map[uint16][]int // matcher → patterns that begin with it
}

type phrase struct {
	intent  Intent
	tendero bool
	words   []string
	rarity  float64
}

// pattern is a row of terms that must be found in their order, none of whose
// forbidden words may be there.
type pattern struct {
	intent     Intent
	tendero    bool
	terms      []term
	not        []termSet
	begin, end bool
	bias       int
}

// term is a place in a pattern: any of its words, at most gap words after the
// term before.
type term struct {
	set termSet
	gap int
}

// termSet is a set of matchers.
type termSet []uint64

func (s termSet) has(id uint16) bool { return s[id/64]&(1<<(id%64)) != 0 }

// Gaps between the terms of a pattern: by default, where {gap} stands, and
// where {gap1} stands.
const (
	nearGap = 1
	wideGap = 5
)

// itemMatcher is the matcher of words that belong to a product's name.
const itemMatcher = 0

// loadLexicon reads the embedded lexicon.
func loadLexicon() (*lexicon, error) {
	var words wordsFile
	if err := readLexicon("words.yaml", &words); err != nil {
		return nil, err
	}
	l := &lexicon{
		spelling: map[string]string{}, fillers: map[string]bool{}, edges: map[string]bool{}, known: map[string]bool{},
		phrases: map[string]phrase{}, tendero: map[string]phrase{}, byWord: map[string][]int{}, rarity: map[string]float64{},
		exact: map[string][]uint16{}, prefixes: map[string][]uint16{}, byFirst: map[uint16][]int{},
	}
	for from, to := range words.Spelling {
		l.spelling[plain(from)] = foldWord(plain(to))
		l.spelling[foldWord(plain(from))] = foldWord(plain(to))
	}
	for _, w := range words.Fillers {
		l.fillers[foldWord(plain(w))] = true
	}
	for _, w := range words.Edges {
		l.edges[foldWord(plain(w))] = true
	}
	for _, w := range words.Keep {
		l.known[foldWord(plain(w))] = true
	}
	c := &compiler{lexicon: l, classes: words.Classes, ids: map[string]uint16{"{items}": itemMatcher}}
	for _, intent := range Intents() {
		var f intentFile
		if err := readLexicon(string(intent)+".yaml", &f); err != nil {
			return nil, err
		}
		if err := c.add(intent, f); err != nil {
			return nil, err
		}
	}
	c.finish()
	return l, nil
}

func readLexicon(name string, into any) error {
	data, err := lexiconFiles.ReadFile(path.Join("lexicon", name))
	if err != nil {
		return fmt.Errorf("lexicon: %w", err)
	}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(into); err != nil {
		return fmt.Errorf("lexicon %s: %w", name, err)
	}
	return nil
}

// compiler builds a lexicon.
type compiler struct {
	*lexicon
	classes map[string][]string
	ids     map[string]uint16
	raw     []rawPattern
}

type rawPattern struct {
	pattern
	sets []map[uint16]bool
	nots []map[uint16]bool
}

func (c *compiler) add(intent Intent, f intentFile) error {
	for _, text := range f.Phrases {
		keys := c.words(tokenize(text))
		if len(keys) == 0 {
			return fmt.Errorf("lexicon %s: phrase %q has no words", intent, text)
		}
		p := phrase{intent: intent, tendero: f.Role == Tendero, words: keys}
		index, joined := c.phrases, strings.Join(keys, " ")
		if p.tendero {
			index = c.tendero
		}
		if other, ok := index[joined]; ok {
			if other.intent != intent {
				return fmt.Errorf("lexicon: %q is both %s and %s", text, other.intent, intent)
			}
			continue // spelt in two ways that sound alike
		}
		index[joined] = p
		c.list = append(c.list, p)
		for _, k := range keys {
			c.learn(k)
		}
	}
	for _, text := range f.Patterns {
		p, err := c.pattern(text)
		if err != nil {
			return fmt.Errorf("lexicon %s: pattern %q: %w", intent, text, err)
		}
		p.intent, p.tendero = intent, f.Role == Tendero
		c.raw = append(c.raw, p)
	}
	return nil
}

// learn takes a word into the vocabulary.
func (c *compiler) learn(key string) {
	if c.known[key] {
		return
	}
	c.known[key] = true
	if n := len(key); n >= 4 && n < len(c.vocabulary) && !isDigit(key[0]) {
		c.vocabulary[n] = append(c.vocabulary[n], key)
	}
}

func (c *compiler) pattern(text string) (rawPattern, error) {
	var p rawPattern
	gap := nearGap
	for _, f := range strings.Fields(text) {
		switch {
		case f == "^":
			p.begin = true
		case f == "$":
			p.end = true
		case f == "{gap}":
			gap = wideGap
		case f == "{gap1}":
			gap = 2
		case f[0] == '+' || f[0] == '-':
			n, err := strconv.Atoi(f)
			if err != nil {
				return p, err
			}
			p.bias = n
		case f[0] == '!':
			set, err := c.set(f[1:])
			if err != nil {
				return p, err
			}
			p.nots = append(p.nots, set)
		case len(p.nots) > 0:
			return p, fmt.Errorf("%q stands after what is forbidden", f) // most often half of a forbidden pair
		default:
			set, err := c.set(f)
			if err != nil {
				return p, err
			}
			p.sets = append(p.sets, set)
			p.terms = append(p.terms, term{gap: gap})
			gap = nearGap
		}
	}
	if len(p.terms) == 0 {
		return p, fmt.Errorf("has no words")
	}
	return p, nil
}

// set reads the alternatives of a term.
func (c *compiler) set(text string) (map[uint16]bool, error) {
	set := map[uint16]bool{}
	for _, alt := range strings.Split(text, "|") {
		if alt == "{items}" {
			set[itemMatcher] = true
			continue
		}
		words := []string{alt}
		if name, ok := strings.CutPrefix(alt, "{"); ok {
			words = c.classes[strings.TrimSuffix(name, "}")]
			if len(words) == 0 {
				return nil, fmt.Errorf("no class %s", alt)
			}
		}
		for _, w := range words {
			stem, isPrefix := strings.CutSuffix(plain(w), "*")
			if stem == "" {
				return nil, fmt.Errorf("empty word in %q", text)
			}
			key := foldWord(stem)
			if to, ok := c.spelling[stem]; ok && !isPrefix {
				key = to
			}
			name := key
			if isPrefix {
				name += "*"
			}
			id, ok := c.ids[name]
			if !ok {
				id = uint16(len(c.ids))
				c.ids[name] = id
				if isPrefix {
					c.prefixes[key] = append(c.prefixes[key], id)
				} else {
					c.exact[key] = append(c.exact[key], id)
				}
			}
			if !isPrefix {
				c.learn(key)
			}
			set[id] = true
		}
	}
	return set, nil
}

// finish turns the raw patterns into bit sets, now that all matchers are known,
// and weighs the words of the phrases.
func (c *compiler) finish() {
	bits := func(set map[uint16]bool) termSet {
		s := make(termSet, len(c.ids)/64+1)
		for id := range set {
			s[id/64] |= 1 << (id % 64)
		}
		return s
	}
	for _, r := range c.raw {
		p := r.pattern
		for i, set := range r.sets {
			p.terms[i].set = bits(set)
		}
		for _, set := range r.nots {
			p.not = append(p.not, bits(set))
		}
		c.patterns = append(c.patterns, p)
		for id := range r.sets[0] {
			c.byFirst[id] = append(c.byFirst[id], len(c.patterns)-1)
		}
	}
	count := map[string]int{}
	for i, p := range c.list {
		for _, w := range p.words {
			if !slices.Contains(c.byWord[w], i) {
				c.byWord[w] = append(c.byWord[w], i)
				count[w]++
			}
		}
	}
	for w, n := range count {
		c.rarity[w] = math.Log(1 + float64(len(c.list))/float64(n))
	}
	for i := range c.list {
		for _, w := range c.list[i].words {
			c.list[i].rarity += c.rarity[w]
		}
	}
}

// words gives the folded words of tokens, with shortened ones written out.
func (l *lexicon) words(tokens []token) []string {
	keys := make([]string, len(tokens))
	for i, t := range tokens {
		keys[i] = t.key
		if to, ok := l.spelling[t.plain]; ok {
			keys[i] = to
		} else if to, ok := l.spelling[t.key]; ok {
			keys[i] = to
		}
	}
	return keys
}

// matchers lists the matchers that a word satisfies.
func (l *lexicon) matchers(key string, into []uint16) []uint16 {
	into = append(into, l.exact[key]...)
	for n := 2; n <= len(key); n++ {
		into = append(into, l.prefixes[key[:n]]...)
	}
	return into
}

// correct finds the word of the vocabulary that a misspelt one was meant to be.
func (l *lexicon) correct(key string) (string, bool) {
	n := len(key)
	if n < 4 || n > 20 || isDigit(key[0]) || l.known[key] {
		return "", false
	}
	max := 1
	if n >= 8 {
		max = 2
	}
	for edits := 1; edits <= max; edits++ {
		best := ""
		for d := -edits; d <= edits; d++ {
			for _, w := range l.vocabulary[n+d] {
				if (w[0] == key[0] || w[0] == key[1]) && (len(w) >= 5 || n >= 5) && within(w, key, edits) && (best == "" || w < best) {
					best = w
				}
			}
		}
		if best != "" {
			return best, true
		}
	}
	return "", false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
