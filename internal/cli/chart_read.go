package cli

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/analytics/spc"
)

// chartData is a file of series.
type chartData struct {
	series  []spc.Series
	numbers bool  // times are whole numbers of steps
	step    int64 // seconds of one step, by the column's name; 1 when it says nothing
	layout  string
}

// chartRoles are the columns of each kind, with the names they commonly have;
// optional ones are marked by a question mark.
var chartRoles = map[spc.Kind][][]string{
	spc.NPS:        {{"promoters"}, {"passives"}, {"detractors"}},
	spc.Proportion: {{"hits", "x", "successes", "yes"}, {"n", "total", "answers"}},
	spc.Mean:       {{"mean", "value"}, {"?n", "total", "answers"}, {"?sd", "std"}},
	spc.Count:      {{"events", "count", "value"}, {"?exposure", "n"}},
	spc.Value:      {{"value", "x"}},
}

// chartReader turns rows into points.
type chartReader struct {
	kind     spc.Kind
	data     *chartData
	seriesAt int
	timeAt   int
	at       []int // column of each role, −1 when absent
	roles    []string
	index    map[string]int
	lastName string
	last     int
	rows     int
	timeText string
	timeIs   time.Time
}

func readChart(stdin io.Reader, path string, kind spc.Kind, o chartOptions) (*chartData, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	r := &chartReader{kind: kind, data: &chartData{step: stepNamed(o.timeCol)}, index: map[string]int{}, last: -1}
	raw, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	text := strings.TrimPrefix(string(raw), "\ufeff")
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		err = r.lines(strings.NewReader(text), o)
	} else {
		err = r.csv(text, o)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if r.rows == 0 {
		return nil, fmt.Errorf("%s: no rows", path)
	}
	r.arrange()
	return r.data, nil
}

func (r *chartReader) csv(text string, o chartOptions) error {
	head, _, _ := strings.Cut(text, "\n")
	comma := ','
	if strings.Count(head, ";") > strings.Count(head, ",") {
		comma = ';'
	}
	if !strings.Contains(text, `"`) {
		return r.plain(text, comma, o)
	}
	c := csv.NewReader(strings.NewReader(text))
	c.ReuseRecord, c.TrimLeadingSpace, c.Comma = true, true, comma
	names, err := c.Read()
	if err != nil {
		return fmt.Errorf("read the header: %w", err)
	}
	if err := r.columns(slices.Clone(names), o); err != nil {
		return err
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.row(row); err != nil {
			line, _ := c.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// plain reads a CSV without quotes, which needs no copies.
func (r *chartReader) plain(text string, comma rune, o chartOptions) error {
	var row []string
	want := 0
	for line := 1; text != ""; line++ {
		var one string
		one, text, _ = strings.Cut(text, "\n")
		one = strings.TrimSuffix(one, "\r")
		if one == "" {
			continue
		}
		row = row[:0]
		for {
			at := strings.IndexByte(one, byte(comma))
			if at < 0 {
				break
			}
			row, one = append(row, one[:at]), one[at+1:]
		}
		row = append(row, one)
		if want == 0 {
			want = len(row)
			if err := r.columns(slices.Clone(row), o); err != nil {
				return err
			}
			continue
		}
		if len(row) != want {
			return fmt.Errorf("line %d: %d columns, the header has %d", line, len(row), want)
		}
		if err := r.row(row); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
	if want == 0 {
		return errors.New("no header")
	}
	return nil
}

// lines reads JSON objects; the first decides the columns.
func (r *chartReader) lines(in io.Reader, o chartOptions) error {
	d := json.NewDecoder(in)
	d.UseNumber()
	var names, row []string
	for line := 1; ; line++ {
		var object map[string]any
		err := d.Decode(&object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("object %d: %w", line, err)
		}
		if names == nil {
			for name := range object {
				names = append(names, name)
			}
			slices.Sort(names)
			if err := r.columns(names, o); err != nil {
				return err
			}
			row = make([]string, len(names))
		}
		for i, name := range names {
			row[i] = ""
			if v := object[name]; v != nil {
				row[i] = fmt.Sprint(v)
			}
		}
		if err := r.row(row); err != nil {
			return fmt.Errorf("object %d: %w", line, err)
		}
	}
}

func (r *chartReader) columns(names []string, o chartOptions) error {
	find := func(name string) int {
		return slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(strings.TrimSpace(n), name) })
	}
	given := map[string]string{}
	for pair := range strings.SplitSeq(o.columns, ",") {
		if role, name, ok := strings.Cut(pair, "="); ok {
			given[strings.TrimSpace(role)] = strings.TrimSpace(name)
		}
	}
	r.seriesAt, r.timeAt = -1, -1
	for _, c := range []struct {
		name string
		at   *int
	}{{o.seriesCol, &r.seriesAt}, {o.timeCol, &r.timeAt}} {
		if c.name == "" {
			continue
		}
		if *c.at = find(c.name); *c.at < 0 {
			return fmt.Errorf("no column %q; there are %s", c.name, strings.Join(names, ", "))
		}
	}
	for _, aliases := range chartRoles[r.kind] {
		role, optional := strings.CutPrefix(aliases[0], "?")
		at := find(role)
		for _, alias := range aliases[1:] {
			if at < 0 {
				at = find(alias)
			}
		}
		if name := given[role]; name != "" {
			at = find(name)
		}
		if at < 0 && (!optional || given[role] != "") {
			return fmt.Errorf("no column for %s; there are %s (name it with --columns %s=…)", role, strings.Join(names, ", "), role)
		}
		r.at, r.roles = append(r.at, at), append(r.roles, role)
	}
	return nil
}

func (r *chartReader) row(row []string) error {
	t := time.Unix(int64(r.rows), 0).UTC()
	if r.timeAt < 0 {
		r.data.numbers = true
	} else if row[r.timeAt] == r.timeText && r.rows > 0 {
		t = r.timeIs
	} else {
		var err error
		if t, err = r.data.parse(row[r.timeAt], r.rows == 0); err != nil {
			return err
		}
		r.timeText, r.timeIs = strings.Clone(row[r.timeAt]), t
	}
	var v [3]float64
	for k, at := range r.at {
		v[k] = math.NaN()
		if at < 0 {
			continue
		}
		x, ok := chartNumber(row[at])
		if !ok {
			return fmt.Errorf("%s is %q, not a number", r.roles[k], row[at])
		}
		v[k] = x
	}
	p, err := chartPoint(r.kind, t, v)
	if err != nil {
		return err
	}
	name := ""
	if r.seriesAt >= 0 {
		name = row[r.seriesAt]
	}
	s := r.of(name)
	s.Points = append(s.Points, p)
	r.rows++
	return nil
}

// chartNumber reads a number; an empty cell is NaN. Plain whole numbers, which
// most cells are, take the short way.
func chartNumber(text string) (float64, bool) {
	n, plain := 0, text != "" && len(text) < 16
	for i := 0; plain && i < len(text); i++ {
		c := text[i] - '0'
		plain = c <= 9
		n = 10*n + int(c)
	}
	if plain {
		return float64(n), true
	}
	if text = strings.TrimSpace(text); text == "" {
		return math.NaN(), true
	}
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && !math.IsInf(x, 0)
}

// chartPoint makes a point; missing required values make a period without data.
func chartPoint(kind spc.Kind, t time.Time, v [3]float64) (spc.Point, error) {
	p := spc.Point{Time: t}
	orOne := func(x float64) float64 {
		if math.IsNaN(x) {
			return 1
		}
		return x
	}
	switch kind {
	case spc.NPS:
		p = spc.NPSPoint(t, v[0], v[1], v[2])
	case spc.Proportion:
		p = spc.ProportionPoint(t, v[0], v[1])
		if v[0] < 0 || v[0] > v[1] {
			return p, fmt.Errorf("%v hits among %v", v[0], v[1])
		}
	case spc.Mean:
		p = spc.MeanPoint(t, orOne(v[1]), v[0], v[2])
	case spc.Count:
		p = spc.CountPoint(t, v[0], orOne(v[1]))
	case spc.Value:
		p = spc.ValuePoint(t, v[0])
	}
	if math.IsNaN(p.N) || math.IsNaN(p.Sum) {
		return spc.Point{Time: t}, nil
	}
	if p.N < 0 || kind == spc.NPS && min(v[0], v[1], v[2]) < 0 || kind == spc.Count && v[0] < 0 {
		return p, errors.New("a count is below zero")
	}
	return p, nil
}

func (r *chartReader) of(name string) *spc.Series {
	if r.last < 0 || name != r.lastName {
		i, ok := r.index[name]
		if !ok {
			name = strings.Clone(name)
			i = len(r.data.series)
			r.index[name] = i
			r.data.series = append(r.data.series, spc.Series{Name: name, Kind: r.kind, Points: make([]spc.Point, 0, 64)})
		}
		r.last, r.lastName = i, r.data.series[i].Name
	}
	return &r.data.series[r.last]
}

// arrange sorts each series by time and adds up rows of the same period.
func (r *chartReader) arrange() {
	for i := range r.data.series {
		s := &r.data.series[i]
		byTime := func(a, b spc.Point) int { return a.Time.Compare(b.Time) }
		if !slices.IsSortedFunc(s.Points, byTime) {
			slices.SortStableFunc(s.Points, byTime)
		}
		kept := s.Points[:0]
		for _, p := range s.Points {
			if n := len(kept); n > 0 && kept[n-1].Time.Equal(p.Time) {
				q := &kept[n-1]
				q.N, q.Sum, q.SumSq = q.N+p.N, q.Sum+p.Sum, q.SumSq+p.SumSq
				continue
			}
			kept = append(kept, p)
		}
		s.Points = kept
	}
}

var chartLayouts = []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01", "02/01/2006"}

// monthStep stands for months, which are counted on the calendar.
const monthStep = 30 * 86400

// stepNamed is the length in seconds of a whole number of the column's unit.
func stepNamed(column string) int64 {
	column = strings.ToLower(column)
	for name, seconds := range map[string]int64{"hour": 3600, "giờ": 3600, "day": 86400, "ngày": 86400,
		"week": 7 * 86400, "tuần": 7 * 86400, "month": monthStep, "tháng": monthStep} {
		if strings.Contains(column, name) {
			return seconds
		}
	}
	return 1
}

// parse reads a time; the first one decides the form of all.
func (d *chartData) parse(text string, first bool) (time.Time, error) {
	text = strings.TrimSpace(text)
	if first {
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			d.numbers = true
		} else {
			for _, layout := range chartLayouts {
				if _, err := time.Parse(layout, text); err == nil {
					d.layout = layout
					break
				}
			}
		}
	}
	if d.numbers {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < -1e5 && d.step > 1 || n > 1e7 && d.step > 1 {
			return time.Time{}, fmt.Errorf("time %q is not a whole number of periods", text)
		}
		if d.step == monthStep {
			return time.Date(1970, time.Month(n+1), 1, 0, 0, 0, 0, time.UTC), nil
		}
		return time.Unix(n*d.step, 0).UTC(), nil
	}
	if d.layout == "" {
		return time.Time{}, fmt.Errorf("time %q is neither a number nor a date such as 2026-01-31", text)
	}
	t, err := time.Parse(d.layout, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %q is not like %s", text, d.layout)
	}
	return t.UTC(), nil
}

// when writes a time as the file does.
func (d *chartData) when(t time.Time) chartTime {
	if d.numbers {
		n := t.Unix() / d.step
		if d.step == monthStep {
			n = int64(t.Year()-1970)*12 + int64(t.Month()) - 1
		}
		return chartTime{strconv.FormatInt(n, 10), true}
	}
	return chartTime{t.Format(d.layout), false}
}

// baseline reads two times with a colon between them.
func (d *chartData) baseline(text string) (from, to time.Time, err error) {
	for i, c := range text {
		if c != ':' {
			continue
		}
		if from, err = d.parse(text[:i], false); err != nil {
			continue
		}
		if to, err = d.parse(text[i+1:], false); err == nil {
			return from, to, nil
		}
	}
	return from, to, fmt.Errorf("--baseline %q: it is the first and the last period of phase I, as 0:209 or 2025-01-01:2025-06-30", text)
}
