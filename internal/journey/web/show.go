package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"omote/analytics/mining"
	"omote/analytics/stats"
	"omote/internal/journey/moment"
	"omote/internal/journey/observed"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
	"omote/internal/ui/chart"
	"omote/internal/ui/flow"
)

// variantsShown is how many ways the page shows before "all".
const variantsShown = 10

// view is what the page of a journey shows.
type view struct {
	*observed.Picture
	pages   Pages
	ctx     context.Context
	query   url.Values
	numbers map[int32]int // designed steps by activity
	letters map[int32]string
	metric  string // what stands beside the moves
	detail  int    // how much of the map is drawn, 1 to 5
	design  *overlay
	designs bool // a map is in force that can be laid over
	costs   *moment.Costing
	all     bool
}

// metrics are what can stand beside the moves of the map.
var metrics = []string{"count", "time", "p90", "mean", "feeling", "cost"}

// details are how many steps are drawn by themselves, and which share of the moves,
// by level. More than the last nobody could read, and laying them out takes longer
// than anybody waits: the rest is one step, and the table behind the map has all.
var details = []struct {
	steps    int
	coverage float64
}{{6, 0.7}, {10, 0.8}, {24, 0.9}, {48, 0.95}, {120, 1}}

const usualDetail = 3

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q, err := p.queryOf(r)
	if err != nil {
		return err
	}
	picture, err := p.Observed.Read(ctx, q)
	if errs.KindOf(err) == errs.KindInvalid && len(q.Steps) > 0 {
		q.Steps = nil // an impossible funnel must not hide the journey
		picture, err = p.Observed.Read(ctx, q)
	}
	if err != nil {
		return err
	}
	v := &view{Picture: picture, pages: p, ctx: ctx, query: r.URL.Query(), metric: r.URL.Query().Get("show"), all: r.URL.Query().Has("all")}
	if !slices.Contains(metrics, v.metric) {
		v.metric = "count"
	}
	if v.detail, err = strconv.Atoi(r.URL.Query().Get("detail")); err != nil || v.detail < 1 || v.detail > len(details) {
		v.detail = usualDetail
	}
	if v.query.Get("lay") == "design" && !v.query.Has("show") {
		v.metric = "time" // the standards are times
	}
	v.name()
	if err := v.layOver(); err != nil {
		return err
	}
	name := p.nameOf(ctx, picture.Slice)
	page := ui.Page{Title: i18n.T(ctx, "journey.title", "name", name), At: ui.NavJourneys, Finding: v.finding(), Meta: v.meta(),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "journey.list.title"), Href: listPath}}}
	if v.design != nil {
		page.Finding = v.designFinding()
	}
	page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "journey.define"), Href: "/journey/blueprints/" + httpx.PathEscape(q.Journey), Key: "M"}}
	return ui.Render(w, r, showPage(page, v))
}

// name numbers the steps of the funnel and letters everything else, the most
// frequent first.
func (v *view) name() {
	v.numbers, v.letters = map[int32]int{}, map[int32]string{}
	if v.Graph == nil {
		return
	}
	for i, step := range v.Steps {
		if id, ok := v.Log.Activities().Lookup(step); ok {
			v.numbers[id] = i + 1
		}
	}
	n := 0
	for _, node := range v.Graph.Nodes {
		if _, numbered := v.numbers[node.Activity]; !numbered {
			v.letters[node.Activity] = letter(n)
			n++
		}
	}
}

// letter gives A, B, … Z, AA, AB, …
func letter(n int) string {
	var b []byte
	for n++; n > 0; n = (n - 1) / 26 {
		b = append(b, byte('A'+(n-1)%26))
	}
	slices.Reverse(b)
	return string(b)
}

func (v *view) label(activity int32) string {
	return v.pages.Label(v.ctx, v.Log.Activities().Name(activity))
}

func (v *view) finding() string {
	if v.Graph == nil {
		return i18n.T(v.ctx, "journey.finding.none")
	}
	f := i18n.Fmt(v.ctx)
	return i18n.T(v.ctx, "journey.finding", "count", v.Log.Cases(), "median", f.Seconds(v.Durations.Median), "p90", f.Seconds(v.Durations.P90),
		"variants", len(v.Variants.List), "share", f.Percent(v.Variants.Share(0), 0))
}

func (v *view) meta() []ui.Item {
	if v.Graph == nil {
		return nil
	}
	f := i18n.Fmt(v.ctx)
	zone := v.pages.Zone
	return []ui.Item{
		ui.Text(i18n.T(v.ctx, "journey.meta.events", "count", v.Log.Events())),
		ui.Text(f.DayRange(v.First.In(zone), v.Last.In(zone))),
		ui.Text(i18n.T(v.ctx, "journey.meta.read", "at", ui.When(v.ctx, v.ReadAt))),
	}
}

// chips are the filters in force, each with its way out, and what they leave.
func (v *view) chips() ui.FiltersProps {
	return v.pages.filterChips(v.ctx, journeyPath(v.Query.Journey), v.query, v.Slice)
}

// channels and products are the values one can filter by.
func (v *view) values(column string) (out []string) {
	dict, ok := v.Log.Column(column)
	if !ok {
		return nil
	}
	for _, name := range dict.Names() {
		if name != "" {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// flowMap is the map at the chosen level of detail: rare steps are one, so that a
// journey of thousands of activities can still be read.
func (v *view) flowMap() flow.MapProps {
	level := details[v.detail-1]
	if v.design != nil {
		return v.designMap(level.steps, level.coverage)
	}
	log, graph := v.Log, v.Graph
	if len(graph.Nodes) > level.steps+1 {
		log, _ = mining.GroupRare(v.Log, level.steps, "\x00other")
		graph = mining.DirectlyFollows(log)
	}
	m := flow.MapProps{ID: "map", Label: ui.PlainText(v.finding()), Total: int64(v.Log.Cases()), Coverage: level.coverage, Unit: i18n.T(v.ctx, "journey.unit.cases")}
	if v.metric != "count" {
		m.Show = flow.ByTime
	}
	rare := len(v.Graph.Nodes) - len(graph.Nodes) + 1
	for _, n := range graph.Nodes {
		name := log.Activities().Name(n.Activity)
		node := flow.Node{Key: strconv.Itoa(int(n.Activity)), Cases: int64(n.Cases), Events: int64(n.Events), Starts: int64(n.Starts), Ends: int64(n.Ends)}
		if strings.HasPrefix(name, "\x00other") {
			node.Name = i18n.T(v.ctx, "observed.group.other", "count", rare)
		} else {
			node.Name = v.pages.Label(v.ctx, name)
		}
		// Only a design that somebody made gives steps their place on the spine.
		if len(v.Definition.Steps) > 0 && len(v.Query.Steps) == 0 {
			if id, ok := v.Log.Activities().Lookup(name); ok {
				node.Step = v.numbers[id]
			}
		}
		m.Nodes = append(m.Nodes, node)
	}
	beside := v.beside(log, graph)
	for i, e := range graph.Edges {
		m.Edges = append(m.Edges, flow.Edge{From: strconv.Itoa(int(e.Source)), To: strconv.Itoa(int(e.Target)), Count: int64(e.Count), Cases: int64(e.Cases), Time: beside(i)})
	}
	return m
}

// beside writes the chosen metric of a move.
func (v *view) beside(l *mining.Log, g *mining.Graph) func(i int) string {
	f := i18n.Fmt(v.ctx)
	switch v.metric {
	case "p90":
		return func(i int) string { return f.SecondsShort(g.Edges[i].Wait.P90) }
	case "mean":
		return func(i int) string { return f.SecondsShort(g.Edges[i].Wait.Mean) }
	case "cost":
		m := mining.MeasureBy(l, g, v.costs.Of(l))
		return func(i int) string {
			return f.MoneyShort(money.Amount{Minor: int64(moment.Spent(m.Edges[i])), Currency: v.pages.Currency})
		}
	case "feeling":
		m := mining.Measure(l, g, "feeling")
		return func(i int) string {
			if m == nil || m.Edges[i].N == 0 {
				return "–"
			}
			return f.Decimal(10*stats.Mean(m.Edges[i], 0).Value, 1) + " (n " + f.Int(int64(m.Edges[i].N)) + ")"
		}
	}
	return func(i int) string { return f.SecondsShort(g.Edges[i].Wait.Median) }
}

// metricChips switch what stands beside the moves.
func (v *view) metricChips() (out []ui.ChipProps) {
	for _, m := range metrics {
		if m == "cost" && v.costs == nil {
			continue
		}
		value := m
		if m == "count" && v.design == nil {
			value = ""
		}
		out = append(out, ui.ChipProps{Label: i18n.T(v.ctx, "observed.show."+m), Href: v.address("show", value), Pressed: v.metric == m})
	}
	return out
}

// carried are the parameters that a form on the page must carry along, except one.
func (v *view) carried(except string) [][2]string {
	q := maps.Clone(v.query)
	q.Del(except)
	return pairs(q)
}

func (v *view) variants() ui.TableProps {
	f := i18n.Fmt(v.ctx)
	t := ui.TableProps{Label: i18n.T(v.ctx, "journey.variants"), KeepTable: true, Columns: []ui.Column{
		{Key: "path", Label: i18n.T(v.ctx, "journey.path"), Wide: true},
		{Key: "cases", Label: i18n.T(v.ctx, "journey.cases"), Numeric: true},
		{Key: "share", Label: i18n.T(v.ctx, "journey.share"), Numeric: true},
		{Key: "median", Label: i18n.T(v.ctx, "journey.median"), Numeric: true},
	}}
	n := variantsShown
	if v.all {
		n = 100
	}
	shown := v.Variants.List[:min(n, len(v.Variants.List))]
	medians := v.medians(len(shown))
	covered := 0
	for i, one := range shown {
		covered += one.Count
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{
			{Node: ui.Variant(v.marks(one.Path))}, {Text: f.Int(int64(one.Count))}, {Text: f.Percent(v.Variants.Share(i), 1)}, {Text: f.Seconds(medians[i])}}})
	}
	t.Foot = i18n.T(v.ctx, "journey.variants.foot", "shown", len(shown), "all", len(v.Variants.List), "share", f.Percent(float64(covered)/float64(v.Variants.Cases), 1))
	return t
}

// medians are the median durations of the first n variants, in seconds.
func (v *view) medians(n int) []float64 {
	durations := make([][]float64, n)
	for c, variant := range v.Variants.Of {
		if int(variant) < n {
			times := v.Log.Times(c)
			durations[variant] = append(durations[variant], float64(slices.Max(times)-slices.Min(times))/1e6)
		}
	}
	out := make([]float64, n)
	for i, d := range durations {
		out[i] = stats.Median(d, 0).Value
	}
	return out
}

// marks turns a path into its marks; the same step in a row is one mark.
func (v *view) marks(path []int32) (out []ui.Mark) {
	const longest = 24
	seen := map[int32]bool{}
	for i, a := range path {
		if i > 0 && path[i-1] == a && len(out) > 0 {
			out[len(out)-1].Times = max(out[len(out)-1].Times, 1) + 1
			out[len(out)-1].Kind = repeated(out[len(out)-1].Kind)
			continue
		}
		if len(out) == longest {
			return append(out, ui.Mark{Label: "…", Title: i18n.T(v.ctx, "journey.path.more", "count", len(path)-i), Kind: ui.Unplanned})
		}
		m := ui.Mark{Title: v.label(a)}
		if n := v.numbers[a]; n > 0 {
			m.Label = strconv.Itoa(n)
			if seen[a] {
				m.Kind = ui.Repeated
			}
		} else {
			m.Label, m.Kind = v.letters[a], ui.Unplanned
		}
		seen[a] = true
		out = append(out, m)
	}
	return out
}

func repeated(k ui.MarkKind) ui.MarkKind {
	if k == ui.AsDesigned {
		return ui.Repeated
	}
	return k
}

// key names the letters that the shown variants use.
func (v *view) key() string {
	used := map[int32]bool{}
	for _, one := range v.Variants.List[:min(variantsShown, len(v.Variants.List))] {
		for _, a := range one.Path {
			used[a] = true
		}
	}
	var parts []string
	for _, n := range v.Graph.Nodes {
		if l := v.letters[n.Activity]; l != "" && used[n.Activity] {
			parts = append(parts, l+" "+v.label(n.Activity))
		}
	}
	return strings.Join(parts, ", ")
}

func (v *view) funnel() (out []ui.FunnelStep) {
	f := i18n.Fmt(v.ctx)
	whole := float64(v.Log.Cases())
	before := v.Log.Cases()
	for i, s := range v.Funnel.Steps {
		step := ui.FunnelStep{Name: v.pages.Label(v.ctx, v.Steps[i]), Share: float64(s.Cases) / whole, Count: int64(s.Cases), Gone: int64(before - s.Cases),
			Lost: float64(before-s.Cases) / whole}
		if i > 0 {
			last := v.Funnel.Steps[i-1]
			var where []string
			for _, next := range last.Next[:min(2, len(last.Next))] {
				if next.ID == mining.None {
					continue
				}
				where = append(where, i18n.T(v.ctx, "journey.funnel.went", "count", next.N, "name", v.label(next.ID)))
			}
			if last.Open > 0 {
				where = append(where, i18n.T(v.ctx, "journey.funnel.open", "count", last.Open))
			}
			if s.Wait.N > 0 {
				where = append(where, i18n.T(v.ctx, "journey.funnel.after", "time", f.Seconds(s.Wait.Median)))
			}
			step.Where = strings.Join(where, "; ")
		}
		before = s.Cases
		out = append(out, step)
	}
	return out
}

// outcomes are the shares of cases by how they stand, with intervals.
func (v *view) outcomes() (out []chart.BarItem) {
	n := int64(v.Log.Cases())
	for _, o := range []struct {
		key   string
		count int
	}{{"succeeded", v.Outcomes.Succeeded}, {"failed", v.Outcomes.Failed}, {"abandoned", v.Outcomes.Abandoned}, {"open", v.Outcomes.Open}} {
		if !v.Outcomes.Known && (o.key == "succeeded" || o.key == "failed") {
			continue
		}
		e := stats.Proportion(int64(o.count), n, 0)
		key := "journey.outcome." + o.key
		if !v.Outcomes.Known && o.key == "abandoned" {
			key = "journey.outcome.over"
		}
		out = append(out, chart.BarItem{Name: i18n.T(v.ctx, key), Value: e.Value, Low: e.Low, High: e.High, N: int64(o.count)})
	}
	return out
}

// durations are the bins of the cases' length up to the 95th percentile.
func (v *view) durations() chart.HistogramProps {
	f := i18n.Fmt(v.ctx)
	const bins = 24
	top := max(v.Durations.P95, 1)
	width := top / bins
	p := chart.HistogramProps{ID: "durations", Label: ui.PlainText(v.finding()), Cols: 6, XName: i18n.T(v.ctx, "journey.duration"),
		Format: func(x float64) string { return f.SecondsShort(x) },
		Refs: []chart.Ref{{Value: v.Durations.Median, Label: i18n.T(v.ctx, "journey.median") + " " + f.Seconds(v.Durations.Median)},
			{Value: v.Durations.Mean, Label: i18n.T(v.ctx, "journey.mean") + " " + f.Seconds(v.Durations.Mean)}}}
	for i := range bins {
		p.Bins = append(p.Bins, chart.Bin{From: float64(i) * width, To: float64(i+1) * width})
	}
	for c := range v.Log.Cases() {
		times := v.Log.Times(c)
		d := float64(slices.Max(times)-slices.Min(times)) / 1e6
		if i := int(d / width); i < bins {
			p.Bins[i].Count++
		} else {
			p.Over++
		}
	}
	return p
}

func (v *view) facts() []ui.KeyValue {
	f := i18n.Fmt(v.ctx)
	pairs := []ui.KeyValue{
		{Key: i18n.T(v.ctx, "journey.median"), Value: "**" + f.Seconds(v.Durations.Median) + "**"},
		{Key: i18n.T(v.ctx, "journey.mean"), Value: f.Seconds(v.Durations.Mean)},
		{Key: i18n.T(v.ctx, "journey.p90"), Value: f.Seconds(v.Durations.P90)},
		{Key: i18n.T(v.ctx, "journey.longest"), Value: f.Seconds(v.Durations.Max)},
		{Key: i18n.T(v.ctx, "journey.per_case"), Value: i18n.T(v.ctx, "journey.per_case.value", "median", f.Decimal(v.Lengths.Median, 0), "max", v.Lengths.Max)},
		{Key: i18n.T(v.ctx, "journey.rework"), Value: i18n.T(v.ctx, "journey.rework.value", "count", v.Rework.Cases, "share", f.Percent(float64(v.Rework.Cases)/float64(v.Log.Cases()), 1))},
	}
	return pairs
}

// address is this page with one parameter set.
func (v *view) address(name, value string) string {
	q := url.Values{}
	for k, vals := range v.query {
		q[k] = vals
	}
	if value == "" {
		q.Del(name)
	} else {
		q.Set(name, value)
	}
	return journeyPath(v.Query.Journey) + "?" + q.Encode()
}
