package pii

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Kind says what sort of personal data a span holds. Lower kinds win where two
// findings overlap.
type Kind uint8

// The kinds.
const (
	Email Kind = iota
	Card
	CitizenID // citizen id, the older identity card, or a passport
	Phone
	Account
	Address
	Name
	kinds
)

var kindNames = [kinds]string{"email", "card", "id", "phone", "account", "address", "name"}

// String returns the word that a mask shows, such as "phone".
func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Kinds lists every kind, in order of precedence.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for i := range all {
		all[i] = Kind(i)
	}
	return all
}

// Span is one finding: the bytes [Start, End) of the text.
type Span struct {
	Start, End int
	Kind       Kind
}

var scanners = sync.Pool{New: func() any { return new(scanner) }}

// Find returns the personal data of s in order, without overlaps. It is safe
// for concurrent use.
func Find(s string) []Span { return AppendFind(nil, s) }

// AppendFind appends the findings in s to dst, so that callers with many texts
// can reuse one slice.
func AppendFind(dst []Span, s string) []Span {
	sc := scanners.Get().(*scanner)
	defer scanners.Put(sc)
	sc.read(s)
	if sc.digits >= 6 {
		sc.findNumbers()
	}
	if sc.at {
		sc.findEmails()
	}
	if sc.address {
		sc.findAddresses()
	}
	sc.findNames()
	return append(dst, resolve(sc.found)...)
}

// maxRounds bounds how often Mask looks again.
const maxRounds = 8

// Mask returns s with each finding replaced by its kind in brackets, and the
// findings with their places in s. A mask can bring a cue nearer to another
// number, so the masked text is searched again until nothing more is found:
// masking a masked text changes nothing.
func Mask(s string) (string, []Span) {
	found := Find(s)
	if len(found) == 0 {
		return s, nil
	}
	masked := replace(s, found)
	for range maxRounds {
		more := Find(masked)
		if len(more) == 0 {
			break
		}
		for i, m := range more {
			more[i].Start, more[i].End = original(found, m.Start), original(found, m.End)
		}
		found = resolve(append(found, more...))
		masked = replace(s, found)
	}
	return masked, found
}

// replace writes the mask of each finding, which are in order.
func replace(s string, found []Span) string {
	var b strings.Builder
	b.Grow(len(s))
	last := 0
	for _, f := range found {
		b.WriteString(s[last:f.Start])
		b.WriteByte('[')
		b.WriteString(f.Kind.String())
		b.WriteByte(']')
		last = f.End
	}
	b.WriteString(s[last:])
	return b.String()
}

// original turns a byte offset of the masked text into one of the text.
func original(found []Span, offset int) int {
	for _, f := range found {
		mask := len(f.Kind.String()) + len("[]")
		switch {
		case offset <= f.Start:
			return offset
		case offset < f.Start+mask:
			return f.Start
		}
		offset += f.End - f.Start - mask
	}
	return offset
}

// resolve sorts the findings and drops those that overlap one of a lower kind,
// or an equal kind that starts earlier. It works in place.
func resolve(found []Span) []Span {
	if len(found) < 2 {
		return found
	}
	slices.SortFunc(found, func(a, b Span) int {
		if a.Kind != b.Kind {
			return int(a.Kind) - int(b.Kind)
		}
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	kept := found[:0]
	for _, f := range found {
		if !slices.ContainsFunc(kept, func(k Span) bool { return f.Start < k.End && k.Start < f.End }) {
			kept = append(kept, f)
		}
	}
	slices.SortFunc(kept, func(a, b Span) int { return a.Start - b.Start })
	return kept
}
