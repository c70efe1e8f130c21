package files

import (
	"errors"
	"fmt"
	"io"

	"omote/analytics/xes"
	"omote/internal/ingest/plan"
)

// casePrefix marks the columns that hold attributes of the case.
const casePrefix = "case:"

// xesReader gives each event of a XES log as a row: the event's attributes by
// their keys, the case's with the prefix "case:".
type xesReader struct {
	reader *xes.Reader
	count  *counter
	trace  *xes.Trace
	at     int
	row    Row
	names  map[string]string // keys of case attributes → column names
}

func openXES(src io.Reader) (Reader, error) {
	count := &counter{src: src}
	return &xesReader{reader: xes.NewReader(count), count: count, names: map[string]string{}}, nil
}

func (r *xesReader) Offset() int64 { return r.count.bytes() }
func (r *xesReader) Close() error  { return r.reader.Close() }

// Next implements Reader. A damaged log ends with an error after its last whole
// case; every case before it was given.
func (r *xesReader) Next() (*Row, error) {
	for r.trace == nil || r.at >= len(r.trace.Events) {
		trace, err := r.reader.Next()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		r.trace, r.at = trace, 0
	}
	e := &r.trace.Events[r.at]
	r.at++
	r.row.Number++
	r.row.Columns, r.row.Values = r.row.Columns[:0], r.row.Values[:0]
	for i := range r.trace.Attrs {
		r.add(r.caseColumn(r.trace.Attrs[i].Key), &r.trace.Attrs[i])
	}
	for i := range e.Attrs {
		r.add(e.Attrs[i].Key, &e.Attrs[i])
	}
	if len(r.row.Columns) > MaxColumns {
		return nil, &RowError{Number: r.row.Number, Reason: plan.OverLimit, Detail: "too many attributes"}
	}
	return &r.row, nil
}

func (r *xesReader) caseColumn(key string) string {
	name, ok := r.names[key]
	if !ok {
		if len(r.names) > MaxColumns {
			clear(r.names)
		}
		name = casePrefix + key
		r.names[key] = name
	}
	return name
}

func (r *xesReader) add(column string, a *xes.Attr) {
	v := Value{Kind: Text, Text: a.Text()}
	switch a.Type {
	case xes.TypeDate:
		if micros, err := a.Micros(); err == nil {
			v = Value{Kind: Instant, Micros: micros, Text: v.Text}
		}
	case xes.TypeInt, xes.TypeFloat:
		v.Kind = Number
	case xes.TypeBoolean:
		v.Kind = Bool
	case xes.TypeList, xes.TypeContainer:
		return
	}
	r.row.Columns = append(r.row.Columns, column)
	r.row.Values = append(r.row.Values, v)
}
