package files

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"omote/internal/ingest/plan"
	"omote/internal/platform/errs"
)

// parquetReader gives the rows of a Parquet file. Nested fields become columns
// with dotted names; repeated fields are left out.
type parquetReader struct {
	rows    parquet.Rows
	groups  []parquet.RowGroup
	size    int64
	total   int64
	columns []parquetColumn
	batch   []parquet.Row
	at, n   int
	row     Row
}

// parquetColumn says how a leaf's values read; name is "" for one left out.
type parquetColumn struct {
	name string
	kind Kind
	days bool // a date, counted in days
	// multiply and divide turn an instant's unit into microseconds.
	multiply, divide int64
}

const parquetBatch = 256

func openParquet(src Source) (_ Reader, err error) {
	defer recovered(&err)
	size, err := src.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("find the file's end: %w", err)
	}
	file, err := parquet.OpenFile(src, size)
	if err != nil {
		return nil, errs.Invalid("files.error.parquet", "file", "the file is no readable Parquet file").Because(err)
	}
	r := &parquetReader{groups: file.RowGroups(), size: size, total: file.NumRows(), batch: make([]parquet.Row, parquetBatch)}
	for _, path := range file.Schema().Columns() {
		leaf, _ := file.Schema().Lookup(path...)
		r.columns = append(r.columns, columnOf(path, leaf))
	}
	if len(r.columns) > MaxColumns {
		return nil, errs.TooLarge("files.error.columns", "the file has more than %d columns", MaxColumns).With("max", MaxColumns)
	}
	return r, nil
}

// recovered turns a panic of the decoder on a hostile file into an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = errs.Invalid("files.error.parquet", "file", "the file is no readable Parquet file").Because(fmt.Errorf("decoder: %v", p))
	}
}

func columnOf(path []string, leaf parquet.LeafColumn) parquetColumn {
	c := parquetColumn{name: strings.Join(path, "."), kind: Text}
	if leaf.MaxRepetitionLevel > 0 {
		return parquetColumn{}
	}
	t := leaf.Node.Type()
	switch t.Kind() {
	case parquet.Boolean:
		c.kind = Bool
	case parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
		c.kind = Number
	case parquet.Int96:
		return parquetColumn{}
	}
	if logical := t.LogicalType(); logical != nil {
		switch l := logical.Value.(type) {
		case *format.TimestampType:
			c.kind, c.multiply, c.divide = Instant, 1, 1
			switch l.Unit.Value.(type) {
			case *format.MilliSeconds:
				c.multiply = 1000
			case *format.NanoSeconds:
				c.divide = 1000
			}
		case *format.DateType:
			c.kind, c.days = Instant, true
		case *format.DecimalType:
			return parquetColumn{}
		}
	}
	return c
}

func (r *parquetReader) Offset() int64 {
	if r.total == 0 {
		return r.size
	}
	return int64(float64(r.size) * float64(r.row.Number) / float64(r.total))
}

func (r *parquetReader) Close() error {
	if r.rows != nil {
		return r.rows.Close()
	}
	return nil
}

// Next implements Reader.
func (r *parquetReader) Next() (_ *Row, err error) {
	defer recovered(&err)
	for r.at >= r.n {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	values := r.batch[r.at]
	r.at++
	r.row.Number++
	r.row.Columns, r.row.Values = r.row.Columns[:0], r.row.Values[:0]
	for _, v := range values {
		if v.Column() < 0 || v.Column() >= len(r.columns) || r.columns[v.Column()].name == "" {
			continue
		}
		c := r.columns[v.Column()]
		value, ok := c.value(v)
		if !ok {
			return nil, &RowError{Number: r.row.Number, Reason: plan.Malformed, Field: c.name, Detail: "not UTF-8 or U+0000"}
		}
		r.row.Columns, r.row.Values = append(r.row.Columns, c.name), append(r.row.Values, value)
	}
	return &r.row, nil
}

// fill reads the next batch of rows, opening the next row group when one ends.
func (r *parquetReader) fill() error {
	if r.rows == nil {
		if len(r.groups) == 0 {
			return io.EOF
		}
		r.rows, r.groups = r.groups[0].Rows(), r.groups[1:]
	}
	n, err := r.rows.ReadRows(r.batch)
	r.at, r.n = 0, n
	if errors.Is(err, io.EOF) {
		closing := r.rows.Close()
		r.rows = nil
		return closing
	}
	if err != nil {
		return errs.Invalid("files.error.parquet", "file", "the file is damaged after row %d", r.row.Number).Because(err)
	}
	return nil
}

func (c parquetColumn) value(v parquet.Value) (Value, bool) {
	if v.IsNull() {
		return Value{}, true
	}
	switch {
	case c.kind == Instant && c.days:
		return Value{Kind: Instant, Micros: int64(v.Int32()) * 86_400_000_000}, true
	case c.kind == Instant:
		return Value{Kind: Instant, Micros: v.Int64() * c.multiply / c.divide}, true
	case c.kind == Bool:
		return Value{Kind: Bool, Text: strconv.FormatBool(v.Boolean())}, true
	}
	switch v.Kind() {
	case parquet.Int32:
		return Value{Kind: Number, Text: strconv.FormatInt(int64(v.Int32()), 10)}, true
	case parquet.Int64:
		return Value{Kind: Number, Text: strconv.FormatInt(v.Int64(), 10)}, true
	case parquet.Float:
		return Value{Kind: Number, Text: strconv.FormatFloat(float64(v.Float()), 'g', -1, 32)}, true
	case parquet.Double:
		return Value{Kind: Number, Text: strconv.FormatFloat(v.Double(), 'g', -1, 64)}, true
	}
	text := string(v.ByteArray())
	return Value{Kind: Text, Text: text}, utf8.ValidString(text) && !strings.ContainsRune(text, 0)
}
