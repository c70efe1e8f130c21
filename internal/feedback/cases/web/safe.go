package web

import "encoding/base64"

// urlSafe writes a text so that a cookie can hold it, cut to what a line needs.
func urlSafe(s string) string {
	if len(s) > 600 {
		s = s[:600]
	}
	return base64.RawURLEncoding.EncodeToString([]byte(s))
}

func fromSafe(s string) string {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(raw)
}
