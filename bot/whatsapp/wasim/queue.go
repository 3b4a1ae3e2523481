package wasim

import (
	"slices"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// parcel is a stanza for a device that must acknowledge it. It waits on the
// server until it has, and is delivered again with every connection till then.
type parcel struct {
	class  string // message, receipt or notification: what the ack will name
	kind   string // its type
	id     string
	node   node
	spoil  bool  // is damaged on its way, the first time
	late   bool  // it is from before the connection
	on     *conn // on which it was sent
	record *Delivery
}

func (p *parcel) from() types.JID { return jid(&p.node, "from") }

// post puts a parcel in the queue of a device. The lock is held.
func (d *Device) post(p *parcel) {
	if p.class == "message" {
		p.record = &Delivery{ID: p.id, From: p.from(), Posted: time.Now(), Retry: retryOf(p.node), node: p.node}
		d.deliveries = append(d.deliveries, p.record)
	}
	if d.phone() {
		return // the phone that the server plays reads nothing
	}
	p.late = d.conn == nil || !d.active
	d.queue = append(d.queue, p)
	d.pump()
}

// pump sends what is in the queue, as far as the window allows.
func (d *Device) pump() {
	if d.conn == nil || d.conn.over || !d.active || d.stalled {
		return
	}
	open := 0
	for _, p := range d.queue {
		if open++; open > d.s.opts.Window {
			return
		}
		if p.on == d.conn {
			continue
		}
		p.on = d.conn
		n := p.node
		if p.late {
			n = with(n, attrs{"offline": "1"})
		}
		if p.record != nil {
			p.record.Attempts++
			if p.spoil {
				p.spoil, p.record.Corrupted = false, true
				n = spoilt(n)
			}
			p.record.Offline = p.late
			p.record.Delivered = time.Now()
		}
		d.conn.send(n)
	}
	d.tellBacklog()
}

// wake delivers the backlog to a device that has just said it is active.
func (d *Device) wake() {
	if d.active {
		return
	}
	d.active = true
	count := map[string]int{}
	for _, p := range d.queue {
		p.late = true
		count[p.class]++
	}
	if len(d.queue) > 0 {
		d.conn.send(node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{{Tag: "offline_preview", Attrs: attrs{
			"count": len(d.queue), "message": count["message"], "receipt": count["receipt"],
			"notification": count["notification"], "appdata": 0,
		}}}})
	}
	d.pump()
	d.tellBacklog()
	if fate := d.fate; fate != nil {
		d.fate = nil
		fate(d.conn)
	}
}

// tellBacklog says once that the backlog has been sent.
func (d *Device) tellBacklog() {
	if d.synced || slices.ContainsFunc(d.queue, func(p *parcel) bool { return p.late && p.on != d.conn }) {
		return
	}
	d.synced = true
	late := 0
	for _, p := range d.queue {
		if p.late {
			late++
		}
	}
	d.conn.send(node{Tag: "ib", Attrs: attrs{"from": types.ServerJID}, Content: []node{{Tag: "offline", Attrs: attrs{"count": late}}}})
}

// settle takes out of the queue the first parcel that an acknowledgement fits.
func (d *Device) settle(class, kind, id string, from types.JID, how string) {
	i := slices.IndexFunc(d.queue, func(p *parcel) bool {
		return p.on == d.conn && p.class == class && p.id == id && (class == "message" || p.kind == kind) && p.from() == from
	})
	if i < 0 {
		return
	}
	p := d.queue[i]
	d.queue = slices.Delete(d.queue, i, i+1)
	if p.record != nil {
		p.record.Acked, p.record.How = time.Now(), how
		d.acked = append(d.acked, p.id)
	}
	d.pump()
}

// onAck is a client's acknowledgement of anything.
func (s *Server) onAck(c *conn, n *node) {
	how := "ack"
	if code := text(n, "error"); code != "" {
		how += " " + code
	}
	c.device.settle(text(n, "class"), text(n, "type"), text(n, "id"), jid(n, "to"), how)
}

// disconnected is what the end of its connection means to a device.
func (d *Device) disconnected(c *conn) {
	if d.conn == c {
		d.conn, d.active, d.synced, d.fate = nil, false, false, nil
	}
}
