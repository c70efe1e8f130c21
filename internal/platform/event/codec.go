package event

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The wire form of an event in the log: a version byte, a kind byte, a flag
// byte, then varints and length-prefixed strings in the fixed order of fields
// below. A new field is appended with a new version; old versions stay readable
// for as long as the log keeps them.
const codecVersion = 1

const flagHistory = 1

// ErrCorrupt is returned when bytes do not hold an event.
var ErrCorrupt = errors.New("event: corrupt encoding")

const stringFields = 16

func (e *Event) strings() [stringFields]*string {
	return [stringFields]*string{
		&e.Source, &e.MessageID, &e.Entity, &e.Name, &e.UserID, &e.AnonymousID, &e.PreviousID, &e.System,
		&e.Journey, &e.Case, &e.Channel, &e.Unit, &e.Product, &e.Outcome, &e.Currency, &e.Import,
	}
}

// Append adds the encoding of e to dst and returns the longer slice.
func (e *Event) Append(dst []byte) []byte {
	var flags byte
	if e.History {
		flags |= flagHistory
	}
	dst = append(dst, codecVersion, byte(e.Kind), flags)
	dst = binary.AppendVarint(dst, e.At)
	dst = binary.AppendVarint(dst, e.ReceivedAt)
	dst = binary.AppendVarint(dst, e.Amount)
	dst = binary.AppendUvarint(dst, uint64(e.Schema))
	for _, s := range e.strings() {
		dst = binary.AppendUvarint(dst, uint64(len(*s)))
		dst = append(dst, *s...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Props)))
	dst = append(dst, e.Props...)
	dst = binary.AppendUvarint(dst, uint64(len(e.Traits)))
	return append(dst, e.Traits...)
}

// Decode reads one event from the front of b into e and returns the rest. The
// event shares no memory with b.
func (e *Event) Decode(b []byte) (rest []byte, err error) {
	if len(b) < 3 {
		return nil, ErrCorrupt
	}
	if b[0] != codecVersion {
		return nil, fmt.Errorf("%w: version %d is not known here", ErrCorrupt, b[0])
	}
	*e = Event{Kind: Kind(b[1]), History: b[2]&flagHistory != 0}
	r := reader{b: b[3:]}
	e.At, e.ReceivedAt, e.Amount = r.varint(), r.varint(), r.varint()
	e.Schema = uint32(r.uvarint())
	for _, s := range e.strings() {
		*s = string(r.bytes())
	}
	if p := r.bytes(); len(p) > 0 {
		e.Props = append([]byte(nil), p...)
	}
	if p := r.bytes(); len(p) > 0 {
		e.Traits = append([]byte(nil), p...)
	}
	if r.bad {
		return nil, ErrCorrupt
	}
	return r.b, nil
}

// reader walks an encoding and remembers whether it ran off its end.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

// Identity reads what decides duplicates (entity, source, message id) of the
// event at the front of b and skips the rest of it, without making an Event.
// The slices share memory with b.
func Identity(b []byte) (entity, source, messageID, rest []byte, err error) {
	if len(b) < 3 || b[0] != codecVersion {
		return nil, nil, nil, nil, ErrCorrupt
	}
	r := reader{b: b[3:]}
	for range 3 {
		r.varint()
	}
	r.uvarint()
	source, messageID, entity = r.bytes(), r.bytes(), r.bytes()
	for range stringFields - 3 + 2 { // the other strings, Props and Traits
		r.bytes()
	}
	if r.bad {
		return nil, nil, nil, nil, ErrCorrupt
	}
	return entity, source, messageID, r.b, nil
}
