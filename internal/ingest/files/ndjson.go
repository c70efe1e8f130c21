package files

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"omote/internal/ingest/plan"
)

// ndjsonReader reads one JSON object a line. Nested objects become columns with
// dotted names; arrays of scalars become one text value as JSON.
type ndjsonReader struct {
	lines  lines
	count  *counter
	parser fastjson.Parser
	row    Row
	bytes  []byte
}

// maxNesting bounds how deep objects are flattened.
const maxNesting = 8

func openNDJSON(src io.Reader, o Options) (Reader, error) {
	text, count, err := openText(src, o.Encoding)
	if err != nil {
		return nil, err
	}
	return &ndjsonReader{lines: lines{r: text}, count: count}, nil
}

func (r *ndjsonReader) Offset() int64 { return r.count.bytes() }
func (r *ndjsonReader) Close() error  { return nil }

// Next implements Reader.
func (r *ndjsonReader) Next() (*Row, error) {
	for {
		line, tooLong, err := r.lines.next()
		if err != nil {
			return nil, err
		}
		if !tooLong && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		r.row.Number++
		bad := func(reason plan.Reason, detail string) error {
			return &RowError{Number: r.row.Number, Reason: reason, Detail: detail, Raw: bytes.Clone(line)}
		}
		switch {
		case tooLong:
			return nil, bad(plan.OverLimit, "the row is longer than 1 MB")
		case !utf8.Valid(line):
			return nil, bad(plan.Malformed, "not UTF-8")
		case bytes.IndexByte(line, 0) >= 0 || bytes.Contains(line, []byte(`\u0000`)):
			return nil, bad(plan.Malformed, "the character U+0000")
		}
		v, err := r.parser.ParseBytes(line)
		if err != nil {
			return nil, bad(plan.Malformed, "no valid JSON: "+err.Error())
		}
		object, err := v.Object()
		if err != nil {
			return nil, bad(plan.Malformed, "a row is a JSON object")
		}
		r.row.Raw, r.row.Columns, r.row.Values = line, r.row.Columns[:0], r.row.Values[:0]
		if err := r.flatten("", object, 0); err != nil {
			return nil, bad(plan.OverLimit, err.Error())
		}
		return &r.row, nil
	}
}

var (
	errNesting = errors.New("objects are nested too deep")
	errColumns = errors.New("too many members")
)

func (r *ndjsonReader) flatten(prefix string, object *fastjson.Object, depth int) (err error) {
	if depth > maxNesting {
		return errNesting
	}
	object.Visit(func(key []byte, v *fastjson.Value) {
		if err != nil {
			return
		}
		if len(r.row.Columns) >= MaxColumns {
			err = errColumns
			return
		}
		name := prefix + string(key)
		if inner := v.GetObject(); inner != nil {
			err = r.flatten(name+".", inner, depth+1)
			return
		}
		r.row.Columns = append(r.row.Columns, name)
		r.row.Values = append(r.row.Values, r.value(v))
	})
	return err
}

func (r *ndjsonReader) value(v *fastjson.Value) Value {
	switch v.Type() {
	case fastjson.TypeNull:
		return Value{}
	case fastjson.TypeString:
		b, _ := v.StringBytes()
		return Value{Kind: Text, Text: string(b)}
	case fastjson.TypeTrue:
		return Value{Kind: Bool, Text: "true"}
	case fastjson.TypeFalse:
		return Value{Kind: Bool, Text: "false"}
	}
	r.bytes = v.MarshalTo(r.bytes[:0])
	kind := Number
	if v.Type() == fastjson.TypeArray {
		kind = Text
	}
	return Value{Kind: kind, Text: string(r.bytes)}
}
