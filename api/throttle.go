package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// limit is how many attempts are allowed under a key in a stretch of time.
type limit struct {
	key  string
	most int
	per  time.Duration
}

// loginLimits are those of one attempt to enter by password. The small number
// is for one account from one address: whoever guesses locks out themselves,
// not the account's owner. What the account bears in all is many times that,
// for guesses that come from many addresses. An office shares one address.
func loginLimits(email, address string) []limit {
	return []limit{
		{"login:pair:" + hashed(email) + ":" + hashed(address), 8, time.Minute},
		{"login:address:" + hashed(address), 40, time.Minute},
		{"login:account:" + hashed(email), 200, time.Minute},
	}
}

// otpLimits are those of asking for a code: each is a message on somebody's
// phone.
func otpLimits(phone, address string) []limit {
	return []limit{
		{"otp:address:" + hashed(address), 40, time.Minute},
		{"otp:phone:minute:" + hashed(phone), 3, time.Minute},
		{"otp:phone:hour:" + hashed(phone), 5, time.Hour},
		{"otp:phone:day:" + hashed(phone), 15, 24 * time.Hour},
	}
}

// guessLimits are those of one guess at a code. The codes are a million, so the
// day's number is what counts. A code bears five guesses on its own account.
func guessLimits(phone, address string) []limit {
	return []limit{
		{"otp-check:address:" + hashed(address), 40, time.Minute},
		{"otp-check:phone:minute:" + hashed(phone), 10, time.Minute},
		{"otp-check:phone:day:" + hashed(phone), 20, 24 * time.Hour},
	}
}

// throttle counts an attempt under each limit until one refuses it: what is
// refused for its address must not use up what others have. Keys are hashed: no
// mail address and no phone goes to Redis. Where Redis is away the attempt is
// allowed and logged: a shop that cannot enter is the worse failure, and
// argon2id and the OTP's own counter still stand.
func (s *server) throttle(c *fiber.Ctx, limits []limit) error {
	if s.Limits == nil {
		return nil
	}
	for _, l := range limits {
		ok, after, err := s.Limits.Allow(c.UserContext(), l.key, l.most, l.per)
		if err != nil {
			s.Log.WarnContext(c.UserContext(), "limiter is away", "error", err.Error())
			return nil
		}
		if !ok {
			return &limited{after}
		}
	}
	return nil
}

func hashed(s string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(s))))
	return hex.EncodeToString(sum[:12])
}

// callerNet is whom attempts are counted for: an IPv4 address, or the /64 that
// one IPv6 customer has to draw addresses from.
func (s *server) callerNet(c *fiber.Ctx) string {
	ip := s.clientIP(c)
	if ip.Is6() {
		if net, err := ip.Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}

// clientIP is who calls. Each proxy adds to the header, at its right end, whom
// it heard; so it is read from the right past the proxies that we trust, and
// whatever stands further left was written by the caller.
func (s *server) clientIP(c *fiber.Ctx) netip.Addr {
	ip := remoteIP(c)
	if s.ClientIPHeader == "" {
		return ip
	}
	var heard []string
	for _, line := range c.Request().Header.PeekAll(s.ClientIPHeader) {
		heard = append(heard, strings.Split(string(line), ",")...)
	}
	for i := len(heard) - 1; i >= 0 && s.trusts(ip); i-- {
		next, ok := parseIP(heard[i])
		if !ok {
			break // the last one that we understood must do
		}
		ip = next
	}
	return ip
}

// remoteIP is the other end of the connection.
func remoteIP(c *fiber.Ctx) netip.Addr {
	ip, _ := netip.AddrFromSlice(c.Context().RemoteIP())
	return ip.Unmap()
}

// trusts says whether an address is a proxy of ours.
func (s *server) trusts(ip netip.Addr) bool {
	for _, p := range s.proxies {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// parseIP reads an address as proxies write it, some with a port.
func parseIP(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Unmap().WithZone(""), true
	}
	with, err := netip.ParseAddrPort(text)
	return with.Addr().Unmap().WithZone(""), err == nil
}

// parseProxies reads addresses and CIDRs.
func parseProxies(all []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range all {
		text = strings.TrimSpace(text)
		if ip, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
