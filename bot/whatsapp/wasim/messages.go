package wasim

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// onMessage is a message of a client: encrypted for each device that is to read
// it, so the server only hands out.
func (s *Server) onMessage(c *conn, n *node) {
	from, to := c.device, jid(n, "to")
	a := from.account
	sent := Sent{ID: text(n, "id"), To: to, Type: text(n, "type"), Device: from.number, At: time.Now()}
	defer func() { a.sent = append(a.sent, sent) }()

	if a.faults.loses(n) {
		sent.Lost = true
		return
	}
	ack := node{Tag: "ack", Attrs: attrs{"class": "message", "id": sent.ID, "from": to, "t": unix(sent.At)}}
	if code := a.faults.refuses(n); code != 0 {
		sent.Error = code
		c.send(with(ack, attrs{"error": strconv.Itoa(code)}))
		return
	}
	target := s.find(to)
	if target == nil {
		s.unhandled(c, "message to "+to.String())
		sent.Error = errNotFound.code
		c.send(with(ack, attrs{"error": strconv.Itoa(errNotFound.code)}))
		return
	}
	if stale := s.deliver(from, target, n); stale {
		ack.Attrs["phash"] = listHash(append(slices.Clone(target.devices), a.devices...))
	}
	if a.faults.dropsAck(n) {
		sent.AckDropped = true
		return
	}
	c.send(ack)
}

// deliver posts a message to the devices it is encrypted for. It says whether
// the sender's idea of who these are was wrong.
func (s *Server) deliver(from *Device, target *Account, n *node) (stale bool) {
	to, a := jid(n, "to"), from.account
	participants, many := child(n, "participants")
	if !many {
		// For one device: again, because it could not read it; or for the phone.
		if d := target.device(to.Device); d != nil {
			s.hand(from, d, n, n.GetChildrenByTag("enc"))
		}
		return false
	}
	reached := map[*Device]bool{from: true}
	for _, p := range participants.GetChildrenByTag("to") {
		who := jid(&p, "jid")
		owner := s.find(who)
		if owner != target && owner != a {
			s.unhandled(nil, "participant "+who.String()+" in a message to "+to.String())
			continue
		}
		d := owner.device(who.Device)
		if d == nil {
			stale = true
			continue
		}
		reached[d] = true
		s.hand(from, d, n, p.GetChildrenByTag("enc"))
	}
	for _, d := range append(slices.Clone(target.devices), a.devices...) {
		stale = stale || !reached[d]
	}
	return stale
}

// hand posts what is for one device.
func (s *Server) hand(from, d *Device, n *node, enc []node) {
	a := from.account
	m := node{Tag: "message", Attrs: attrs{
		"id": text(n, "id"), "type": text(n, "type"), "t": unix(time.Now()),
		"notify": a.name, "edit": text(n, "edit"), "category": text(n, "category"),
	}}
	if d.account == a {
		lid := from.LID()
		m = with(m, attrs{"from": lid, "recipient": jid(n, "to").ToNonAD(), "peer_recipient_pn": jid(n, "peer_recipient_pn")})
		if jid(n, "peer_recipient_pn").IsEmpty() {
			delete(m.Attrs, "peer_recipient_pn")
		}
	} else {
		m = with(m, a.sender(from.number))
	}
	content := slices.Clone(enc)
	for _, extra := range n.GetChildren() {
		switch extra.Tag {
		case "device-identity", "meta", "biz":
			content = append(content, extra)
		}
	}
	m.Content = content
	spoil := d.account != a && !d.phone() && d.account.faults.corrupt.take()
	d.post(&parcel{class: "message", kind: text(n, "type"), id: text(n, "id"), node: m, spoil: spoil})
}

// spoilt is a message of whose ciphertexts one bit is turned, in the part that
// proves them whole.
func spoilt(message node) node {
	content := slices.Clone(message.GetChildren())
	for i, e := range content {
		if data := bytes.Clone(body(e)); e.Tag == "enc" && len(data) > 0 {
			data[len(data)-1] ^= 1
			content[i].Content = data
		}
	}
	message.Content = content
	return message
}

// retryOf is which repetition of a message this is, 0 for the first.
func retryOf(message node) int {
	for _, e := range message.GetChildrenByTag("enc") {
		if n := number(&e, "count"); n > 0 {
			return n
		}
	}
	return 0
}
