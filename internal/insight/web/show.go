package web

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"omote/analytics/spc"
	"omote/internal/insight/metric"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

// view is what the page of a measure shows.
type view struct {
	version  *metric.Version
	versions []*metric.Version
	last     metric.Point
	result   *metric.Result
	judged   judged
	by       string
	funnel   *metric.Funnel
	rows     []metric.Row
	canRows  bool
	period   metric.Period
	counter  string
	step     metric.Granularity
	units    map[string]string // names by code
}

// showWeeks is how many weeks the chart shows.
const showWeeks = 40

// rowsShown is how many rows stand behind the figure.
const rowsShown = 8

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := view{period: daysBack(p.today(), lastDays)}
	var err error
	if v.version, err = p.Metrics.Get(ctx, r.PathValue("id"), 0); err != nil {
		return err
	}
	d := &v.version.Definition
	if v.versions, err = p.Metrics.Versions(ctx, d.ID); err != nil {
		return err
	}
	total, err := p.Metrics.Compute(ctx, d.ID, v.version.Version, metric.Ask{Period: v.period, Granularity: metric.Total})
	if err != nil {
		return err
	}
	if len(total.Points) > 0 {
		v.last = total.Points[0]
	}
	if v.result, v.step, err = series(ctx, p.Metrics, d, v.version.Version, p.today(), showWeeks); err != nil {
		return err
	}
	v.judged = judge(d, v.result)
	if err := p.split(ctx, r, &v); err != nil {
		return err
	}
	if err := p.behind(ctx, &v); err != nil {
		return err
	}
	if d.Counter != "" {
		if c, err := p.Metrics.Get(ctx, d.Counter, 0); err == nil {
			v.counter = name(ctx, &c.Definition)
		}
	}
	page := ui.Page{Title: name(ctx, d), At: ui.NavMeasures, Finding: v.finding(ctx), Above: ui.StateTag(v.state()),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "insight.web.list.title"), Href: listPath}}, Draws: true}
	return ui.Render(w, r, showPage(page, &v))
}

// split computes the funnel plot by the chosen dimension.
func (p Pages) split(ctx context.Context, r *http.Request, v *view) error {
	d := &v.version.Definition
	v.by = r.URL.Query().Get("by")
	if !slices.Contains(d.Dims, v.by) {
		v.by = ""
		if len(d.Dims) > 0 {
			v.by = d.Dims[0]
		}
	}
	if v.by == "" || v.last.State != metric.OK {
		return nil
	}
	var err error
	if v.by == "unit" {
		if v.units, err = p.UnitNames(ctx); err != nil {
			return err
		}
	}
	v.funnel, err = p.Metrics.Funnel(ctx, d.ID, v.version.Version, v.period, v.by, nil)
	return err
}

// behind reads the first rows, where the reader may see rows at all.
func (p Pages) behind(ctx context.Context, v *view) error {
	v.canRows = auth.Can(ctx, metric.PermEdit) && !v.version.Definition.Anonymous
	if !v.canRows || v.last.Est.N == 0 {
		return nil
	}
	var err error
	v.rows, _, err = p.Metrics.Rows(ctx, v.version.Definition.ID, v.version.Version, metric.RowsAsk{Period: v.period, Limit: rowsShown})
	if k := errs.KindOf(err); k == errs.KindDenied || k == errs.KindInvalid {
		v.canRows = false
		return nil
	}
	return err
}

// state is what the measure says today.
func (v *view) state() ui.MetricState {
	switch {
	case v.result.Stale:
		return ui.Stale
	case v.last.State != metric.OK:
		return ui.Few
	}
	return v.judged.state
}

func (v *view) finding(ctx context.Context) string {
	d := &v.version.Definition
	if v.last.State != metric.OK {
		return i18n.T(ctx, "insight.web.finding.few", "n", v.last.Est.N, "min", d.MinN)
	}
	value := write(ctx, d.Unit, v.last.Est.Value)
	key := "insight.web.finding.noise"
	switch v.state() {
	case ui.Few:
		key = "insight.web.finding.young"
	case ui.Better:
		key = "insight.web.finding.better"
	case ui.Worse:
		key = "insight.web.finding.worse"
	case ui.Stale:
		key = "insight.web.finding.stale"
	}
	text := i18n.T(ctx, key, "value", value)
	if out := v.outside(); len(out) > 0 {
		text += " " + i18n.T(ctx, "insight.web.finding.units", "count", len(out), "all", len(v.funnel.Points))
	}
	return text
}

// outside are the groups beyond what chance explains, with the false-alarm rate
// of the wide limits.
func (v *view) outside() (out []metric.FunnelPoint) {
	if v.funnel == nil {
		return nil
	}
	for _, p := range v.funnel.Points {
		if p.Limits != nil && (p.Est.Value < p.Limits.Low998 || p.Est.Value > p.Limits.High998) {
			out = append(out, p)
		}
	}
	return out
}

// groupState is how a group stands to its limits.
func (v *view) groupState(p metric.FunnelPoint) ui.MetricState {
	if p.Limits == nil {
		return ui.Noise
	}
	below, above := p.Est.Value < p.Limits.Low998, p.Est.Value > p.Limits.High998
	if !below && !above {
		return ui.Noise
	}
	switch v.version.Definition.Direction {
	case metric.Lower:
		below, above = above, below
	case metric.Higher:
	default:
		return ui.Noise
	}
	if above {
		return ui.Better
	}
	return ui.Worse
}

func (v *view) figure(ctx context.Context) ui.FigureProps {
	d := &v.version.Definition
	if v.last.State != metric.OK {
		few := ui.Few
		return ui.FigureProps{Value: "–", State: &few, Interval: i18n.T(ctx, "insight.web.few", "n", v.last.Est.N, "min", d.MinN)}
	}
	number, unit := parts(ctx, d.Unit, v.last.Est.Value)
	f := ui.FigureProps{Value: number, Unit: unit, Interval: i18n.T(ctx, "insight.web.interval", "level", i18n.Fmt(ctx).Percent(v.last.Est.Level, 0), "interval", interval(ctx, d.Unit, v.last))}
	if d.Target != nil {
		f.Note = i18n.T(ctx, "insight.web.target", "value", write(ctx, d.Unit, *d.Target))
	}
	return f
}

func (v *view) chart(ctx context.Context) chart.TimeProps {
	d := &v.version.Definition
	format := func(x float64) string { return write(ctx, d.Unit, x) }
	t := chart.TimeProps{ID: "weekly", Label: ui.PlainText(v.finding(ctx)), Points: v.judged.points, Format: format, Cols: 8, ValueName: name(ctx, d)}
	if d.Target != nil {
		t.Target = &chart.Target{Value: *d.Target, Label: i18n.T(ctx, "insight.web.target", "value", format(*d.Target))}
	}
	if v.result.Stale && !v.result.Latest.IsZero() {
		t.StaleFrom = v.result.Latest
	}
	if n := len(v.judged.signals); n > 0 {
		s := v.judged.signals[n-1]
		t.Changes = []chart.Change{{At: s.Onset, From: s.OnsetLow, To: s.OnsetHigh, Label: i18n.T(ctx, "insight.web.change", "day", i18n.Fmt(ctx).Day(s.Onset)),
			Before: math.NaN(), After: math.NaN()}}
	}
	return t
}

// words are what the last signal says of itself.
func (v *view) words(ctx context.Context) string {
	if len(v.judged.signals) == 0 {
		return ""
	}
	lang := spc.English
	if i18n.Locale(ctx) == "vi" {
		lang = spc.Vietnamese
	}
	return spc.Words(v.judged.signals[len(v.judged.signals)-1], lang)
}

func (v *view) plot(ctx context.Context) chart.FunnelPlotProps {
	d := &v.version.Definition
	all := v.funnel.All.Est
	p := chart.FunnelPlotProps{ID: "units", Label: ui.PlainText(v.finding(ctx)), Centre: all.Value, MinN: float64(d.MinN), Cols: 8,
		Format: func(x float64) string { return write(ctx, d.Unit, x) }, NName: i18n.T(ctx, "insight.web.n_name", "days", lastDays),
		Mean: i18n.T(ctx, "insight.web.all", "value", write(ctx, d.Unit, all.Value)), Limits: v.limits()}
	for _, u := range v.funnel.Points {
		p.Units = append(p.Units, chart.Unit{Name: v.groupName(ctx, u.Group), N: float64(u.Est.N), Value: u.Est.Value, Low: u.Est.Low, High: u.Est.High, State: v.groupState(u)})
	}
	return p
}

// limits gives the limits of chance as a function of size: they are those of the
// groups, whose width falls with the root of n.
func (v *view) limits() func(n float64) (low, high float64) {
	for _, u := range v.funnel.Points {
		if u.Limits == nil || u.Est.N == 0 {
			continue
		}
		centre := v.funnel.All.Est.Value
		half := math.Max(u.Limits.High998-centre, centre-u.Limits.Low998) * math.Sqrt(float64(u.Est.N))
		low, high := math.Inf(-1), math.Inf(1)
		switch v.version.Definition.Unit {
		case metric.Share:
			low, high = 0, 1
		case metric.Points:
			low, high = -100, 100
		}
		return func(n float64) (float64, float64) {
			return math.Max(centre-half/math.Sqrt(n), low), math.Min(centre+half/math.Sqrt(n), high)
		}
	}
	return nil
}

func (v *view) groupName(ctx context.Context, group string) string {
	if group == "" {
		return i18n.T(ctx, "insight.web.unknown")
	}
	if called := v.units[strings.ToLower(group)]; called != "" {
		return called
	}
	return group
}

// facts describe the definition.
func (v *view) facts(ctx context.Context) []ui.KeyValue {
	d := &v.version.Definition
	pairs := []ui.KeyValue{
		{Key: i18n.T(ctx, "insight.web.fact.kind"), Value: i18n.T(ctx, "insight.web.kind."+string(d.Kind))},
		{Key: i18n.T(ctx, "insight.web.fact.owner"), Value: d.Owner},
		{Key: i18n.T(ctx, "insight.web.fact.better"), Value: i18n.T(ctx, "insight.web.direction."+string(d.Direction))},
		{Key: i18n.T(ctx, "insight.web.fact.interval"), Value: i18n.T(ctx, "insight.web.method."+cmp.Or(v.last.Est.Method, "none"))},
		{Key: i18n.T(ctx, "insight.web.fact.min_n"), Value: i18n.T(ctx, "insight.web.fact.min_n.value", "n", d.MinN)},
	}
	if d.Fresh > 0 {
		pairs = append(pairs, ui.KeyValue{Key: i18n.T(ctx, "insight.web.fact.fresh"), Value: i18n.Fmt(ctx).Duration(time.Duration(d.Fresh))})
	}
	if !v.result.Latest.IsZero() {
		pairs = append(pairs, ui.KeyValue{Key: i18n.T(ctx, "insight.web.fact.latest"), Value: ui.When(ctx, v.result.Latest)})
	}
	if v.counter != "" {
		pairs = append(pairs, ui.KeyValue{Key: i18n.T(ctx, "insight.web.fact.counter"), Node: ui.A(ui.Link{Label: v.counter, Href: metricPath(d.Counter)})})
	}
	return pairs
}

func (v *view) rowTable(ctx context.Context) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "insight.web.rows"), Dense: true, Columns: []ui.Column{
		{Key: "record", Label: i18n.T(ctx, "insight.web.row.record")},
		{Key: "at", Label: i18n.T(ctx, "insight.web.row.at"), Narrow: true},
		{Key: "name", Label: i18n.T(ctx, "insight.web.row.name")},
		{Key: "where", Label: i18n.T(ctx, "insight.web.row.where")},
		{Key: "comment", Label: i18n.T(ctx, "insight.web.row.comment"), Wide: true},
		{Key: "score", Label: i18n.T(ctx, "insight.web.row.score"), Numeric: true},
	}}
	f := i18n.Fmt(ctx)
	for _, row := range v.rows {
		score := ""
		if row.Score != nil {
			score = f.Decimal(*row.Score, 0)
		}
		where := row.Channel
		if row.Unit != "" {
			where += " " + row.Unit
		}
		t.Rows = append(t.Rows, ui.Row{ID: row.EventID, Cells: []ui.Cell{{Text: row.RecordID[:8]}, {Text: ui.When(ctx, row.OccurredAt)}, {Text: row.Name},
			{Text: where}, {Text: row.Comment}, {Text: score}}})
	}
	return t
}

func (v *view) versionTable(ctx context.Context) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "insight.web.versions"), Columns: []ui.Column{
		{Key: "version", Label: i18n.T(ctx, "insight.web.version")}, {Key: "at", Label: i18n.T(ctx, "insight.web.version.at")},
		{Key: "state", Label: i18n.T(ctx, "insight.web.version.state")}, {Key: "why", Label: i18n.T(ctx, "insight.web.version.why"), Wide: true}}}
	for _, one := range v.versions {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: i18n.T(ctx, "insight.web.version.n", "n", one.Version)}, {Text: ui.When(ctx, one.CreatedAt)},
			{Text: i18n.T(ctx, "insight.web.status."+string(one.Status))}, {Text: reasonOf(ctx, one)}}})
	}
	return t
}

// reasonOf tells why a version came: what a person wrote, or the pack it is from.
func reasonOf(ctx context.Context, v *metric.Version) string {
	if v.Reason == metric.BuiltIn {
		return i18n.T(ctx, "insight.web.version.origin", "origin", strings.TrimPrefix(v.Origin, "pack:"))
	}
	return v.Reason
}
