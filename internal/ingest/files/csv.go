package files

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"omote/internal/ingest/plan"
	"omote/internal/platform/errs"
)

// csvReader cuts a CSV into records by quote parity, each of bounded size, and
// lets encoding/csv read one record at a time, so that a stray quote spoils its
// own row and not the rest of the file.
type csvReader struct {
	lines  lines
	count  *counter
	record chunk
	parser *csv.Reader
	comma  rune
	raw    []byte
	row    Row
	header []string
	index  map[string]int
	// held is a line that was read while a record was thought to go on.
	held    [][]byte
	pending error
}

// maxRecordLines bounds the line breaks inside one quoted record.
const maxRecordLines = 200

func openCSV(src io.Reader, o Options) (Reader, error) {
	text, count, err := openText(src, o.Encoding)
	if err != nil {
		return nil, err
	}
	r := &csvReader{lines: lines{r: text}, count: count, comma: o.Delimiter}
	if r.comma == 0 {
		head, _ := text.Peek(16 << 10)
		r.comma = delimiter(head)
	}
	r.reset()
	header, err := r.fields()
	if errors.Is(err, io.EOF) {
		return nil, errs.Invalid("files.error.empty", "file", "the file is empty")
	}
	if err != nil {
		return nil, errs.Invalid("files.error.header", "file", "the first line cannot be read as a header").Because(err)
	}
	if len(header) > MaxColumns {
		return nil, errs.TooLarge("files.error.columns", "the file has more than %d columns", MaxColumns).With("max", MaxColumns)
	}
	r.header = columnNames(header)
	r.index = make(map[string]int, len(header))
	for i, name := range r.header {
		r.index[name] = i
	}
	return r, nil
}

func (r *csvReader) reset() {
	r.parser = csv.NewReader(&r.record)
	r.parser.Comma, r.parser.FieldsPerRecord, r.parser.ReuseRecord = r.comma, -1, true
}

// columnNames trims names, names the nameless and tells doubles apart.
func columnNames(header []string) []string {
	names := make([]string, len(header))
	seen := map[string]bool{}
	for i, h := range header {
		name := strings.TrimSpace(h)
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		base := name
		for n := 2; seen[name]; n++ {
			name = fmt.Sprintf("%s (%d)", base, n)
		}
		seen[name] = true
		names[i] = name
	}
	return names
}

// delimiter is the separator that cuts the first lines most evenly.
func delimiter(head []byte) rune {
	all := bytes.Split(head, []byte("\n"))
	if len(all) > 1 {
		all = all[:len(all)-1]
	}
	all = all[:min(len(all), 20)]
	best, most := ',', 0
	for _, c := range []byte{',', ';', '\t', '|'} {
		counts := make([]int, 0, len(all))
		for _, line := range all {
			counts = append(counts, bytes.Count(line, []byte{c}))
		}
		if least := slices.Min(counts); least > most || (best == ',' && most == 0 && counts[0] > 0) {
			best, most = rune(c), max(least, 1)
		}
	}
	return best
}

func (r *csvReader) Offset() int64 { return r.count.bytes() }
func (r *csvReader) Close() error  { return nil }

// Next implements Reader.
func (r *csvReader) Next() (*Row, error) {
	fields, err := r.fields()
	if errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	r.row.Number++
	if bad, isRow := errors.AsType[*RowError](err); isRow {
		bad.Number, bad.Raw = r.row.Number, bytes.Clone(r.raw)
		return nil, bad
	}
	if err != nil {
		return nil, err
	}
	if len(fields) > len(r.header) {
		return nil, r.bad(plan.Malformed, fmt.Sprintf("%d columns, the header has %d", len(fields), len(r.header)))
	}
	r.row.Columns, r.row.index, r.row.Raw = r.header, r.index, r.raw
	r.row.Values = r.row.Values[:0]
	for _, f := range fields {
		v := Value{Kind: Text, Text: f}
		if strings.TrimSpace(f) == "" {
			v = Value{}
		}
		r.row.Values = append(r.row.Values, v)
	}
	return &r.row, nil
}

func (r *csvReader) bad(reason plan.Reason, detail string) *RowError {
	return &RowError{Number: r.row.Number, Reason: reason, Detail: detail, Raw: bytes.Clone(r.raw)}
}

// fields reads the next record's fields, which live until the next call.
func (r *csvReader) fields() ([]string, error) {
	if err := r.cut(); err != nil {
		return nil, err
	}
	if !utf8.Valid(r.raw) {
		return nil, r.bad(plan.Malformed, "not UTF-8")
	}
	if bytes.IndexByte(r.raw, 0) >= 0 {
		return nil, r.bad(plan.Malformed, "the character U+0000")
	}
	r.record.set(r.raw)
	fields, err := r.parser.Read()
	if err != nil {
		r.reset()
		return nil, r.bad(plan.Malformed, err.Error())
	}
	return fields, nil
}

// cut puts the next record into r.raw, empty lines aside. A record whose quote
// does not close within the limits gives its first line up as bad; the lines
// after it are read anew.
func (r *csvReader) cut() error {
	line, tooLong, err := r.line()
	for err == nil && !tooLong && len(line) == 0 {
		line, tooLong, err = r.line()
	}
	if err != nil {
		return err
	}
	r.raw = append(r.raw[:0], line...)
	if tooLong {
		return r.bad(plan.OverLimit, "the row is longer than 1 MB")
	}
	if bytes.Count(r.raw, []byte{'"'})%2 == 0 {
		return nil
	}
	first := len(r.raw)
	var more [][]byte
	for len(more) < maxRecordLines {
		line, tooLong, err = r.line()
		if err != nil || tooLong || len(r.raw)+len(line) > MaxRecord {
			if err == nil {
				more = append(more, bytes.Clone(line))
			} else if !errors.Is(err, io.EOF) {
				r.pending = err
			}
			break
		}
		more = append(more, bytes.Clone(line))
		r.raw = append(append(r.raw, '\n'), line...)
		if bytes.Count(line, []byte{'"'})%2 == 1 {
			return nil
		}
	}
	r.raw = r.raw[:first]
	r.held = append(more, r.held...)
	return r.bad(plan.Malformed, "a quote is not closed")
}

func (r *csvReader) line() (line []byte, tooLong bool, err error) {
	if len(r.held) > 0 {
		line, r.held = r.held[0], r.held[1:]
		return line, false, nil
	}
	if r.pending != nil {
		return nil, false, r.pending
	}
	return r.lines.next()
}

// chunk feeds one record to the parser, then says that it is at its end.
type chunk struct{ rest []byte }

func (c *chunk) set(b []byte) { c.rest = b }

func (c *chunk) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
