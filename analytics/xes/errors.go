package xes

import "fmt"

// Kind says what is wrong with an input, so that a program can choose its own
// words for it.
type Kind string

// The kinds of [Error].
const (
	Truncated Kind = "truncated" // the input ends before the log does
	Malformed Kind = "malformed" // not well-formed XML
	NotXES    Kind = "not-xes"   // XML, or anything else, but no XES log
	TooLarge  Kind = "too-large" // one of the Limits is passed
	Encoding  Kind = "encoding"  // unsupported encoding, or bytes that are not in it
	Source    Kind = "source"    // the underlying reader failed, or gzip data is damaged
)

// Error is what a [Reader] returns when it must stop. Traces returned before
// it were complete.
type Error struct {
	Kind Kind
	// Line, from 1, and Offset, in bytes from 0, of the place in the log's
	// text: after decompression and, where the file is not UTF-8, after
	// conversion to it.
	Line   int
	Offset int64
	Msg    string
	Err    error // cause, when another reader gave one
}

// Error returns a sentence with the place.
func (e *Error) Error() string {
	text := fmt.Sprintf("xes: line %d, byte %d: %s", e.Line, e.Offset, e.Msg)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
