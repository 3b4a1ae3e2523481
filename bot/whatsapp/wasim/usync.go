package wasim

import (
	"strconv"

	"go.mau.fi/whatsmeow/types"
)

// usync answers what a client wants to know about users: their devices, LID,
// whether a number is on WhatsApp.
func (s *Server) usync(c *conn, iq *node) ([]node, *refusal) {
	query, ok := child(iq, "usync", "query")
	list, listed := child(iq, "usync", "list")
	if !ok || !listed {
		return nil, &errBadRequest
	}
	asker := c.device.account
	var users []node
	for _, n := range list.GetChildrenByTag("user") {
		who, spelt := jid(&n, "jid"), ""
		if who.IsEmpty() {
			contact, _ := child(&n, "contact")
			spelt = string(body(contact))
			who, _ = types.ParseJID(spelt)
		}
		users = append(users, s.describe(asker, who, spelt, query.GetChildren()))
	}
	frame, _ := child(iq, "usync")
	return []node{{Tag: "usync", Attrs: attrs{
		"sid": text(&frame, "sid"), "index": "0", "last": "true", "mode": text(&frame, "mode"), "context": text(&frame, "context"),
	}, Content: []node{{Tag: "result"}, {Tag: "list", Content: users}}}}, nil
}

// describe answers about one user; spelt is the number as it was asked for by
// who did not know an address yet.
func (s *Server) describe(asker *Account, who types.JID, spelt string, query []node) node {
	a := s.find(who)
	user := node{Tag: "user", Attrs: attrs{"jid": who}}
	if who.Server == types.LegacyUserServer {
		delete(user.Attrs, "jid")
		user.Attrs["pn_jid"] = types.NewJID(digits(who.User), types.DefaultUserServer)
		if a != nil {
			user.Attrs["jid"] = a.LID()
		}
	}
	var content []node
	for _, q := range query {
		switch q.Tag {
		case "devices":
			if a != nil {
				a.askers[asker] = true
				content = append(content, a.deviceList())
			}
		case "lid":
			if a != nil && who.Server != types.HiddenUserServer {
				content = append(content, node{Tag: "lid", Attrs: attrs{"val": a.LID()}})
			}
		case "contact":
			is := "out"
			if a != nil {
				is = "in"
			}
			contact := node{Tag: "contact", Attrs: attrs{"type": is}}
			if spelt != "" {
				contact.Content = []byte(spelt)
			}
			content = append(content, contact)
		case "status":
			content = append(content, node{Tag: "status", Attrs: attrs{"t": "0"}})
		case "business", "picture", "disappearing_mode", "username": // nobody has any
		default:
			s.unhandled(nil, "usync about "+q.Tag)
		}
	}
	if len(content) > 0 {
		user.Content = content
	}
	return user
}

func (a *Account) deviceList() node {
	var devices []node
	for _, d := range a.devices {
		n := node{Tag: "device", Attrs: attrs{"id": strconv.Itoa(int(d.number))}}
		if !d.phone() {
			n.Attrs["key-index"] = strconv.Itoa(int(d.index))
		}
		devices = append(devices, n)
	}
	return node{Tag: "devices", Content: []node{{Tag: "device-list", Attrs: attrs{"hash": listHash(a.devices)}, Content: devices}}}
}
