package web

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/conform"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// HomeParts are what other modules know of a journey. A part that nobody fills
// is nil and shown as not there yet.
type HomeParts struct {
	// Measures gives the measures of a journey with their bands; working tells that
	// more are being computed.
	Measures func(ctx context.Context, journey string, ids []string) (rows []ui.MetricRowProps, working bool, err error)
	// Moments gives the moments of truth with their proof, by step.
	Moments func(ctx context.Context, journey string) ([]Moment, error)
	// Pains gives the pain points, worst first.
	Pains func(ctx context.Context, journey string) ([]Pain, error)
	// Work gives what is being done about the journey.
	Work func(ctx context.Context, journey string) ([]Work, error)
}

// Moment is a moment of truth with what is known of its effect.
type Moment struct {
	Step string // what the step is called
	Seal ui.SealKind
	Note string // translated: the effect with its interval
}

// Pain is a pain point.
type Pain struct {
	Name, Note, Worth, Href string // translated
}

// Work is something under way.
type Work struct {
	Name, Note, Href string
	Due              string
	Late             bool
}

// homeView is a journey on one screen.
type homeView struct {
	p        Pages
	d        *blueprint.Document // in force, or the draft where none is
	j        blueprint.Journey
	live     *blueprint.Version
	review   *blueprint.Version
	report   *conform.Report // nil: nothing to compare
	drift    *conform.Drift
	coverage conform.Coverage
	measures []ui.MetricRowProps
	working  bool
	moments  []Moment
	pains    []Pain
	work     []Work
	tasks    []conform.Task
	names    map[string]string
	labels   map[string]string // of events
}

func (p Pages) home(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("journey")
	j, err := p.Maps.Get(ctx, id)
	if errs.KindOf(err) == errs.KindNotFound {
		return p.unknown(w, r, id)
	}
	if err != nil {
		return err
	}
	v := &homeView{p: p, d: j.Draft, j: j}
	if err := v.load(ctx); err != nil {
		return err
	}
	name := nameOf(ctx, v.d)
	page := ui.Page{Title: name, At: NavAtlas, Crumbs: crumbs(ctx), Promise: in(ctx, v.d.Promise), Meta: v.meta(ctx)}
	page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "blueprint.home.observed"), Href: observedPath + "/" + id, Key: "O"}}
	if mayEdit(ctx) {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "blueprint.home.edit"), Href: homePath(id) + "/edit", Key: "E", Kind: ui.Ink})
	} else {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "blueprint.home.map"), Href: homePath(id) + "/edit", Key: "E"})
	}
	return ui.Render(w, r, homePage(page, v))
}

// unknown is the page of a journey that nobody has designed: where to begin.
func (p Pages) unknown(w http.ResponseWriter, r *http.Request, id string) error {
	ctx := r.Context()
	if !blueprint.ValidJourney(id) {
		return errs.NotFound("blueprint.error.not_found", "there is no map of the journey %q", id).With("id", id)
	}
	all, err := p.Maps.Templates(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Document.Journey == id {
			page := ui.Page{Title: nameOf(ctx, t.Document), At: NavAtlas, Crumbs: crumbs(ctx), Promise: in(ctx, t.Document.Promise)}
			return ui.Render(w, r, unknownPage(page, id, t.Document))
		}
	}
	return ui.Render(w, r, unknownPage(ui.Page{Title: id, At: NavAtlas, Crumbs: crumbs(ctx)}, id, nil))
}

func (v *homeView) load(ctx context.Context) error {
	p, id := v.p, v.d.Journey
	versions, err := p.Maps.Versions(ctx, id)
	if err != nil {
		return err
	}
	var refs []string
	for i := range versions {
		switch versions[i].State {
		case blueprint.Live:
			v.live = &versions[i]
			v.d = v.live.Document
			refs = append(refs, v.live.DecidedBy)
		case blueprint.Review:
			v.review = &versions[i]
			refs = append(refs, v.review.ProposedBy)
		}
	}
	if v.live != nil {
		v.report, err = p.Conform.Conformance(ctx, id, conform.Part{})
		if err != nil && errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		if v.report != nil && v.report.Cases > 0 {
			if v.coverage, err = p.Conform.Coverage(ctx, id); err != nil {
				return err
			}
			if v.drift, err = p.Conform.Drift(ctx, id); err != nil {
				return err
			}
		}
	}
	if p.Home.Measures != nil {
		if v.measures, v.working, err = p.Home.Measures(ctx, id, v.d.Metrics); err != nil {
			return err
		}
	}
	if p.Home.Moments != nil {
		if v.moments, err = p.Home.Moments(ctx, id); err != nil {
			return err
		}
	}
	if p.Home.Pains != nil {
		if v.pains, err = p.Home.Pains(ctx, id); err != nil {
			return err
		}
	}
	if p.Home.Work != nil {
		if v.work, err = p.Home.Work(ctx, id); err != nil {
			return err
		}
	}
	all, err := p.Conform.Tasks(ctx)
	for _, t := range all {
		if t.Journey == id {
			v.tasks = append(v.tasks, t)
		}
	}
	if err != nil {
		return err
	}
	v.names = p.Names(ctx, refs...)
	v.labels, err = p.eventLabels(ctx)
	return err
}

// eventLabels gives what people call the events.
func (p Pages) eventLabels(ctx context.Context) (map[string]string, error) {
	list, err := p.Events(ctx)
	out := map[string]string{}
	for _, e := range list {
		out[e.Name] = in(ctx, e.Label)
	}
	return out, err
}

func (v *homeView) meta(ctx context.Context) []ui.Item {
	var out []ui.Item
	if v.d.Owner != "" {
		out = append(out, ui.Text(i18n.T(ctx, "blueprint.home.owner", "name", v.d.Owner)))
	} else {
		out = append(out, ui.Care(i18n.T(ctx, "blueprint.home.no_owner")))
	}
	switch {
	case v.live == nil:
		out = append(out, ui.Care(i18n.T(ctx, "blueprint.home.draft")))
	default:
		out = append(out, ui.Anchor(i18n.T(ctx, "blueprint.home.version", "version", v.live.Number, "date", i18n.Fmt(ctx).Date(v.live.DecidedAt.In(v.p.Zone))), homePath(v.d.Journey)+"/diff"))
	}
	if v.live != nil && v.j.Ahead > 0 {
		out = append(out, ui.Text(i18n.T(ctx, "blueprint.home.ahead", "count", v.j.Ahead)))
	}
	if v.review != nil {
		out = append(out, ui.Item{Label: i18n.T(ctx, "blueprint.review.waits", "version", v.review.Number, "who", cmp.Or(v.names[v.review.ProposedBy], v.review.ProposedBy)),
			Href: homePath(v.d.Journey) + "/diff?to=" + strconv.Itoa(v.review.Number), Care: true})
	}
	if v.d.Parent != "" {
		out = append(out, ui.Anchor(i18n.T(ctx, "blueprint.home.parent", "name", v.d.Parent), homePath(v.d.Parent)))
	}
	return out
}

// designedFor are the segments that the journey is for, each with how its members
// fare.
func (v *homeView) designedFor(ctx context.Context) (out []Work) {
	f := i18n.Fmt(ctx)
	for _, id := range v.d.Segments {
		x := Work{Name: id, Href: "/customer/segments/" + httpx.PathEscape(id), Note: i18n.T(ctx, "blueprint.for.few")}
		if v.report != nil {
			for _, s := range v.report.Segments {
				if s.ID == id {
					x.Name = s.Name.In(i18n.Locale(ctx))
				}
			}
			for _, g := range v.report.Groups[conform.BySegment] {
				if g.Name == id && g.Fitness.Valid() {
					x.Note = i18n.T(ctx, "blueprint.for.fit", "value", fitText(ctx, g.Fitness.Value), "range", f.Interval(g.Fitness.Low, g.Fitness.High, 2), "count", g.Fitness.N)
				}
			}
		}
		out = append(out, x)
	}
	return out
}

// fit writes a fitness as people read it.
func fitText(ctx context.Context, x float64) string { return i18n.Fmt(ctx).Decimal(x, 2) }

func (v *homeView) figure(ctx context.Context) ui.FigureProps {
	f := i18n.Fmt(ctx)
	e := v.report.Fitness
	out := ui.FigureProps{Value: fitText(ctx, e.Value), Interval: i18n.T(ctx, "blueprint.fit.interval", "range", f.Interval(e.Low, e.High, 2)),
		Note: i18n.T(ctx, "blueprint.fit.note", "count", v.report.Cases, "perfect", f.Percent(share(v.report.Perfect, v.report.Cases), 1), "open", v.report.Open)}
	out.Act = &ui.ButtonProps{Label: i18n.T(ctx, "blueprint.fit.more"), Href: homePath(v.d.Journey) + "/conformance", Small: true}
	return out
}

func share(n, all int) float64 {
	if all == 0 {
		return 0
	}
	return float64(n) / float64(all)
}

// worst is the table of the steps that fit least.
func (v *homeView) worst(ctx context.Context) ui.TableProps {
	return stepTable(ctx, v.d, v.report.Worst(5, 1), "worst")
}

// stepTable lists steps with their conformance.
func stepTable(ctx context.Context, d *blueprint.Document, steps []conform.StepReport, id string) ui.TableProps {
	t := ui.TableProps{ID: id, Label: i18n.T(ctx, "blueprint.steps"), Columns: []ui.Column{
		{Key: "step", Label: i18n.T(ctx, "blueprint.row.step")}, {Key: "fit", Label: i18n.T(ctx, "blueprint.row.fit"), Numeric: true},
		{Key: "skip", Label: i18n.T(ctx, "blueprint.col.skipped"), Numeric: true}, {Key: "late", Label: i18n.T(ctx, "blueprint.col.late"), Numeric: true},
		{Key: "again", Label: i18n.T(ctx, "blueprint.col.repeated"), Numeric: true}, {Key: "apart", Label: i18n.T(ctx, "blueprint.col.apart"), Numeric: true},
		{Key: "wait", Label: i18n.T(ctx, "blueprint.col.wait"), Numeric: true}}}
	f := i18n.Fmt(ctx)
	for _, s := range steps {
		should := s.Done + s.Skipped
		standard := ""
		if st := d.Step(s.Step); st != nil && st.MaxWait > 0 {
			standard = "≤ " + duration(ctx, st.MaxWait)
		}
		wait := "–"
		if s.Waits > 0 {
			wait = f.Seconds(s.Median)
		}
		interval := ""
		if s.Fitness.Valid() {
			interval = f.Interval(s.Fitness.Low, s.Fitness.High, 2)
		}
		value := "–"
		if should > 0 {
			value = fitText(ctx, s.Fitness.Value)
		}
		t.Rows = append(t.Rows, ui.Row{ID: s.Step, Cells: []ui.Cell{
			{Text: stepNamed(ctx, d, s.Step), Sub: i18n.T(ctx, "blueprint.cases.n", "count", should), Href: stepPath(d.Journey, s.Step)},
			{Text: value, Sub: interval},
			{Text: f.Percent(share(s.Skipped, should), 1), Sub: f.Int(int64(s.Skipped))}, {Text: f.Percent(share(s.Late, s.Done), 1), Sub: f.Int(int64(s.Late))},
			{Text: f.Int(int64(s.Repeated))}, {Text: f.Int(int64(s.Apart))}, {Text: wait, Sub: standard}}})
	}
	return t
}

// candidates are the steps that the design takes for moments of truth.
func (v *homeView) candidates() []*blueprint.Step {
	var out []*blueprint.Step
	for _, s := range v.d.Steps() {
		if s.Moment {
			out = append(out, s)
		}
	}
	return out
}

// taskText says why a map must be looked at.
func taskText(ctx context.Context, t conform.Task) string {
	f := i18n.Fmt(ctx)
	if t.Reason == conform.ReasonDrift && t.Drift != nil {
		return i18n.T(ctx, "blueprint.task.drift", "value", f.Decimal(t.Drift.Divergence, 3), "noise", f.Decimal(t.Drift.Noise, 3))
	}
	return i18n.T(ctx, "blueprint.task."+string(t.Reason))
}
