package warehouse

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/errs"
)

// Format is a form of exported rows.
type Format string

// The formats of Export.
const (
	CSV     Format = "csv"     // header; UTF-8; NULL is empty; instants RFC 3339 in UTC
	NDJSON  Format = "ndjson"  // one object a line; props nested
	Parquet Format = "parquet" // Zstandard; instants in microseconds, UTC
)

// progressEvery is how many rows pass between two reports of progress.
const progressEvery = 10_000

// Export writes the rows of a query (see [Warehouse.Query]) to out and returns
// how many they were. progress may be nil; it is told the number of rows so far
// now and then and at the end. Cancelling ctx stops the export; what was written
// is then not a complete file.
func (w *Warehouse) Export(ctx context.Context, out io.Writer, format Format, progress func(rows int64), query string, args ...any) (int64, error) {
	rows, err := w.Query(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := exportColumns(rows)
	if err != nil {
		return 0, err
	}
	buffered := bufio.NewWriterSize(out, 1<<16)
	enc, err := newEncoder(format, buffered, columns)
	if err != nil {
		return 0, err
	}
	n, err := copyRows(rows, columns, enc, progress)
	if err != nil {
		return n, queryError(ctx, err)
	}
	if err := enc.Close(); err != nil {
		return n, fmt.Errorf("export as %s: %w", format, err)
	}
	return n, buffered.Flush()
}

// ExportTable writes what the scope of ctx may see of a table or view, such as
// "event", "response_customer" or "event_day".
func (w *Warehouse) ExportTable(ctx context.Context, out io.Writer, format Format, progress func(rows int64), table string) (int64, error) {
	if _, ok := relations[table]; !ok {
		return 0, errs.NotFound("warehouse.error.table", "the warehouse has no table %q", table)
	}
	return w.Export(ctx, out, format, progress, "SELECT * FROM {"+table+"}")
}

func copyRows(rows *sql.Rows, columns []column, enc encoder, progress func(int64)) (int64, error) {
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	var n int64
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return n, err
		}
		for i := range values {
			v, err := columns[i].value(values[i])
			if err != nil {
				return n, err
			}
			values[i] = v
		}
		if err := enc.Row(values); err != nil {
			return n, err
		}
		if n++; progress != nil && n%progressEvery == 0 {
			progress(n)
		}
	}
	if progress != nil {
		progress(n)
	}
	return n, rows.Err()
}

// columnKind is the type of an exported column, the same for both engines.
type columnKind uint8

const (
	textColumn columnKind = iota
	jsonColumn
	intColumn
	floatColumn
	boolColumn
	timeColumn
	dateColumn
)

// column is a column of an export.
type column struct {
	name string
	kind columnKind
}

func exportColumns(rows *sql.Rows) ([]column, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, fmt.Errorf("read column types: %w", err)
	}
	columns := make([]column, len(types))
	for i, t := range types {
		columns[i] = column{t.Name(), kindOf(t.DatabaseTypeName())}
		if t.Name() == "props" {
			columns[i].kind = jsonColumn
		}
	}
	return columns, nil
}

// kindOf reads the type names of both engines.
func kindOf(name string) columnKind {
	switch strings.ToUpper(name) {
	case "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT", "INT8", "INT4", "INT2":
		return intColumn
	case "DOUBLE", "FLOAT", "FLOAT8", "FLOAT4", "NUMERIC":
		return floatColumn
	case "BOOLEAN", "BOOL":
		return boolColumn
	case "TIMESTAMP", "TIMESTAMPTZ":
		return timeColumn
	case "DATE":
		return dateColumn
	case "JSON", "JSONB":
		return jsonColumn
	}
	if strings.HasPrefix(name, "DECIMAL") {
		return floatColumn
	}
	return textColumn
}

// value brings what a driver scanned into the column's one Go type: string,
// json.RawMessage, int64, float64, bool, time.Time, or nil for NULL.
func (c column) value(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch c.kind {
	case intColumn:
		switch v := v.(type) {
		case int64:
			return v, nil
		case int32:
			return int64(v), nil
		case int16:
			return int64(v), nil
		case int8:
			return int64(v), nil
		case *big.Int:
			return v.Int64(), nil
		}
	case floatColumn:
		switch v := v.(type) {
		case float64:
			return v, nil
		case float32:
			return float64(v), nil
		case interface{ Float64() float64 }: // the decimal of DuckDB
			return v.Float64(), nil
		case string:
			return strconv.ParseFloat(v, 64)
		case []byte:
			return strconv.ParseFloat(string(v), 64)
		}
	case boolColumn:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case timeColumn, dateColumn:
		if t, ok := v.(time.Time); ok {
			return t.UTC(), nil
		}
	case jsonColumn:
		if s, ok := asText(v); ok {
			return json.RawMessage(s), nil
		}
	default:
		if s, ok := asText(v); ok {
			return s, nil
		}
	}
	return nil, fmt.Errorf("column %s: a %T cannot be exported", c.name, v)
}

// asText reads text and ids.
func asText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case []byte:
		if len(v) == 16 {
			if id, err := uuid.FromBytes(v); err == nil {
				return id.String(), true
			}
		}
		return string(v), true
	case fmt.Stringer:
		return v.String(), true
	}
	return "", false
}

// encoder writes rows whose values column.value made.
type encoder interface {
	Row(values []any) error
	Close() error
}

func newEncoder(format Format, out io.Writer, columns []column) (encoder, error) {
	switch format {
	case CSV:
		return newCSV(out, columns)
	case NDJSON:
		return newNDJSON(out, columns)
	case Parquet:
		return newParquet(out, columns)
	}
	return nil, errs.Invalid("warehouse.error.format", "format", "unknown format %q; expected csv, ndjson or parquet", format)
}

type csvEncoder struct {
	w       *csv.Writer
	columns []column
	record  []string
}

func newCSV(out io.Writer, columns []column) (encoder, error) {
	e := &csvEncoder{csv.NewWriter(out), columns, make([]string, len(columns))}
	for i, c := range columns {
		e.record[i] = c.name
	}
	return e, e.w.Write(e.record)
}

func (e *csvEncoder) Row(values []any) error {
	for i, v := range values {
		switch v := v.(type) {
		case nil:
			e.record[i] = ""
		case string:
			e.record[i] = v
		case json.RawMessage:
			e.record[i] = string(v)
		case int64:
			e.record[i] = strconv.FormatInt(v, 10)
		case float64:
			e.record[i] = strconv.FormatFloat(v, 'g', -1, 64)
		case bool:
			e.record[i] = strconv.FormatBool(v)
		case time.Time:
			e.record[i] = e.columns[i].format(v)
		}
	}
	return e.w.Write(e.record)
}

func (e *csvEncoder) Close() error {
	e.w.Flush()
	return e.w.Error()
}

func (c column) format(t time.Time) string {
	if c.kind == dateColumn {
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}

type ndjsonEncoder struct {
	out     io.Writer
	columns []column
	names   [][]byte // `{"a":`, `,"b":`, …
	line    []byte
}

func newNDJSON(out io.Writer, columns []column) (encoder, error) {
	e := &ndjsonEncoder{out: out, columns: columns}
	for i, c := range columns {
		name, err := json.Marshal(c.name)
		if err != nil {
			return nil, err
		}
		start := byte(',')
		if i == 0 {
			start = '{'
		}
		e.names = append(e.names, slices.Concat([]byte{start}, name, []byte{':'}))
	}
	return e, nil
}

func (e *ndjsonEncoder) Row(values []any) error {
	e.line = e.line[:0]
	for i, v := range values {
		e.line = append(e.line, e.names[i]...)
		if t, ok := v.(time.Time); ok {
			v = e.columns[i].format(t)
		}
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		e.line = append(e.line, b...)
	}
	e.line = append(e.line, '}', '\n')
	_, err := e.out.Write(e.line)
	return err
}

func (e *ndjsonEncoder) Close() error { return nil }
