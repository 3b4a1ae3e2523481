package templates

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"
)

//go:embed cloud/*.yaml
var cloudFiles embed.FS

// CloudLanguage is the language that our templates have at Meta.
const CloudLanguage = "es_MX"

// CloudTemplates say which template of Meta's stands for which of our texts, where
// the text itself may not be sent any more. They never change once loaded and may
// be used by many goroutines at once.
type CloudTemplates struct {
	byKey map[string]cloudTemplate
}

type cloudTemplate struct {
	Name     string   `yaml:"name"`
	Category string   `yaml:"category"` // what it is to be submitted as
	Text     string   `yaml:"text"`     // what Meta approved
	Vars     []string `yaml:"vars"`     // what fills {{1}}, {{2}} …
	Button   string   `yaml:"button"`   // what a button's address ends with; "" where there is none

	vars   []*template.Template
	button *template.Template
}

// CloudTemplate is a template with what fills it in.
type CloudTemplate struct {
	Name   string
	Vars   []string
	Button string // "" where it has no button
}

// LoadCloudTemplates loads the templates that stand for texts. One that fits its
// text's variables badly is an error at start rather than at Meta.
func LoadCloudTemplates(texts *Messages) (*CloudTemplates, error) {
	data, err := cloudFiles.ReadFile("cloud/es-MX.yaml")
	if err != nil {
		return nil, fmt.Errorf("cloud templates: %w", err)
	}
	return parseCloudTemplates(data, texts)
}

// Meta's own limits: a name, and how {{1}} is written.
var (
	cloudName  = regexp.MustCompile(`^[a-z0-9_]{1,512}$`)
	cloudPlace = regexp.MustCompile(`\{\{(\d+)\}\}`)
)

func parseCloudTemplates(data []byte, texts *Messages) (*CloudTemplates, error) {
	c := &CloudTemplates{byKey: map[string]cloudTemplate{}}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&c.byKey); err != nil {
		return nil, fmt.Errorf("cloud templates: %w", err)
	}
	for _, key := range c.Keys() {
		t := c.byKey[key]
		if err := t.compile(key, texts); err != nil {
			return nil, fmt.Errorf("cloud templates: %s: %w", key, err)
		}
		c.byKey[key] = t
	}
	return c, nil
}

func (t *cloudTemplate) compile(key string, texts *Messages) (err error) {
	msg, known := texts.byKey[key]
	places := cloudPlace.FindAllString(t.Text, -1)
	switch {
	case !known:
		return fmt.Errorf("no text of that key")
	case !cloudName.MatchString(t.Name):
		return fmt.Errorf("%q is no name of a template", t.Name)
	case !slices.Contains([]string{"utility", "marketing", "authentication"}, t.Category):
		return fmt.Errorf("%q is no category", t.Category)
	case len(places) != len(t.Vars):
		return fmt.Errorf("%d places and %d variables", len(places), len(t.Vars))
	}
	for i, p := range places {
		if p != fmt.Sprintf("{{%d}}", i+1) {
			return fmt.Errorf("%s stands where {{%d}} should", p, i+1)
		}
	}
	parse := func(text string) (*template.Template, error) {
		parsed, err := template.New(key).Option("missingkey=error").Funcs(messageFuncs()).Parse(text)
		if err != nil {
			return nil, err
		}
		for _, v := range usedVars(parsed.Root) {
			if !slices.Contains(msg.Needs, v) {
				return nil, fmt.Errorf("%s is not a variable that the text always has", v)
			}
		}
		return parsed, nil
	}
	for _, text := range t.Vars {
		parsed, err := parse(text)
		if err != nil {
			return err
		}
		t.vars = append(t.vars, parsed)
	}
	if t.Button != "" {
		t.button, err = parse(t.Button)
	}
	return err
}

// Keys lists the texts that a template stands for, in alphabetical order.
func (c *CloudTemplates) Keys() []string {
	keys := make([]string, 0, len(c.byKey))
	for k := range c.byKey {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Fill gives the template that stands for a text, filled in; ok is false where
// there is none.
func (c *CloudTemplates) Fill(key string, vars map[string]string) (t CloudTemplate, ok bool, err error) {
	found, ok := c.byKey[key]
	if !ok {
		return CloudTemplate{}, false, nil
	}
	t.Name = found.Name
	for _, v := range found.vars {
		text, err := fillCloud(v, vars)
		if err != nil {
			return CloudTemplate{}, true, err
		}
		t.Vars = append(t.Vars, text)
	}
	if found.button != nil {
		t.Button, err = fillCloud(found.button, vars)
	}
	return t, true, err
}

// fillCloud writes one variable as Meta takes it: one line, not empty.
func fillCloud(t *template.Template, vars map[string]string) (string, error) {
	var b strings.Builder
	if err := t.Execute(&b, vars); err != nil {
		return "", fmt.Errorf("cloud templates: %w", err)
	}
	if text := strings.Join(strings.Fields(b.String()), " "); text != "" {
		return text, nil
	}
	return "—", nil
}
