package survey

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/store"
)

// Dims are the dimensions that tallies are kept by, besides all.
var Dims = []string{"unit", "via", "journey", "product", "channel"}

// tally adds up what a transaction changes in the live counts.
type tally struct {
	zone *time.Location
	sums map[tallyKey]*sums
}

type tallyKey struct {
	survey, item, dim, value string
	day                      int64
	answer                   string
}

type sums struct {
	n     int64
	w, ww float64
}

func newTally(zone *time.Location) *tally { return &tally{zone, map[tallyKey]*sums{}} }

// day counts days since 1970 in the zone.
func day(t time.Time, zone *time.Location) int64 {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// monday of a day's week; 1970-01-01 was a Thursday.
func monday(day int64) int64 { return day - (day+3)%7 }

// change takes the old answers of a response out and the new ones in.
func (t *tally) change(r *Response, before, after form.Answers) {
	for id, a := range before {
		if !same(a, after[id]) {
			t.answer(r, id, a, -1)
		}
	}
	for id, a := range after {
		if !same(a, before[id]) {
			t.answer(r, id, a, 1)
		}
	}
}

func same(a, b form.Answer) bool {
	return a.Skipped == b.Skipped && ptr(a.Number) == ptr(b.Number) && ptr(a.Second) == ptr(b.Second) && slices.Equal(a.Chosen, b.Chosen) &&
		maps.Equal(a.Rows, b.Rows) && (a.Text == "") == (b.Text == "") && (a.File == nil) == (b.File == nil)
}

func ptr(n *int) int {
	if n == nil {
		return -1 << 30
	}
	return *n
}

// count counts the response itself.
func (t *tally) count(r *Response) { t.add(r, "", "done", 1) }

// answer counts one answer: a point, each chosen option, each row. A text counts
// as given.
func (t *tally) answer(r *Response, item string, a form.Answer, sign int64) {
	switch {
	case a.Skipped:
	case a.Second != nil:
		t.add(r, item+".importance", strconv.Itoa(*a.Number), sign)
		t.add(r, item+".satisfaction", strconv.Itoa(*a.Second), sign)
	case a.Number != nil:
		t.add(r, item, strconv.Itoa(*a.Number), sign)
	case len(a.Rows) > 0:
		for row, p := range a.Rows {
			t.add(r, item+"."+row, strconv.Itoa(p), sign)
		}
	case len(a.Chosen) > 0:
		t.add(r, item, given, sign)
		for _, c := range a.Chosen {
			t.add(r, item, c, sign)
		}
	case a.Text != "" || a.File != nil:
		t.add(r, item, given, sign)
	}
}

// given counts those who answered a question of options or words; it is no id.
const given = "*"

func (t *tally) add(r *Response, item, answer string, sign int64) {
	d := day(r.Started, t.zone)
	t.sum(tallyKey{r.Survey, item, "", "", d, answer}, r, sign)
	week := monday(d)
	for i, value := range []string{r.Unit, r.Via, r.Journey, r.Product, r.Channel} {
		t.sum(tallyKey{r.Survey, item, Dims[i], value, week, answer}, r, sign)
	}
}

func (t *tally) sum(k tallyKey, r *Response, sign int64) {
	s := t.sums[k]
	if s == nil {
		s = &sums{}
		t.sums[k] = s
	}
	w := 1 / r.Probability
	s.n += sign
	s.w += float64(sign) * w
	s.ww += float64(sign) * w * w
}

// keep adds the changes to the table.
func (t *tally) keep(ctx context.Context, tx store.Tx) error {
	keys := slices.SortedFunc(maps.Keys(t.sums), func(a, b tallyKey) int {
		return cmp.Or(cmp.Compare(a.survey, b.survey), cmp.Compare(a.dim, b.dim), cmp.Compare(a.item, b.item), cmp.Compare(a.day, b.day),
			cmp.Compare(a.value, b.value), cmp.Compare(a.answer, b.answer))
	})
	n := len(keys)
	entity, survey, item, dim, value, answer := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	days, count, w, ww := make([]int64, n), make([]int64, n), make([]float64, n), make([]float64, n)
	for i, k := range keys {
		s := t.sums[k]
		entity[i], survey[i], item[i], dim[i], value[i], answer[i] = tx.Scope.Entity, k.survey, k.item, k.dim, k.value, k.answer
		days[i], count[i], w[i], ww[i] = k.day, s.n, s.w, s.ww
	}
	_, err := tx.Batch(ctx, "survey_tally", store.Upsert{Key: []string{"entity", "survey", "dim", "item", "day", "value", "answer"},
		Set: "n = t.n + excluded.n, w = t.w + excluded.w, ww = t.ww + excluded.ww"},
		store.Col("entity", entity), store.Col("survey", survey), store.Col("item", item), store.Col("dim", dim), store.Col("value", value),
		store.Col("day", days), store.Col("answer", answer), store.Col("n", count), store.Col("w", w), store.Col("ww", ww))
	return err
}

// Recount computes the tallies anew from all responses and tells how many cells
// of the table differ: none, unless something is broken. With mend it replaces them.
func (s *Service) Recount(ctx context.Context, survey string, mend bool) (wrong int, err error) {
	run := s.DB.Read
	if mend {
		run = s.DB.Write
	}
	err = run(ctx, func(ctx context.Context, tx store.Tx) error {
		t := newTally(s.Zone)
		err := s.eachResponse(ctx, tx, survey, func(r *Response) error {
			t.change(r, nil, r.Answers)
			if !r.Completed.IsZero() {
				t.count(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		there, err := tallies(ctx, tx, survey)
		if err != nil {
			return err
		}
		wrong = 0
		for k, v := range t.sums {
			if got := there[k]; got.n != v.n || !near(got.w, v.w) || !near(got.ww, v.ww) {
				wrong++
			}
			delete(there, k)
		}
		for _, v := range there {
			if v.n != 0 {
				wrong++
			}
		}
		if !mend || wrong == 0 {
			return nil
		}
		if err := dropTallies(ctx, tx, survey); err != nil {
			return err
		}
		return t.keep(ctx, tx)
	})
	return wrong, err
}

func near(a, b float64) bool { return a-b < 1e-6*(1+b) && b-a < 1e-6*(1+b) }
