package backup

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

// understood are the parameters of a connection URL that Postgres's own tools
// know; ours knows others (the size of its pool), which they would refuse.
var understood = []string{
	"application_name", "channel_binding", "connect_timeout", "gssencmode", "host", "hostaddr", "keepalives", "krbsrvname",
	"load_balance_hosts", "passfile", "port", "require_auth", "service", "sslcert", "sslcertmode", "sslcrl", "sslkey", "sslmode",
	"sslnegotiation", "sslrootcert", "sslsni", "ssl_max_protocol_version", "ssl_min_protocol_version", "target_session_attrs", "user",
}

// connection gives the connection URL of DATABASE_URL for Postgres's tools. The
// password goes by the environment: everybody on the machine can read a command
// line.
func connection(databaseURL string) (conn string, secrets []string, err error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", nil, errors.New("DATABASE_URL: expected a URL such as postgres://user:password@host/qoa")
	}
	q := u.Query()
	password := q.Get("password")
	if u.User != nil {
		if p, ok := u.User.Password(); ok {
			password = p
		}
		u.User = url.User(u.User.Username())
	}
	for name := range q {
		if !slices.Contains(understood, name) {
			q.Del(name)
		}
	}
	// libpq takes a plus sign for itself, not for a space.
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	if password != "" {
		secrets = append(secrets, "PGPASSWORD="+password)
	}
	return u.String(), secrets, nil
}
