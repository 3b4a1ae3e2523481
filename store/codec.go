package store

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// registerCodecs teaches a connection the domain's types. Times leave the
// database in UTC, whatever zone the machine is in. IDs travel as the 16 bytes
// that they are: as texts, Postgres would have to read each of them.
func registerCodecs(m *pgtype.Map) {
	m.RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	m.TryWrapEncodePlanFuncs = append([]pgtype.TryWrapEncodePlanFunc{wrapID, wrapIDs}, m.TryWrapEncodePlanFuncs...)
}

// wireID is a loyalty.ID on its way to Postgres.
type wireID loyalty.ID

// UUIDValue implements pgtype.UUIDValuer.
func (id wireID) UUIDValue() (pgtype.UUID, error) {
	u := pgtype.UUID{Valid: true}
	if len(id) != 36 {
		return u, fmt.Errorf("store: %q is no ID", string(id))
	}
	var digits [32]byte
	copy(digits[:8], id[:8])
	copy(digits[8:12], id[9:13])
	copy(digits[12:16], id[14:18])
	copy(digits[16:20], id[19:23])
	copy(digits[20:], id[24:])
	_, err := hex.Decode(u.Bytes[:], digits[:])
	return u, err
}

type planID struct{ next pgtype.EncodePlan }

func wrapID(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
	id, ok := value.(loyalty.ID)
	return &planID{}, wireID(id), ok
}

func (p *planID) SetNext(next pgtype.EncodePlan) { p.next = next }

func (p *planID) Encode(value any, buf []byte) ([]byte, error) {
	id, _ := value.(loyalty.ID)
	return p.next.Encode(wireID(id), buf)
}

type planIDs struct{ next pgtype.EncodePlan }

func wrapIDs(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
	ids, ok := value.([]loyalty.ID)
	return &planIDs{}, wireIDs(ids), ok
}

func (p *planIDs) SetNext(next pgtype.EncodePlan) { p.next = next }

func (p *planIDs) Encode(value any, buf []byte) ([]byte, error) {
	ids, _ := value.([]loyalty.ID)
	return p.next.Encode(wireIDs(ids), buf)
}

func wireIDs(ids []loyalty.ID) pgtype.FlatArray[wireID] {
	if ids == nil {
		return nil
	}
	wire := make(pgtype.FlatArray[wireID], len(ids))
	for i, id := range ids {
		wire[i] = wireID(id)
	}
	return wire
}
