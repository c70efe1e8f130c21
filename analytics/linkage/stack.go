package linkage

import (
	"fmt"
	"slices"
	"strings"
)

// Stack puts tables under each other; records of the i-th table have source i.
// Columns are matched by name and, where the names differ, by kind when both
// tables have exactly one column of it left. What one table says in one column
// and another in several is brought into one column first.
func Stack(tables ...*Table) (*Table, error) {
	if len(tables) > 255 {
		return nil, fmt.Errorf("%d tables; at most 255 can be linked at once", len(tables))
	}
	tables = wholeNames(tables)
	tables = wholeAddresses(tables)
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

// columnsOf gives the columns of a table that are of a kind.
func (t *Table) columnsOf(k Kind) (at []int) {
	for i := range t.Columns {
		if kindOf(&t.Columns[i]) == k {
			at = append(at, i)
		}
	}
	return at
}

// joined is the table with one column more, of values put together from others,
// which it then lacks.
func (t *Table) joined(name string, kind Kind, order []int) *Table {
	whole := Column{Name: name, Kind: kind, index: map[string]int32{}}
	for r := range t.n {
		whole.add(t.words(r, order))
	}
	out := t.Without(order...)
	out.Columns = append(out.Columns, whole)
	return out
}

// words are the values of some columns of a record, one after the other.
func (t *Table) words(r int, order []int) string {
	var parts []string
	for _, c := range order {
		if v := t.Value(r, c); v != "" && !absent[clean(v)] {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, " ")
}

// wholeNames brings given and family names into one column where another table
// has them in one. In which order they are written there is seen from the names
// that both tables have.
func wholeNames(tables []*Table) []*Table {
	whole := -1
	known := map[string]bool{}
	for n, t := range tables {
		if at := t.columnsOf(Name); len(at) == 1 && len(t.columnsOf(Given)) == 0 && len(t.columnsOf(Family)) == 0 {
			if whole < 0 {
				whole = n
			}
			for _, v := range t.Columns[at[0]].Values {
				known[fold(clean(v))] = true
			}
		}
	}
	if whole < 0 {
		return tables
	}
	name := tables[whole].Columns[tables[whole].columnsOf(Name)[0]].Name
	out := slices.Clone(tables)
	for n, t := range tables {
		given, family := t.columnsOf(Given), t.columnsOf(Family)
		if len(given) != 1 || len(family) != 1 || len(t.columnsOf(Name)) != 0 {
			continue
		}
		var middle []int
		for _, c := range t.columnsOf(Text) {
			if h := strings.Join(header(t.Columns[c].Name), " "); strings.Contains(h, "middle") || strings.Contains(h, "ten dem") || h == "mname" {
				middle = append(middle, c)
			}
		}
		orders := [][]int{slices.Concat(given, middle, family), slices.Concat(family, middle, given)}
		best, most := orders[0], 0
		for _, order := range orders {
			found := 0
			for r := 0; r < t.n; r += max(t.n/20_000, 1) {
				if known[fold(clean(t.words(r, order)))] {
					found++
				}
			}
			if found > most {
				best, most = order, found
			}
		}
		out[n] = t.joined(name, Name, best)
	}
	return out
}

// wholeAddresses brings street, town and what else another table has in its one
// column of addresses into one column. A column belongs to it when most of its
// values occur in those addresses.
func wholeAddresses(tables []*Table) []*Table {
	whole := -1
	var text strings.Builder
	for n, t := range tables {
		at := t.columnsOf(Address)
		if len(at) != 1 || len(t.columnsOf(Place))+len(t.columnsOf(Postcode)) > 0 {
			continue
		}
		if whole < 0 {
			whole = n
		}
		c := &t.Columns[at[0]]
		for _, v := range sample(c.Codes, c.Values, 4000) {
			text.WriteString(" " + strings.Join(words(fold(clean(v))), " ") + " \n")
		}
	}
	if whole < 0 {
		return tables
	}
	all := text.String()
	name := tables[whole].Columns[tables[whole].columnsOf(Address)[0]].Name
	out := slices.Clone(tables)
	for n, t := range tables {
		street := t.columnsOf(Address)
		if len(street) != 1 {
			continue
		}
		var order []int
		for _, c := range t.columnsOf(Number) {
			if h := strings.Join(header(t.Columns[c].Name), " "); strings.Contains(h, "house") || strings.Contains(h, "street") || strings.Contains(h, "so nha") {
				order = append(order, c)
			}
		}
		order = append(order, street...)
		for _, c := range slices.Concat(t.columnsOf(Place), t.columnsOf(Postcode)) {
			if t.Columns[c].saidIn(all) {
				order = append(order, c)
			}
		}
		if len(order) > 1 {
			out[n] = t.joined(name, Address, order)
		}
	}
	return out
}

// saidIn tells that most records' values of the column occur in a text of words.
func (c *Column) saidIn(text string) bool {
	values := sample(c.Codes, c.Values, 500)
	found := 0
	for _, v := range values {
		if w := strings.Join(words(fold(clean(v))), " "); w != "" && strings.Contains(text, " "+w+" ") {
			found++
		}
	}
	return len(values) > 0 && 2*found > len(values)
}
