// Package errs is the one error vocabulary of Omote.
//
// A service returns an *Error that says what kind of failure it is, which field
// it concerns, which translation key explains it to a person, and which cause
// the log should hold. Each front door (pages, API, CLI) maps a Kind to its own
// form once; nobody matches on error text.
//
//	return errs.Invalid("metric.error.min_n", "min_n", "min_n must be at least %d, got %d", 1, n)
package errs

import (
	"errors"
	"fmt"
)

// Kind classes a failure by what the caller can do about it.
type Kind uint8

const (
	// KindInternal is a defect or an unforeseen fault; the text is not shown to people.
	KindInternal Kind = iota
	// KindInvalid means the input is wrong and can be corrected by the caller.
	KindInvalid
	// KindNotFound means the object does not exist, or not within the caller's scope.
	KindNotFound
	// KindDenied means the caller lacks the permission or the purpose.
	KindDenied
	// KindUnauthenticated means the caller has not proven who they are.
	KindUnauthenticated
	// KindConflict means the state changed under the caller, or the object exists already.
	KindConflict
	// KindUnavailable means a part is down or overloaded; the same call may succeed later.
	KindUnavailable
	// KindTooLarge means a stated limit was exceeded.
	KindTooLarge
)

// String gives the stable machine name used in problem documents and logs.
func (k Kind) String() string {
	switch k {
	case KindInvalid:
		return "invalid"
	case KindNotFound:
		return "not_found"
	case KindDenied:
		return "denied"
	case KindUnauthenticated:
		return "unauthenticated"
	case KindConflict:
		return "conflict"
	case KindUnavailable:
		return "unavailable"
	case KindTooLarge:
		return "too_large"
	default:
		return "internal"
	}
}

// Error is a failure with what each audience needs: Key for people (a
// translation key), Text for engineers, Field for forms, Cause for the log.
type Error struct {
	Kind  Kind
	Key   string
	Field string
	Text  string
	Args  map[string]any
	Cause error
}

// Error implements error in English, for logs and the API's detail member.
func (e *Error) Error() string {
	if e.Cause != nil && e.Text != "" {
		return e.Text + ": " + e.Cause.Error()
	}
	if e.Cause != nil {
		return e.Cause.Error()
	}
	return e.Text
}

// Unwrap exposes the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Cause }

// With adds a value that the translated message may name.
func (e *Error) With(name string, value any) *Error {
	if e.Args == nil {
		e.Args = map[string]any{}
	}
	e.Args[name] = value
	return e
}

// Because attaches the cause that only the log sees.
func (e *Error) Because(cause error) *Error { e.Cause = cause; return e }

func newError(kind Kind, key, field, format string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Field: field, Text: fmt.Sprintf(format, args...)}
}

// Invalid reports wrong input in a field ("" when it concerns the whole).
func Invalid(key, field, format string, args ...any) *Error {
	return newError(KindInvalid, key, field, format, args...)
}

// NotFound reports an object that is absent or out of scope.
func NotFound(key, format string, args ...any) *Error {
	return newError(KindNotFound, key, "", format, args...)
}

// Denied reports a missing permission.
func Denied(key, format string, args ...any) *Error {
	return newError(KindDenied, key, "", format, args...)
}

// Unauthenticated reports a missing or wrong proof of identity.
func Unauthenticated(key, format string, args ...any) *Error {
	return newError(KindUnauthenticated, key, "", format, args...)
}

// Conflict reports a clash with the present state.
func Conflict(key, format string, args ...any) *Error {
	return newError(KindConflict, key, "", format, args...)
}

// Unavailable reports that a part is down or overloaded.
func Unavailable(key, format string, args ...any) *Error {
	return newError(KindUnavailable, key, "", format, args...)
}

// TooLarge reports that a stated limit was exceeded.
func TooLarge(key, format string, args ...any) *Error {
	return newError(KindTooLarge, key, "", format, args...)
}

// KindOf gives the kind of err, KindInternal when it carries none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}
