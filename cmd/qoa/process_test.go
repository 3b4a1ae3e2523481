package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// binary builds qoa once for all tests of this package: they drive the real
// program, as a person at a terminal does. QOA_TEST_BINARY names one that is built
// already, such as an image's.
var binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("QOA_TEST_BINARY"); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "qoa-bin-")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "qoa")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// built is the folder of what binary has built.
var built string

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// qoa runs a command of the program and gives what it printed, and its exit
// code.
func qoa(t *testing.T, env []string, stdin string, args ...string) (out string, code int) {
	t.Helper()
	out, complaint, code := qoaApart(t, env, stdin, args...)
	return out + complaint, code
}

// qoaApart gives apart what the command printed as its result.
func qoaApart(t *testing.T, env []string, stdin string, args ...string) (out, complaint string, code int) {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	var stdout, stderr strings.Builder
	cmd := exec.Command(path, args...)
	cmd.Env = append(clean(os.Environ()), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err = cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		require.NoError(t, err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// dataDir is a folder for the data of a test, which any account may enter: else,
// where the tests run as root, the program would keep it elsewhere, and nobody
// would remove it there.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "qoa-data-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // a test's data is no secret
	return dir
}

// clean takes our settings out of an environment.
func clean(env []string) []string {
	var kept []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case "DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "HOST", "PORT", "QOA_SECRET", "QOA_DATA_DIR", "WHATSAPP_CHANNEL", "WHATSAPP_TEST_ADDR", "WHATSAPP_TEST_ROOT", "RATE_LIMITS", "HEALTH_PORT":
		default:
			kept = append(kept, e)
		}
	}
	return kept
}

// dev is a running `qoa dev`.
type dev struct {
	t    *testing.T
	dir  string
	cmd  *exec.Cmd
	url  string
	log  *bytes.Buffer
	took time.Duration
	done chan struct{}

	adminOnce  sync.Once
	adminToken string
}

var bannerURL = regexp.MustCompile(`(http://localhost:\d+)/sim`)

// startDev starts `qoa dev` on a data folder and waits for the banner. port 0
// takes a free one.
func startDev(t *testing.T, dir string, port string) *dev {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	d := &dev{t: t, dir: dir, log: new(bytes.Buffer), done: make(chan struct{})}
	d.cmd = exec.Command(path, "dev")
	d.cmd.Env = append(clean(os.Environ()), "PORT="+port, "QOA_DATA_DIR="+dir, "LOG_LEVEL=warn")
	d.cmd.Stderr = d.log
	stdout, err := d.cmd.StdoutPipe()
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, d.cmd.Start())
	t.Cleanup(d.stop)
	banner := bufio.NewScanner(stdout)
	for d.url == "" && banner.Scan() {
		if m := bannerURL.FindStringSubmatch(banner.Text()); m != nil {
			d.url = m[1]
		}
	}
	d.took = time.Since(began)
	go func() {
		io.Copy(io.Discard, stdout) //nolint:errcheck // ends with the process
		d.cmd.Wait()                //nolint:errcheck // killed on purpose
		close(d.done)
	}()
	require.NotEmpty(t, d.url, "no banner; the log says:\n%s", d.log)
	return d
}

// kill ends the process as a power cut would.
func (d *dev) kill() {
	d.cmd.Process.Signal(syscall.SIGKILL) //nolint:errcheck // it may be gone
	<-d.done
}

// stop ends it as Ctrl-C does.
func (d *dev) stop() {
	d.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may be gone
	<-d.done
}

// startServe starts `qoa serve` with some roles on servers of our own, which the
// test makes. It listens on port, if api is among them.
func startServe(t *testing.T, roles, port string, env []string) *dev {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	d := &dev{t: t, url: "http://localhost:" + port, log: new(bytes.Buffer), done: make(chan struct{})}
	d.cmd = exec.Command(path, "serve", "--roles", roles)
	d.cmd.Env = append(append(clean(os.Environ()), env...), "PORT="+port)
	d.cmd.Stderr = d.log
	require.NoError(t, d.cmd.Start())
	go func() {
		d.cmd.Wait() //nolint:errcheck // its exit code is looked at by the test
		close(d.done)
	}()
	t.Cleanup(d.stop)
	return d
}

// client is small on purpose: tests talk to the program by HTTP only.
var client = &http.Client{Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// call sends JSON and reads JSON; a failed connection is status 0.
func (d *dev) call(method, path string, headers map[string]string, body, answer any) int {
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(d.t, err)
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, r)
	require.NoError(d.t, err)
	req.Header.Set("Content-Type", "application/json")
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0
	}
	if answer != nil && len(b) > 0 {
		if err := json.Unmarshal(b, answer); err != nil {
			d.t.Logf("%s %s: %d %s", method, path, res.StatusCode, b)
		}
	}
	return res.StatusCode
}

// message is one of the simulator's chat.
type message struct {
	ID        string `json:"id"`
	Direction string `json:"direction"`
	Text      string `json:"text"`
	MediaType string `json:"media_type"`
	MediaURL  string `json:"media_url"`
}

// write sends a message to the bot; 202 means that it is durable.
func (d *dev) write(phone, text, id string) int {
	return d.call("POST", "/sim/messages", nil, map[string]string{"from": phone, "text": text, "id": id}, nil)
}

func (d *dev) chat(phone string) []message {
	var answer struct{ Messages []message }
	d.call("GET", "/sim/messages?phone="+strings.ReplaceAll(phone, "+", "%2B"), nil, nil, &answer)
	return answer.Messages
}

// answers are the bot's messages in a chat.
func (d *dev) answers(phone string) []message {
	var out []message
	for _, m := range d.chat(phone) {
		if m.Direction == "out" {
			out = append(out, m)
		}
	}
	return out
}

// waitAnswers waits until the bot has written n messages to the phone.
func (d *dev) waitAnswers(phone string, n int) []message {
	d.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		got := d.answers(phone)
		if len(got) >= n {
			return got
		}
		if time.Now().After(deadline) {
			d.t.Errorf("%s has %d answers, fewer than %d", phone, len(got), n)
			return append(got, make([]message, n-len(got))...)
		}
		pause()
	}
}

// pause is the moment between two looks at something that another process does.
func pause() { <-time.After(20 * time.Millisecond) }

// say writes and waits for the next message of the bot.
func (d *dev) say(phone, text string) message {
	d.t.Helper()
	before := len(d.answers(phone))
	assert.Equal(d.t, http.StatusAccepted, d.write(phone, text, ""))
	return d.waitAnswers(phone, before+1)[before]
}

// login gives a staff member's access token.
func (d *dev) login(email string) string {
	d.t.Helper()
	var answer struct {
		Data struct {
			AccessToken string `json:"access_token"`
		}
	}
	require.Equal(d.t, 200, d.call("POST", "/v1/auth/login", nil, map[string]string{"email": email, "password": "demo-qoa-2026"}, &answer))
	return answer.Data.AccessToken
}

// admin is the access token of the demo's admin.
func (d *dev) admin() string {
	d.adminOnce.Do(func() { d.adminToken = d.login("admin@demo.qoa") })
	return d.adminToken
}

// receipt is the answer to a purchase.
type receipt struct {
	ID     string
	Earned []struct {
		Campaign string
		Amount   int64
		Balance  int64
	}
}

// buy records a purchase of the demo's stamp product by the demo's API key.
func (d *dev) buy(key, card string, quantity int) (receipt, int) {
	var answer struct{ Data receipt }
	status := d.call("POST", "/v1/purchases", map[string]string{
		"Authorization": "Bearer qoa_key_demo-tconecta-solo-para-desarrollo-00000000", "Idempotency-Key": key,
	}, map[string]any{
		"shop_code": "K7M2QR", "card_code": card, "items": []any{map[string]any{"gtin": "7501055300075", "quantity": quantity}},
	}, &answer)
	return answer.Data, status
}

var cardLink = regexp.MustCompile(`http://localhost:\d+(/c/[\w-]{22,}/([0-9A-Z]{8}))`)

// onboard sends the counter QR's phrase and gives the card link's path and the
// card code out of the one answer.
func (d *dev) onboard(phone string) (path, card string) {
	d.t.Helper()
	answer := d.say(phone, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)")
	m := cardLink.FindStringSubmatch(answer.Text)
	require.NotNil(d.t, m, "no card link in: %s", answer.Text)
	return m[1], m[2]
}

// run runs a job as if it were then, and gives how many messages it sends.
func (d *dev) run(job string, asOf time.Time) int {
	d.t.Helper()
	var answer struct{ Data struct{ Messages int } }
	require.Equal(d.t, http.StatusAccepted, d.call("POST", "/v1/jobs/"+job+"/runs",
		map[string]string{"Authorization": "Bearer " + d.admin()}, map[string]any{"as_of": asOf}, &answer))
	return answer.Data.Messages
}

// noon of the day in Mexico City, when anything may be sent.
func noon(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 18, 0, 0, 0, time.UTC)
}

func regexpFind(t *testing.T, pattern, text string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindString(text)
	require.NotEmpty(t, found, "no %s in: %s", pattern, text)
	return found
}
