package templates

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/goccy/go-yaml"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

//go:embed messages/*.yaml
var messageFiles embed.FS

// Messages are the texts people read over WhatsApp, by key. They never change
// once loaded and may be used by many goroutines at once.
type Messages struct {
	byKey map[string]messageText
}

// messageText is one text with the variables it needs.
type messageText struct {
	// Needs are variables without which the text cannot be rendered.
	Needs []string `yaml:"vars"`
	// May are variables that count as empty where they are missing.
	May  []string `yaml:"optional"`
	Text string   `yaml:"text"`
	// Also are other wordings of the same: what goes to many people should not be
	// one text a thousand times.
	Also []string `yaml:"also"`

	compiled []*template.Template // Text, then Also
}

// LoadMessages loads the texts in Mexican Spanish. A text that uses a variable
// it does not declare is an error, at start rather than in a conversation.
func LoadMessages() (*Messages, error) {
	data, err := messageFiles.ReadFile("messages/es-MX.yaml")
	if err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	return parseMessages(data)
}

func parseMessages(data []byte) (*Messages, error) {
	m := &Messages{byKey: map[string]messageText{}}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&m.byKey); err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	for _, key := range m.Keys() {
		msg := m.byKey[key]
		var used []string
		for _, text := range append([]string{msg.Text}, msg.Also...) {
			t, err := template.New(key).Option("missingkey=error").Funcs(messageFuncs()).Parse(strings.TrimSpace(text))
			if err != nil {
				return nil, fmt.Errorf("messages: %w", err)
			}
			msg.compiled = append(msg.compiled, t)
			used = append(used, usedVars(t.Root)...)
		}
		for _, v := range used {
			if !slices.Contains(msg.Needs, v) && !slices.Contains(msg.May, v) {
				return nil, fmt.Errorf("messages: %s uses %s without declaring it", key, v)
			}
		}
		for _, v := range append(slices.Clone(msg.Needs), msg.May...) {
			if !slices.Contains(used, v) {
				return nil, fmt.Errorf("messages: %s declares %s without using it", key, v)
			}
		}
		m.byKey[key] = msg
	}
	return m, nil
}

// Has says whether there is a text of that key.
func (m *Messages) Has(key string) bool {
	_, ok := m.byKey[key]
	return ok
}

// Vars names the variables without which a text cannot be rendered.
func (m *Messages) Vars(key string) []string { return slices.Clone(m.byKey[key].Needs) }

// Keys lists all keys in alphabetical order.
func (m *Messages) Keys() []string {
	keys := make([]string, 0, len(m.byKey))
	for k := range m.byKey {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Render writes a text. A key or a needed variable that is missing is an error:
// nobody shall read a sentence with a hole in it. A list variable is a JSON
// list of objects whose values are strings.
func (m *Messages) Render(key string, vars map[string]string) (string, error) {
	return m.render(key, vars, 0)
}

// Vary is Render in one of the text's wordings, the same for the same seed: a
// message that is tried again says what it said.
func (m *Messages) Vary(key string, vars map[string]string, seed string) (string, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(seed)) // it never fails
	return m.render(key, vars, h.Sum32())
}

// Wordings is how many a text has; 0 where there is no such text.
func (m *Messages) Wordings(key string) int { return len(m.byKey[key].compiled) }

func (m *Messages) render(key string, vars map[string]string, wording uint32) (string, error) {
	msg, ok := m.byKey[key]
	if !ok {
		return "", fmt.Errorf("messages: no text %q", key)
	}
	data := make(map[string]string, len(msg.Needs)+len(msg.May))
	for _, v := range msg.Needs {
		value, ok := vars[v]
		if !ok {
			return "", fmt.Errorf("messages: %s needs %s", key, v)
		}
		data[v] = value
	}
	for _, v := range msg.May {
		data[v] = vars[v]
	}
	var b strings.Builder
	if err := msg.compiled[int(wording)%len(msg.compiled)].Execute(&b, data); err != nil {
		return "", fmt.Errorf("messages: %w", err)
	}
	return airMessage(b.String()), nil
}

// airMessage leaves no more than one empty line between two lines.
func airMessage(s string) string {
	s = strings.TrimSpace(s)
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return s
}

// messageFuncs are the words that texts may use between braces.
func messageFuncs() template.FuncMap {
	return template.FuncMap{
		"unidades": messageUnits,
		"plural":   messagePlural,
		"lista":    messageRows,
		"menu":     messageMenu,
		"codigo":   loyalty.FormatCode,
		"compras":  messagePurchases,
		"deuda":    messageDebt,
		"porque":   messageWhy,
	}
}

// messageUnits writes an amount of stamps or points: 1 sello, 2 sellos, 30 puntos.
func messageUnits(amount, unit string) (string, error) {
	switch unit {
	case "stamp":
		return messagePlural(amount, "sello", "sellos")
	case "point":
		return messagePlural(amount, "punto", "puntos")
	default:
		return "", fmt.Errorf("%q is neither stamp nor point", unit)
	}
}

// messagePlural writes an amount with the word in its number.
func messagePlural(amount, one, many string) (string, error) {
	n, err := strconv.ParseInt(amount, 10, 64)
	if err != nil {
		return "", fmt.Errorf("%q is no whole number", amount)
	}
	if n == 1 || n == -1 {
		return messageThousands(n) + " " + one, nil
	}
	return messageThousands(n) + " " + many, nil
}

// messageThousands writes 12345 as 12,345.
func messageThousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// messageRows reads a list variable.
func messageRows(list string) ([]map[string]string, error) {
	var all []map[string]string
	if list == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(list), &all); err != nil {
		return nil, fmt.Errorf("no list: %w", err)
	}
	return all, nil
}

// messageMenu writes a numbered list of the labels of its rows.
func messageMenu(list string) (string, error) {
	all, err := messageRows(list)
	if err != nil {
		return "", err
	}
	lines := make([]string, len(all))
	for i, row := range all {
		lines[i] = fmt.Sprintf("*%d.* %s", i+1, row["label"])
	}
	return strings.Join(lines, "\n"), nil
}

// messageDebt is what a balance below zero owes; "" for all others.
func messageDebt(balance string) (string, error) {
	n, err := strconv.ParseInt(balance, 10, 64)
	if err != nil {
		return "", fmt.Errorf("%q is no whole number", balance)
	}
	if n >= 0 {
		return "", nil
	}
	return strconv.FormatInt(-n, 10), nil
}

// messageWhy says why a purchase earned less than the rules give.
func messageWhy(why string) (string, error) {
	switch loyalty.Why(why) {
	case loyalty.WhyMinimum:
		return "no llegó a la compra mínima", nil
	case loyalty.WhyCooldown:
		return "pasó muy poco tiempo desde la compra anterior", nil
	case loyalty.WhyLimit:
		return "ya se llegó al máximo por ahora", nil
	case loyalty.WhyBudget:
		return "se acabó lo que esta promoción tenía para dar", nil
	}
	return "", fmt.Errorf("%q is no reason", why)
}

// messagePurchases writes what was bought in one line: 2 Coca-Cola 600 ml, 1 Gansito.
func messagePurchases(list string) (string, error) {
	all, err := messageRows(list)
	if err != nil {
		return "", err
	}
	parts := make([]string, len(all))
	for i, row := range all {
		parts[i] = row["quantity"] + " " + row["product"]
	}
	return strings.Join(parts, ", "), nil
}

// usedVars lists the variables that a text looks at.
func usedVars(root parse.Node) []string {
	var used []string
	add := func(name string) {
		if !slices.Contains(used, name) {
			used = append(used, name)
		}
	}
	// Inside range and with the dot is another thing; $ is the variables always.
	var walk func(n parse.Node, top bool)
	branch := func(b *parse.BranchNode, top, rebinds bool) {
		walk(b.Pipe, top)
		walk(b.List, top && !rebinds)
		if b.ElseList != nil {
			walk(b.ElseList, top)
		}
	}
	walk = func(n parse.Node, top bool) {
		switch n := n.(type) {
		case *parse.ListNode:
			for _, c := range n.Nodes {
				walk(c, top)
			}
		case *parse.ActionNode:
			walk(n.Pipe, top)
		case *parse.PipeNode:
			for _, c := range n.Cmds {
				for _, a := range c.Args {
					walk(a, top)
				}
			}
		case *parse.FieldNode:
			if top {
				add(n.Ident[0])
			}
		case *parse.VariableNode:
			if n.Ident[0] == "$" && len(n.Ident) > 1 {
				add(n.Ident[1])
			}
		case *parse.IfNode:
			branch(&n.BranchNode, top, false)
		case *parse.RangeNode:
			branch(&n.BranchNode, top, true)
		case *parse.WithNode:
			branch(&n.BranchNode, top, true)
		}
	}
	walk(root, true)
	return used
}
