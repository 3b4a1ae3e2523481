package wasim

import (
	"time"
)

// onPresence is a client that says whether it is there, or wants to know about
// somebody else.
func (s *Server) onPresence(c *conn, n *node) {
	d, kind := c.device, text(n, "type")
	a := d.account
	switch kind {
	case "subscribe":
		if target := s.find(jid(n, "to")); target != nil {
			target.watchers[d] = true
			d.tellPresence(target)
		}
	case "available", "unavailable", "":
		if name := text(n, "name"); name != "" {
			a.name = name
		}
		a.online = kind != "unavailable"
		a.presences = append(a.presences, Presence{Available: a.online, Name: text(n, "name"), Device: d.number, At: time.Now()})
		for watcher := range a.watchers {
			watcher.tellPresence(a)
		}
	default:
		s.unhandled(c, n.String())
	}
}

// tellPresence says whether somebody is there; it is not kept for later.
func (d *Device) tellPresence(a *Account) {
	if d.conn == nil || d.stalled {
		return
	}
	from := a.LID()
	if a.addressing == ByPhone {
		from = a.PN()
	}
	n := node{Tag: "presence", Attrs: attrs{"from": from}}
	if !a.online {
		n.Attrs["type"], n.Attrs["last"] = "unavailable", "deny"
	}
	d.conn.send(n)
}

// onChatState is a client that says it is typing.
func (s *Server) onChatState(c *conn, n *node) {
	a, to := c.device.account, jid(n, "to")
	children := n.GetChildren()
	target := s.find(to)
	if target == nil || len(children) != 1 {
		s.unhandled(c, n.String())
		return
	}
	a.chatStates = append(a.chatStates, ChatState{To: to, State: children[0].Tag, Media: text(&children[0], "media"), At: time.Now()})
	for _, d := range target.companions() {
		if d.conn != nil && d.active && !d.stalled {
			d.conn.send(with(node{Tag: "chatstate", Content: children}, a.sender(c.device.number)))
		}
	}
}
