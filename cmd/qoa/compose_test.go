package main

import (
	"bufio"
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// What ships the program names its settings, commands and roles: a test holds
// these files against it, so that a renamed setting cannot stay behind in them.

// composeService is what we look at of a service.
type composeService struct {
	Image       string            `yaml:"image"`
	EnvFile     string            `yaml:"env_file"`
	Environment map[string]string `yaml:"environment"`
	Command     []string          `yaml:"command"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	Restart     string            `yaml:"restart"`
	Ports       []string          `yaml:"ports"`
	Networks    []string          `yaml:"networks"`
	Healthcheck struct {
		Disable bool     `yaml:"disable"`
		Test    []string `yaml:"test"`
	} `yaml:"healthcheck"`
	DependsOn map[string]struct{ Condition string } `yaml:"depends_on"`
}

func readCompose(t *testing.T) map[string]composeService {
	t.Helper()
	b, err := os.ReadFile("../../docker-compose.yml")
	require.NoError(t, err)
	var file struct{ Services map[string]composeService }
	// A key beside a merged one is how a service differs, not a slip.
	require.NoError(t, yaml.UnmarshalWithOptions(b, &file, yaml.AllowDuplicateMapKey()))
	return file.Services
}

// readEnvExample gives the settings of .env.example.
func readEnvExample(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../../.env.example")
	require.NoError(t, err)
	all := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		require.True(t, ok, line)
		all[name] = value
	}
	return all
}

// ofCompose are the variables that docker-compose.yml reads itself.
var ofCompose = []string{"POSTGRES_PASSWORD", "POSTGRES_IMAGE", "REDIS_IMAGE", "QOA_IMAGE", "QOA_TOOLS_IMAGE", "QOA_LISTEN"}

var variable = regexp.MustCompile(`\$\{(\w+)(:[-?])?([^}]*)\}`)

// filled puts the values in, as compose does; missing are those that it refuses to
// do without.
func filled(text string, values map[string]string) (full string, missing []string) {
	full = variable.ReplaceAllStringFunc(text, func(v string) string {
		m := variable.FindStringSubmatch(v)
		value := values[m[1]]
		switch {
		case value != "":
		case m[2] == ":-":
			value = m[3]
		case m[2] == ":?":
			missing = append(missing, m[1])
		}
		return value
	})
	return full, missing
}

func TestComposeNamesWhatTheProgramKnows(t *testing.T) {
	var known []string
	for _, s := range settings() {
		known = append(known, s.name)
	}
	example := readEnvExample(t)
	for name := range example {
		require.Contains(t, slices.Concat(known, ofCompose), name, ".env.example")
	}
	services := readCompose(t)
	require.Equal(t, []string{"api", "bot", "migrate", "postgres", "redis", "tools", "worker"}, slices.Sorted(maps.Keys(services)))
	text, err := os.ReadFile("../../docker-compose.yml")
	require.NoError(t, err)
	for _, m := range variable.FindAllStringSubmatch(string(text), -1) {
		require.Contains(t, example, m[1], "docker-compose.yml reads what .env.example does not show")
	}
	for name, s := range services {
		t.Run(name, func(t *testing.T) {
			require.True(t, s.ReadOnly)
			require.Contains(t, s.Networks, "data")
			for _, port := range s.Ports {
				require.Equal(t, "api", name)
				port, _ = filled(port, example)
				require.Equal(t, "127.0.0.1:3000:3000", port)
			}
			if name == "postgres" || name == "redis" {
				require.Equal(t, []string{"data"}, s.Networks, "out of reach from outside")
				return
			}
			require.Equal(t, ".env", s.EnvFile)
			require.Equal(t, []string{"ALL"}, s.CapDrop)
			for setting := range s.Environment {
				require.Contains(t, known, setting)
			}
			require.True(t, slices.ContainsFunc(commands(), func(c command) bool { return c.name == s.Command[0] }), s.Command)
			if s.Command[0] != "serve" {
				require.True(t, s.Healthcheck.Disable)
				require.Equal(t, "no", s.Restart)
				return
			}
			require.Equal(t, []string{"serve", "--roles", name}, s.Command)
			require.Equal(t, []string{"CMD", "/qoa", "health", "ready"}, s.Healthcheck.Test)
			require.Equal(t, "unless-stopped", s.Restart)
			require.Equal(t, "service_completed_successfully", s.DependsOn["migrate"].Condition)
		})
	}
}

// With the secrets filled in, a role starts in production; without one it does
// not, since none has a default.
func TestComposeStartsWithSecretsOnly(t *testing.T) {
	api := readCompose(t)["api"]
	secrets := map[string]string{
		"PUBLIC_URL": "https://qoa.example", "QOA_SECRET": "0123456789abcdef0123456789abcdef", "POSTGRES_PASSWORD": "0123456789abcdef",
	}
	for name := range secrets {
		require.Empty(t, readEnvExample(t)[name], "no default for %s", name)
	}
	for _, without := range append(slices.Sorted(maps.Keys(secrets)), "") {
		t.Run("without "+without, func(t *testing.T) {
			values := readEnvExample(t)
			maps.Copy(values, secrets)
			delete(values, without)
			var missing []string
			env := maps.Clone(values) // env_file, and what stands in environment wins
			for name, value := range api.Environment {
				full, lacks := filled(value, values)
				env[name] = full
				missing = append(missing, lacks...)
			}
			if without != "" {
				require.Equal(t, []string{without}, missing)
				return
			}
			require.Empty(t, missing)
			for _, s := range settings() {
				t.Setenv(s.name, env[s.name])
			}
			c, err := loadConfig(forServe)
			require.NoError(t, err)
			require.True(t, c.production())
			require.Equal(t, "127.0.0.1:3001", c.healthAddress())
			require.Equal(t, "0.0.0.0:3000", c.address())
			require.Equal(t, "Qoa Conectados", c.OperatorName, "what is left empty has its default")
			require.Equal(t, "postgres://qoa:0123456789abcdef@postgres:5432/qoa?sslmode=disable", c.DatabaseURL)
		})
	}
}

// The image asks for its health by a command that there is, on a port that the
// program reads.
func TestImageKnowsTheProgram(t *testing.T) {
	b, err := os.ReadFile("../../Dockerfile")
	require.NoError(t, err)
	file := string(b)
	require.Contains(t, file, `HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["/qoa", "health", "live"]`)
	require.Contains(t, file, "ENV HEALTH_PORT=3001")
	require.True(t, slices.ContainsFunc(settings(), func(s setting) bool { return s.name == "HEALTH_PORT" }))
	require.True(t, slices.ContainsFunc(commands(), func(c command) bool { return c.name == "health" }))
	require.Equal(t, 2, strings.Count(file, "USER 65532:65532"), "nobody runs as root")
}
