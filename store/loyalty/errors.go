package loyalty

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an Error is; each door maps it once (HTTP
// status, bot text). The vocabulary is small on purpose.
type Kind int

// The kinds of failure.
const (
	KindInternal      Kind = iota // a defect of ours; never shown in detail
	KindInvalid                   // the input is malformed or out of range
	KindNotFound                  // it does not exist, or the caller may not know that it does
	KindConflict                  // it contradicts the present state
	KindForbidden                 // the caller is known and may not
	KindUnauthorized              // the caller is not known
	KindUnprocessable             // well-formed, but cannot be done as asked
	KindTooMany                   // asked too often
	KindUnavailable               // a dependency is out of reach; try again
)

// Code is a stable SCREAMING_SNAKE name of one failure. API problems and bot
// texts are keyed by it, so that they never disagree.
type Code string

// The codes that callers may rely on.
const (
	CodeInternal              Code = "INTERNAL"
	CodeInvalid               Code = "VALIDATION_FAILED"
	CodeMalformed             Code = "MALFORMED_REQUEST"
	CodeNotFound              Code = "NOT_FOUND"
	CodeConflict              Code = "CONFLICT"
	CodeForbidden             Code = "FORBIDDEN"
	CodeUnauthorized          Code = "UNAUTHORIZED"
	CodeTooMany               Code = "TOO_MANY_REQUESTS"
	CodeUnavailable           Code = "UNAVAILABLE"
	CodeShopNotFound          Code = "SHOP_NOT_FOUND"
	CodeShopInactive          Code = "SHOP_INACTIVE"
	CodeCardNotFound          Code = "CARD_NOT_FOUND"
	CodeBrandInactive         Code = "BRAND_INACTIVE"
	CodeProductUnknown        Code = "PRODUCT_UNKNOWN"
	CodeEvidenceUnknown       Code = "EVIDENCE_CODE_UNKNOWN"
	CodeEvidenceUsed          Code = "EVIDENCE_CODE_USED"
	CodeEvidenceExpired       Code = "EVIDENCE_CODE_EXPIRED"
	CodeIdempotencyMissing    Code = "IDEMPOTENCY_KEY_REQUIRED"
	CodeIdempotencyReused     Code = "IDEMPOTENCY_KEY_REUSED"
	CodeRewardNotReady        Code = "REWARD_NOT_READY"
	CodeRewardOutOfStock      Code = "REWARD_OUT_OF_STOCK"
	CodeRewardLimitReached    Code = "REWARD_LIMIT_REACHED"
	CodeRewardNotValidNow     Code = "REWARD_NOT_VALID_NOW"
	CodeRewardNeedsTier       Code = "REWARD_NEEDS_TIER"
	CodeRewardNotForYou       Code = "REWARD_NOT_FOR_YOU"
	CodeBudgetExhausted       Code = "BUDGET_EXHAUSTED"
	CodeReversalTooMuch       Code = "REVERSAL_TOO_MUCH"
	CodeRedemptionUnknown     Code = "REDEMPTION_UNKNOWN"
	CodeRedemptionDone        Code = "REDEMPTION_ALREADY_DELIVERED"
	CodeRedemptionClosed      Code = "REDEMPTION_CLOSED"
	CodeCampaignNotFound      Code = "CAMPAIGN_NOT_FOUND"
	CodeCampaignTransition    Code = "CAMPAIGN_TRANSITION"
	CodeCampaignContradictory Code = "CAMPAIGN_CONTRADICTORY"
	CodeVersionScheduled      Code = "VERSION_SCHEDULED"
	CodeBadCredentials        Code = "BAD_CREDENTIALS"
	CodeDuplicate             Code = "ALREADY_EXISTS"
	CodeTimeTravelRefused     Code = "AS_OF_REFUSED"
	CodePhoneInvalid          Code = "PHONE_INVALID"
	CodeOTPInvalid            Code = "OTP_INVALID"
	CodeConversationTooLarge  Code = "MESSAGE_TOO_LARGE"
)

// FieldError names one field of the input and what is wrong with it (Spanish).
type FieldError struct {
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// Error is a failure with a meaning. Detail is Spanish and safe to show.
type Error struct {
	Kind   Kind
	Code   Code
	Detail string
	Fields []FieldError
	Err    error // the cause, for logs; may be nil
}

// Error implements error, in a form for logs.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Detail
	for _, f := range e.Fields {
		s += fmt.Sprintf(" [%s: %s]", f.Field, f.Reason)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fail makes an Error.
func Fail(kind Kind, code Code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// Invalid makes a VALIDATION_FAILED about one field; reason is Spanish.
func Invalid(field, reason string) *Error {
	return &Error{
		Kind: KindInvalid, Code: CodeInvalid,
		Detail: "Revisa los datos enviados.",
		Fields: []FieldError{{Field: field, Reason: reason}},
	}
}

// NotFound makes a NOT_FOUND with the given code.
func NotFound(code Code, detail string) *Error { return Fail(KindNotFound, code, detail) }

// CodeOf gives the code of the first Error in err's chain, INTERNAL for any
// other failure and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
