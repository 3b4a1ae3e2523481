package wasim

import (
	"encoding/binary"
	"slices"
	"strconv"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
)

// preKey is a key that others begin sessions with; signature is empty for
// one-time keys.
type preKey struct{ id, value, signature []byte }

func readPreKey(n node) preKey {
	get := func(tag string) []byte {
		c, _ := child(&n, tag)
		return body(c)
	}
	return preKey{id: get("id"), value: get("value"), signature: get("signature")}
}

func (k preKey) node() node {
	content := []node{{Tag: "id", Content: k.id}, {Tag: "value", Content: k.value}}
	if len(k.signature) == 0 {
		return node{Tag: "key", Content: content}
	}
	return node{Tag: "skey", Content: append(content, node{Tag: "signature", Content: k.signature})}
}

// setKeys takes in the keys that a device uploads.
func (s *Server) setKeys(c *conn, iq *node) ([]node, *refusal) {
	d := c.device
	registration, _ := child(iq, "registration")
	identity, _ := child(iq, "identity")
	list, ok := child(iq, "list")
	skey, signedToo := child(iq, "skey")
	if !ok || !signedToo || len(body(registration)) != 4 || len(body(identity)) != 32 {
		return nil, &errBadRequest
	}
	if [32]byte(body(identity)) != d.identity {
		return nil, &refusal{406, "not-acceptable"}
	}
	d.registration = binary.BigEndian.Uint32(body(registration))
	d.signed = readPreKey(skey)
	for _, n := range list.GetChildrenByTag("key") {
		key := readPreKey(n)
		if !slices.ContainsFunc(d.oneTime, func(k preKey) bool { return string(k.id) == string(key.id) }) {
			d.oneTime = append(d.oneTime, key)
		}
	}
	d.warned = false
	return nil, nil
}

// getKeys says how many one-time keys a device has left, or hands out those of
// others.
func (s *Server) getKeys(c *conn, iq *node) ([]node, *refusal) {
	if _, ok := child(iq, "count"); ok {
		left := len(c.device.oneTime)
		if left == 0 && !s.opts.FullPreKeys {
			left = 1
		}
		return []node{{Tag: "count", Attrs: attrs{"value": strconv.Itoa(left)}}}, nil
	}
	wanted, ok := child(iq, "key")
	if !ok {
		return nil, &errNotImplemented
	}
	var users []node
	for _, n := range wanted.GetChildrenByTag("user") {
		who := jid(&n, "jid")
		users = append(users, s.bundle(who))
	}
	return []node{{Tag: "list", Content: users}}, nil
}

// bundle is what is needed to write to a device for the first time. It takes
// one of its one-time keys, if it has any left.
func (s *Server) bundle(who types.JID) node {
	user := node{Tag: "user", Attrs: attrs{"jid": who}}
	a := s.find(who)
	var d *Device
	if a != nil {
		d = a.device(who.Device)
	}
	if d == nil {
		user.Content = []node{{Tag: "error", Attrs: attrs{"code": "404", "text": "item-not-found"}}}
		return user
	}
	signedKey := d.signed
	if d.phone() {
		signedKey = preKey{id: idOf(a.signed.KeyID), value: a.signed.Pub[:], signature: a.signed.Signature[:]}
	}
	content := []node{
		{Tag: "registration", Content: binary.BigEndian.AppendUint32(nil, d.registration)},
		{Tag: "type", Content: []byte{ecc.DjbType}},
		{Tag: "identity", Content: d.identity[:]},
		signedKey.node(),
	}
	if len(d.oneTime) > 0 {
		content = append(content, d.oneTime[0].node())
		d.oneTime = d.oneTime[1:]
	}
	if !d.phone() && len(d.oneTime) < whatsmeow.MinPreKeyCount && !d.warned {
		d.warned = true
		d.notify("encrypt", attrs{"from": types.ServerJID}, node{Tag: "count", Attrs: attrs{"value": strconv.Itoa(len(d.oneTime))}})
	}
	user.Content = content
	return user
}

// idOf is the number of a key as stanzas hold it: three bytes.
func idOf(id uint32) []byte { return binary.BigEndian.AppendUint32(nil, id)[1:] }
