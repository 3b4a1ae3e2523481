package wasim

import (
	"time"

	"go.mau.fi/whatsmeow/types"
)

// answer handles one kind of query; the lock is held. It gives the content of
// the result, or why there is none.
type answer func(s *Server, c *conn, iq *node) ([]node, *refusal)

// answers are the queries that the server knows, by namespace and type.
var answers = map[string]answer{
	"encrypt get":                 (*Server).getKeys,
	"encrypt set":                 (*Server).setKeys,
	"passive set":                 (*Server).setPassive,
	"usync get":                   (*Server).usync,
	"w:m set":                     (*Server).mediaHosts,
	"privacy get":                 (*Server).getPrivacy,
	"privacy set":                 (*Server).setPrivacy,
	"w:sync:app:state set":        (*Server).appState,
	"blocklist get":               (*Server).getBlocked,
	"blocklist set":               (*Server).setBlocked,
	"w:g2 get":                    (*Server).groups,
	"w:profile:picture get":       func(*Server, *conn, *node) ([]node, *refusal) { return nil, &errNotFound },
	"w:biz get":                   func(*Server, *conn, *node) ([]node, *refusal) { return nil, &errNotFound },
	"urn:xmpp:whatsapp:dirty set": fine,
	"urn:xmpp:whatsapp:push get":  func(*Server, *conn, *node) ([]node, *refusal) { return []node{{Tag: "settings"}}, nil },
	"urn:xmpp:whatsapp:push set":  fine,
	"disappearing_mode set":       fine,
	"md set":                      (*Server).setDevices,
	"w:p get":                     fine,
}

func fine(*Server, *conn, *node) ([]node, *refusal) { return nil, nil }

// onIQ answers a query. One that is not known is refused, so that nobody waits
// for ever, and remembered.
func (s *Server) onIQ(c *conn, n *node) {
	kind := text(n, "type")
	if kind == "result" || kind == "error" {
		return // to a query of the server's; none is asked of a paired client
	}
	xmlns := text(n, "xmlns")
	if xmlns == "w:p" {
		c.device.pings++
		if c.device.muted {
			return
		}
	}
	handle, ok := answers[xmlns+" "+kind]
	if !ok {
		s.unhandled(c, n.String())
		c.send(refused(n, errNotImplemented))
		return
	}
	content, why := handle(s, c, n)
	if why != nil {
		if *why == errNotImplemented || *why == errBadRequest {
			s.unhandled(c, n.String())
		}
		c.send(refused(n, *why))
		return
	}
	c.send(result(n, content...))
	if _, on := child(n, "active"); on && xmlns == "passive" {
		c.device.wake()
	}
}

func (s *Server) setPassive(c *conn, iq *node) ([]node, *refusal) {
	if _, on := child(iq, "active"); on {
		return nil, nil // the backlog follows the result
	}
	c.device.active, c.device.synced = false, false
	return nil, nil
}

// appState says that nothing has changed: the phone that the server plays keeps
// no settings.
func (s *Server) appState(_ *conn, iq *node) ([]node, *refusal) {
	sync, ok := child(iq, "sync")
	if !ok {
		return nil, &errBadRequest
	}
	var collections []node
	for _, col := range sync.GetChildrenByTag("collection") {
		collections = append(collections, node{Tag: "collection", Attrs: attrs{"name": text(&col, "name"), "version": number(&col, "version")}})
	}
	return []node{{Tag: "sync", Content: collections}}, nil
}

// groups says that the account is in no group.
func (s *Server) groups(_ *conn, iq *node) ([]node, *refusal) {
	if _, ok := child(iq, "participating"); !ok {
		return nil, &errNotFound
	}
	return []node{{Tag: "groups"}}, nil
}

// setDevices lets a device unlink itself.
func (s *Server) setDevices(c *conn, iq *node) ([]node, *refusal) {
	remove, ok := child(iq, "remove-companion-device")
	if !ok {
		return nil, &errNotImplemented
	}
	d := c.device
	if who := jid(&remove, "jid"); s.find(who) != d.account || who.Device != d.number {
		return nil, &errBadRequest
	}
	d.remove()
	time.AfterFunc(grace, func() { _ = c.ws.CloseNow() })
	return nil, nil
}

func defaultPrivacy() map[string]string {
	return map[string]string{
		"groupadd": "all", "last": "all", "status": "all", "profile": "all", "readreceipts": "all",
		"online": "all", "calladd": "all",
	}
}

func (s *Server) getPrivacy(c *conn, _ *node) ([]node, *refusal) {
	var categories []node
	for name, value := range c.device.account.privacy {
		categories = append(categories, node{Tag: "category", Attrs: attrs{"name": name, "value": value}})
	}
	return []node{{Tag: "privacy", Content: categories}}, nil
}

// setPrivacy changes settings, or gives somebody a token that says they are
// trusted: theirs is told.
func (s *Server) setPrivacy(c *conn, iq *node) ([]node, *refusal) {
	a := c.device.account
	if privacy, ok := child(iq, "privacy"); ok {
		for _, category := range privacy.GetChildrenByTag("category") {
			a.privacy[text(&category, "name")] = text(&category, "value")
		}
		return nil, nil
	}
	tokens, ok := child(iq, "tokens")
	if !ok {
		return nil, &errBadRequest
	}
	for _, token := range tokens.GetChildrenByTag("token") {
		trusted := s.find(jid(&token, "jid"))
		if trusted == nil {
			continue
		}
		from := a.sender(0)
		delete(from, "addressing_mode")
		for _, d := range trusted.companions() {
			d.notify("privacy_token", from, node{Tag: "tokens", Content: []node{{
				Tag: "token", Attrs: attrs{"jid": trusted.LID(), "t": text(&token, "t"), "type": "trusted_contact"},
				Content: []byte(a.lid + "/" + trusted.lid),
			}}})
		}
	}
	return nil, nil
}

func (s *Server) getBlocked(c *conn, _ *node) ([]node, *refusal) {
	var items []node
	for _, j := range c.device.account.blocked {
		items = append(items, node{Tag: "item", Attrs: attrs{"jid": j}})
	}
	return []node{{Tag: "list", Attrs: attrs{"dhash": "wasim"}, Content: items}}, nil
}

func (s *Server) setBlocked(c *conn, iq *node) ([]node, *refusal) {
	item, ok := child(iq, "item")
	if !ok {
		return nil, &errBadRequest
	}
	a, who := c.device.account, jid(&item, "jid")
	var kept []types.JID
	for _, j := range a.blocked {
		if j != who {
			kept = append(kept, j)
		}
	}
	if text(&item, "action") == "block" {
		kept = append(kept, who)
	}
	a.blocked = kept
	return s.getBlocked(c, iq)
}
