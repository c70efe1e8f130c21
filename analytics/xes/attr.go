package xes

import (
	"errors"
	"fmt"
	"strconv"
)

// Keys of the standard extensions that Omote uses.
const (
	KeyName      = "concept:name"         // trace: case id; event: activity
	KeyInstance  = "concept:instance"     // event: which run of the activity
	KeyTime      = "time:timestamp"       // event: when
	KeyLifecycle = "lifecycle:transition" // event: start, complete, ...
	KeyResource  = "org:resource"         // event: who did it
	KeyRole      = "org:role"             // event: in which role
	KeyGroup     = "org:group"            // event: in which unit
	KeyCost      = "cost:total"           // trace or event: cost
)

// Type is the type of an attribute value.
type Type uint8

// The types of XES attributes.
const (
	TypeString Type = iota
	TypeDate
	TypeInt
	TypeFloat
	TypeBoolean
	TypeID
	TypeList      // no value, ordered children
	TypeContainer // no value, unordered children
)

var typeNames = [...]string{"string", "date", "int", "float", "boolean", "id", "list", "container"}

// String returns the name of the XML element that carries the type.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type(" + strconv.Itoa(int(t)) + ")"
}

func typeOf(element []byte) (Type, bool) {
	switch string(element) {
	case "string":
		return TypeString, true
	case "date":
		return TypeDate, true
	case "int":
		return TypeInt, true
	case "float":
		return TypeFloat, true
	case "boolean":
		return TypeBoolean, true
	case "id":
		return TypeID, true
	case "list":
		return TypeList, true
	case "container":
		return TypeContainer, true
	}
	return 0, false
}

// Attr is one attribute. Value is the text of the file with its character
// references resolved; it is empty for lists and containers. Children are the
// elements of a list or container, or the meta-attributes nested in any other
// attribute.
//
// Value and Children of an attribute that a [Reader] returned are valid until
// the next call of Next; Key may be kept.
type Attr struct {
	Key      string
	Type     Type
	Value    []byte
	Children []Attr
}

// ErrType is wrapped by the accessors of [Attr] when its value does not have
// the wanted form.
var ErrType = errors.New("value has another type")

// Text returns a copy of the value as a string.
func (a *Attr) Text() string { return string(a.Value) }

// Micros returns the value of a date in microseconds since 1970-01-01 UTC.
func (a *Attr) Micros() (int64, error) { return ParseTime(a.Value) }

// Int returns the value of an int.
func (a *Attr) Int() (int64, error) {
	v, err := strconv.ParseInt(string(a.Value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("attribute %q: %q is no integer: %w", a.Key, clip(a.Value), ErrType)
	}
	return v, nil
}

// Float returns the value of a float or int.
func (a *Attr) Float() (float64, error) {
	v, err := strconv.ParseFloat(string(a.Value), 64)
	if err != nil {
		return 0, fmt.Errorf("attribute %q: %q is no number: %w", a.Key, clip(a.Value), ErrType)
	}
	return v, nil
}

// Bool returns the value of a boolean: true, false, 1 or 0.
func (a *Attr) Bool() (bool, error) {
	switch string(a.Value) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("attribute %q: %q is no boolean: %w", a.Key, clip(a.Value), ErrType)
}

// Clone returns a deep copy that stays valid after the reader moved on.
func (a Attr) Clone() Attr {
	a.Value = append([]byte(nil), a.Value...)
	a.Children = cloneAttrs(a.Children)
	return a
}

func cloneAttrs(attrs []Attr) []Attr {
	if len(attrs) == 0 {
		return nil
	}
	out := make([]Attr, len(attrs))
	for i, a := range attrs {
		out[i] = a.Clone()
	}
	return out
}

// String, Date, Int, Float, Bool, ID, List and Container make attributes for a
// [Writer].
func String(key, value string) Attr {
	return Attr{Key: key, Type: TypeString, Value: []byte(value)}
}

// Date makes a date from microseconds since 1970-01-01 UTC.
func Date(key string, micros int64) Attr {
	return Attr{Key: key, Type: TypeDate, Value: AppendTime(nil, micros)}
}

// Int makes an int.
func Int(key string, v int64) Attr {
	return Attr{Key: key, Type: TypeInt, Value: strconv.AppendInt(nil, v, 10)}
}

// Float makes a float.
func Float(key string, v float64) Attr {
	return Attr{Key: key, Type: TypeFloat, Value: strconv.AppendFloat(nil, v, 'g', -1, 64)}
}

// Bool makes a boolean.
func Bool(key string, v bool) Attr {
	return Attr{Key: key, Type: TypeBoolean, Value: strconv.AppendBool(nil, v)}
}

// ID makes an id.
func ID(key, value string) Attr {
	return Attr{Key: key, Type: TypeID, Value: []byte(value)}
}

// List makes an ordered list.
func List(key string, children ...Attr) Attr {
	return Attr{Key: key, Type: TypeList, Children: children}
}

// Container makes an unordered container.
func Container(key string, children ...Attr) Attr {
	return Attr{Key: key, Type: TypeContainer, Children: children}
}

// Event is one event of a trace.
type Event struct {
	Attrs []Attr
}

// Get returns the attribute with the key, or nil and false.
func (e *Event) Get(key string) (*Attr, bool) { return find(e.Attrs, key) }

// Trace is one case: its attributes and its events in file order.
type Trace struct {
	Attrs  []Attr
	Events []Event
	// Loose is true for an event that stands in the log outside any trace; it
	// is returned as a trace of one event without attributes.
	Loose bool
}

// Get returns the trace attribute with the key, or nil and false.
func (t *Trace) Get(key string) (*Attr, bool) { return find(t.Attrs, key) }

func find(attrs []Attr, key string) (*Attr, bool) {
	for i := range attrs {
		if attrs[i].Key == key {
			return &attrs[i], true
		}
	}
	return nil, false
}

// Extension declares a vocabulary used by the log.
type Extension struct{ Name, Prefix, URI string }

// Classifier names the attribute keys that together identify an activity, a
// resource and so on. Scope is "event" when the file does not say.
type Classifier struct {
	Name  string
	Scope string
	Keys  []string
}

// Header is everything in a log but its traces and loose events.
type Header struct {
	Version  string // of XES, as stated
	Features string
	// Extensions, Classifiers and Attrs in file order.
	Extensions  []Extension
	Classifiers []Classifier
	Attrs       []Attr
	// TraceGlobals and EventGlobals are the attributes that every trace and
	// every event is declared to have, with the value to assume where one is
	// missing. The reader reports them and does not fill them in.
	TraceGlobals []Attr
	EventGlobals []Attr
}

func clip(b []byte) string {
	const limit = 40
	if len(b) > limit {
		return string(b[:limit]) + "…"
	}
	return string(b)
}
