package wasim

import (
	"bytes"
	"context"
	"crypto/cipher"
	"errors"
	"fmt"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/socket"
)

// frames cuts what arrives on a websocket into frames: three bytes of length,
// then as many bytes. The client's first message begins with the prologue.
type frames struct {
	ws       *websocket.Conn
	rest     []byte
	prologue bool // seen
}

func (f *frames) next(ctx context.Context) ([]byte, error) {
	for {
		if !f.prologue && len(f.rest) >= len(socket.WAConnHeader) {
			if !bytes.HasPrefix(f.rest, socket.WAConnHeader) {
				return nil, fmt.Errorf("wasim: unknown prologue %x", f.rest[:len(socket.WAConnHeader)])
			}
			f.prologue, f.rest = true, f.rest[len(socket.WAConnHeader):]
		}
		if f.prologue && len(f.rest) >= socket.FrameLengthSize {
			size := int(f.rest[0])<<16 | int(f.rest[1])<<8 | int(f.rest[2])
			if whole := f.rest[socket.FrameLengthSize:]; len(whole) >= size {
				f.rest = whole[size:]
				return whole[:size], nil
			}
		}
		kind, data, err := f.ws.Read(ctx)
		if err != nil {
			return nil, err
		}
		if kind != websocket.MessageBinary {
			return nil, errors.New("wasim: a websocket message that is not binary")
		}
		f.rest = append(bytes.Clone(f.rest), data...)
	}
}

// write sends one frame as one websocket message: the client has trouble with a
// frame in two.
func (f *frames) write(ctx context.Context, data []byte) error {
	frame := append([]byte{byte(len(data) >> 16), byte(len(data) >> 8), byte(len(data))}, data...)
	return f.ws.Write(ctx, websocket.MessageBinary, frame)
}

// sealed is one direction of a session once the keys are agreed.
type sealed struct {
	aead  cipher.AEAD
	nonce uint32
}

func (s *sealed) seal(plain []byte) []byte {
	out := s.aead.Seal(nil, iv(s.nonce), plain, nil)
	s.nonce++
	return out
}

func (s *sealed) open(data []byte) ([]byte, error) {
	plain, err := s.aead.Open(nil, iv(s.nonce), data, nil)
	s.nonce++
	return plain, err
}

// decode reads the binary XML of a frame.
func decode(plain []byte) (*waBinary.Node, error) {
	if len(plain) == 0 {
		return nil, errors.New("wasim: an empty frame")
	}
	data, err := waBinary.Unpack(plain)
	if err != nil {
		return nil, err
	}
	return waBinary.Unmarshal(data)
}
