package linkage

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxColumns is the most columns of a file.
const maxColumns = 500

// ReadCSV reads a table with a header. The delimiter (comma, semicolon, tab or
// bar) is found out, as are a byte order mark, UTF-16 and text that is no UTF-8
// (see legacy). Short rows are filled up, what is too long is cut off.
func ReadCSV(r io.Reader) (*Table, error) {
	in := bufio.NewReaderSize(decoded(r), 1<<20)
	head, err := in.Peek(64 << 10)
	if len(head) == 0 {
		if err == nil || err == io.EOF {
			return nil, errors.New("the file is empty")
		}
		return nil, err
	}
	sample, _ := in.Peek(1 << 20)
	code := legacy(sample)
	c := csv.NewReader(in)
	c.Comma = delimiter(head)
	c.LazyQuotes, c.ReuseRecord, c.FieldsPerRecord, c.TrimLeadingSpace = true, true, -1, c.Comma != '\t'
	row, err := c.Read()
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if len(row) > maxColumns {
		return nil, fmt.Errorf("the header has %d columns; at most %d are read", len(row), maxColumns)
	}
	names := make([]string, len(row))
	for i, n := range row {
		n = text(code, strings.TrimSpace(strings.TrimPrefix(n, "\ufeff")))
		if n == "" {
			n = fmt.Sprintf("column %d", i+1)
		}
		for k, base := 2, n; slices.Contains(names[:i], n); k++ {
			n = fmt.Sprintf("%s %d", base, k)
		}
		names[i] = strings.Clone(n)
	}
	t := NewTable(names...)
	values := make([]string, len(names))
	for {
		row, err := c.Read()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %d records: %w", t.n, err)
		}
		if len(row) == 1 && len(names) > 1 && strings.TrimSpace(row[0]) == "" {
			continue
		}
		for i := range values {
			values[i] = ""
			if i < len(row) {
				values[i] = text(code, strings.TrimSpace(row[i]))
			}
		}
		if err := t.Add(0, values...); err != nil {
			return nil, err
		}
	}
}

// delimiter is the sign that cuts the first lines into the same number of parts.
func delimiter(head []byte) rune {
	lines := bytes.Split(head, []byte("\n"))
	if len(lines) > 1 {
		lines = lines[:len(lines)-1]
	}
	lines = lines[:min(len(lines), 30)]
	best, worth := ',', 0.0
	for _, d := range []rune{',', ';', '\t', '|'} {
		first, same := -1, 0
		for _, l := range lines {
			n, quoted := 0, false
			for _, c := range string(l) {
				if c == '"' {
					quoted = !quoted
				}
				if c == d && !quoted {
					n++
				}
			}
			if first < 0 {
				first = n
			}
			if n == first {
				same++
			}
		}
		if first > 0 {
			if w := float64(same)/float64(len(lines))*10 + float64(min(first, 30))/100; w > worth {
				best, worth = d, w
			}
		}
	}
	return best
}

// FindColumn gives the position of a column by its name as a person may write
// it: exactly, or without regard to case, spaces and marks. It is -1 when there
// is none, or more than one.
func (t *Table) FindColumn(name string) int {
	if at := t.Column(name); at >= 0 {
		return at
	}
	want, found := strings.Join(header(name), ""), -1
	for i := range t.Columns {
		if strings.Join(header(t.Columns[i].Name), "") == want {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// Without gives the table without some columns; the records stay.
func (t *Table) Without(columns ...int) *Table {
	out := &Table{Source: t.Source, n: t.n}
	for i := range t.Columns {
		if !slices.Contains(columns, i) {
			out.Columns = append(out.Columns, t.Columns[i])
		}
	}
	return out
}
