package linkage

import "fmt"

// Table holds records by column. A value is kept once, however many records
// have it: a column is its distinct raw values and the code of each record.
type Table struct {
	Columns []Column
	Source  []uint8 // which file or system each record is from; nil when there is one
	n       int
}

// Column is one column of a Table.
type Column struct {
	Name   string
	Kind   Kind // "" until it is inferred
	Values []string
	Codes  []int32 // -1 where the record has none
	index  map[string]int32
}

// NewTable makes an empty table with these columns.
func NewTable(columns ...string) *Table {
	t := &Table{Columns: make([]Column, len(columns))}
	for i, c := range columns {
		t.Columns[i] = Column{Name: c, index: map[string]int32{}}
	}
	return t
}

// Len is the number of records.
func (t *Table) Len() int { return t.n }

// Add appends a record with one value for each column; "" is missing.
func (t *Table) Add(source uint8, values ...string) error {
	if len(values) > len(t.Columns) {
		return fmt.Errorf("record %d has %d values for %d columns", t.n+1, len(values), len(t.Columns))
	}
	for i := range t.Columns {
		if i < len(values) {
			t.Columns[i].add(values[i])
		} else {
			t.Columns[i].add("")
		}
	}
	if source > 0 && t.Source == nil {
		t.Source = make([]uint8, t.n)
	}
	if t.Source != nil {
		t.Source = append(t.Source, source)
	}
	t.n++
	return nil
}

// add appends the value of the next record.
func (c *Column) add(value string) {
	if value == "" {
		c.Codes = append(c.Codes, missing)
		return
	}
	code, ok := c.index[value]
	if !ok {
		code = int32(len(c.Values))
		c.Values = append(c.Values, value)
		c.index[value] = code
	}
	c.Codes = append(c.Codes, code)
}

// Value is the raw value of a record in a column, "" where it has none.
func (t *Table) Value(record, column int) string {
	if c := t.Columns[column].Codes[record]; c >= 0 {
		return t.Columns[column].Values[c]
	}
	return ""
}

// Column gives the position of a column by name, or -1.
func (t *Table) Column(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}
