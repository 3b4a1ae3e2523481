package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/gofiber/fiber/v2"
)

//go:embed openapi.yaml
var specYAML []byte

// Spec is the OpenAPI document as it is kept, in YAML.
func Spec() []byte { return specYAML }

// The places in the document that an installation fills.
const (
	specServer  = "https://qoa.example"
	specVersion = "0.0.0"
)

// specJSON makes the served document: JSON, with this installation's address.
func specJSON(publicURL, version string) ([]byte, error) {
	out, err := yaml.YAMLToJSON(specYAML)
	if err != nil {
		return nil, fmt.Errorf("api: openapi.yaml: %w", err)
	}
	if version == "" {
		version = "dev"
	}
	text := string(out)
	for place, value := range map[string]string{specServer: publicURL, specVersion: version} {
		quoted, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		text = strings.ReplaceAll(text, `"`+place+`"`, string(quoted))
	}
	return []byte(text), nil
}

func (s *server) serveSpec(c *fiber.Ctx) error {
	return sendCached(c, s.spec, fiber.MIMEApplicationJSON, 5*time.Minute)
}
