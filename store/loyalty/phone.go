package loyalty

import "strings"

// Phone is a telephone number in E.164. Mexican mobiles are always "+52" and
// ten digits: the "+521…" of WhatsApp and the bare ten digits are the same
// phone, and read as such. The zero value is no phone.
type Phone string

// ParsePhone reads a phone as people and WhatsApp write it: "+52 1 55 1234 5678",
// "5215512345678", "55 1234 5678". The error is PHONE_INVALID.
func ParsePhone(s string) (Phone, error) {
	var b strings.Builder
	plus := false
	for i, r := range strings.TrimSpace(s) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && i == 0:
			plus = true
		case r == ' ' || r == '-' || r == '(' || r == ')' || r == '.' || r == '\u00a0':
		default:
			return "", errPhone()
		}
	}
	d := b.String()
	if !plus && strings.HasPrefix(d, "00") {
		d, plus = d[2:], true
	}
	switch {
	case len(d) == 13 && strings.HasPrefix(d, "521"):
		d = "52" + d[3:]
	case len(d) == 12 && strings.HasPrefix(d, "52"):
	case len(d) == 10 && !plus:
		d = "52" + d
	case plus && len(d) >= 8 && len(d) <= 15 && d[0] != '0' && !strings.HasPrefix(d, "52"):
	default:
		return "", errPhone()
	}
	if strings.HasPrefix(d, "52") && d[2] < '2' {
		return "", errPhone() // no Mexican area code begins with 0 or 1
	}
	return Phone("+" + d), nil
}

func errPhone() *Error {
	return &Error{
		Kind: KindInvalid, Code: CodePhoneInvalid,
		Detail: "El teléfono no es válido: escribe 10 dígitos, o + y la lada del país.",
		Fields: []FieldError{{Field: "phone", Reason: "no es un teléfono válido"}},
	}
}

// LastDigits shows a phone to its owner or an admin without giving it away.
func (p Phone) LastDigits() string {
	if len(p) < 4 {
		return ""
	}
	return "…" + string(p[len(p)-4:])
}
