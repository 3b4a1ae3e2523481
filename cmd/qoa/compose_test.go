package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// What ships the program names its settings, commands and roles. These tests read
// docker-compose.yml with the parser of `docker compose` itself, and hold each
// container against the program, so that a renamed setting cannot stay behind.

// ofCompose are the variables that docker-compose.yml reads itself.
var ofCompose = []string{"POSTGRES_PASSWORD", "POSTGRES_IMAGE", "REDIS_IMAGE", "QOA_IMAGE", "QOA_TOOLS_IMAGE", "QOA_LISTEN"}

// secrets are what an operator fills in, and nothing else.
var secrets = map[string]string{
	"PUBLIC_URL": "https://qoa.example", "QOA_SECRET": "0123456789abcdef0123456789abcdef", "POSTGRES_PASSWORD": "0123456789abcdef",
}

// readEnvExample gives the settings of .env.example.
func readEnvExample(t *testing.T) map[string]string {
	t.Helper()
	all, err := dotenv.Read("../../.env.example")
	require.NoError(t, err)
	return all
}

// composeOptions are a folder like an operator's: the compose file as it ships, and
// an .env with these lines changed.
func composeOptions(t *testing.T, changes map[string]string, more ...cli.ProjectOptionsFn) *cli.ProjectOptions {
	t.Helper()
	dir := t.TempDir()
	file, err := os.ReadFile("../../docker-compose.yml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "docker-compose.yml"), file, 0o600))
	values := readEnvExample(t)
	maps.Copy(values, changes)
	var env strings.Builder
	for name, value := range values {
		env.WriteString(name + "=" + value + "\n")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".env"), []byte(env.String()), 0o600))
	o, err := cli.NewProjectOptions([]string{filepath.Join(dir, "docker-compose.yml")}, append([]cli.ProjectOptionsFn{
		cli.WithWorkingDirectory(dir), cli.WithEnvFiles(), cli.WithDotEnv, cli.WithProfiles([]string{"*"}),
	}, more...)...)
	require.NoError(t, err)
	return o
}

func readCompose(t *testing.T, changes map[string]string) *types.Project {
	t.Helper()
	project, err := composeOptions(t, changes).LoadProject(t.Context())
	require.NoError(t, err)
	return project
}

// inside loads the settings as the program does in the container of a service.
func inside(t *testing.T, s types.ServiceConfig, p purpose) (config, error) {
	t.Helper()
	for _, known := range settings() {
		value := ""
		if v := s.Environment[known.name]; v != nil {
			value = *v
		}
		t.Setenv(known.name, value)
	}
	return loadConfig(p)
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
	model, err := composeOptions(t, secrets, cli.WithInterpolation(false)).LoadModel(context.Background())
	require.NoError(t, err)
	for name := range template.ExtractVariables(model, template.DefaultPattern) {
		require.Contains(t, example, name, "docker-compose.yml reads what .env.example does not show")
	}
	project := readCompose(t, secrets)
	require.Equal(t, []string{"api", "bot", "migrate", "postgres", "redis", "tools", "worker"}, project.ServiceNames())
	require.True(t, bool(project.Networks["data"].Internal), "no way out, no way in")
	for name, s := range project.Services {
		t.Run(name, func(t *testing.T) {
			require.True(t, s.ReadOnly)
			require.Contains(t, s.Networks, "data")
			if name != "api" {
				require.Empty(t, s.Ports)
			}
			if name == "postgres" || name == "redis" {
				require.Len(t, s.Networks, 1, "out of reach from outside")
				require.NotEmpty(t, s.HealthCheck.Test)
				return
			}
			require.Equal(t, []string{"ALL"}, s.CapDrop)
			for setting := range s.Environment {
				require.Contains(t, slices.Concat(known, ofCompose), setting)
			}
			require.True(t, slices.ContainsFunc(commands(), func(c command) bool { return c.name == s.Command[0] }), s.Command)
			if s.Command[0] != "serve" {
				require.True(t, s.HealthCheck.Disable)
				require.Equal(t, "no", s.Restart)
				_, err := inside(t, s, forCommand)
				require.NoError(t, err)
				return
			}
			c, err := inside(t, s, forServe)
			require.NoError(t, err)
			require.True(t, c.production())
			require.Equal(t, "postgres://qoa:0123456789abcdef@postgres:5432/qoa?sslmode=disable", c.DatabaseURL)
			require.Equal(t, "redis://redis:6379/0", c.RedisURL)
			require.Equal(t, "0.0.0.0:3000", c.address())
			require.Equal(t, "127.0.0.1:3001", c.healthAddress(), "where the health check asks")
			require.Equal(t, "Qoa Conectados", c.OperatorName, "what is left empty has its default")
			require.Equal(t, types.ShellCommand{"serve", "--roles", name}, s.Command)
			require.Equal(t, types.HealthCheckTest{"CMD", "/qoa", "health", "ready"}, s.HealthCheck.Test)
			require.Greater(t, time.Duration(*s.HealthCheck.Timeout), healthPatience)
			require.Greater(t, time.Duration(*s.StopGracePeriod), 2*drainTime)
			require.Equal(t, "unless-stopped", s.Restart)
			require.Equal(t, "service_completed_successfully", s.DependsOn["migrate"].Condition)
		})
	}
	published := project.Services["api"].Ports
	require.Len(t, published, 1)
	require.Equal(t, []any{"127.0.0.1", "3000", uint32(3000)}, []any{published[0].HostIP, published[0].Published, published[0].Target})
}

// With the secrets filled in, each role starts in production; without one nothing
// does, since none has a default. A weak secret stops the program.
func TestComposeStartsWithSecretsOnly(t *testing.T) {
	for name := range secrets {
		require.Empty(t, readEnvExample(t)[name], "no default for %s", name)
		without := maps.Clone(secrets)
		without[name] = ""
		_, err := composeOptions(t, without).LoadProject(t.Context())
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "set it in .env")
	}
	weak := maps.Clone(secrets)
	weak["QOA_SECRET"] = "secreto"
	_, err := inside(t, readCompose(t, weak).Services["api"], forServe)
	require.ErrorContains(t, err, "QOA_SECRET")
	// What is set in .env beside the example's lines reaches the program as well.
	cloud := maps.Clone(secrets)
	maps.Copy(cloud, map[string]string{
		"WHATSAPP_CHANNEL": "cloud", "CLOUD_TOKEN": "token", "CLOUD_PHONE_ID": "123456", "CLOUD_APP_SECRET": strings.Repeat("ab", 16),
		"CLOUD_VERIFY_TOKEN": "0123456789abcdef", "WORKERS": "32",
	})
	c, err := inside(t, readCompose(t, cloud).Services["worker"], forServe)
	require.NoError(t, err)
	require.Equal(t, 32, c.Workers)
	require.Equal(t, "token", c.Cloud.Token)
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
