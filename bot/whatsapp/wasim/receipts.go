package wasim

import (
	"time"

	"go.mau.fi/whatsmeow/types"
)

// onReceipt is a client's word about a message: it arrived, it was read, it
// could not be decrypted. The first also takes the message out of the queue.
func (s *Server) onReceipt(c *conn, n *node) {
	d, kind, to := c.device, text(n, "type"), jid(n, "to")
	c.send(node{Tag: "ack", Attrs: attrs{"class": "receipt", "id": text(n, "id"), "type": kind, "from": to, "t": unix(time.Now())}})

	switch types.ReceiptType(kind) {
	case types.ReceiptTypeDelivered, types.ReceiptTypeInactive:
		how := "receipt"
		if kind != "" {
			how += " " + kind
		}
		d.settle("message", "", text(n, "id"), to, how)
		s.forward(d, to, n)
	case types.ReceiptTypeRead, types.ReceiptTypePlayed:
		s.forward(d, to, n)
	case types.ReceiptTypeRetry:
		if a := s.find(to); a != nil {
			if sender := a.device(to.Device); sender != nil && !sender.phone() {
				s.pass(d, sender, n)
			}
		}
	case types.ReceiptTypeSender, types.ReceiptTypePeerMsg:
		d.settle("message", "", text(n, "id"), to, "receipt "+kind)
	case types.ReceiptTypeReadSelf, types.ReceiptTypePlayedSelf:
		for _, other := range d.account.companions() {
			if other != d {
				s.pass(d, other, n)
			}
		}
	case types.ReceiptTypeHistorySync, types.ReceiptTypeServerError:
	default:
		s.unhandled(c, n.String())
	}
}

// forward tells all devices of the one who sent the message.
func (s *Server) forward(from *Device, to types.JID, n *node) {
	a := s.find(to)
	if a == nil {
		return
	}
	for _, d := range a.companions() {
		if d != from {
			s.pass(from, d, n)
		}
	}
}

func (s *Server) pass(from, d *Device, n *node) {
	receipt := node{Tag: "receipt", Content: n.Content, Attrs: attrs{
		"id": text(n, "id"), "type": text(n, "type"), "t": unix(time.Now()),
	}}
	if d.account == from.account {
		receipt.Attrs["from"] = from.LID()
		if j := jid(n, "recipient"); !j.IsEmpty() {
			receipt.Attrs["recipient"] = j
		}
	} else {
		receipt = with(receipt, from.account.sender(from.number))
	}
	d.post(&parcel{class: "receipt", kind: text(n, "type"), id: text(n, "id"), node: receipt})
}
