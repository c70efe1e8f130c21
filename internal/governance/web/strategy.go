package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"omote/internal/governance/measure"
	"omote/internal/governance/record"
	"omote/internal/governance/strategy"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

type strategyView struct {
	strategy.Tree
	now  map[string]measure.Reading
	edit bool
}

// strategy is the tree from promise to work, and what hangs in the air.
func (p Pages) strategy(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	tree, err := p.Strategy.Tree(ctx)
	if err != nil {
		return err
	}
	now, err := p.Registry.Now(ctx)
	if err != nil {
		return err
	}
	v := strategyView{Tree: tree, now: now, edit: auth.Can(ctx, strategy.PermEdit)}
	page := ui.Page{Title: i18n.T(ctx, "governance.strategy.title"), At: NavStrategy, Layer: ui.LayerGuarantee}
	if len(tree.Roots) > 0 {
		page.Finding = p.strategyFinding(ctx, v)
	}
	if v.edit {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "governance.strategy.promise.new"), Href: strategyPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	return ui.Render(w, r, strategyPage(page, p, v))
}

func (p Pages) strategyFinding(ctx context.Context, v strategyView) string {
	hanging := len(v.Orphans) + len(v.Idle)
	key := "governance.strategy.finding"
	if v.Booked <= 0 {
		key = "governance.strategy.finding.nothing"
	}
	text := i18n.T(ctx, key, "count", len(v.Roots), "work", v.Running, "money", p.short(ctx, v.Booked))
	if hanging == 0 {
		return text + " " + i18n.T(ctx, "governance.strategy.finding.sound")
	}
	return text + " " + i18n.T(ctx, "governance.strategy.finding.hanging", "orphans", len(v.Orphans), "idle", len(v.Idle))
}

// reading is how the measure of a node stands now.
func (v strategyView) reading(n strategy.Node) (measure.Reading, bool) {
	r, ok := v.now[n.Metric]
	return r, ok && n.Metric != ""
}

func sparkOf(r measure.Reading) chart.SparkProps {
	values := r.Weekly
	if len(values) > 26 {
		values = values[len(values)-26:]
	}
	return chart.SparkProps{Values: values, Width: 110, Height: 30}
}

// target says whether the node's target is reached, as far as noise lets one tell.
func targetText(ctx context.Context, n strategy.Node, r measure.Reading) string {
	if n.Target == nil {
		return ""
	}
	sign := "≥ "
	if r.Lower() {
		sign = "≤ "
	}
	return i18n.T(ctx, "governance.strategy.target", "value", sign+figure(ctx, r.Unit, *n.Target))
}

func (p Pages) workLine(ctx context.Context, w strategy.Work) string {
	parts := []string{i18n.T(ctx, "governance.initiative.lane."+w.Lane), i18n.T(ctx, "governance.initiative.stage."+w.Stage)}
	if w.State != "running" {
		parts = []string{i18n.T(ctx, "governance.initiative.state."+w.State)}
	}
	switch {
	case w.Booked != 0:
		parts = append(parts, i18n.T(ctx, "governance.strategy.booked", "money", p.short(ctx, w.Booked)))
	case w.HasCase:
		parts = append(parts, i18n.T(ctx, "governance.strategy.expected")+" "+p.span(ctx, w.Low, w.High))
	}
	return strings.Join(parts, " · ")
}

type nodeView struct {
	strategy.Node
	ID       string
	Version  int
	Parent   string
	metrics  []ui.Option
	roles    []ui.Option
	journeys []ui.Option
	kpis     []ui.Option
	target   string
	wrong    ui.FieldErrors
}

// kindBelow is the kind that hangs under a node.
func kindBelow(k strategy.Kind) strategy.Kind {
	for _, x := range []strategy.Kind{strategy.Aim, strategy.Measure, strategy.KPI} {
		if x.Parent() == k {
			return x
		}
	}
	return strategy.Promise
}

func (p Pages) nodeNew(w http.ResponseWriter, r *http.Request) error {
	v := nodeView{Parent: r.URL.Query().Get("parent"), Node: strategy.Node{Kind: strategy.Promise, Owner: "cxc"}}
	if v.Parent != "" {
		parent, err := p.Strategy.Get(r.Context(), v.Parent)
		if err != nil {
			return err
		}
		v.Kind, v.Owner, v.Journey = kindBelow(parent.Body.Kind), parent.Body.Owner, parent.Body.Journey
	}
	return p.renderNode(w, r, http.StatusOK, v)
}

func (p Pages) node(w http.ResponseWriter, r *http.Request) error {
	d, err := p.Strategy.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return p.renderNode(w, r, http.StatusOK, nodeViewOf(r.Context(), d))
}

func nodeViewOf(ctx context.Context, d record.Doc[strategy.Node]) nodeView {
	v := nodeView{Node: d.Body, ID: d.ID, Version: d.Version, Parent: d.Ref}
	if d.Body.Target != nil {
		v.target = i18n.Fmt(ctx).Decimal(*d.Body.Target, 4)
	}
	return v
}

func (p Pages) renderNode(w http.ResponseWriter, r *http.Request, status int, v nodeView) error {
	ctx := r.Context()
	now, err := p.Registry.Now(ctx)
	if err != nil {
		return err
	}
	if v.journeys, err = p.journeyOptions(ctx); err != nil {
		return err
	}
	v.metrics, v.roles = metricOptions(ctx, now), p.roleOptions(ctx, false)
	v.kpis = []ui.Option{{Label: "–"}}
	for _, k := range p.KPIs {
		v.kpis = append(v.kpis, ui.Option{Value: k.ID, Label: p.roleName(ctx, k.Role) + ": " + say(ctx, k.Text())})
	}
	title := i18n.T(ctx, "governance.strategy.kind."+string(v.Kind))
	page := ui.Page{Title: title, At: NavStrategy, Layer: ui.LayerGuarantee, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.strategy.title"), Href: strategyPath}}}
	return ui.RenderStatus(w, r, status, nodePage(page, v))
}

// readNode reads a node from a form.
func (p Pages) readNode(r *http.Request) (strategy.Node, *form) {
	f := &form{r: r, zone: p.Zone}
	n := strategy.Node{Kind: strategy.Kind(f.text("kind")), Title: f.words("title"), Owner: f.text("owner"), Journey: f.text("journey"), Metric: f.text("metric"), KPI: f.text("kpi")}
	if f.text("target") != "" {
		x := f.number("target")
		n.Target = &x
	}
	return n, f
}

func (p Pages) nodeAdd(w http.ResponseWriter, r *http.Request) error {
	n, f := p.readNode(r)
	err := f.err
	if err == nil {
		_, err = p.Strategy.Add(r.Context(), f.text("parent"), n)
	}
	return p.nodeDone(w, r, nodeView{Node: n, Parent: f.text("parent"), target: f.text("target")}, err)
}

func (p Pages) nodeSave(w http.ResponseWriter, r *http.Request) error {
	n, f := p.readNode(r)
	id, version, err := r.PathValue("id"), f.whole("version"), f.err
	if err == nil {
		err = p.Strategy.Change(r.Context(), id, version, n)
	}
	return p.nodeDone(w, r, nodeView{Node: n, ID: id, Version: version, target: f.text("target")}, err)
}

func (p Pages) nodeDone(w http.ResponseWriter, r *http.Request, v nodeView, err error) error {
	if err != nil {
		if !correctable(err) {
			return err
		}
		v.wrong = ui.ErrorsFrom(r.Context(), err)
		return p.renderNode(w, r, http.StatusUnprocessableEntity, v)
	}
	http.Redirect(w, r, strategyPath, http.StatusSeeOther)
	return nil
}

func (p Pages) nodeRetire(w http.ResponseWriter, r *http.Request) error {
	if err := p.Strategy.Retire(r.Context(), r.PathValue("id"), r.FormValue("reason")); err != nil {
		return err
	}
	http.Redirect(w, r, strategyPath, http.StatusSeeOther)
	return nil
}

// addHref leads to the form for what hangs under a node.
func addHref(b *strategy.Branch) string {
	return strategyPath + "/new?" + url.Values{"parent": {b.ID}}.Encode()
}

func sortOptions(list []ui.Option) {
	slices.SortFunc(list, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
}
