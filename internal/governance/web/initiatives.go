package web

import (
	"context"
	"net/http"
	"slices"

	"omote/internal/governance/initiative"
	"omote/internal/governance/measure"
	"omote/internal/governance/strategy"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type boardView struct {
	all      []initiative.View
	flow     []initiative.StageFlow
	survival []initiative.Survival
	stalled  []initiative.View
}

// initiatives is the two lanes: what runs, at which gate, and what does not move.
func (p Pages) initiatives(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Governance.Initiatives.Board(ctx)
	if err != nil {
		return err
	}
	v := boardView{all: all}
	var docs []initiative.Doc
	running, done := 0, 0
	for _, one := range all {
		docs = append(docs, one.Doc)
		if one.Stalled {
			v.stalled = append(v.stalled, one)
		}
		switch one.State {
		case initiative.Running:
			running++
		case initiative.Finished:
			done++
		}
	}
	now := p.Clock.Now()
	v.flow, v.survival = initiative.Flow(docs, now), initiative.Survive(docs, now)
	page := ui.Page{Title: i18n.T(ctx, "governance.initiative.title"), At: ui.NavInitiatives}
	if len(all) > 0 {
		page.Finding = i18n.T(ctx, "governance.initiative.finding", "count", running, "done", done, "stalled", len(v.stalled))
	}
	if auth.Can(ctx, initiative.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "governance.initiative.new"), Href: initiativesPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	return ui.Render(w, r, initiativesPage(page, p, v))
}

// lane is the initiatives of a lane that run, the one that needs most first.
func (v boardView) lane(lanes ...initiative.Lane) (out []initiative.View) {
	for _, one := range v.all {
		if one.State == initiative.Running && slices.Contains(lanes, one.Body.Lane) {
			out = append(out, one)
		}
	}
	return out
}

func (v boardView) ended() (out []initiative.View) {
	for _, one := range v.all {
		if one.State != initiative.Running {
			out = append(out, one)
		}
	}
	return out
}

// worth is what an initiative is said, or known, to bring.
func (p Pages) worth(ctx context.Context, v initiative.View) string {
	switch {
	case v.Booked != 0:
		return i18n.T(ctx, "governance.strategy.booked", "money", p.short(ctx, v.Booked))
	case v.Body.Judged != nil:
		return p.span(ctx, v.Body.Judged.Low, v.Body.Judged.High)
	}
	return i18n.T(ctx, "governance.initiative.no_case")
}

// waits says what an initiative needs next.
func (p Pages) waits(ctx context.Context, v initiative.View) string {
	switch {
	case v.Body.Pending:
		return i18n.T(ctx, "governance.initiative.pending")
	case len(v.Gate.Absent) > 0:
		return i18n.T(ctx, "governance.initiative.needs_people", "roles", p.roleName(ctx, v.Gate.Absent[0]))
	case v.Gate.Missing() > 0:
		return i18n.T(ctx, "governance.initiative.needs_proof", "count", v.Gate.Missing())
	}
	return i18n.T(ctx, "governance.initiative.ready")
}

func steps(ctx context.Context, v initiative.View) (out []ui.Step) {
	at := slices.Index(initiative.Stages, v.Body.Stage)
	passed := []string{}
	for _, e := range v.Body.Events {
		if e.What == "gate" {
			passed = append(passed, i18n.Fmt(ctx).Date(e.At))
		}
	}
	for k, s := range initiative.Stages[:4] {
		step := ui.Step{Title: i18n.T(ctx, "governance.initiative.stage."+string(s))}
		switch {
		case k < at:
			step.State = ui.StepDone
			if k < len(passed) {
				step.Note = passed[k]
			}
		case k == at && v.State == initiative.Running:
			step.State = ui.StepNow
			if v.Stalled {
				step.State = ui.StepLate
			}
		}
		out = append(out, step)
	}
	return out
}

func flowTable(ctx context.Context, flow []initiative.StageFlow) ui.TableProps {
	t := ui.TableProps{ID: "flow", Label: i18n.T(ctx, "governance.initiative.flow"), Columns: []ui.Column{{Key: "stage", Label: i18n.T(ctx, "governance.initiative.stage")},
		{Key: "in", Label: i18n.T(ctx, "governance.initiative.entered"), Numeric: true}, {Key: "passed", Label: i18n.T(ctx, "governance.initiative.passed"), Numeric: true},
		{Key: "inside", Label: i18n.T(ctx, "governance.initiative.inside"), Numeric: true}, {Key: "stopped", Label: i18n.T(ctx, "governance.initiative.stopped"), Numeric: true},
		{Key: "days", Label: i18n.T(ctx, "governance.initiative.median"), Numeric: true}}}
	f := i18n.Fmt(ctx)
	for _, s := range flow {
		median := "–"
		if s.Median >= 0 {
			median = f.Decimal(s.Median, 0)
		}
		t.Rows = append(t.Rows, ui.Row{Cells: ui.Cells(i18n.T(ctx, "governance.initiative.stage."+string(s.Stage)), f.Int(int64(s.Entered)), f.Int(int64(s.Passed)), f.Int(int64(s.Inside)), f.Int(int64(s.Stopped)), median)})
	}
	return t
}

// survivalText says how long initiatives take to be done.
func survivalText(ctx context.Context, curve []initiative.Survival) string {
	for _, s := range curve {
		if s.Share <= 0.5 {
			return i18n.T(ctx, "governance.initiative.survival", "days", i18n.Fmt(ctx).Decimal(s.Days, 0))
		}
	}
	if len(curve) > 0 {
		last := curve[len(curve)-1]
		return i18n.T(ctx, "governance.initiative.survival.open", "share", i18n.Fmt(ctx).Percent(1-last.Share, 0), "days", i18n.Fmt(ctx).Decimal(last.Days, 0))
	}
	return i18n.T(ctx, "governance.initiative.survival.none")
}

type initiativeView struct {
	initiative.View
	names     map[string]string
	edit      bool
	node      string
	nodes     []ui.Option // what it may serve
	methods   []ui.Option
	metrics   []ui.Option
	now       map[string]measure.Reading
	roles     []ui.Option
	criteria  []ui.Option
	wrong     ui.FieldErrors
	wrongForm string
	form      *form
}

// initiative is one change: its gate, its case, who takes part, what came out.
func (p Pages) initiative(w http.ResponseWriter, r *http.Request) error {
	return p.renderInitiative(w, r, http.StatusOK, "", nil)
}

func (p Pages) renderInitiative(w http.ResponseWriter, r *http.Request, status int, wrongForm string, wrong ui.FieldErrors) error {
	ctx := r.Context()
	one, err := p.Governance.Initiatives.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := initiativeView{View: one, edit: auth.Can(ctx, initiative.PermEdit) && one.State == initiative.Running, wrong: wrong, wrongForm: wrongForm, form: &form{r: r, zone: p.Zone}}
	refs := []string{one.CreatedBy, one.Body.Person}
	for _, e := range one.Body.Events {
		refs = append(refs, e.By)
	}
	for _, e := range one.Body.Evidence {
		refs = append(refs, e.By)
	}
	v.names = p.Names(ctx, refs...)
	if one.Ref != "" && auth.Can(ctx, strategy.PermRead) {
		if n, err := p.Strategy.Get(ctx, one.Ref); err == nil {
			v.node = say(ctx, n.Body.Title)
		}
	}
	if v.edit && auth.Can(ctx, strategy.PermRead) {
		tree, err := p.Strategy.Tree(ctx)
		if err != nil {
			return err
		}
		for _, b := range tree.Roots {
			v.nodes = append(v.nodes, nodeOptions(ctx, b, "")...)
		}
		for _, m := range initiative.Methods {
			v.methods = append(v.methods, ui.Option{Value: m, Label: i18n.T(ctx, "governance.method."+m)})
		}
	}
	if v.now, err = p.Registry.Now(ctx); err != nil {
		return err
	}
	v.metrics, v.roles = metricOptions(ctx, v.now), p.roleOptions(ctx, false)
	for _, m := range one.Gate.Criteria {
		if !m.OK && m.By != "no" { // what the platform contradicts no evidence talks away
			v.criteria = append(v.criteria, ui.Option{Value: m.ID, Label: say(ctx, m.Text())})
		}
	}
	page := ui.Page{Title: say(ctx, one.Body.Title), At: ui.NavInitiatives, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.initiative.title"), Href: initiativesPath}},
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "governance.initiative.lane."+string(one.Body.Lane))), ui.Text(i18n.T(ctx, "governance.initiative.state."+one.State)), ui.Text(one.Unit)}}
	page.Finding = p.initiativeFinding(ctx, v)
	return ui.RenderStatus(w, r, status, initiativePage(page, p, v))
}

func (p Pages) initiativeFinding(ctx context.Context, v initiativeView) string {
	switch {
	case v.State == initiative.Stopped:
		return i18n.T(ctx, "governance.initiative.finding.stopped", "why", v.Body.Lesson)
	case v.State == initiative.Finished:
		return i18n.T(ctx, "governance.initiative.finding.done", "worth", p.worth(ctx, v.View))
	case v.Stalled:
		days := int(p.Clock.Now().Sub(v.Body.Moved).Hours() / 24)
		return i18n.T(ctx, "governance.initiative.finding.stalled", "days", days, "cause", i18n.T(ctx, "governance.initiative.cause."+v.Cause))
	}
	return i18n.T(ctx, "governance.initiative.finding.gate", "gate", i18n.T(ctx, "governance.initiative.stage."+string(v.Body.Stage)), "state", p.waits(ctx, v.View))
}

func metWord(ctx context.Context, m initiative.Met) string {
	return i18n.T(ctx, "governance.initiative.met."+m.By)
}

func metState(m initiative.Met) ui.NoteKind {
	if m.OK {
		return ui.NoteGood
	}
	return ui.NoteFew
}

// wrongIn gives the errors of one of the page's forms.
func (v initiativeView) wrongIn(name string) ui.FieldErrors {
	if v.wrongForm == name {
		return v.wrong
	}
	return nil
}
