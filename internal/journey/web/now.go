package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/observed"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// nowData is who is in the journey now.
type nowData struct {
	steps ui.TableProps
	cases ui.TableProps
}

// waiting is a case that is not over.
type waiting struct {
	c        int
	last     int32
	silent   int64
	chance   mining.Chance
	finished bool
}

func (p Pages) nowPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	h := p.head(r, s, "now")
	v := nowData{}
	if h.Empty {
		return ui.Render(w, r, nowView(p.flowPage(ctx, s, "observed.now.title", ""), h, v))
	}
	open := openCases(s)
	listed := observed.MayList(ctx, s.Query) == nil
	if q.Get("format") == "csv" {
		if err := observed.MayList(ctx, s.Query); err != nil {
			return err
		}
		return nowCSV(w, s.Log, open)
	}
	finding := p.fillNow(ctx, &v, s, open, r)
	if !listed {
		v.cases.Rows = nil
	}
	return ui.Render(w, r, nowView(p.flowPage(ctx, s, "observed.now.title", finding), h, v))
}

// openCases are the cases without an end that have not been silent for longer than
// the timeout, each with its chance to be abandoned, learned from all cases.
func openCases(s *observed.Slice) []waiting {
	e := s.Ending()
	model := mining.FitSilence(s.Whole, e)
	of := s.Standing()
	var out []waiting
	for c := range s.Log.Cases() {
		if of[c] != mining.Open {
			continue
		}
		path, times := s.Log.Path(c), s.Log.Times(c)
		x := waiting{c: c, last: path[len(path)-1], silent: s.End - slices.Max(times)}
		x.chance = model.Abandoned(x.last, x.silent)
		out = append(out, x)
	}
	return out
}

func (p Pages) fillNow(ctx context.Context, v *nowData, s *observed.Slice, open []waiting, r *http.Request) string {
	f := i18n.Fmt(ctx)
	type place struct {
		last        int32
		n, known    int
		silent      []int64
		expected    float64
		low, high   float64
		unspeakable int
	}
	at := map[int32]*place{}
	expected, known := 0.0, 0
	for _, x := range open {
		pl := at[x.last]
		if pl == nil {
			pl = &place{last: x.last}
			at[x.last] = pl
		}
		pl.n++
		pl.silent = append(pl.silent, x.silent)
		if !math.IsNaN(x.chance.P) {
			pl.known++
			pl.expected += x.chance.P
			pl.low += x.chance.Low
			pl.high += x.chance.High
			expected += x.chance.P
			known++
		}
	}
	var places []*place
	for _, pl := range at {
		places = append(places, pl)
	}
	slices.SortFunc(places, func(a, b *place) int { return cmp.Or(b.n-a.n, int(a.last-b.last)) })
	columns := []ui.Column{{Key: "step", Label: i18n.T(ctx, "observed.now.last")}, {Key: "n", Label: i18n.T(ctx, "observed.now.n"), Numeric: true}, {Key: "silent", Label: i18n.T(ctx, "observed.now.silent"), Numeric: true}, {Key: "lost", Label: i18n.T(ctx, "observed.now.expected"), Numeric: true}}
	v.steps = ui.TableProps{Label: i18n.T(ctx, "observed.now.steps"), Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	for _, pl := range places {
		lost := ui.Cell{Text: "–", Mute: true}
		if pl.known > 0 {
			lost = ui.Cell{Text: f.Decimal(pl.expected, 1), Sub: f.Decimal(pl.low, 0) + " – " + f.Decimal(pl.high, 0)}
		}
		q := filtersOf(r.URL.Query())
		q.Set("outcome", "open")
		q.Set("ends", s.Log.Activities().Name(pl.last))
		v.steps.Rows = append(v.steps.Rows, ui.Row{Cells: []ui.Cell{{Text: p.activityName(ctx, s.Log, pl.last), Href: viewPath(s.Query.Journey, "cases", q)}, {Text: f.Int(int64(pl.n))},
			{Text: f.Seconds(mining.Describe(pl.silent).Median)}, lost}})
	}
	slices.SortStableFunc(open, func(a, b waiting) int { return cmp.Compare(orZero(b.chance.Low), orZero(a.chance.Low)) })
	v.cases = ui.TableProps{ID: "risk", Label: i18n.T(ctx, "observed.now.risk"), Dense: true, Columns: []ui.Column{{Key: "case", Label: i18n.T(ctx, "observed.case")}, {Key: "last", Label: i18n.T(ctx, "observed.now.last")}, {Key: "silent", Label: i18n.T(ctx, "observed.now.silent"), Numeric: true}, {Key: "chance", Label: i18n.T(ctx, "observed.now.chance"), Numeric: true}}}
	for _, x := range open[:min(len(open), 15)] {
		if math.IsNaN(x.chance.P) {
			continue
		}
		v.cases.Rows = append(v.cases.Rows, ui.Row{Cells: []ui.Cell{{Text: s.Log.CaseID(x.c)}, {Text: p.activityName(ctx, s.Log, x.last)}, {Text: f.SecondsShort(float64(x.silent) / 1e6)},
			{Text: f.Percent(x.chance.P, 0), Sub: f.PercentInterval(x.chance.Low, x.chance.High, 0)}}})
	}
	at2 := time.UnixMicro(s.End).In(p.Zone)
	if len(open) == 0 {
		return i18n.T(ctx, "observed.now.finding.none", "at", ui.When(ctx, at2))
	}
	text := i18n.T(ctx, "observed.now.finding", "count", len(open), "at", ui.When(ctx, at2))
	if known > 0 {
		text += " " + i18n.T(ctx, "observed.now.finding.lost", "lost", f.Decimal(expected, 0))
	}
	return text
}

func orZero(x float64) float64 {
	if math.IsNaN(x) {
		return -1
	}
	return x
}

func nowCSV(w http.ResponseWriter, l *mining.Log, open []waiting) error {
	return ui.WriteCSV(w, "open-cases.csv", csvColumns("case", "last_event", "silent_hours", "abandoned_probability", "low", "high"), func(yield func([]string) bool) {
		for _, x := range open {
			if !yield([]string{l.CaseID(x.c), l.Activities().Name(x.last), strconv.FormatFloat(float64(x.silent)/3.6e9, 'f', 2, 64), num(x.chance.P), num(x.chance.Low), num(x.chance.High)}) {
				return
			}
		}
	})
}
