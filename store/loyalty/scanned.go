package loyalty

import "strings"

// ScannedCode reads what a scanner or a thumb gives for a code: the bare code
// in any spelling, or the URL of a QR, whose last path segment is the code.
func ScannedCode(s string) (string, CodeKind) {
	s = strings.TrimSpace(s)
	if i := strings.Index(s, "://"); i >= 0 {
		s, _, _ = strings.Cut(s, "?")
		s, _, _ = strings.Cut(s, "#")
		s = strings.TrimRight(s, "/")
		s = s[strings.LastIndexByte(s, '/')+1:]
	}
	return ParseCode(s)
}
