package app

import (
	"context"
	"slices"
	"strings"

	"omote/internal/governance/measure"
	"omote/internal/governance/role"
	"omote/internal/insight/metric"
	insightweb "omote/internal/insight/web"
	"omote/internal/journey/definition"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
)

// registry answers governance's questions to the metric registry. What is no
// secret within the bank (which measures and steps there are) is read on the
// process's own behalf, without the reader's actor in the context.
type registry struct{ a *App }

// Has implements measure.Registry.
func (r registry) Has(ctx context.Context, id string) (bool, error) {
	_, err := r.a.services.metrics.Get(r.a.system(context.Background()), id, 0)
	if errs.KindOf(err) == errs.KindNotFound {
		return false, nil
	}
	return err == nil, err
}

// Now implements measure.Registry: the board's figures, of the reader's place.
func (r registry) Now(ctx context.Context) (map[string]measure.Reading, error) {
	rows, _, _, err := r.a.services.board.Read(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]measure.Reading, len(rows))
	for _, row := range rows {
		one := readingOf(&row.Definition, row.Version)
		one.fill(row.Last)
		one.State, one.Weekly, one.Latest = row.State().String(), row.Weekly(), row.Latest
		out[row.Definition.ID] = one.Reading
	}
	return out, r.names(ctx, out)
}

// names adds the measures that the board has not computed yet, without figures.
func (r registry) names(ctx context.Context, out map[string]measure.Reading) error {
	for after := ""; ; {
		page, next, err := r.a.services.metrics.List(ctx, metric.Filter{After: after, Limit: 200})
		if err != nil {
			return err
		}
		for _, v := range page {
			if _, known := out[v.Definition.ID]; !known {
				out[v.Definition.ID] = readingOf(&v.Definition, v.Version).Reading
			}
		}
		if next == "" {
			return nil
		}
		after = next
	}
}

// reading is a Reading in the making.
type reading struct{ measure.Reading }

func readingOf(d *metric.Definition, version int) reading {
	return reading{measure.Reading{Metric: d.ID, Version: version, Name: approval.Text{VI: d.Name.Vi, EN: d.Name.En}, Unit: string(d.Unit), Direction: string(d.Direction),
		Owner: d.Owner, Journey: d.Journey, State: "few"}}
}

func (r *reading) fill(p metric.Point) {
	r.N = p.Est.N
	if p.State == metric.OK && p.Est.Valid() {
		r.Known, r.Value, r.Low, r.High = true, p.Est.Value, p.Est.Low, p.Est.High
	}
}

// unitField is the field of facts that holds the code of the unit.
const unitField = "unit"

// Over implements measure.Registry.
func (r registry) Over(ctx context.Context, id string, w measure.Window) (measure.Reading, error) {
	m := r.a.services.metrics
	v, err := m.Get(ctx, id, 0)
	if err != nil {
		return measure.Reading{}, err
	}
	zone := r.a.Config.Location()
	ask := metric.Ask{Period: metric.Period{From: metric.DateIn(w.From, zone), To: metric.DateIn(w.To, zone)}, Granularity: metric.Total, Level: measure.Level}
	if len(w.Units) > 0 {
		codes := make([]any, len(w.Units))
		for i, u := range w.Units {
			codes[i] = u
		}
		ask.Where = &metric.Expr{Field: unitField, In: codes}
		if w.Except {
			ask.Where = &metric.Expr{Not: ask.Where}
		}
	}
	res, err := m.Compute(ctx, id, v.Version, ask)
	if err != nil {
		return measure.Reading{}, err
	}
	out := readingOf(&v.Definition, v.Version)
	if len(res.Points) > 0 {
		out.fill(res.Points[0])
	}
	out.Latest = res.Latest
	return out.Reading, nil
}

var _ measure.Registry = registry{}

// journeyList gives governance the designed journeys with their steps. A step is
// bound when the tracking plan declares its event.
type journeyList struct{ a *App }

// List implements role.Journeys.
func (l journeyList) List(ctx context.Context) ([]role.Journey, error) {
	all, err := l.a.services.definitions.All(l.a.system(context.Background()))
	if err != nil {
		return nil, err
	}
	plan, err := l.a.services.ingest.Plan.Current(l.a.system(context.Background()))
	if err != nil {
		return nil, err
	}
	labels := map[string]approval.Text{}
	for _, e := range plan.Events {
		labels[e.Name] = approval.Text{VI: e.Label.VI, EN: e.Label.EN}
	}
	out := make([]role.Journey, 0, len(all))
	for _, d := range all {
		out = append(out, journeyOf(d, labels))
	}
	slices.SortFunc(out, func(a, b role.Journey) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

func journeyOf(d definition.Definition, labels map[string]approval.Text) role.Journey {
	j := role.Journey{ID: d.Journey, Name: approval.Text{VI: d.Name.VI, EN: d.Name.EN}}
	for _, event := range d.Steps {
		name, bound := labels[event]
		words := strings.ReplaceAll(event, "_", " ")
		if name.VI == "" {
			name.VI = words
		}
		if name.EN == "" {
			name.EN = words
		}
		j.Steps = append(j.Steps, role.Step{ID: event, Name: name, Bound: bound})
	}
	return j
}

var _ role.Journeys = journeyList{}

// newBoard makes the board of measures that pages and governance share.
func (a *App) newBoard() *insightweb.Board {
	return insightweb.NewBoard(a.services.metrics, a.Clock, a.Config.Location())
}
