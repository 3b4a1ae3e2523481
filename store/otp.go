package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// A one-time password lives for minutes and bears few guesses.
const (
	OTPLife     = 5 * time.Minute
	otpAttempts = 5
)

// IssueOTP sends a one-time password to a phone over WhatsApp; a phone has one,
// the newest. sent is false for a phone that never wrote: nothing goes to it,
// and the caller shows the wa.me link with which to begin.
func (tx *Tx) IssueOTP(ctx context.Context, phone loyalty.Phone) (sent bool, err error) {
	person, err := tx.FindPhone(ctx, phone)
	if err != nil || person == "" {
		return false, err
	}
	code := fmt.Sprintf("%06d", binary.BigEndian.Uint64(tx.random(8))%1_000_000)
	sent, err = tx.Notify(ctx, Notice{
		Person: person, Lane: LaneReply, Template: "otp.code", Vars: map[string]string{"code": code, "minutes": strconv.Itoa(int(OTPLife.Minutes()))},
		Cause: fmt.Sprintf("otp:%s:%d", person, tx.now.UnixMicro()),
	})
	if err != nil || !sent {
		return false, err
	}
	_, err = tx.tx.Exec(ctx, `
		INSERT INTO otps (person_id, code_hash, issued_at, expires_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person_id) DO UPDATE SET code_hash = excluded.code_hash, attempts = 0,
		  issued_at = excluded.issued_at, expires_at = excluded.expires_at`,
		person, tx.otpHash(person, code), tx.now, tx.now.Add(OTPLife))
	return err == nil, err
}

// VerifyOTP says who proved to have the phone: a tendero where the person keeps
// a shop, else a consumer. All mistakes are OTP_INVALID. It is a method of DB
// because a wrong guess must be counted while the caller gets an error.
func (db *DB) VerifyOTP(ctx context.Context, phone loyalty.Phone, code string) (loyalty.Scope, error) {
	var scope loyalty.Scope
	right := false
	err := db.InTx(ctx, func(tx *Tx) error {
		scope, right = loyalty.Scope{}, false
		person, err := tx.FindPhone(ctx, phone)
		if err != nil || person == "" {
			return err
		}
		var hash []byte
		err = tx.tx.QueryRow(ctx, `
			UPDATE otps SET attempts = attempts + 1 WHERE person_id = $1 AND attempts < $2 AND expires_at > $3
			RETURNING code_hash`, person, otpAttempts, tx.now).Scan(&hash)
		if err != nil {
			return ignoreNone(err)
		}
		if !hmac.Equal(hash, tx.otpHash(person, code)) {
			return nil
		}
		right = true
		if _, err := tx.tx.Exec(ctx, `DELETE FROM otps WHERE person_id = $1`, person); err != nil {
			return err
		}
		scope, err = tx.personScope(ctx, person)
		return err
	})
	if err == nil && !right {
		err = loyalty.Fail(loyalty.KindUnauthorized, loyalty.CodeOTPInvalid, "El código no es correcto o ya venció. Pide uno nuevo.")
	}
	return scope, err
}

// otpHash is keyed by QOA_SECRET: a million codes are soon tried against a bare
// hash.
func (tx *Tx) otpHash(person loyalty.ID, code string) []byte {
	mac := hmac.New(sha256.New, tx.db.opt.Secret)
	mac.Write([]byte("otp\x00" + string(person) + "\x00" + code))
	return mac.Sum(nil)
}
