package wasim

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/util/keys"
	"golang.org/x/crypto/curve25519"
	"google.golang.org/protobuf/proto"
)

// handshake is the server's side of Noise_XX_25519_AESGCM_SHA256: the state
// that the Noise framework calls symmetric.
type handshake struct {
	hash, chain []byte
	aead        cipher.AEAD
	nonce       uint32
}

// newHandshake begins with the name of the pattern and the prologue, which is
// what the client's first frame started with. The name is 32 bytes long, and
// such a name is its own hash.
func newHandshake(prologue []byte) (*handshake, error) {
	name := []byte(socket.NoiseStartPattern)
	aead, err := gcm(name)
	if err != nil {
		return nil, err
	}
	h := &handshake{hash: name, chain: name, aead: aead}
	h.mixHash(prologue)
	return h, nil
}

func (h *handshake) mixHash(data []byte) {
	sum := sha256.New()
	sum.Write(h.hash)
	sum.Write(data)
	h.hash = sum.Sum(nil)
}

// mixKey takes in what a pair of keys agree on.
func (h *handshake) mixKey(private, public []byte) error {
	secret, err := curve25519.X25519(private, public)
	if err != nil {
		return err
	}
	chain, key, err := h.derive(secret)
	if err != nil {
		return err
	}
	h.chain, h.nonce = chain, 0
	h.aead, err = gcm(key)
	return err
}

func (h *handshake) derive(secret []byte) (first, second []byte, err error) {
	both, err := hkdf.Key(sha256.New, secret, h.chain, "", 64)
	if err != nil {
		return nil, nil, err
	}
	return both[:32], both[32:], nil
}

func (h *handshake) seal(plain []byte) []byte {
	sealed := h.aead.Seal(nil, iv(h.nonce), plain, h.hash)
	h.nonce++
	h.mixHash(sealed)
	return sealed
}

func (h *handshake) open(sealed []byte) ([]byte, error) {
	plain, err := h.aead.Open(nil, iv(h.nonce), sealed, h.hash)
	h.nonce++
	h.mixHash(sealed)
	return plain, err
}

// split gives the two keys of the session. The first is the client's to write.
func (h *handshake) split() (reads, writes cipher.AEAD, err error) {
	first, second, err := h.derive(nil)
	if err != nil {
		return nil, nil, err
	}
	if reads, err = gcm(first); err != nil {
		return nil, nil, err
	}
	writes, err = gcm(second)
	return reads, writes, err
}

func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func iv(n uint32) []byte { return binary.BigEndian.AppendUint32(make([]byte, 8, 12), n) }

// hello is what the handshake tells about a client: who it says it is, and the
// key with which it proved that it holds this session.
type hello struct {
	payload *waWa6.ClientPayload
	static  [32]byte
}

// shake carries out the handshake; send and receive move whole frames. It gives
// the keys of the session as well.
func shake(prologue []byte, key *keys.KeyPair, certificate []byte, send func([]byte) error, receive func() ([]byte, error)) (who hello, reads, writes cipher.AEAD, err error) {
	fail := func(err error) (hello, cipher.AEAD, cipher.AEAD, error) { return hello{}, nil, nil, err }
	h, err := newHandshake(prologue)
	if err != nil {
		return fail(err)
	}
	var first waWa6.HandshakeMessage
	if err := receiveMessage(receive, &first); err != nil {
		return fail(err)
	}
	theirs := first.GetClientHello().GetEphemeral()
	if len(theirs) != 32 {
		return fail(errors.New("wasim: the client's hello holds no key"))
	}
	h.mixHash(theirs)

	ours := keys.NewKeyPair()
	h.mixHash(ours.Pub[:])
	if err := h.mixKey(ours.Priv[:], theirs); err != nil {
		return fail(err)
	}
	static := h.seal(key.Pub[:])
	if err := h.mixKey(key.Priv[:], theirs); err != nil {
		return fail(err)
	}
	answer, err := proto.Marshal(&waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: ours.Pub[:], Static: static, Payload: h.seal(certificate),
	}})
	if err != nil {
		return fail(err)
	}
	if err := send(answer); err != nil {
		return fail(err)
	}

	var last waWa6.HandshakeMessage
	if err := receiveMessage(receive, &last); err != nil {
		return fail(err)
	}
	noise, err := h.open(last.GetClientFinish().GetStatic())
	if err != nil || len(noise) != 32 {
		return fail(fmt.Errorf("wasim: the client's static key: %w", err))
	}
	if err := h.mixKey(ours.Priv[:], noise); err != nil {
		return fail(err)
	}
	raw, err := h.open(last.GetClientFinish().GetPayload())
	if err != nil {
		return fail(fmt.Errorf("wasim: the client's payload: %w", err))
	}
	who = hello{payload: new(waWa6.ClientPayload), static: [32]byte(noise)}
	if err := proto.Unmarshal(raw, who.payload); err != nil {
		return fail(err)
	}
	reads, writes, err = h.split()
	return who, reads, writes, err
}

func receiveMessage(receive func() ([]byte, error), into *waWa6.HandshakeMessage) error {
	frame, err := receive()
	if err != nil {
		return err
	}
	return proto.Unmarshal(frame, into)
}
