package wasim

import (
	"maps"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
)

// The words of the protocol, short.
type (
	node  = waBinary.Node
	attrs = waBinary.Attrs
)

// text is an attribute as a string, "" where there is none.
func text(n *node, name string) string {
	switch v := n.Attrs[name].(type) {
	case string:
		return v
	case types.JID:
		return v.String()
	default:
		return ""
	}
}

// jid is an attribute as an address, empty where there is none.
func jid(n *node, name string) types.JID {
	switch v := n.Attrs[name].(type) {
	case types.JID:
		return v
	case string:
		if j, err := types.ParseJID(v); err == nil {
			return j
		}
	}
	return types.EmptyJID
}

func number(n *node, name string) int {
	v, _ := strconv.Atoi(text(n, name))
	return v
}

// body is a node's content as bytes; short words of the protocol's dictionary
// arrive as strings.
func body(n node) []byte {
	switch v := n.Content.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	default:
		return nil
	}
}

func child(n *node, tags ...string) (node, bool) { return n.GetOptionalChildByTag(tags...) }

// with is a node whose attributes may be changed without changing n's.
func with(n node, more attrs) node {
	n.Attrs = maps.Clone(n.Attrs)
	if n.Attrs == nil {
		n.Attrs = attrs{}
	}
	maps.Copy(n.Attrs, more)
	return n
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func result(iq *node, content ...node) node {
	n := node{Tag: "iq", Attrs: attrs{"from": types.ServerJID, "type": "result", "id": text(iq, "id")}}
	if len(content) > 0 {
		n.Content = content
	}
	return n
}

// refusal is an error of an iq, as the real server codes them.
type refusal struct {
	code int
	text string
}

var (
	errBadRequest     = refusal{400, "bad-request"}
	errNotFound       = refusal{404, "item-not-found"}
	errNotImplemented = refusal{501, "feature-not-implemented"}
)

func refused(iq *node, why refusal) node {
	return node{
		Tag:     "iq",
		Attrs:   attrs{"from": types.ServerJID, "type": "error", "id": text(iq, "id")},
		Content: []node{{Tag: "error", Attrs: attrs{"code": why.code, "text": why.text}}},
	}
}
