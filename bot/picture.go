package bot

import (
	"fmt"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// pictureSize is the width of a picture that goes with a message, in pixels:
// sharp on a phone, and a few kilobytes.
const pictureSize = 512

// Picture draws what goes with a message, as a PNG: the QR of a card or of a
// shop's counter. Channels that send files call it.
func Picture(publicURL string, m store.Outbound) ([]byte, error) {
	switch m.Media {
	case "card_qr":
		return templates.QRPNG(publicURL+"/c/"+m.MediaRef, pictureSize)
	case "shop_qr":
		return templates.QRPNG(publicURL+"/q/"+m.MediaRef, pictureSize)
	}
	return nil, fmt.Errorf("no picture is called %q", m.Media)
}
