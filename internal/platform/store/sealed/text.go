package sealed

import (
	"database/sql/driver"
	"errors"
	"fmt"
)

// Text is a column of encrypted text. Plain is set by the program before
// Box.Seal and after Box.Open; only the encrypted form reaches the database.
// The empty text is stored as NULL.
type Text struct {
	Plain string

	box []byte // encrypted form, as read from or written to the column
}

// New marks plain text for encryption.
func New(plain string) Text { return Text{Plain: plain} }

// errUnsealed is returned instead of ever writing a plain value.
var errUnsealed = errors.New("sealed: value was not sealed before it was written")

// Value gives the encrypted form to the database.
func (t Text) Value() (driver.Value, error) {
	if t.box == nil && t.Plain != "" {
		return nil, errUnsealed
	}
	if t.box == nil {
		return nil, nil
	}
	return t.box, nil
}

// Scan takes the encrypted form from the database.
func (t *Text) Scan(src any) error {
	*t = Text{}
	switch v := src.(type) {
	case nil:
	case []byte:
		t.box = append([]byte(nil), v...)
	default:
		return fmt.Errorf("sealed: column holds %T, not bytes", src)
	}
	return nil
}

// String keeps the plain text out of logs and messages.
func (t Text) String() string { return "[sealed]" }

// GoString keeps the plain text out of %#v.
func (t Text) GoString() string { return "[sealed]" }

// MarshalText keeps the plain text out of encoders that were handed a model.
func (t Text) MarshalText() ([]byte, error) { return []byte("[sealed]"), nil }
