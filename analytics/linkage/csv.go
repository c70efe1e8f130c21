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
	"unicode/utf16"
	"unicode/utf8"
)

// maxColumns is the most columns of a file.
const maxColumns = 500

// ReadCSV reads a table with a header. The delimiter (comma, semicolon, tab or
// bar) is found out, as are a byte order mark, UTF-16 and text that is no UTF-8
// (read as Windows-1252). Short rows are filled up, what is too long is cut off.
func ReadCSV(r io.Reader) (*Table, error) {
	in := bufio.NewReaderSize(decoded(r), 1<<20)
	head, err := in.Peek(64 << 10)
	if len(head) == 0 {
		if err == nil || err == io.EOF {
			return nil, errors.New("the file is empty")
		}
		return nil, err
	}
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
		n = text(strings.TrimSpace(strings.TrimPrefix(n, "\ufeff")))
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
				values[i] = text(strings.TrimSpace(row[i]))
			}
		}
		if err := t.Add(0, values...); err != nil {
			return nil, err
		}
	}
}

// decoded turns UTF-16 with a byte order mark into UTF-8.
func decoded(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	bom, _ := in.Peek(2)
	if len(bom) < 2 || !(bom[0] == 0xff && bom[1] == 0xfe || bom[0] == 0xfe && bom[1] == 0xff) {
		return in
	}
	little := bom[0] == 0xff
	raw, err := io.ReadAll(in)
	if err != nil {
		return io.MultiReader(bytes.NewReader(nil), errReader{err})
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		a, b := uint16(raw[2*i]), uint16(raw[2*i+1])
		if little {
			units[i] = b<<8 | a
		} else {
			units[i] = a<<8 | b
		}
	}
	return strings.NewReader(string(utf16.Decode(units)))
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// text reads bytes that are no UTF-8 as Windows-1252, in which they nearly
// always were written.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
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

// Stack puts tables under each other; records of the i-th table have source i.
// Columns are matched by name and, where the names differ, by kind when both
// tables have exactly one column of it left.
func Stack(tables ...*Table) (*Table, error) {
	if len(tables) > 255 {
		return nil, fmt.Errorf("%d tables; at most 255 can be linked at once", len(tables))
	}
	names := make([]string, len(tables[0].Columns))
	for i := range names {
		names[i] = tables[0].Columns[i].Name
	}
	maps := make([][]int, len(tables)) // column of the result for each column
	for n, t := range tables {
		maps[n] = make([]int, len(t.Columns))
		if n == 0 {
			for i := range maps[0] {
				maps[0][i] = i
			}
			continue
		}
		taken := make([]bool, len(names))
		for i := range t.Columns {
			maps[n][i] = -1
			for j := range tables[0].Columns {
				if !taken[j] && strings.Join(header(t.Columns[i].Name), " ") == strings.Join(header(names[j]), " ") {
					maps[n][i], taken[j] = j, true
					break
				}
			}
		}
		mine, theirs := map[Kind][]int{}, map[Kind][]int{}
		for i := range t.Columns {
			if maps[n][i] < 0 {
				k := kindOf(&t.Columns[i])
				mine[k] = append(mine[k], i)
			}
		}
		for j := range tables[0].Columns {
			if !taken[j] {
				k := kindOf(&tables[0].Columns[j])
				theirs[k] = append(theirs[k], j)
			}
		}
		for k, is := range mine {
			if js := theirs[k]; k != Ignore && len(is) == 1 && len(js) == 1 {
				maps[n][is[0]] = js[0]
			}
		}
	}
	out := NewTable(names...)
	for i := range names {
		out.Columns[i].Kind = tables[0].Columns[i].Kind
	}
	values := make([]string, len(names))
	for n, t := range tables {
		for r := range t.n {
			clear(values)
			for i, j := range maps[n] {
				if j >= 0 {
					values[j] = t.Value(r, i)
				}
			}
			if err := out.Add(uint8(n), values...); err != nil {
				return nil, err
			}
		}
	}
	if out.Source == nil {
		out.Source = make([]uint8, out.n)
	}
	return out, nil
}

func kindOf(c *Column) Kind {
	if c.Kind != "" {
		return c.Kind
	}
	return inferKind(c.Name, sample(c.Codes, c.Values, 5000))
}
