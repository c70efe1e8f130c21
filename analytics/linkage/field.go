package linkage

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// missing is the code of a value that is not there. It is neutral everywhere.
const missing int32 = -1

// value is one distinct value of a field with what comparing it needs.
type value struct {
	text string  // cleaned, with marks
	bare string  // without marks; for most kinds without spaces too
	mask uint64  // letters of bare
	fold int32   // number of bare among the field's bare values
	toks []int32 // words, for kinds that compare words
	day  day
	x, y float64 // numeric, or latitude and longitude
}

// field is one comparison: a column, its distinct values and the code of the
// value that each record has. Columns keep the memory small and let the
// comparison of two values be computed once.
type field struct {
	name   string
	kind   Kind
	column int // of the table
	codes  []int32
	*dictionary
	freq   []float32 // share of records, or of entities, that have the value; by code
	ffreq  []float32 // the same by fold
	other  *field    // the field with which values may have been exchanged
	month1 bool      // dates with the month first
	rarest float32   // share of a value that was never seen
	usual  float64   // log2 of the mean share of a bare value, for kinds with marks; 0 for others
}

// dictionary numbers the distinct values of a field. Fields whose values people
// exchange have one in common.
type dictionary struct {
	values []value
	index  map[string]int32 // cleaned text to code
	folds  map[string]int32 // bare text to fold
	words  *lexicon
}

// lexicon numbers the words of a field and counts in how many values each is.
type lexicon struct {
	ids   map[string]int32
	words []string
	count []int32
	total int32
}

func (l *lexicon) id(w string, add bool) int32 {
	if id, ok := l.ids[w]; ok {
		if add {
			l.count[id]++
		}
		return id
	}
	id := int32(len(l.words))
	w = strings.Clone(w)
	l.ids[w] = id
	l.words = append(l.words, w)
	l.count = append(l.count, 1)
	return id
}

// idf is how much a word tells: rare words tell more.
func (l *lexicon) idf(id int32) float64 {
	return math.Log(float64(l.total+2) / float64(l.count[id]+1))
}

func newField(name string, kind Kind, column int) *field {
	return &field{name: name, kind: kind, column: column, dictionary: &dictionary{index: map[string]int32{}, folds: map[string]int32{}, words: &lexicon{ids: map[string]int32{}}}}
}

// wordy are the kinds that compare words.
func wordy(k Kind) bool { return k == Name || k == Place || k == Address || k == Text || k == Words }

// code gives the code of a raw value and adds it when it is new.
func (f *field) code(raw string) int32 {
	s := clean(raw)
	if absent[s] {
		return missing
	}
	switch f.kind {
	case Phone:
		s = phoneOf(s)
	case Email:
		s = emailOf(fold(s))
	case Identifier, Number:
		s = compact(fold(s))
	case Name:
		if s = untitled(s); HouseholdName(s) {
			s = "" // no evidence of who it is
		}
	}
	if s == "" {
		return missing
	}
	if c, ok := f.index[s]; ok {
		return c
	}
	v := value{text: strings.Clone(s), fold: missing}
	switch f.kind {
	case Date:
		d, ok := parseDay(s, f.month1)
		if !ok {
			return missing
		}
		v.day = d
		v.bare = d.packed()
		if c, ok := f.index[v.bare]; ok {
			return c
		}
		v.text = v.bare
	case Numeric:
		x, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return missing
		}
		v.x, v.bare = x, s
	case Geo:
		lat, lon, ok := strings.Cut(s, ",")
		x, e1 := strconv.ParseFloat(strings.TrimSpace(lat), 64)
		y, e2 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
		if !ok || e1 != nil || e2 != nil || math.Abs(x) > 90 || math.Abs(y) > 180 {
			return missing
		}
		v.x, v.y, v.bare = x, y, s
	default:
		b := fold(s)
		if wordy(f.kind) {
			for _, w := range words(b) {
				if f.kind == Address {
					w = abbreviated(w)
				}
				v.toks = append(v.toks, f.words.id(w, true))
			}
			f.words.total++
			v.toks = slices.Clip(v.toks)
		}
		v.bare = compact(b)
		if v.bare == "" {
			return missing
		}
		if v.bare == v.text {
			v.bare = v.text // one string in memory
		}
	}
	v.mask = mask(v.bare)
	c := int32(len(f.values))
	fold, ok := f.folds[v.bare]
	if !ok {
		fold = int32(len(f.folds))
		f.folds[v.bare] = fold
	}
	v.fold = fold
	f.values = append(f.values, v)
	f.index[v.text] = c
	return c
}

// level compares the values of two records; both are there. top is the last level.
func (f *field) level(a, b int32) uint8 {
	if a == b {
		if f.kind == Geo {
			return 4
		}
		return uint8(len(levels[f.kind]) - 1)
	}
	x, y := &f.values[a], &f.values[b]
	switch f.kind {
	case Given, Family:
		return f.nameWord(x, y)
	case Name:
		return f.wholeName(x, y)
	case Date:
		return dates(x, y)
	case Phone, Identifier:
		return codes(x, y)
	case Email:
		return emails(x, y)
	case Postcode:
		return postcodes(x, y)
	case Place, Text:
		return f.phrases(x, y)
	case Address:
		return f.addresses(x, y)
	case Words:
		return f.longText(x, y)
	case Number, Category:
		if x.fold == y.fold {
			return 2
		}
		if len(x.bare) > 1 && len(y.bare) > 1 && apart(x.mask, y.mask) <= 1 && Edits(x.bare, y.bare, 1) <= 1 {
			return 1
		}
		return 0
	case Numeric:
		d := math.Abs(x.x-y.x) / max(math.Abs(x.x), math.Abs(y.x), 1e-12)
		switch {
		case d == 0:
			return 4
		case d <= 0.01:
			return 3
		case d <= 0.05:
			return 2
		case d <= 0.2:
			return 1
		}
		return 0
	case Geo:
		switch km := distance(x, y); {
		case km <= 0.05:
			return 4
		case km <= 0.5:
			return 3
		case km <= 5:
			return 2
		case km <= 50:
			return 1
		}
		return 0
	}
	return 0
}

// distance in kilometres on a sphere.
func distance(a, b *value) float64 {
	const r = math.Pi / 180
	dLat, dLon := (b.x-a.x)*r/2, (b.y-a.y)*r/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(a.x*r)*math.Cos(b.x*r)*math.Sin(dLon)*math.Sin(dLon)
	return 2 * 6371 * math.Asin(min(1, math.Sqrt(h)))
}

func (f *field) nameWord(x, y *value) uint8 {
	if x.fold == y.fold {
		return 7
	}
	a, b := x.bare, y.bare
	if len(a) > len(b) {
		a, b = b, a
	}
	if apart(x.mask, y.mask) <= 1 && len(a) > 2 && Edits(a, b, 1) <= 1 {
		return 5
	}
	if nicknamed(a, b) {
		return 4
	}
	if strings.HasPrefix(b, a) || len(a) > 2 && strings.HasSuffix(b, a) {
		return 3
	}
	if d := apart(x.mask, y.mask); d > max(len(b)/2, 2) {
		return 0
	}
	switch jw := JaroWinkler(a, b); {
	case jw >= 0.9:
		return 2
	case jw >= 0.8:
		return 1
	}
	return 0
}

func dates(x, y *value) uint8 {
	a, b := x.day, y.day
	if a.y == b.y && a.m == b.d && a.d == b.m {
		return 6
	}
	near := apart(x.mask, y.mask) <= 1 && Edits(x.bare, y.bare, 1) <= 1
	switch {
	case vague(a) && vague(b): // years alone
		switch {
		case near && a.y-b.y != 1 && b.y-a.y != 1:
			return 5
		case a.y-b.y <= 1 && b.y-a.y <= 1:
			return 1
		}
		return 0
	case a.y == b.y && (vague(a) || vague(b)):
		return 3
	case near:
		return 5
	}
	same := 0
	if a.y == b.y {
		same++
	}
	if a.m == b.m {
		same++
	}
	if a.d == b.d {
		same++
	}
	switch {
	case same >= 2:
		return 4
	case a.y == b.y:
		return 2
	case a.y-b.y <= 1 && b.y-a.y <= 1:
		return 1
	}
	return 0
}

// vague dates state a year and no more: the first of January stands for it.
func vague(d day) bool { return d.m <= 1 && d.d <= 1 }

func codes(x, y *value) uint8 {
	if x.fold == y.fold {
		return 3
	}
	d := apart(x.mask, y.mask)
	if d > 2 {
		return 0
	}
	switch Edits(x.bare, y.bare, 2) {
	case 1:
		return 2
	case 2:
		if min(len(x.bare), len(y.bare)) >= 6 {
			return 1
		}
	}
	return 0
}

func emails(x, y *value) uint8 {
	a, _, _ := strings.Cut(x.text, "@")
	b, _, _ := strings.Cut(y.text, "@")
	if a == b {
		return 2
	}
	if undigited(a) == undigited(b) { // le.an84 and le.an85 are mostly two people
		return 1
	}
	if apart(x.mask, y.mask) <= 1 && Edits(x.text, y.text, 1) <= 1 {
		return 3
	}
	if len(a) > 4 && len(b) > 4 && Edits(a, b, 2) <= 2 {
		return 1
	}
	return 0
}

func undigited(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, s)
}

func postcodes(x, y *value) uint8 {
	if x.fold == y.fold {
		return 5
	}
	a, b := x.bare, y.bare
	if apart(x.mask, y.mask) <= 1 && len(a) > 3 && Edits(a, b, 1) <= 1 {
		// a neighbour in the same sector is no slip: both are told alike
		return 4
	}
	oa, ob := outward(x), outward(y)
	switch {
	case oa == ob && len(a) > len(oa) && len(b) > len(ob) && a[len(oa)] == b[len(ob)]:
		return 3
	case oa == ob:
		return 2
	case area(oa) == area(ob):
		return 1
	}
	return 0
}

// outward is the part of a postcode before the space, or all but the last two
// (of five or fewer) or three signs.
func outward(v *value) string {
	if i := strings.IndexAny(v.text, " -"); i > 0 && i <= len(v.bare) {
		return v.bare[:i]
	}
	n := len(v.bare)
	if n > 5 {
		return v.bare[:n-3]
	}
	return v.bare[:max(n-2, 0)]
}

func area(out string) string {
	n := 0
	for n < len(out) && out[n] >= 'a' {
		n++
	}
	if n == 0 && len(out) > 0 {
		n = 1
	}
	return out[:n]
}

func (f *field) phrases(x, y *value) uint8 {
	if x.fold == y.fold {
		return 5
	}
	if apart(x.mask, y.mask) <= 1 && len(x.bare) > 3 && len(y.bare) > 3 && Edits(x.bare, y.bare, 1) <= 1 {
		return 4
	}
	shared, least := f.shared(x.toks, y.toks)
	if shared > 0 && shared >= least-1e-9 {
		return 2
	}
	if apart(x.mask, y.mask) <= max(len(x.bare), len(y.bare))/3 && JaroWinkler(x.bare, y.bare) >= 0.88 {
		return 3
	}
	if shared > 0.3*least {
		return 1
	}
	return 0
}

// shared weighs the words that both have, and the words of the one with less.
func (f *field) shared(a, b []int32) (both, least float64) {
	var wa, wb float64
	for _, t := range a {
		w := f.words.idf(t)
		wa += w
		if slices.Contains(b, t) {
			both += w
		}
	}
	for _, t := range b {
		wb += f.words.idf(t)
	}
	return both, min(wa, wb)
}

// longText compares as addresses are compared; there is no other field to look in.
func (f *field) longText(x, y *value) uint8 {
	if x.fold == y.fold {
		return 5
	}
	return f.addresses(x, y)
}

func (f *field) addresses(x, y *value) uint8 {
	if x.fold == y.fold {
		return 6
	}
	far := apart(x.mask, y.mask)
	limit := 1 + min(len(x.bare), len(y.bare))/10
	if far <= limit && len(x.bare) > 3 && len(y.bare) > 3 && Edits(x.bare, y.bare, limit) <= limit {
		return 4
	}
	both, least := f.fuzzyShared(x.toks, y.toks)
	switch {
	case both >= 0.8*least:
		return 3
	case both >= 0.5*least:
		return 2
	case both >= 0.2*least:
		return 1
	}
	return 0
}

// fuzzyShared is shared with words of one edit counted too.
func (f *field) fuzzyShared(a, b []int32) (both, least float64) {
	var wa, wb float64
	for _, t := range b {
		wb += f.words.idf(t)
	}
	for _, t := range a {
		w := f.words.idf(t)
		wa += w
		if slices.Contains(b, t) {
			both += w
			continue
		}
		if s := f.words.words[t]; len(s) > 4 {
			for _, u := range b {
				if o := f.words.words[u]; len(o) > 3 && Edits(s, o, 1) == 1 {
					both += 0.9 * w
					break
				}
			}
		}
	}
	return both, max(min(wa, wb), 1e-9)
}

// wholeName compares whole names by their words, in whatever order they stand.
func (f *field) wholeName(x, y *value) uint8 {
	if x.fold == y.fold {
		return 6
	}
	a, b := x.toks, y.toks
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	if len(a) > 12 || len(b) > 12 { // absurd: compared as text
		if JaroWinkler(x.bare, y.bare) > 0.95 {
			return 2
		}
		return 0
	}
	used, exact, near, edge := 0, 0, 0, 0
	for i, t := range a {
		kind, at := 0, -1
		for j, u := range b {
			if used&(1<<j) != 0 {
				continue
			}
			if t == u {
				kind, at = 2, j
				break
			}
			if kind == 0 && alike(f.words.words[t], f.words.words[u]) {
				kind, at = 1, j
			}
		}
		if at < 0 {
			continue
		}
		used |= 1 << at
		if kind == 2 {
			exact++
			if i == 0 && at == 0 || i == len(a)-1 && at == len(b)-1 {
				edge++
			}
		} else {
			near++
		}
	}
	switch {
	case exact == len(a) && len(a) == len(b):
		return 5
	case len(a) >= 2 && edge == 2:
		return 4
	case len(a) >= 2 && exact+near == len(a):
		return 3
	case apart(x.mask, y.mask) <= 2 && Edits(x.bare, y.bare, 2) <= 2:
		return 3
	case exact+near >= 2 && exact+near >= len(b)-1:
		return 2
	}
	for _, t := range a {
		if slices.Contains(b, t) && float64(f.words.count[t]) < 0.03*float64(f.words.total) {
			return 1
		}
	}
	return 0
}

// alike words are one edit apart, an initial of the other or a nickname of it.
func alike(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 1 {
		return a[0] == b[0]
	}
	if initial(a, b) {
		return true
	}
	if len(a) > 2 && Edits(a, b, 1) <= 1 {
		return true
	}
	return nicknamed(a, b)
}

// bigTop is the number of levels that count as full agreement of a kind: equal,
// or equal without marks.
func agreed(k Kind, level uint8) bool {
	n := len(levels[k])
	switch k {
	case Given, Family, Name, Place, Address, Text, Words:
		return int(level) >= n-2
	}
	return int(level) == n-1
}

// mark is how far a field's dictionary was filled.
type mark struct {
	values, folds, words int
	total                int32
}

func (f *field) mark() mark {
	return mark{len(f.values), len(f.folds), len(f.words.words), f.words.total}
}

// undo takes the last values off the dictionary, back to a mark.
func (f *field) undo(m mark) {
	for c := len(f.values) - 1; c >= m.values; c-- {
		v := &f.values[c]
		delete(f.index, v.text)
		if int(v.fold) >= m.folds {
			delete(f.folds, v.bare)
		}
		for _, t := range v.toks {
			if int(t) >= m.words {
				delete(f.words.ids, f.words.words[t])
			} else {
				f.words.count[t]--
			}
		}
		f.values[c] = value{}
	}
	f.values = f.values[:m.values]
	f.words.words, f.words.count = f.words.words[:m.words], f.words.count[:m.words]
	f.words.total = m.total
}
