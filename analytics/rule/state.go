package rule

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fact is something that happened, as rules see it.
type Fact struct {
	// At is when it counts, in Unix microseconds: when it happened, at the latest
	// when it was received.
	At int64
	// Name is the event's name, or Profile.
	Name string
	// Props gives its properties.
	Props Props
}

// Props gives the properties of a fact.
type Props interface {
	// Text gives a property as text (a list or object as JSON); false where it is
	// absent, null or, for the columns every fact has, empty.
	Text(name string) (string, bool)
	// Number gives a property that is a number.
	Number(name string) (float64, bool)
}

// matches tells whether the fact's properties pass the filters.
func matches(filters []Filter, props Props) bool {
	for i := range filters {
		f := &filters[i]
		if f.Values[0].Numeric {
			v, ok := props.Number(f.Prop)
			if !ok || !compareNumber(f.Op, v, f.Values) {
				return false
			}
			continue
		}
		v, ok := props.Text(f.Prop)
		if !ok || !compareText(f.Op, v, f.Values) {
			return false
		}
	}
	return true
}

func compareNumber(op Op, v float64, values []Const) bool {
	if op == In {
		return slices.ContainsFunc(values, func(c Const) bool { return c.Number == v })
	}
	c := values[0].Number
	switch op {
	case Eq:
		return v == c
	case Ne:
		return v != c
	case Lt:
		return v < c
	case Le:
		return v <= c
	case Gt:
		return v > c
	case Ge:
		return v >= c
	}
	return false
}

func compareText(op Op, v string, values []Const) bool {
	switch op {
	case In:
		return slices.ContainsFunc(values, func(c Const) bool { return c.Text == v })
	case Eq:
		return v == values[0].Text
	case Ne:
		return v != values[0].Text
	case Contains:
		return strings.Contains(v, `"`+values[0].Text+`"`)
	}
	return false
}

// stamp is an occurrence that is kept, with its value.
type stamp struct {
	at   int64
	num  float64
	text string
}

// newer orders stamps, the newest first; of one instant the larger value.
func newer(a, b stamp) int {
	switch {
	case a.at != b.at:
		if a.at > b.at {
			return -1
		}
		return 1
	case a.num != b.num:
		if a.num > b.num {
			return -1
		}
		return 1
	}
	return strings.Compare(b.text, a.text)
}

// bucket sums the occurrences of one step.
type bucket struct {
	at      int64 // its beginning
	n, hits int64
	sum     float64
}

// cell is what a record remembers for one feature: stamps, the newest first, or
// buckets, the oldest first.
type cell struct {
	stamps  []stamp
	buckets []bucket
}

func (c *cell) empty() bool { return len(c.stamps) == 0 && len(c.buckets) == 0 }

// add takes a fact up that fits the feature's names; it tells whether anything
// changed.
func (f *Feature) add(c *cell, fact *Fact, now int64) bool {
	if f.Within > 0 && fact.At < f.oldest(now) {
		return false
	}
	hit := matches(f.Pattern.Filters, fact.Props)
	if !hit && !f.Hits {
		return false
	}
	s := stamp{at: fact.At}
	ok := true
	switch {
	case f.Prop == "":
	case f.Numeric:
		s.num, ok = fact.Props.Number(f.Prop)
	default:
		s.text, ok = fact.Props.Text(f.Prop)
		if utf8.RuneCountInString(s.text) > maxKept {
			ok = false
		}
	}
	if !ok {
		return false
	}
	if f.Keep > 0 {
		return c.keep(s, f.Keep)
	}
	b := bucket{n: 1, sum: s.num}
	if hit {
		b.hits = 1
	}
	if step := f.step(); step > 0 {
		b.at = floor(s.at, step)
	}
	c.sum(b)
	return true
}

// maxKept bounds a text that is kept, in characters; a fact with a longer one does not count.
const maxKept = 500

func floor(at, step int64) int64 {
	r := at % step
	if r < 0 {
		r += step
	}
	return at - r
}

// oldest is the earliest instant that counts at now.
func (f *Feature) oldest(now int64) int64 {
	switch {
	case f.Within == 0:
		return math.MinInt64
	case f.Keep > 0:
		return now - int64(f.Within) + 1
	}
	return floor(now-int64(f.Within), f.step())
}

func (c *cell) keep(s stamp, most int) bool {
	i, _ := slices.BinarySearchFunc(c.stamps, s, newer)
	if i >= most {
		return false
	}
	c.stamps = slices.Insert(c.stamps, i, s)
	if len(c.stamps) > most {
		c.stamps = c.stamps[:most]
	}
	return true
}

func (c *cell) sum(b bucket) {
	i, found := slices.BinarySearchFunc(c.buckets, b, func(x, y bucket) int {
		switch {
		case x.at < y.at:
			return -1
		case x.at > y.at:
			return 1
		}
		return 0
	})
	if !found {
		c.buckets = slices.Insert(c.buckets, i, b)
		return
	}
	have := &c.buckets[i]
	have.n, have.hits, have.sum = have.n+b.n, have.hits+b.hits, have.sum+b.sum
}

// trim drops what can count no more at now.
func (f *Feature) trim(c *cell, now int64) {
	if f.Within == 0 {
		return
	}
	oldest := f.oldest(now)
	for n := len(c.stamps); n > 0 && c.stamps[n-1].at < oldest; n-- {
		c.stamps = c.stamps[:n-1]
	}
	drop := 0
	for drop < len(c.buckets) && c.buckets[drop].at < oldest {
		drop++
	}
	c.buckets = slices.Delete(c.buckets, 0, drop)
}

// State is what a record, or a customer, remembers for the features of a Set. It
// is used by one goroutine.
type State struct {
	set    *Set
	cells  []cell
	used   []int // features whose cell may hold something
	isUsed []bool
}

// NewState makes an empty state.
func (s *Set) NewState() *State {
	return &State{set: s, cells: make([]cell, len(s.Features)), isUsed: make([]bool, len(s.Features))}
}

// Reset empties the state for another use.
func (st *State) Reset() {
	for _, i := range st.used {
		st.cells[i].stamps, st.cells[i].buckets = st.cells[i].stamps[:0], st.cells[i].buckets[:0]
		st.isUsed[i] = false
	}
	st.used = st.used[:0]
}

func (st *State) touch(i int) *cell {
	if !st.isUsed[i] {
		st.isUsed[i], st.used = true, append(st.used, i)
	}
	return &st.cells[i]
}

// Apply takes a fact up at an instant and marks the features that changed.
func (st *State) Apply(fact *Fact, now int64, changed []bool) {
	for _, i := range st.set.listeners(fact.Name) {
		if st.set.Features[i].add(st.touch(i), fact, now) {
			changed[i] = true
		}
	}
}

// Merge adds another state of the same set: afterwards st remembers the facts of
// both.
func (st *State) Merge(other *State) {
	for _, i := range other.used {
		from := &other.cells[i]
		if from.empty() {
			continue
		}
		to, f := st.touch(i), &st.set.Features[i]
		for _, s := range from.stamps {
			if !to.keep(s, f.Keep) {
				break
			}
		}
		for _, b := range from.buckets {
			to.sum(b)
		}
	}
}

// stateVersion is the first byte of an encoded state.
const stateVersion = 1

// ErrCorrupt is returned when bytes do not hold a state.
var ErrCorrupt = errors.New("rule: corrupt state")

const (
	hasStamps  = 1
	hasNumbers = 2
	hasTexts   = 4
)

// Encode appends the state's bytes, without what can count no more at now. An
// empty state has none.
func (st *State) Encode(dst []byte, now int64) []byte {
	slices.Sort(st.used)
	first := true
	for _, i := range st.used {
		f, c := &st.set.Features[i], &st.cells[i]
		f.trim(c, now)
		if c.empty() {
			continue
		}
		if first {
			dst, first = append(dst, stateVersion), false
		}
		dst = binary.LittleEndian.AppendUint64(dst, f.ID)
		dst = c.encode(dst)
	}
	return dst
}

func (c *cell) encode(dst []byte) []byte {
	if len(c.stamps) > 0 {
		flags := byte(hasStamps)
		for _, s := range c.stamps {
			if s.num != 0 {
				flags |= hasNumbers
			}
			if s.text != "" {
				flags |= hasTexts
			}
		}
		dst = binary.AppendUvarint(append(dst, flags), uint64(len(c.stamps)))
		last := int64(0)
		for _, s := range c.stamps {
			dst = binary.AppendVarint(dst, s.at-last)
			last = s.at
			if flags&hasNumbers != 0 {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(s.num))
			}
			if flags&hasTexts != 0 {
				dst = append(binary.AppendUvarint(dst, uint64(len(s.text))), s.text...)
			}
		}
		return dst
	}
	flags := byte(0)
	for _, b := range c.buckets {
		if b.sum != 0 {
			flags |= hasNumbers
		}
	}
	dst = binary.AppendUvarint(append(dst, flags), uint64(len(c.buckets)))
	last := int64(0)
	for _, b := range c.buckets {
		dst = binary.AppendVarint(dst, b.at-last)
		last = b.at
		dst = binary.AppendUvarint(binary.AppendUvarint(dst, uint64(b.n)), uint64(b.hits))
		if flags&hasNumbers != 0 {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(b.sum))
		}
	}
	return dst
}

// Decode adds the state that b holds. Features that the set does not have are
// passed over: they belong to rules no longer in use.
func (st *State) Decode(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if b[0] != stateVersion {
		return ErrCorrupt
	}
	r := reader{b: b[1:]}
	var spare cell
	for len(r.b) > 0 {
		id := r.uint64()
		c := &spare
		i, known := st.set.byID[id]
		keep := -1
		if known {
			c, keep = st.touch(i), st.set.Features[i].Keep
		}
		r.cell(c, keep)
		if r.bad {
			return ErrCorrupt
		}
		spare.stamps, spare.buckets = spare.stamps[:0], spare.buckets[:0]
	}
	return nil
}

type reader struct {
	b   []byte
	bad bool
}

// cell reads a cell and adds it to c. keep is the feature's Keep, -1 where the
// feature is not known.
func (r *reader) cell(c *cell, keep int) {
	flags := r.byte()
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) || keep >= 0 && (flags&hasStamps != 0) != (keep > 0) {
		r.bad = true
		return
	}
	last := int64(0)
	if flags&hasStamps == 0 {
		fresh := len(c.buckets) == 0
		for range n {
			last += r.varint()
			b := bucket{at: last, n: int64(r.uvarint()), hits: int64(r.uvarint())}
			if flags&hasNumbers != 0 {
				b.sum = math.Float64frombits(r.uint64())
			}
			if fresh {
				c.buckets = append(c.buckets, b)
			} else {
				c.sum(b)
			}
		}
		return
	}
	fresh := len(c.stamps) == 0
	for range n {
		last += r.varint()
		s := stamp{at: last}
		if flags&hasNumbers != 0 {
			s.num = math.Float64frombits(r.uint64())
		}
		if flags&hasTexts != 0 {
			s.text = string(r.bytes())
		}
		if fresh {
			c.stamps = append(c.stamps, s)
		} else {
			c.keep(s, keep)
		}
	}
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) uint64() uint64 {
	if len(r.b) < 8 {
		r.bad, r.b = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.b)
	r.b = r.b[8:]
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}
