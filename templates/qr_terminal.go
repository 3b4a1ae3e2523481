package templates

import (
	"fmt"

	qrcode "github.com/skip2/go-qrcode"
)

// QRTerminal draws payload with block characters, small enough for a terminal of
// 80 by 40. The level is the least, since a screen is not torn or soiled.
func QRTerminal(payload string) (string, error) {
	code, err := qrcode.New(payload, qrcode.Low)
	if err != nil {
		return "", fmt.Errorf("qr: %w", err)
	}
	return code.ToSmallString(false), nil
}
