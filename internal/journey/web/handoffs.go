package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"

	"omote/analytics/mining"
	"omote/internal/journey/observed"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

// handoffsData is what the hand-offs between units, or channels, show.
type handoffsData struct {
	scope   string
	choices []ui.ChipProps
	heat    chart.HeatProps
	table   ui.TableProps
}

// heatNames is how many units the heat map shows: those with the most hand-offs.
const heatNames = 12

func (p Pages) handoffsPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	h := p.head(r, s, "handoffs")
	column := "unit"
	if q.Get("between") == "channel" {
		column = "channel"
	}
	show := q.Get("show")
	if show != "lost" && show != "count" && show != "back" {
		show = "wait"
	}
	v := handoffsData{}
	if h.Empty {
		return ui.Render(w, r, handoffsView(p.flowPage(ctx, s, "observed.handoffs.title", ""), h, v))
	}
	list := mining.HandOffs(s.Log, column, s.Ending().Success...)
	if q.Get("format") == "csv" {
		return handoffsCSV(w, s.Log, column, list)
	}
	for _, c := range []struct{ param, value, chosen string }{{"between", "unit", column}, {"between", "channel", column}, {"show", "wait", show}, {"show", "lost", show}, {"show", "back", show}, {"show", "count", show}} {
		to := filtersOf(q)
		to.Set("between", column)
		to.Set("show", show)
		to.Set(c.param, c.value)
		v.choices = append(v.choices, ui.ChipProps{Label: i18n.T(ctx, "observed.handoffs."+c.param+"."+c.value), Href: viewPath(s.Query.Journey, "handoffs", to), Pressed: c.value == c.chosen})
	}
	label := p.valueNames(ctx, s.Log, column)
	p.heat(ctx, &v, list, label, show)
	v.table = p.boundaries(ctx, s, list, label, r)
	return ui.Render(w, r, handoffsView(p.flowPage(ctx, s, "observed.handoffs.title", p.handoffsFinding(ctx, s, list, label)), h, v))
}

// valueNames names the values of a column.
func (p Pages) valueNames(ctx context.Context, l *mining.Log, column string) func(id int32) string {
	dict, ok := l.Column(column)
	if !ok {
		return func(int32) string { return "" }
	}
	names := map[string]string{}
	if column == "unit" {
		names = p.unitNames(ctx)
	}
	return func(id int32) string {
		code := dict.Name(id)
		return cmp.Or(names[code], code)
	}
}

func (p Pages) handoffsFinding(ctx context.Context, s *observed.Slice, list []mining.HandOff, label func(int32) string) string {
	f := i18n.Fmt(ctx)
	if len(list) == 0 {
		return i18n.T(ctx, "observed.handoffs.finding.none")
	}
	waited, all := 0.0, 0.0
	worst, most := 0, 0.0
	for i, x := range list {
		hours := x.Wait.Mean * float64(x.Count)
		waited += hours
		if hours > most {
			worst, most = i, hours
		}
	}
	for c := range s.Log.Cases() {
		t := s.Log.Times(c)
		all += float64(slices.Max(t)-slices.Min(t)) / 1e6
	}
	x := list[worst]
	part := 0.0
	if all > 0 {
		part = math.Min(waited/all, 1)
	}
	return i18n.T(ctx, "observed.handoffs.finding", "share", f.Percent(part, 0), "from", label(x.From), "to", label(x.To), "median", f.Seconds(x.Wait.Median), "count", x.Count)
}

// heat draws the pairs of those that hand over most.
func (p Pages) heat(ctx context.Context, v *handoffsData, list []mining.HandOff, label func(int32) string, show string) {
	f := i18n.Fmt(ctx)
	weight := map[int32]int{}
	for _, x := range list {
		weight[x.From] += x.Count
		weight[x.To] += x.Count
	}
	var ids []int32
	for id := range weight {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int32) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b)) })
	all := len(ids)
	ids = ids[:min(len(ids), heatNames)]
	place := map[int32]int{}
	hp := chart.HeatProps{ID: "handoffs", RowName: i18n.T(ctx, "observed.handoffs.from"), ColName: i18n.T(ctx, "observed.handoffs.to"), Caption: i18n.T(ctx, "observed.handoffs.caption."+show),
		TableTop: []string{i18n.T(ctx, "observed.handoffs.from.word"), i18n.T(ctx, "observed.handoffs.to.word"), i18n.T(ctx, "observed.handoffs.show.count"), i18n.T(ctx, "observed.handoffs.show.wait"), i18n.T(ctx, "observed.handoffs.show.lost")}}
	for i, id := range ids {
		place[id] = i
		hp.Names = append(hp.Names, label(id))
		row := make([]chart.HeatCell, len(ids))
		for k := range row {
			row[k].Value = math.NaN()
		}
		hp.Cells = append(hp.Cells, row)
	}
	for _, x := range list {
		i, okI := place[x.From]
		k, okK := place[x.To]
		if !okI || !okK || x.Count == 0 {
			continue
		}
		cell := chart.HeatCell{Value: x.Wait.Median, Text: f.SecondsShort(x.Wait.Median)}
		switch show {
		case "lost":
			cell = chart.HeatCell{Value: share(x.Lost, x.Cases), Text: f.Percent(share(x.Lost, x.Cases), 0)}
		case "back":
			cell = chart.HeatCell{Value: share(x.Returned, x.Count), Text: f.Percent(share(x.Returned, x.Count), 0)}
		case "count":
			cell = chart.HeatCell{Value: float64(x.Count), Text: f.Compact(int64(x.Count))}
		}
		cell.Title = i18n.T(ctx, "observed.handoffs.cell", "from", label(x.From), "to", label(x.To), "count", x.Count, "median", f.Seconds(x.Wait.Median), "lost", f.Percent(share(x.Lost, x.Cases), 0))
		hp.Cells[i][k] = cell
		if len(hp.Table) < 60 {
			hp.Table = append(hp.Table, []string{label(x.From), label(x.To), f.Int(int64(x.Count)), f.Seconds(x.Wait.Median), f.Percent(share(x.Lost, x.Cases), 0)})
		}
	}
	hp.Label = i18n.T(ctx, "observed.handoffs.label", "count", len(ids))
	v.heat = hp
	v.scope = i18n.T(ctx, "observed.handoffs.scope", "shown", len(ids), "all", all)
}

func (p Pages) boundaries(ctx context.Context, s *observed.Slice, list []mining.HandOff, label func(int32) string, r *http.Request) ui.TableProps {
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "pair", Label: i18n.T(ctx, "observed.handoffs.pair")}, {Key: "count", Label: i18n.T(ctx, "observed.handoffs.show.count"), Numeric: true}, {Key: "median", Label: i18n.T(ctx, "observed.handoffs.show.wait"), Numeric: true},
		{Key: "time", Label: i18n.T(ctx, "observed.handoffs.time"), Numeric: true}, {Key: "lost", Label: i18n.T(ctx, "observed.handoffs.show.lost"), Numeric: true}, {Key: "back", Label: i18n.T(ctx, "observed.handoffs.show.back"), Numeric: true}}
	t := ui.TableProps{Label: i18n.T(ctx, "observed.handoffs.boundaries"), Columns: columns, CSV: true, Query: ui.QueryTable(r, "", columns, "")}
	sorted := slices.Clone(list)
	cost := func(x mining.HandOff) float64 { return x.Wait.Mean * float64(x.Count) }
	slices.SortStableFunc(sorted, func(a, b mining.HandOff) int { return cmp.Compare(cost(b), cost(a)) })
	total := 0.0
	for _, x := range list {
		total += cost(x)
	}
	for _, x := range sorted[:min(len(sorted), 25)] {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: label(x.From) + " → " + label(x.To)}, {Text: f.Int(int64(x.Count))}, {Text: f.Seconds(x.Wait.Median), Sub: i18n.T(ctx, "observed.p90", "time", f.SecondsShort(x.Wait.P90))},
			{Text: f.Percent(cost(x)/math.Max(total, 1e-9), 0)}, {Text: f.Percent(share(x.Lost, x.Cases), 1)}, {Text: f.Percent(share(x.Returned, x.Count), 1)}}})
	}
	t.Foot = i18n.T(ctx, "observed.handoffs.foot", "shown", len(t.Rows), "all", len(list))
	return t
}

func handoffsCSV(w http.ResponseWriter, l *mining.Log, column string, list []mining.HandOff) error {
	dict, _ := l.Column(column)
	return ui.WriteCSV(w, "hand-offs.csv", csvColumns("from", "to", "count", "cases", "median_seconds", "p90_seconds", "mean_seconds", "lost", "returned"), func(yield func([]string) bool) {
		for _, x := range list {
			if !yield([]string{dict.Name(x.From), dict.Name(x.To), num(float64(x.Count)), num(float64(x.Cases)), num(x.Wait.Median), num(x.Wait.P90), num(x.Wait.Mean), num(float64(x.Lost)), num(float64(x.Returned))}) {
				return
			}
		}
	})
}
