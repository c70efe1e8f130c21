package web

import (
	"strings"

	"omote/analytics/text/normalise"
)

// matches tells whether text holds the needle, without regard to case and marks:
// "ba dinh" finds "Ba Đình".
func matches(needle, text string) bool {
	fold := func(s string) string { return string(normalise.AppendFold(nil, []byte(s))) }
	needle = fold(strings.TrimSpace(needle))
	return needle == "" || strings.Contains(fold(text), needle)
}
