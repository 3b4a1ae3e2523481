package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// healthPatience is longer than the server's own for what it leans on.
const healthPatience = 5 * time.Second

// runHealth asks the server of this machine how it is: an image without a shell
// has no other way to.
func runHealth(ctx context.Context, c console) error {
	kind := "ready"
	switch {
	case len(c.args) == 1 && (c.args[0] == "live" || c.args[0] == "ready"):
		kind = c.args[0]
	case len(c.args) > 0:
		return errUsage
	}
	cfg, err := loadConfig(forCommand)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.healthAddress()+"/health/"+kind, nil)
	if err != nil {
		return err
	}
	res, err := (&http.Transport{}).RoundTrip(req) // no proxy: it is this machine
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s\n", body)
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	return nil
}

// healthAddress is where the server of the same settings answers /health.
func (c *config) healthAddress() string {
	host, port := c.Host, c.Port
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.Is6() {
			host = "::1"
		}
	}
	if c.HealthPort != 0 {
		port = c.HealthPort
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}
