package wasim

import (
	"encoding/hex"
	"sync"
	"time"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// The client keeps the key that it trusts in a global, so all servers of one
// process share one root.
var root = sync.OnceValue(keys.NewKeyPair)

// Trust makes the whatsmeow clients of this process believe in this process's
// servers, and in no others. It works once, whoever calls it; New and Start do,
// so that only a test which connects clients before the first server exists
// needs to.
var Trust = sync.OnceFunc(func() { whatsmeow.WACertPubKey = *root().Pub })

// Root is the key that a client must have in whatsmeow.WACertPubKey to believe
// in the servers of this process.
func Root() [32]byte { return *root().Pub }

// KeepAlive is how clients find out that a connection is dead: whatsmeow's own
// globals of these names.
type KeepAlive struct {
	Min, Max time.Duration // between two pings, Min < Max
	Deadline time.Duration // for an answer
	GiveUp   time.Duration // without one before the client reconnects
}

// QuickKeepAlive finds a dead connection within some three seconds, and takes no
// busy machine for one.
var QuickKeepAlive = KeepAlive{Min: 200 * time.Millisecond, Max: 300 * time.Millisecond, Deadline: time.Second, GiveUp: 2 * time.Second}

// Prepare is Trust, and sets the process's keep-alive. The client reads these
// globals without a lock, so call it in TestMain, before any client lives.
func Prepare(k KeepAlive) {
	Trust()
	whatsmeow.KeepAliveIntervalMin, whatsmeow.KeepAliveIntervalMax = k.Min, k.Max
	whatsmeow.KeepAliveResponseDeadline, whatsmeow.KeepAliveMaxFailTime = k.Deadline, k.GiveUp
}

// certify gives the chain root → intermediate → leaf, in which the leaf's key
// is the server's.
func certify(server *keys.KeyPair) ([]byte, error) {
	between := keys.NewKeyPair()
	from, until := time.Now().Add(-time.Hour), time.Now().AddDate(1, 0, 0)
	sign := func(by, key *keys.KeyPair, serial, issuer uint32) (*waCert.CertChain_NoiseCertificate, error) {
		details, err := proto.Marshal(&waCert.CertChain_NoiseCertificate_Details{
			Serial: &serial, IssuerSerial: &issuer, Key: key.Pub[:],
			NotBefore: proto.Uint64(uint64(from.Unix())), NotAfter: proto.Uint64(uint64(until.Unix())),
		})
		if err != nil {
			return nil, err
		}
		return &waCert.CertChain_NoiseCertificate{Details: details, Signature: signature(by, details)}, nil
	}
	intermediate, err := sign(root(), between, 1, whatsmeow.WACertIssuerSerial)
	if err != nil {
		return nil, err
	}
	leaf, err := sign(between, server, 2, 1)
	if err != nil {
		return nil, err
	}
	return proto.Marshal(&waCert.CertChain{Intermediate: intermediate, Leaf: leaf})
}

func signature(by *keys.KeyPair, parts ...[]byte) []byte {
	sum := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*by.Priv), join(parts...))
	return sum[:]
}

func signed(by [32]byte, sum []byte, parts ...[]byte) bool {
	return len(sum) == 64 && ecc.VerifySignature(ecc.NewDjbECPublicKey(by), join(parts...), [64]byte(sum))
}

func join(parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// RootHex is Root as a setting holds it: 64 hex digits.
func RootHex() string {
	key := Root()
	return hex.EncodeToString(key[:])
}
