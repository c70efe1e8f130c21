package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"
)

// Column is one column of a batch: its name and its values, one a row.
type Column struct {
	Name   string
	Values any
	typ    string // PostgreSQL's element type
	len    int
}

// Cell is a type that a batch column can hold. A nil pointer is NULL.
type Cell interface {
	string | *string | int64 | *int64 | Micros | *Micros | float64 | *float64 | bool | *bool | []byte | json.RawMessage
}

// Col makes a batch column.
func Col[T Cell](name string, values []T) Column {
	c := Column{Name: name, Values: values, len: len(values)}
	switch v := any(values).(type) {
	case []string, []*string:
		c.typ = "text"
	case []int64, []*int64:
		c.typ = "bigint"
	case []Micros:
		c.typ, c.Values = "bigint", convert(v, func(m Micros) int64 { return int64(m) })
	case []*Micros:
		c.typ, c.Values = "bigint", convert(v, func(m *Micros) *int64 { return (*int64)(m) })
	case []float64, []*float64:
		c.typ = "double precision"
	case []bool, []*bool:
		c.typ = "boolean"
	case [][]byte:
		c.typ = "bytea"
	case []json.RawMessage:
		c.typ, c.Values = "jsonb", convert(v, jsonText)
	}
	return c
}

func convert[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

func jsonText(raw json.RawMessage) *string {
	if raw == nil {
		return nil
	}
	s := string(raw)
	return &s
}

// Upsert says what a batch does where the key exists already. With no Key a
// clash is an error; with a Key and no Set the row that is there stays.
type Upsert struct {
	Key []string
	// Set is the SQL after DO UPDATE SET, equal on both engines, such as
	// "n = t.n + excluded.n"; t is the row that is there. Replace makes one.
	Set string
}

// Replace is the Set of an Upsert that overwrites the named columns.
func Replace(columns ...string) string {
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = excluded." + c
	}
	return strings.Join(set, ", ")
}

// ErrBatchKeyTwice is returned by Batch when two of its rows have the same key:
// the engines would disagree about the outcome, so the caller decides first.
var ErrBatchKeyTwice = errors.New("store: two rows of one batch have the same key")

// Batch inserts many rows in few statements and gives the number of rows that
// were inserted or changed. All columns have the same length. Table and column
// names are names of the program, never input.
func (tx Tx) Batch(ctx context.Context, table string, u Upsert, columns ...Column) (int64, error) {
	rows, err := batchRows(columns)
	if err != nil || rows == 0 {
		return 0, err
	}
	if err := checkKeys(u.Key, columns, rows); err != nil {
		return 0, fmt.Errorf("batch into %s: %w", table, err)
	}
	n, err := tx.Engine.batch(ctx, tx.raw, table, u, columns, rows)
	if err != nil {
		return n, fmt.Errorf("batch into %s: %w", table, err)
	}
	return n, nil
}

// Among is a condition on a column, written "column ?": its value is one of many.
// The names travel as one value, so a statement is as quick to read for thousands
// as for one.
func (tx Tx) Among(names []string) schema.QueryAppender { return among{tx.Engine, names} }

type among struct {
	engine Dialect
	names  []string
}

// AppendQuery implements bun's schema.QueryAppender.
func (a among) AppendQuery(g schema.QueryGen, b []byte) ([]byte, error) {
	return a.engine.among(g, b, a.names)
}

func batchRows(columns []Column) (int, error) {
	if len(columns) == 0 {
		return 0, errors.New("store: batch without columns")
	}
	for _, c := range columns {
		if c.len != columns[0].len {
			return 0, fmt.Errorf("store: batch column %s has %d rows, %s has %d", c.Name, c.len, columns[0].Name, columns[0].len)
		}
	}
	return columns[0].len, nil
}

// value gives row i of the column as a driver value.
func (c Column) value(i int) any {
	switch v := c.Values.(type) {
	case []string:
		return v[i]
	case []int64:
		return v[i]
	case []float64:
		return v[i]
	case []bool:
		return v[i]
	case [][]byte:
		return v[i]
	case []*string:
		return deref(v[i])
	case []*int64:
		return deref(v[i])
	case []*float64:
		return deref(v[i])
	case []*bool:
		return deref(v[i])
	default:
		panic(fmt.Sprintf("store: batch column of %T was not made by Col", v))
	}
}

func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func checkKeys(key []string, columns []Column, rows int) error {
	if len(key) == 0 || rows < 2 {
		return nil
	}
	var at []Column
	for _, k := range key {
		i := slices.IndexFunc(columns, func(c Column) bool { return c.Name == k })
		if i < 0 {
			return fmt.Errorf("key column %s is not in the batch", k)
		}
		at = append(at, columns[i])
	}
	seen := make(map[string]struct{}, rows)
	var b []byte
	for i := range rows {
		b = b[:0]
		for _, c := range at {
			b = fmt.Appendf(b, "%v\x00", c.value(i))
		}
		if _, ok := seen[string(b)]; ok {
			return ErrBatchKeyTwice
		}
		seen[string(b)] = struct{}{}
	}
	return nil
}

func (u Upsert) clause() string {
	switch {
	case len(u.Key) == 0:
		return ""
	case u.Set == "":
		return " ON CONFLICT (" + strings.Join(u.Key, ", ") + ") DO NOTHING"
	default:
		return " ON CONFLICT (" + strings.Join(u.Key, ", ") + ") DO UPDATE SET " + u.Set
	}
}

func names(columns []Column) string {
	n := make([]string, len(columns))
	for i, c := range columns {
		n[i] = c.Name
	}
	return strings.Join(n, ", ")
}
