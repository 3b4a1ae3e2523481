package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// config is every setting there is. The doc tags are what `qoa help env` shows.
type config struct {
	DatabaseURL string `env:"DATABASE_URL" doc:"Postgres; in dev the embedded one where it is not set"`
	RedisURL    string `env:"REDIS_URL" doc:"Redis; in dev the embedded one where it is not set"`
	Secret      string `env:"QOA_SECRET" doc:"at least 32 random characters; keys the chat links: changing it voids them all"`
	PublicURL   string `env:"PUBLIC_URL" doc:"where people reach this server, such as https://qoa.example; in dev http://localhost:PORT"`
	Host        string `env:"HOST" doc:"address to listen on; 127.0.0.1 in dev and with the simulator, else 0.0.0.0"`
	Port        int    `env:"PORT" envDefault:"3000" doc:"port to listen on; 0 picks a free one (dev)"`
	HealthPort  int    `env:"HEALTH_PORT" doc:"port that answers /health and /metrics only, whatever the roles: a process without the role api listens on no other"`
	DataDir     string `env:"QOA_DATA_DIR" envDefault:"./var" doc:"folder of the embedded Postgres and Redis"`
	Channel     string `env:"WHATSAPP_CHANNEL" doc:"whatsmeow (numbers that are linked by QR) in serve, sim (the simulator) in dev, cloud (Meta's Cloud API); sim is refused where PUBLIC_URL is not loopback"`
	TestAddr    string `env:"WHATSAPP_TEST_ADDR" doc:"for tests: HOST:PORT on loopback of an emulator to speak to instead of WhatsApp; refused where PUBLIC_URL is not loopback"`
	TestRoot    string `env:"WHATSAPP_TEST_ROOT" doc:"for tests: the emulator's root key, 64 hex digits; goes with WHATSAPP_TEST_ADDR"`
	Cloud       cloudConfig
	SimNumber   string `env:"SIM_NUMBER" envDefault:"+525500000000" doc:"the simulated bot's phone number"`
	LogFormat   string `env:"LOG_FORMAT" envDefault:"text" doc:"json or text"`
	LogLevel    string `env:"LOG_LEVEL" envDefault:"info" doc:"debug, info, warn or error"`
	RateLimits  string `env:"RATE_LIMITS" doc:"on or off; off in dev, on in serve"`
	PoolSize    int32  `env:"DATABASE_POOL" envDefault:"16" doc:"connections to Postgres, 2 to 200"`
	Workers     int    `env:"WORKERS" envDefault:"8" doc:"turns and deliveries at once, 1 to 200"`

	MetricsToken string `env:"METRICS_TOKEN" doc:"bearer token that opens /metrics, at least 16 characters; where it is not set, only this machine and private networks read it"`

	ClientIPHeader string   `env:"CLIENT_IP_HEADER" doc:"header in which a proxy names the caller, such as X-Forwarded-For"`
	TrustedProxies []string `env:"TRUSTED_PROXIES" doc:"addresses or CIDRs, with commas, from which that header is believed"`

	OperatorName    string `env:"OPERATOR_NAME" envDefault:"Qoa Conectados" doc:"who answers for the data, as the privacy notice names it"`
	OperatorAddress string `env:"OPERATOR_ADDRESS" doc:"its postal address, in the privacy notice"`
	OperatorContact string `env:"OPERATOR_CONTACT" doc:"its mail address or page for ARCO requests"`
}

// devSecret keys the links of `qoa dev`, and of nothing else.
const devSecret = "desarrollo-solamente-no-usar-en-produccion"

// purpose is what the settings are for: each asks for others.
type purpose int

const (
	forCommand purpose = iota // a command that needs the database only
	forDev
	forServe
)

// loadConfig reads and checks the settings. An error names each setting that is
// wrong, and what was expected.
func loadConfig(p purpose) (config, error) {
	c, err := env.ParseAs[config]()
	if err != nil {
		return c, readable(err)
	}
	if p == forServe {
		c.serveDefaults()
	} else {
		c.devDefaults()
	}
	return c, c.check(p)
}

func (c *config) devDefaults() {
	fallback(&c.Host, "127.0.0.1")
	fallback(&c.Secret, devSecret)
	fallback(&c.Channel, channelSim)
	fallback(&c.RateLimits, "off")
}

func (c *config) serveDefaults() {
	fallback(&c.Channel, channelWhatsmeow)
	// With the simulator anyone may write as any phone, and read its codes.
	if c.Channel == channelSim {
		fallback(&c.Host, "127.0.0.1")
	}
	fallback(&c.Host, "0.0.0.0")
	fallback(&c.RateLimits, "on")
}

func fallback(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// check collects everything that is wrong, so that one start is enough to learn
// of it.
func (c *config) check(p purpose) error {
	var wrong []error
	expect := func(ok bool, name, expected string) {
		if !ok {
			wrong = append(wrong, fmt.Errorf("%s: expected %s", name, expected))
		}
	}
	if p == forServe {
		expect(c.DatabaseURL != "", "DATABASE_URL", "the connection URL of a Postgres, such as postgres://user:password@host/qoa")
		expect(c.RedisURL != "", "REDIS_URL", "the URL of a Redis, such as redis://host:6379/0")
		expect(c.PublicURL != "", "PUBLIC_URL", "where people reach this server, such as https://qoa.example")
		expect(len(c.Secret) >= 32 && distinct(c.Secret) >= 10, "QOA_SECRET", "at least 32 random characters, for example from `openssl rand -base64 32`")
		expect(c.Secret != devSecret, "QOA_SECRET", "a secret of your own, not the one of `qoa dev`")
	}
	if c.PublicURL != "" {
		c.PublicURL = strings.TrimRight(c.PublicURL, "/")
		u, err := url.Parse(c.PublicURL)
		expect(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.Fragment == "",
			"PUBLIC_URL", "an http or https URL with a host and nothing after it")
	}
	expect(c.Port >= 0 && c.Port <= 65535, "PORT", "a number from 0 to 65535")
	expect(c.HealthPort >= 0 && c.HealthPort <= 65535, "HEALTH_PORT", "a number from 1 to 65535")
	expect(c.LogFormat == "json" || c.LogFormat == "text", "LOG_FORMAT", "json or text")
	expect(new(slog.LevelVar).UnmarshalText([]byte(c.LogLevel)) == nil, "LOG_LEVEL", "debug, info, warn or error")
	expect(c.RateLimits == "on" || c.RateLimits == "off", "RATE_LIMITS", "on or off")
	expect(c.PoolSize >= 2 && c.PoolSize <= 200, "DATABASE_POOL", "a number from 2 to 200")
	expect(c.Workers >= 1 && c.Workers <= 200, "WORKERS", "a number from 1 to 200")
	expect(c.MetricsToken == "" || len(c.MetricsToken) >= 16, "METRICS_TOKEN", "at least 16 characters, for example from `openssl rand -base64 24`")
	for _, proxy := range c.TrustedProxies {
		expect(isNetwork(proxy), "TRUSTED_PROXIES", "addresses or CIDRs with commas, such as 10.0.0.0/8")
	}
	_, err := loyalty.ParsePhone(c.SimNumber)
	expect(err == nil, "SIM_NUMBER", "a phone number such as +525500000000")
	if p == forCommand {
		return errors.Join(wrong...) // what a server does with the rest is not its business
	}
	switch c.Channel {
	case channelSim:
		expect(!c.production(), "WHATSAPP_CHANNEL", "another channel than sim: the simulator is refused where PUBLIC_URL is not loopback")
		expect(p == forDev || loopback(c.Host), "HOST", "a loopback address: with the simulator anyone may write as any phone")
	case channelWhatsmeow:
	case channelCloud:
		c.Cloud.check(expect)
	default:
		expect(false, "WHATSAPP_CHANNEL", "whatsmeow, cloud or sim")
	}
	c.checkTest(expect)
	if p == forDev {
		expect(!c.production() || c.Secret != devSecret, "QOA_SECRET", "a secret of your own where PUBLIC_URL is not loopback")
	}
	return errors.Join(wrong...)
}

// checkTest checks the settings that point at an emulator: who answers there sees
// every message, so nobody but this machine may, and never in production.
func (c *config) checkTest(expect func(ok bool, name, expected string)) {
	if c.TestAddr == "" && c.TestRoot == "" {
		return
	}
	const inTests = "nothing: it is for tests, and refused where PUBLIC_URL is not loopback"
	expect(!c.production() || c.TestAddr == "", "WHATSAPP_TEST_ADDR", inTests)
	expect(!c.production() || c.TestRoot == "", "WHATSAPP_TEST_ROOT", inTests)
	host, port, err := net.SplitHostPort(c.TestAddr)
	expect(err == nil && loopback(host) && port != "", "WHATSAPP_TEST_ADDR", "HOST:PORT on loopback, such as 127.0.0.1:9000, together with WHATSAPP_TEST_ROOT")
	key, err := hex.DecodeString(c.TestRoot)
	expect(err == nil && len(key) == 32, "WHATSAPP_TEST_ROOT", "64 hex digits, together with WHATSAPP_TEST_ADDR")
}

// distinct counts the different bytes of a secret: a repeated letter is long and
// no secret.
func distinct(s string) int {
	seen := map[byte]bool{}
	for i := range len(s) {
		seen[s[i]] = true
	}
	return len(seen)
}

// production is told by the host that people use: not a loopback one.
func (c *config) production() bool {
	if c.PublicURL == "" {
		return false
	}
	u, err := url.Parse(c.PublicURL)
	return err != nil || !loopback(u.Hostname())
}

// loopback says whether only this machine can reach the host.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// isNetwork says whether the text is an address or a CIDR.
func isNetwork(text string) bool {
	text = strings.TrimSpace(text)
	_, err := netip.ParseAddr(text)
	if err != nil {
		_, err = netip.ParsePrefix(text)
	}
	return err == nil
}

// address is where HTTP listens.
func (c *config) address() string { return net.JoinHostPort(c.Host, fmt.Sprint(c.Port)) }

// setting is one line of `qoa help env`.
type setting struct{ name, fallback, explain string }

func settings() []setting {
	return settingsOf(reflect.TypeFor[config]())
}

// settingsOf lists the settings of a struct, those of the structs in it too.
func settingsOf(t reflect.Type) (all []setting) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Struct {
			all = append(all, settingsOf(f.Type)...)
			continue
		}
		all = append(all, setting{f.Tag.Get("env"), f.Tag.Get("envDefault"), f.Tag.Get("doc")})
	}
	return all
}

// readable names the settings, not our fields, in an error of the parser.
func readable(err error) error {
	var all env.AggregateError
	if !errors.As(err, &all) {
		return err
	}
	t := reflect.TypeFor[config]()
	var lines []error
	for _, e := range all.Errors {
		var p env.ParseError
		if errors.As(e, &p) {
			if f, ok := t.FieldByName(p.Name); ok {
				lines = append(lines, fmt.Errorf("%s: expected a value of type %s", f.Tag.Get("env"), f.Type))
				continue
			}
		}
		lines = append(lines, e)
	}
	return errors.Join(lines...)
}
