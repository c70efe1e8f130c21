package linkage

import (
	"math"
	"slices"
	"strings"
)

// dataset is a table made ready for comparison: one field for each column that
// tells something the others do not.
type dataset struct {
	n      int
	source []uint8
	fields []*field
	plan   []plan
}

// plan says how a field is made of a row; it is kept in the model, so that new
// records are treated as the old ones were.
type plan struct {
	Field   string   `json:"field"`
	Kind    Kind     `json:"kind"`
	Column  string   `json:"column"`
	Second  string   `json:"second,omitempty"`  // longitude
	Without []string `json:"without,omitempty"` // columns whose words are taken off this one
	Month1  bool     `json:"month_first,omitempty"`
	Swap    string   `json:"swap,omitempty"` // the field whose values are looked for here too

	column, second int
	without        []int
}

// prepare infers kinds, finds columns that repeat others and encodes values.
func prepare(t *Table) *dataset {
	plans := planFields(t)
	return encode(t, plans)
}

func planFields(t *Table) []plan {
	type col struct {
		at   int
		kind Kind
	}
	var cols []col
	lat, lon := -1, -1
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Kind == "" {
			c.Kind = inferKind(c.Name, sample(c.Codes, c.Values, 5000))
		}
		switch h := strings.Join(header(c.Name), " "); {
		case h == "lat" || h == "latitude" || h == "vi do":
			lat = i
		case h == "lon" || h == "lng" || h == "long" || h == "longitude" || h == "kinh do":
			lon = i
		case c.Kind != Ignore && !tellsNothing(t, c):
			cols = append(cols, col{i, c.Kind})
		}
	}
	dropped := map[int]bool{}
	without := map[int][]int{}
	// a column that holds the words of others is reduced to what it adds, the
	// one with the most words last, so that it is compared with the plainest
	order := slices.Clone(cols)
	mean := func(i int) float64 {
		c := &t.Columns[i]
		sum, n := 0, 0
		for _, v := range sample(c.Codes, c.Values, 2000) {
			sum += len(words(fold(clean(v))))
			n++
		}
		return float64(sum) / float64(max(n, 1))
	}
	size := map[int]float64{}
	for _, c := range cols {
		size[c.at] = mean(c.at)
	}
	slices.SortStableFunc(order, func(a, b col) int {
		switch {
		case size[a.at] < size[b.at]:
			return -1
		case size[a.at] > size[b.at]:
			return 1
		}
		return 0
	})
	for i, big := range order {
		if !worded(big.kind) {
			continue
		}
		for _, small := range order[:i] {
			if worded(small.kind) && !dropped[small.at] && len(without[small.at]) == 0 && contains(t, big.at, small.at) {
				without[big.at] = append(without[big.at], small.at)
			}
		}
		if len(without[big.at]) > 0 && leftover(t, big.at, without[big.at]) < 0.02 {
			dropped[big.at] = true
		}
	}
	var plans []plan
	for _, c := range cols {
		if dropped[c.at] {
			continue
		}
		p := plan{Field: t.Columns[c.at].Name, Kind: c.kind, Column: t.Columns[c.at].Name, column: c.at, second: -1}
		if w := without[c.at]; len(w) > 0 {
			slices.Sort(w)
			p.without = w
			p.Kind = Text
			for _, i := range w {
				p.Without = append(p.Without, t.Columns[i].Name)
			}
		}
		if c.kind == Date {
			p.Month1 = monthsFirst(sample(t.Columns[c.at].Codes, t.Columns[c.at].Values, 20000))
		}
		plans = append(plans, p)
	}
	if lat >= 0 && lon >= 0 {
		plans = append(plans, plan{Field: "position", Kind: Geo, Column: t.Columns[lat].Name, Second: t.Columns[lon].Name, column: lat, second: lon})
	}
	pairSwaps(plans)
	return plans
}

// pairSwaps finds the fields whose values people put into each other: given and
// family name, and two address lines.
func pairSwaps(plans []plan) {
	one := func(k Kind) []int {
		var at []int
		for i := range plans {
			if plans[i].Kind == k && len(plans[i].without) == 0 {
				at = append(at, i)
			}
		}
		return at
	}
	g, f, a := one(Given), one(Family), one(Address)
	if len(g) == 1 && len(f) == 1 {
		plans[g[0]].Swap, plans[f[0]].Swap = plans[f[0]].Field, plans[g[0]].Field
	}
	if len(a) == 2 {
		plans[a[0]].Swap, plans[a[1]].Swap = plans[a[1]].Field, plans[a[0]].Field
	}
}

// tellsNothing are columns with one value only, and numbers that differ in every
// record: a running number is no evidence, though neighbours look alike.
func tellsNothing(t *Table, c *Column) bool {
	filled := 0
	for _, code := range c.Codes {
		if code >= 0 {
			filled++
		}
	}
	if len(c.Values) < 2 {
		return true
	}
	return (c.Kind == Identifier || c.Kind == Number || c.Kind == Numeric) && filled == len(c.Values) && filled == t.n && t.n > 50
}

func worded(k Kind) bool {
	return k == Given || k == Family || k == Name || k == Text || k == Address || k == Place || k == Words
}

// contains tells whether column big nearly always holds all words of small.
func contains(t *Table, big, small int) bool {
	step := max(t.n/3000, 1)
	both, held := 0, 0
	for r := 0; r < t.n; r += step {
		b, s := t.Value(r, big), t.Value(r, small)
		if b == "" || s == "" {
			continue
		}
		both++
		have := words(fold(clean(b)))
		all := true
		for _, w := range words(fold(clean(s))) {
			all = all && slices.Contains(have, w)
		}
		if all {
			held++
		}
	}
	return both >= 30 && float64(held) >= 0.9*float64(both)
}

// leftover is the share of records in which big says more than the others.
func leftover(t *Table, big int, without []int) float64 {
	step := max(t.n/3000, 1)
	n, more := 0, 0
	for r := 0; r < t.n; r += step {
		if t.Value(r, big) == "" {
			continue
		}
		n++
		if remainder(t, r, big, without) != "" {
			more++
		}
	}
	return float64(more) / float64(max(n, 1))
}

// remainder gives the words of a column that are not words of the others.
func remainder(t *Table, record, column int, without []int) string {
	var off []string
	for _, w := range without {
		off = append(off, words(fold(clean(t.Value(record, w))))...)
	}
	return takeOff(t.Value(record, column), off)
}

// raw gives the value of a field in a row.
func (p *plan) raw(values []string) string {
	switch {
	case p.second >= 0:
		if values[p.column] == "" || values[p.second] == "" {
			return ""
		}
		return values[p.column] + "," + values[p.second]
	case len(p.without) > 0:
		var off []string
		for _, w := range p.without {
			off = append(off, words(fold(clean(values[w])))...)
		}
		return takeOff(values[p.column], off)
	}
	return values[p.column]
}

func takeOff(s string, off []string) string {
	var left []string
	for _, w := range words(clean(s)) {
		if at := slices.Index(off, fold(w)); at >= 0 {
			off = slices.Delete(slices.Clone(off), at, at+1)
			continue
		}
		left = append(left, w)
	}
	return strings.Join(left, " ")
}

func encode(t *Table, plans []plan) *dataset {
	d := &dataset{n: t.n, source: t.Source, plan: plans}
	byName := map[string]*field{}
	for i := range plans {
		p := &plans[i]
		f := newField(p.Field, p.Kind, p.column)
		f.month1 = p.Month1
		if p.Swap != "" && byName[p.Swap] != nil { // one dictionary for both
			o := byName[p.Swap]
			f.dictionary = o.dictionary
			f.other, o.other = o, f
		}
		f.codes = make([]int32, t.n)
		c := &t.Columns[p.column]
		switch {
		case p.second >= 0:
			for r := range t.n {
				f.codes[r] = missing
				if a, b := t.Value(r, p.column), t.Value(r, p.second); a != "" && b != "" {
					f.codes[r] = f.code(a + "," + b)
				}
			}
		case len(p.without) > 0:
			for r := range t.n {
				f.codes[r] = missing
				if c.Codes[r] >= 0 {
					f.codes[r] = f.code(remainder(t, r, p.column, p.without))
				}
			}
		default:
			to := make([]int32, len(c.Values))
			for i, v := range c.Values {
				to[i] = f.code(v)
			}
			for r, code := range c.Codes {
				f.codes[r] = missing
				if code >= 0 {
					f.codes[r] = to[code]
				}
			}
		}
		d.fields = append(d.fields, f)
		byName[p.Field] = f
	}
	return d
}

// count sets the frequencies of values. weight gives what each record counts:
// nil counts records; with clusters each entity counts once for all its records.
func (d *dataset) count(weight []float32) {
	for _, f := range d.fields {
		f.freq = make([]float32, len(f.values))
		f.ffreq = make([]float32, len(f.folds))
		var total float64
		w := float32(1)
		// sums in order of the records, so that they are the same each time
		for r, c := range f.codes {
			if c < 0 {
				continue
			}
			if weight != nil {
				w = weight[r]
			}
			f.freq[c] += w
			f.ffreq[f.values[c].fold] += w
			total += float64(w)
		}
		if total == 0 {
			continue
		}
		least := float32(1)
		f.rarest = least / float32(total)
		for i := range f.freq {
			f.freq[i] = max(f.freq[i], least) / float32(total)
		}
		var squares float64
		for i := range f.ffreq {
			f.ffreq[i] = max(f.ffreq[i], least) / float32(total)
			squares += float64(f.ffreq[i]) * float64(f.ffreq[i])
		}
		f.usual = 0
		if levels[f.kind][len(levels[f.kind])-2] == "equal without marks" {
			f.usual = math.Log2(squares)
		}
	}
}

// compare gives the level of one field of two records; 255 when either has none.
func (d *dataset) compare(k int, a, b int32) uint8 {
	f := d.fields[k]
	x, y := f.codes[a], f.codes[b]
	if x < 0 || y < 0 {
		return absentLevel
	}
	return d.compareCodes(k, x, y, a, b)
}

const absentLevel uint8 = 255

func (d *dataset) compareCodes(k int, x, y, a, b int32) uint8 {
	f := d.fields[k]
	l := f.level(x, y)
	if f.other != nil && !agreed(f.kind, l) {
		if o := f.other.codes; x == o[b] || y == o[a] {
			return swapLevel[f.kind]
		}
	}
	return l
}

var swapLevel = map[Kind]uint8{Given: 6, Family: 6, Address: 5}
