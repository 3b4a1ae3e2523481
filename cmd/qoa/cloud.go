package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/cloud"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/templates"
)

// channelCloud is Meta's Cloud API, as WHATSAPP_CHANNEL names it.
const channelCloud = "cloud"

// cloudConfig are the settings of that channel.
type cloudConfig struct {
	Token       string `env:"CLOUD_TOKEN" doc:"for the channel cloud: access token of a system user, with whatsapp_business_messaging"`
	PhoneID     string `env:"CLOUD_PHONE_ID" doc:"for the channel cloud: Meta's ID of the phone number, digits"`
	AppSecret   string `env:"CLOUD_APP_SECRET" doc:"for the channel cloud: the app's secret, which signs the webhook"`
	VerifyToken string `env:"CLOUD_VERIFY_TOKEN" doc:"for the channel cloud: a token of your own, at least 16 characters, to be given to Meta with the webhook PUBLIC_URL/webhooks/whatsapp"`
	URL         string `env:"CLOUD_API_URL" envDefault:"https://graph.facebook.com/v23.0" doc:"for the channel cloud: the Graph API with its version; only https, but on loopback"`
}

func (c *cloudConfig) check(expect func(ok bool, name, expected string)) {
	expect(c.Token != "", "CLOUD_TOKEN", "the access token of a system user, from Meta's business settings")
	expect(c.PhoneID != "" && strings.Trim(c.PhoneID, "0123456789") == "", "CLOUD_PHONE_ID", "Meta's ID of the phone number: digits, and not the number itself")
	expect(len(c.AppSecret) >= 16, "CLOUD_APP_SECRET", "the app's secret, from its basic settings at Meta")
	expect(len(c.VerifyToken) >= 16, "CLOUD_VERIFY_TOKEN", "at least 16 characters, for example from `openssl rand -hex 16`")
	u, err := url.Parse(c.URL)
	// Whoever answers there sees the token and every message.
	expect(err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())), "CLOUD_API_URL", "an https URL such as https://graph.facebook.com/v23.0")
}

// openCloud makes the channel, where it is ours: what a worker sends through and
// the webhook writes to.
func (s *server) openCloud(db *store.DB, client cache.Client, registry *prometheus.Registry) error {
	if s.cfg.Channel != channelCloud {
		return nil
	}
	texts, err := templates.LoadMessages()
	if err != nil {
		return err
	}
	standIns, err := templates.LoadCloudTemplates(texts)
	if err != nil {
		return err
	}
	c := s.cfg.Cloud
	s.cloud = cloud.New(cloud.Options{
		DB: db, Token: c.Token, PhoneID: c.PhoneID, AppSecret: c.AppSecret, VerifyToken: c.VerifyToken, URL: c.URL,
		Templates: standIns, Log: s.log, Limits: cache.NewLimiter(client), Metrics: registry,
	})
	return nil
}

// stopCloudTime is how long what Meta is just posting may take to be persisted at
// a shutdown.
const stopCloudTime = 20 * time.Second

// startCloud lets the channel take in what the webhook brings, and fetch files.
func (s *server) startCloud(ctx context.Context, db *store.DB) error {
	if s.cloud == nil {
		return nil
	}
	if err := s.cloud.Start(ctx, bot.NewInbox(db)); err != nil {
		return fmt.Errorf("whatsapp: %w", err)
	}
	s.onStop(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopCloudTime)
		defer cancel()
		if err := s.cloud.Stop(ctx); err != nil {
			s.log.Warn("the channel did not stop in order", "error", err)
		}
	})
	return nil
}

// botNumber is the number that people write to, where the database does not hold
// it.
func (s *server) botNumber() string {
	if s.cloud != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return s.cloud.Phone(ctx)
	}
	return s.cfg.SimNumber
}
