// Package files reads the files that banks have (CSV, NDJSON, Parquet, XES) as
// rows of named values, and turns rows into events by a mapping of columns.
//
// A row that cannot be read is a *RowError: it goes to quarantine and reading
// goes on. Any other error ends the file. Readers hold one row at a time, so
// memory does not grow with the file.
package files

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"

	"omote/internal/ingest/plan"
	"omote/internal/platform/errs"
)

// Kind is the type of a value as far as the file tells.
type Kind uint8

// The kinds of value.
const (
	Null    Kind = iota
	Text         // a text; in a CSV also numbers and dates
	Number       // a JSON number in Text
	Bool         // "true" or "false" in Text
	Instant      // Unix microseconds in Micros
)

// Value is one cell.
type Value struct {
	Kind   Kind
	Text   string
	Micros int64
}

// Row is one row of a file. It is valid until the next call of Next.
type Row struct {
	// Number counts rows from 1 as a person would, the header aside.
	Number  int64
	Columns []string
	Values  []Value
	// Raw is the row as it stood in the file, where the format has such a thing.
	Raw []byte

	index map[string]int // shared by all rows of a file with a header
}

// Get finds a value by column name.
func (r *Row) Get(column string) (Value, bool) {
	if r.index != nil {
		i, ok := r.index[column]
		if !ok || i >= len(r.Values) {
			return Value{}, false
		}
		return r.Values[i], true
	}
	for i, name := range r.Columns {
		if name == column {
			return r.Values[i], true
		}
	}
	return Value{}, false
}

// RowError is a row that cannot be read or used.
type RowError struct {
	Number int64
	Reason plan.Reason
	Field  string
	Detail string
	Raw    []byte
}

func (e *RowError) Error() string {
	return fmt.Sprintf("row %d: %s: %s", e.Number, e.Reason, e.Detail)
}

// Reader gives the rows of a file one by one.
type Reader interface {
	// Next gives the next row, io.EOF after the last, a *RowError for a bad row
	// (reading can go on), or another error when the rest cannot be read.
	Next() (*Row, error)
	// Offset is how many bytes of the file were read, for progress.
	Offset() int64
	Close() error
}

// Limits of a file.
const (
	MaxRecord  = 1 << 20 // bytes of one row
	MaxColumns = 2_000
)

// Source is an opened file: Parquet needs to jump about, the others stream.
type Source interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
	XES     Format = "xes"
)

// FormatOf tells the format by the file's name, a trailing .gz aside.
func FormatOf(name string) (Format, error) {
	base := strings.TrimSuffix(strings.ToLower(name), ".gz")
	switch filepath.Ext(base) {
	case ".csv", ".tsv", ".txt", ".asc":
		return CSV, nil
	case ".ndjson", ".jsonl", ".json":
		return NDJSON, nil
	case ".parquet":
		return Parquet, nil
	case ".xes":
		return XES, nil
	}
	return "", errs.Invalid("files.error.format", "file", "%s: only .csv, .tsv, .ndjson, .jsonl, .parquet and .xes files can be read (each but Parquet also as .gz)", filepath.Base(name)).
		With("name", filepath.Base(name))
}

// Options adjust how a file is read.
type Options struct {
	// Encoding is a WHATWG name such as "windows-1258"; "" detects it.
	Encoding string
	// Delimiter separates the columns of a CSV; 0 detects it.
	Delimiter rune
}

// Open makes a reader for a file of the given format.
func Open(f Format, src Source, o Options) (Reader, error) {
	switch f {
	case CSV:
		return openCSV(src, o)
	case NDJSON:
		return openNDJSON(src, o)
	case Parquet:
		return openParquet(src)
	case XES:
		return openXES(src)
	}
	return nil, errs.Invalid("files.error.format", "format", "unknown file format %q", f)
}

// counter counts the bytes read from a file. Packed files are read ahead by a
// goroutine of their own, so the count is atomic.
type counter struct {
	src  io.Reader
	read atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c *counter) bytes() int64 { return c.read.Load() }

// Sample reads the first rows of a file, bad ones aside, for a preview. The
// rows are copies.
func Sample(r Reader, n int) (rows []Row, bad int, err error) {
	for len(rows) < n && bad < n {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if _, isRow := errors.AsType[*RowError](err); isRow {
			bad++
			continue
		}
		if err != nil {
			return rows, bad, err
		}
		c := Row{Number: row.Number, Columns: append([]string(nil), row.Columns...), Values: make([]Value, len(row.Values)), index: row.index}
		for i, v := range row.Values {
			c.Values[i] = Value{Kind: v.Kind, Text: strings.Clone(v.Text), Micros: v.Micros}
		}
		rows = append(rows, c)
	}
	return rows, bad, nil
}
