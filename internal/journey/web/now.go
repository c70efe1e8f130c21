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
	open := s.Waiting()
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

func (p Pages) fillNow(ctx context.Context, v *nowData, s *observed.Slice, open []observed.Waiting, r *http.Request) string {
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
		pl := at[x.Last]
		if pl == nil {
			pl = &place{last: x.Last}
			at[x.Last] = pl
		}
		pl.n++
		pl.silent = append(pl.silent, x.Silent)
		if !math.IsNaN(x.Chance.P) {
			pl.known++
			pl.expected += x.Chance.P
			pl.low += x.Chance.Low
			pl.high += x.Chance.High
			expected += x.Chance.P
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
	slices.SortStableFunc(open, func(a, b observed.Waiting) int { return cmp.Compare(orZero(b.Chance.Low), orZero(a.Chance.Low)) })
	v.cases = ui.TableProps{ID: "risk", Label: i18n.T(ctx, "observed.now.risk"), Dense: true, Columns: []ui.Column{{Key: "case", Label: i18n.T(ctx, "observed.case")}, {Key: "last", Label: i18n.T(ctx, "observed.now.last")}, {Key: "silent", Label: i18n.T(ctx, "observed.now.silent"), Numeric: true}, {Key: "chance", Label: i18n.T(ctx, "observed.now.chance"), Numeric: true}}}
	for _, x := range open[:min(len(open), 15)] {
		if math.IsNaN(x.Chance.P) {
			continue
		}
		v.cases.Rows = append(v.cases.Rows, ui.Row{Cells: []ui.Cell{{Text: s.Log.CaseID(x.Case)}, {Text: p.activityName(ctx, s.Log, x.Last)}, {Text: f.SecondsShort(float64(x.Silent) / 1e6)},
			{Text: f.Percent(x.Chance.P, 0), Sub: f.PercentInterval(x.Chance.Low, x.Chance.High, 0)}}})
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

func nowCSV(w http.ResponseWriter, l *mining.Log, open []observed.Waiting) error {
	return ui.WriteCSV(w, "open-cases.csv", csvColumns("case", "last_event", "silent_hours", "abandoned_probability", "low", "high"), func(yield func([]string) bool) {
		for _, x := range open {
			if !yield([]string{l.CaseID(x.Case), l.Activities().Name(x.Last), strconv.FormatFloat(float64(x.Silent)/3.6e9, 'f', 2, 64), num(x.Chance.P), num(x.Chance.Low), num(x.Chance.High)}) {
				return
			}
		}
	})
}
