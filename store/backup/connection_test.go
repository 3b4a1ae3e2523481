package backup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNoPasswordOnTheCommandLine(t *testing.T) {
	for _, c := range []struct {
		url, conn string
		secrets   []string
	}{
		{"postgres://qoa:s%40ecret@db:5432/qoa?sslmode=disable", "postgres://qoa@db:5432/qoa?sslmode=disable", []string{"PGPASSWORD=s@ecret"}},
		{"postgresql://qoa@db/qoa?password=secret&pool_max_conns=8&timezone=UTC", "postgresql://qoa@db/qoa", []string{"PGPASSWORD=secret"}},
		{"postgres://qoa@/qoa?host=%2Fvar%2Frun+x&port=5432", "postgres://qoa@/qoa?host=%2Fvar%2Frun%20x&port=5432", nil},
		{"postgres://db/qoa", "postgres://db/qoa", nil},
	} {
		conn, secrets, err := connection(c.url)
		require.NoError(t, err)
		require.Equal(t, c.conn, conn)
		require.Equal(t, c.secrets, secrets)
	}
	for _, bad := range []string{"host=db password=secret", "mysql://db/qoa", "postgres://db:secret:x/"} {
		_, _, err := connection(bad)
		require.ErrorContains(t, err, "DATABASE_URL: expected")
		require.NotContains(t, err.Error(), "secret")
	}
}
