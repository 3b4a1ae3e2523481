package wasim_test

import (
	"os"
	"testing"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

func TestMain(m *testing.M) {
	wasim.Prepare(wasim.QuickKeepAlive)
	os.Exit(m.Run())
}
