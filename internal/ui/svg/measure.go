package svg

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Width estimates the width of text in pixels at a font size, for the sans faces
// of the style sheet. The server cannot measure, so classes of letters carry
// average widths; the estimate errs to the wide side by a few percent.
func Width(text string, size float64, bold bool) float64 {
	var em float64
	for _, r := range norm.NFC.String(text) {
		em += advance(r)
	}
	if bold {
		em *= 1.06
	}
	return em * size
}

// advance is the width of one character in em.
func advance(r rune) float64 {
	switch {
	case r == ' ' || r == '\u00a0':
		return 0.27
	case strings.ContainsRune("il.,:;|'!jI·", r):
		return 0.29
	case strings.ContainsRune("tfr()[]/-", r):
		return 0.38
	case strings.ContainsRune("mwMW—%", r):
		return 0.9
	case r >= '0' && r <= '9':
		return 0.575
	case r == '–' || r == '\u2212' || r == '+' || r == '≥' || r == '≤' || r == '±':
		return 0.58
	case unicode.Is(unicode.Mn, r):
		return 0
	case unicode.IsUpper(r):
		return 0.68
	case r < 0x2e80:
		return 0.58
	default:
		return 1
	}
}

// Wrap breaks text into lines no wider than width, at spaces and, in machine
// names, after underscores; at most lines lines, the last one cut with "…" when
// more is left.
func Wrap(text string, size, width float64, bold bool, lines int) []string {
	words := splitWords(text)
	var out []string
	line := ""
	for i := 0; i < len(words); i++ {
		next := line + words[i]
		if line == "" || Width(strings.TrimSpace(next), size, bold) <= width {
			line = next
			continue
		}
		if len(out) == lines-1 {
			line += strings.Join(words[i:], "")
			break
		}
		out = append(out, strings.TrimSpace(line))
		line = words[i]
	}
	return append(out, Cut(strings.TrimSpace(line), size, width, bold))
}

// splitWords keeps each space or underscore with the word before it.
func splitWords(text string) []string {
	var out []string
	start := 0
	for i, r := range text {
		if r == ' ' || r == '_' {
			out = append(out, text[start:i+1])
			start = i + 1
		}
	}
	return append(out, text[start:])
}

// Cut shortens text to a width, with "…" at its end.
func Cut(text string, size, width float64, bold bool) string {
	if Width(text, size, bold) <= width {
		return text
	}
	runes := []rune(text)
	for n := len(runes) - 1; n > 0; n-- {
		short := strings.TrimRight(string(runes[:n]), " _") + "…"
		if Width(short, size, bold) <= width {
			return short
		}
	}
	return "…"
}

// Box is a rectangle that a label or mark occupies.
type Box struct{ X0, Y0, X1, Y1 float64 }

// Overlaps tells whether two boxes share area.
func (a Box) Overlaps(b Box) bool { return a.X0 < b.X1 && b.X0 < a.X1 && a.Y0 < b.Y1 && b.Y0 < a.Y1 }

// Field keeps the boxes already taken, so that later labels avoid them.
type Field struct {
	Bounds Box
	taken  []Box
}

// Take marks a box as used.
func (f *Field) Take(b Box) { f.taken = append(f.taken, b) }

// Free tells whether a box lies within the bounds and touches nothing taken.
func (f *Field) Free(b Box) bool {
	if b.X0 < f.Bounds.X0 || b.X1 > f.Bounds.X1 || b.Y0 < f.Bounds.Y0 || b.Y1 > f.Bounds.Y1 {
		return false
	}
	for _, t := range f.taken {
		if t.Overlaps(b) {
			return false
		}
	}
	return true
}

// Place puts a label of the given size at the first free of several anchors and
// marks its box as used. It reports false when none is free.
func (f *Field) Place(candidates []Box) (Box, bool) {
	for _, b := range candidates {
		if f.Free(b) {
			f.Take(b)
			return b, true
		}
	}
	return Box{}, false
}
