package backup

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the length, what was sealed is read again; with any byte changed, left
// out or added nobody gets to the end, and so no transaction does.
func TestASealIsRightOrTheEndIsNotGiven(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	for _, size := range []int{0, 1, held - sealSize, held, 1<<16 - sealSize, 1 << 16, 1<<16 + held, 200_000} {
		body := make([]byte, size)
		random.Read(body) //nolint:errcheck // it cannot fail
		var file bytes.Buffer
		s := newSealer(&file)
		_, err := io.Copy(s, bytes.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, s.seal())
		read, err := io.ReadAll(newUnsealer(bytes.NewReader(file.Bytes())))
		require.NoError(t, err)
		require.Equal(t, body, append([]byte{}, read...))
		for at := 0; at < file.Len(); at += max(1, file.Len()/50) {
			changed := bytes.Clone(file.Bytes())
			changed[at] ^= 1
			for _, broken := range [][]byte{changed, file.Bytes()[:at], append(changed[:at:at], changed[at+1:]...), append(bytes.Clone(file.Bytes()), '\n')} {
				read, err := io.ReadAll(newUnsealer(bytes.NewReader(broken)))
				require.ErrorIs(t, err, ErrDamaged)
				require.LessOrEqual(t, len(read), max(0, len(broken)-held))
			}
		}
	}
}
