package web

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/observed"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// compareData is what the comparison of two parts of a journey shows.
type compareData struct {
	action  string
	carried [][2]string
	side    string
	a, b    string
	two     bool // both sides are chosen
	sides   []ui.Option
	values  []ui.Option
	ready   bool
	why     string
	facts   []ui.KeyValue
	ways    ui.TableProps
	key     string
	moves   ui.TableProps
}

// Limits of a comparison.
const (
	compareLeast = 20   // cases of both parts that must have a way or a move
	compareRate  = 0.05 // of false discoveries
	compareLevel = 0.95
	compareRows  = 25
)

func (p Pages) comparePage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	v := compareData{action: viewPath(s.Query.Journey, "compare", nil), side: q.Get("side"), a: q.Get("a"), b: q.Get("b")}
	if !slices.Contains(observed.Sides, v.side) {
		v.side = "period"
	}
	v.two = v.side != "period" && v.side != "with" && v.side != "segment"
	v.carried = pairs(filtersOf(q))
	for _, side := range observed.Sides {
		v.sides = append(v.sides, ui.Option{Value: side, Label: i18n.T(ctx, "observed.compare.by."+side)})
	}
	h := p.head(r, s, "compare")
	if h.Empty {
		return ui.Render(w, r, compareView(p.flowPage(ctx, s, "observed.compare.title", ""), h, v))
	}
	a, b, err := p.sidesOf(ctx, s, &v)
	if err != nil {
		return err
	}
	finding := ""
	if a != nil && a.Cases() > 0 && b.Cases() > 0 {
		d := mining.Compare(a, b, compareLeast, compareLevel)
		ways := mining.CompareVariants(a, b, compareLeast, compareLevel)
		if q.Get("format") == "csv" {
			return compareCSV(w, s.Log, d)
		}
		finding = p.fillComparison(ctx, &v, s, d, ways, r)
	} else {
		v.why = i18n.T(ctx, "observed.compare.choose")
	}
	return ui.Render(w, r, compareView(p.flowPage(ctx, s, "observed.compare.title", finding), h, v))
}

// sidesOf divides the cases. It fills in the choices, and the most frequent where
// nothing was chosen; both logs are nil where there is nothing to divide by.
func (p Pages) sidesOf(ctx context.Context, s *observed.Slice, v *compareData) (a, b *mining.Log, err error) {
	switch v.side {
	case "period":
		cut := p.periods(ctx, s, v)
		return p.Observed.Divide(ctx, s, observed.Division{By: v.side, Cut: cut})
	case "segment":
		v.values, v.b = p.segmentOptions(ctx), ""
		if v.a == "" && len(v.values) > 0 {
			v.a = v.values[0].Value
		}
		if v.a == "" {
			return nil, nil, nil
		}
		return p.Observed.Divide(ctx, s, observed.Division{By: v.side, A: v.a})
	case "with":
		for _, n := range mining.DirectlyFollows(s.Log).Nodes {
			v.values = append(v.values, ui.Option{Value: s.Log.Activities().Name(n.Activity), Label: p.activityName(ctx, s.Log, n.Activity)})
		}
		if v.a == "" && len(v.values) > 1 {
			v.a = v.values[len(v.values)/2].Value
		}
		v.b = ""
		return p.Observed.Divide(ctx, s, observed.Division{By: v.side, A: v.a})
	case "outcome":
		for _, o := range []string{"succeeded", "failed", "abandoned", "open"} {
			v.values = append(v.values, ui.Option{Value: o, Label: i18n.T(ctx, "journey.outcome."+o)})
		}
		if v.a == "" || v.b == "" || v.a == v.b {
			v.a, v.b = "succeeded", "abandoned"
		}
		return p.Observed.Divide(ctx, s, observed.Division{By: v.side, A: v.a, B: v.b})
	}
	dict, ok := s.Log.Column(v.side)
	if !ok {
		return nil, nil, nil
	}
	counts := make([]int, dict.Len())
	for c := range s.Log.Cases() {
		seen := map[int32]bool{}
		for _, x := range s.Log.Values(v.side, c) {
			if x != mining.None && !seen[x] {
				seen[x] = true
				counts[x]++
			}
		}
	}
	order := make([]int32, 0, len(counts))
	for id, n := range counts {
		if n > 0 {
			order = append(order, int32(id))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return counts[b] - counts[a] })
	names := map[string]string{}
	if v.side == "unit" {
		names = p.unitNames(ctx)
	}
	for _, id := range order {
		code := dict.Name(id)
		label := code
		if n := names[code]; n != "" {
			label = n
		}
		v.values = append(v.values, ui.Option{Value: code, Label: label})
	}
	if v.a == "" && len(v.values) > 1 {
		v.a, v.b = v.values[0].Value, v.values[1].Value
	}
	return p.Observed.Divide(ctx, s, observed.Division{By: v.side, A: v.a, B: v.b})
}

// periods gives the day to divide at: the chosen one, or the middle of the cases.
func (p Pages) periods(ctx context.Context, s *observed.Slice, v *compareData) (cut time.Time) {
	starts := make([]int64, s.Log.Cases())
	for c := range starts {
		starts[c] = slices.Min(s.Log.Times(c))
	}
	sorted := slices.Sorted(slices.Values(starts))
	first := time.UnixMicro(sorted[0]).In(p.Zone)
	last := time.UnixMicro(sorted[len(sorted)-1]).In(p.Zone)
	for day := observed.Month(first).AddDate(0, 1, 0); day.Before(last); day = day.AddDate(0, 1, 0) {
		v.values = append(v.values, ui.Option{Value: day.Format(time.DateOnly), Label: i18n.T(ctx, "observed.compare.until", "day", i18n.Fmt(ctx).DateOnly(day))})
	}
	cut = s.Halfway(p.Zone)
	if day, err := time.ParseInLocation(time.DateOnly, v.a, p.Zone); err == nil {
		cut = day
	} else {
		v.a = cut.In(p.Zone).Format(time.DateOnly)
		v.values = append(v.values, ui.Option{Value: v.a, Label: i18n.T(ctx, "observed.compare.until", "day", i18n.Fmt(ctx).DateOnly(cut.In(p.Zone)))})
	}
	v.b = ""
	return cut
}

func (p Pages) fillComparison(ctx context.Context, v *compareData, s *observed.Slice, d *mining.Differences, ways []mining.VariantDifference, r *http.Request) string {
	f := i18n.Fmt(ctx)
	v.ready = true
	v.facts = []ui.KeyValue{
		{Key: i18n.T(ctx, "journey.cases"), Value: "A " + f.Int(int64(d.CasesA)) + " · B " + f.Int(int64(d.CasesB))},
		{Key: i18n.T(ctx, "observed.compare.duration"), Value: "A " + f.Seconds(d.MedianA) + " · B " + f.Seconds(d.MedianB)},
		{Key: "p", Value: f.Decimal(d.Duration.P, 3)},
	}
	points := func(x mining.Difference) string {
		e := x.Share.Difference
		return f.Signed(100*e.Value, 1) + " (" + f.Signed(100*e.Low, 1) + " – " + f.Signed(100*e.High, 1) + ")"
	}
	columns := []ui.Column{{Key: "move", Label: i18n.T(ctx, "observed.move")}, {Key: "a", Label: "A", Numeric: true}, {Key: "b", Label: "B", Numeric: true}, {Key: "diff", Label: i18n.T(ctx, "observed.compare.diff"), Numeric: true},
		{Key: "q", Label: "q", Numeric: true}, {Key: "wait", Label: i18n.T(ctx, "observed.compare.wait"), Numeric: true}, {Key: "wq", Label: "q", Numeric: true}}
	v.moves = ui.TableProps{ID: "moves", Label: i18n.T(ctx, "observed.compare.moves"), Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	real := 0
	for _, e := range d.Edges {
		known := e.ShareQ <= compareRate || e.WaitQ <= compareRate
		if known {
			real++
		}
		if len(v.moves.Rows) >= compareRows || (!known && len(v.moves.Rows) >= 10) {
			continue
		}
		q, _ := url.ParseQuery(filtersOf(r.URL.Query()).Encode()) // encoded a moment before
		q.Set("passing", s.Log.Activities().Name(e.Source)+">"+s.Log.Activities().Name(e.Target))
		wait, wq := "–", "–"
		if !math.IsNaN(e.WaitQ) {
			wait, wq = f.SecondsShort(e.MedianA)+" / "+f.SecondsShort(e.MedianB), f.Decimal(e.WaitQ, 3)
		}
		v.moves.Rows = append(v.moves.Rows, ui.Row{Cells: []ui.Cell{{Text: p.activityName(ctx, s.Log, e.Source) + " → " + p.activityName(ctx, s.Log, e.Target), Href: viewPath(s.Query.Journey, "", q)},
			{Text: f.Percent(share(e.CasesA, d.CasesA), 1)}, {Text: f.Percent(share(e.CasesB, d.CasesB), 1)}, {Text: points(e), Care: false}, {Text: f.Decimal(e.ShareQ, 3)}, {Text: wait}, {Text: wq}}})
	}
	n := p.namer(ctx, s)
	v.ways = ui.TableProps{ID: "ways", Label: i18n.T(ctx, "observed.compare.ways"), KeepTable: true, Columns: []ui.Column{{Key: "path", Label: i18n.T(ctx, "journey.path"), Wide: true}, {Key: "a", Label: "A", Numeric: true}, {Key: "b", Label: "B", Numeric: true}, {Key: "diff", Label: i18n.T(ctx, "observed.compare.diff"), Numeric: true}, {Key: "q", Label: "q", Numeric: true}}}
	var paths [][]int32
	for _, x := range ways[:min(len(ways), 12)] {
		paths = append(paths, x.Path)
		v.ways.Rows = append(v.ways.Rows, ui.Row{Cells: []ui.Cell{n.marks(x.Path), {Text: f.Percent(share(x.CasesA, d.CasesA), 1)}, {Text: f.Percent(share(x.CasesB, d.CasesB), 1)}, {Text: f.Signed(100*x.Share.Difference.Value, 1)}, {Text: f.Decimal(x.Q, 3)}}})
	}
	v.key = n.key(paths)
	text := i18n.T(ctx, "observed.compare.finding.same", "all", len(d.Edges))
	if real > 0 {
		text = i18n.T(ctx, "observed.compare.finding", "count", real, "all", len(d.Edges))
	}
	if d.Duration.P <= compareRate {
		key := "observed.compare.longer"
		if d.MedianB < d.MedianA {
			key = "observed.compare.shorter"
		}
		text += " " + i18n.T(ctx, key, "a", f.Seconds(d.MedianA), "b", f.Seconds(d.MedianB))
	}
	return text
}

func compareCSV(w http.ResponseWriter, l *mining.Log, d *mining.Differences) error {
	return ui.WriteCSV(w, "comparison.csv", csvColumns("from", "to", "cases_a", "cases_b", "share_difference", "low", "high", "share_q", "median_a_s", "median_b_s", "wait_q"), func(yield func([]string) bool) {
		for _, e := range d.Edges {
			x := e.Share.Difference
			if !yield([]string{l.Activities().Name(e.Source), l.Activities().Name(e.Target), num(float64(e.CasesA)), num(float64(e.CasesB)), num(x.Value), num(x.Low), num(x.High), num(e.ShareQ), num(e.MedianA), num(e.MedianB), num(e.WaitQ)}) {
				return
			}
		}
	})
}
