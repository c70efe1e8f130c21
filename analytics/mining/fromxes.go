package mining

import (
	"errors"
	"io"

	"omote/analytics/xes"
)

// XESOptions say what of a XES log goes into a [Log].
type XESOptions struct {
	Order Order
	// Lifecycle makes activities of name and lifecycle transition, joined by
	// a plus sign: "Assess+START".
	Lifecycle bool
	// Events and Cases are the keys of further attributes to keep as columns,
	// such as xes.KeyResource.
	Events, Cases []string
}

// XESCounts tell what was read and what had to be left out.
type XESCounts struct {
	Traces int
	Empty  int // traces without events, or none that could be used: no cases
	Events int // all events of the file
	NoName int // events without an activity, left out
	NoTime int // events without a readable time, left out
}

// FromXES reads a XES log to its end. Each trace is a case of its own, named by
// its concept:name. When the file is damaged it returns the log of all complete
// traces together with the reader's error.
func FromXES(r *xes.Reader, o XESOptions) (*Log, XESCounts, error) {
	f := xesLoader{o: o, b: NewBuilder(o.Events...), values: make([]int32, len(o.Events))}
	var damage error
	for {
		trace, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			damage = err
			break
		}
		f.add(trace)
	}
	l, err := f.b.Build(o.Order)
	return l, f.counts, errors.Join(damage, err)
}

// EachXES reads the events of a XES log one by one, for a log that is not to be held
// in memory: add is given the number of the trace, from 0, the activity, which holds
// until it returns, and the instant. Further columns are left out. When the file is
// damaged the events of all complete traces come before the reader's error.
func EachXES(r *xes.Reader, o XESOptions, add func(trace uint64, activity []byte, micros int64) error) (XESCounts, error) {
	f := xesLoader{o: XESOptions{Lifecycle: o.Lifecycle}}
	for {
		trace, err := r.Next()
		if errors.Is(err, io.EOF) {
			return f.counts, nil
		}
		if err != nil {
			return f.counts, err
		}
		number, used := uint64(f.counts.Traces), 0
		f.counts.Traces++
		for i := range trace.Events {
			name, micros, ok := f.read(&trace.Events[i])
			if !ok {
				continue
			}
			used++
			if err := add(number, name, micros); err != nil {
				return f.counts, err
			}
		}
		if used == 0 {
			f.counts.Empty++
		}
	}
}

type xesLoader struct {
	o      XESOptions
	b      *Builder
	counts XESCounts
	values []int32
	label  []byte
}

func (f *xesLoader) add(t *xes.Trace) {
	f.counts.Traces++
	id := ""
	if name, ok := t.Get(xes.KeyName); ok {
		id = name.Text()
	}
	c, before := f.b.NewCase(id), f.b.Len()
	for i := range t.Events {
		f.event(c, &t.Events[i])
	}
	if f.b.Len() == before {
		f.counts.Empty++
	}
	for _, key := range f.o.Cases {
		if a, ok := t.Get(key); ok {
			f.b.SetCase(c, key, a.Text())
		}
	}
}

func (f *xesLoader) event(c int32, e *xes.Event) {
	if name, micros, ok := f.read(e); ok {
		f.b.Add(c, f.b.ActivityBytes(name), micros, f.values...)
	}
}

// read finds activity, instant and further values of an event; it counts those that
// cannot be used.
func (f *xesLoader) read(e *xes.Event) (activity []byte, micros int64, ok bool) {
	f.counts.Events++
	var name, transition []byte
	var at *xes.Attr
	for i := range f.values {
		f.values[i] = None
	}
	for i := range e.Attrs {
		a := &e.Attrs[i]
		switch a.Key {
		case xes.KeyName:
			name = a.Value
		case xes.KeyTime:
			at = a
		case xes.KeyLifecycle:
			transition = a.Value
		}
		for k, key := range f.o.Events {
			if a.Key == key {
				f.values[k] = f.b.ValueBytes(k, a.Value)
			}
		}
	}
	if len(name) == 0 {
		f.counts.NoName++
		return nil, 0, false
	}
	if at == nil {
		f.counts.NoTime++
		return nil, 0, false
	}
	micros, err := at.Micros()
	if err != nil {
		f.counts.NoTime++
		return nil, 0, false
	}
	if f.o.Lifecycle && len(transition) > 0 {
		f.label = append(append(append(f.label[:0], name...), '+'), transition...)
		name = f.label
	}
	return name, micros, true
}
