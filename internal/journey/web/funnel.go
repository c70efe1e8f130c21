package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"omote/analytics/mining"
	"omote/analytics/stats"
	"omote/internal/journey/observed"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// funnelPageView is what the funnel builder shows.
type funnelPageView struct {
	steps   []ui.FunnelStep
	table   ui.TableProps
	rule    string
	wrong   string
	action  string
	carried [][2]string
	chosen  []string // steps as chosen, and empty ones to add
	options []ui.Option
	mode    string
	within  string
	gap     string
}

// spec reads the funnel of an address. The parameters "steps" and "step" both hold
// names of events; several of one step are joined by "|".
func spec(q url.Values, s *observed.Slice) observed.FunnelSpec {
	f := observed.FunnelSpec{Within: hours(q, "within"), Gap: hours(q, "gap")}
	for _, step := range q["step"] {
		if step = strings.TrimSpace(step); step != "" {
			f.Steps = append(f.Steps, step)
		}
	}
	if len(f.Steps) == 0 {
		f.Steps = s.Steps(nil)
	}
	switch q.Get("mode") {
	case "direct":
		f.Mode = mining.Direct
	case "any":
		f.Mode, f.Gap = mining.AnyOrder, 0
	}
	return f
}

// funnelParams are the parameters that make a funnel.
func funnelParams(q url.Values) url.Values {
	out := url.Values{}
	for _, name := range []string{"step", "mode", "within", "gap"} {
		for _, v := range q[name] {
			if v != "" {
				out.Add(name, v)
			}
		}
	}
	return out
}

func (p Pages) funnelPage(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	s, err := p.slice(r)
	if err != nil {
		return err
	}
	v := funnelPageView{action: viewPath(s.Query.Journey, "funnel", nil), mode: q.Get("mode"), within: q.Get("within"), gap: q.Get("gap")}
	v.carried = pairs(filtersOf(q))
	if s.Log.Cases() == 0 {
		return ui.Render(w, r, funnelView(p.flowPage(ctx, s, "observed.funnel.title", ""), p.head(r, s, "funnel"), v))
	}
	f := spec(q, s)
	v.choose(ctx, p, s, f)
	result, err := s.Funnel(f)
	if err != nil && errs.KindOf(err) != errs.KindInvalid {
		return err
	}
	finding := ""
	if err != nil {
		v.wrong = i18n.Error(ctx, err)
	} else {
		if q.Get("format") == "csv" {
			return p.funnelCSV(w, f, result, s.Log.Cases())
		}
		finding = p.fillFunnel(ctx, &v, s, f, result, q)
	}
	return ui.Render(w, r, funnelView(p.flowPage(ctx, s, "observed.funnel.title", finding), p.head(r, s, "funnel"), v))
}

// choose fills the form.
func (v *funnelPageView) choose(ctx context.Context, p Pages, s *observed.Slice, f observed.FunnelSpec) {
	v.chosen = append(slices.Clone(f.Steps), "", "")
	v.rule = i18n.T(ctx, "observed.mode."+[]string{"order", "direct", "any"}[f.Mode])
	if f.Within > 0 {
		v.rule += ", " + i18n.T(ctx, "observed.funnel.within.rule", "time", i18n.Fmt(ctx).Duration(f.Within))
	}
	if f.Gap > 0 {
		v.rule += ", " + i18n.T(ctx, "observed.funnel.gap.rule", "time", i18n.Fmt(ctx).Duration(f.Gap))
	}
	v.options = []ui.Option{{Label: i18n.T(ctx, "observed.funnel.no_step")}}
	for _, n := range mining.DirectlyFollows(s.Log).Nodes {
		v.options = append(v.options, ui.Option{Value: s.Log.Activities().Name(n.Activity), Label: p.activityName(ctx, s.Log, n.Activity)})
	}
	for _, step := range f.Steps {
		if !slices.ContainsFunc(v.options, func(o ui.Option) bool { return o.Value == step }) {
			v.options = append(v.options, ui.Option{Value: step, Label: p.stepName(ctx, step)})
		}
	}
}

// stepName names a step of one or several events.
func (p Pages) stepName(ctx context.Context, step string) string {
	var names []string
	for name := range strings.SplitSeq(step, "|") {
		names = append(names, p.Label(ctx, strings.TrimSpace(name)))
	}
	return strings.Join(names, " / ")
}

// fillFunnel makes the steps and their table and says where most are lost.
func (p Pages) fillFunnel(ctx context.Context, v *funnelPageView, s *observed.Slice, spec observed.FunnelSpec, result *mining.FunnelResult, q url.Values) string {
	f := i18n.Fmt(ctx)
	whole := s.Log.Cases()
	v.table = ui.TableProps{ID: "steps", Label: i18n.T(ctx, "observed.funnel.steps"), CSV: true, Query: ui.ParseTableQuery(&url.URL{Path: v.action, RawQuery: q.Encode()}, "", nil, ""), Columns: []ui.Column{
		{Key: "step", Label: i18n.T(ctx, "moment.step")}, {Key: "cases", Label: i18n.T(ctx, "journey.cases"), Numeric: true},
		{Key: "kept", Label: i18n.T(ctx, "observed.funnel.kept"), Numeric: true}, {Key: "lost", Label: i18n.T(ctx, "observed.funnel.lost"), Numeric: true},
		{Key: "open", Label: i18n.T(ctx, "journey.outcome.open"), Numeric: true}, {Key: "wait", Label: i18n.T(ctx, "journey.median"), Numeric: true}}}
	before, worst, most := whole, -1, 0
	for i, step := range result.Steps {
		x := ui.FunnelStep{Name: p.stepName(ctx, spec.Steps[i]), Share: share(step.Cases, whole), Count: int64(step.Cases), Gone: int64(before - step.Cases), Lost: share(before-step.Cases, whole)}
		if i > 0 {
			x.Where = p.where(ctx, s.Log, result.Steps[i-1])
		}
		kept := stats.Proportion(int64(step.Cases), int64(before), 0)
		cells := []ui.Cell{{Text: x.Name}, {Text: f.Int(x.Count)}, {Text: f.Percent(kept.Value, 1), Sub: f.PercentInterval(kept.Low, kept.High, 1)}, {Text: "–", Mute: true}, {Text: "–", Mute: true}, {Text: "–", Mute: true}}
		if step.Lost > 0 && i+1 < len(result.Steps) {
			address := filtersOf(q)
			for k, vals := range funnelParams(q) {
				address[k] = vals
			}
			address.Set("stopped", strconv.Itoa(i+1))
			cells[3] = ui.Cell{Text: f.Int(int64(step.Lost)), Sub: i18n.T(ctx, "observed.funnel.who"), Href: viewPath(s.Query.Journey, "cases", address)}
			if step.Lost > most {
				most, worst = step.Lost, i
			}
		}
		if step.Open > 0 {
			cells[4] = ui.Cell{Text: f.Int(int64(step.Open))}
		}
		if step.Wait.N > 0 {
			cells[5] = ui.Cell{Text: f.Seconds(step.Wait.Median), Sub: i18n.T(ctx, "observed.p90", "time", f.Seconds(step.Wait.P90))}
		}
		v.table.Rows = append(v.table.Rows, ui.Row{Cells: cells})
		v.steps = append(v.steps, x)
		before = step.Cases
	}
	last := result.Steps[len(result.Steps)-1].Cases
	through := stats.Proportion(int64(last), int64(whole), 0)
	text := i18n.T(ctx, "observed.funnel.finding", "share", f.Percent(through.Value, 1), "interval", f.PercentInterval(through.Low, through.High, 1), "last", p.stepName(ctx, spec.Steps[len(spec.Steps)-1]))
	if worst >= 0 {
		text += " " + i18n.T(ctx, "observed.funnel.worst", "count", most, "step", p.stepName(ctx, spec.Steps[worst]))
	}
	return text
}

// where says where those who did not go on went.
func (p Pages) where(ctx context.Context, l *mining.Log, before mining.FunnelStep) string {
	var parts []string
	for _, next := range before.Next[:min(3, len(before.Next))] {
		if next.ID == mining.None {
			parts = append(parts, i18n.T(ctx, "observed.funnel.nothing", "count", next.N))
			continue
		}
		parts = append(parts, i18n.T(ctx, "journey.funnel.went", "count", next.N, "name", p.activityName(ctx, l, next.ID)))
	}
	if before.Open > 0 {
		parts = append(parts, i18n.T(ctx, "journey.funnel.open", "count", before.Open))
	}
	return strings.Join(parts, "; ")
}

func share(n, all int) float64 {
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}

func (p Pages) funnelCSV(w http.ResponseWriter, spec observed.FunnelSpec, result *mining.FunnelResult, whole int) error {
	return ui.WriteCSV(w, "funnel.csv", csvColumns("step", "cases", "share_of_all", "low", "high", "lost", "open", "median_seconds", "p90_seconds"), func(yield func([]string) bool) {
		for i, step := range result.Steps {
			e := stats.Proportion(int64(step.Cases), int64(whole), 0)
			if !yield([]string{spec.Steps[i], strconv.Itoa(step.Cases), num(e.Value), num(e.Low), num(e.High), strconv.Itoa(step.Lost), strconv.Itoa(step.Open), num(step.Wait.Median), num(step.Wait.P90)}) {
				return
			}
		}
	})
}
