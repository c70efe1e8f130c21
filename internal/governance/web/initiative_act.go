package web

import (
	"context"
	"net/http"
	"net/url"

	"omote/analytics/decision"
	"omote/internal/governance/initiative"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type initiativeForm struct {
	node, units, journeys, roles, sources, methods []ui.Option
	form                                           *form
	wrong                                          ui.FieldErrors
}

func (p Pages) initiativeNew(w http.ResponseWriter, r *http.Request) error {
	return p.renderInitiativeForm(w, r, http.StatusOK, nil)
}

func (p Pages) renderInitiativeForm(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := initiativeForm{roles: p.roleOptions(ctx, false), form: &form{r: r, zone: p.Zone}, wrong: wrong, methods: []ui.Option{{Label: "–"}}, node: []ui.Option{{Label: i18n.T(ctx, "governance.initiative.node.none")}}}
	tree, err := p.Strategy.Tree(ctx)
	if err != nil {
		return err
	}
	for _, b := range tree.Roots {
		v.node = append(v.node, nodeOptions(ctx, b, "")...)
	}
	if v.units, err = p.Units(ctx); err != nil {
		return err
	}
	if v.journeys, err = p.journeyOptions(ctx); err != nil {
		return err
	}
	for _, k := range initiative.SourceKinds {
		v.sources = append(v.sources, ui.Option{Value: k, Label: i18n.T(ctx, "governance.initiative.source."+k)})
	}
	for _, m := range initiative.Methods {
		v.methods = append(v.methods, ui.Option{Value: m, Label: i18n.T(ctx, "governance.method."+m)})
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.initiative.new"), At: ui.NavInitiatives, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.initiative.title"), Href: initiativesPath}}}
	return ui.RenderStatus(w, r, status, initiativeFormPage(page, v))
}

// nodeOptions are the nodes that an initiative may serve, with their place.
func nodeOptions(ctx context.Context, b *strategy.Branch, indent string) (out []ui.Option) {
	if b.Body.Kind != strategy.Promise {
		out = append(out, ui.Option{Value: b.ID, Label: indent + say(ctx, b.Body.Title)})
		indent += "· "
	}
	for _, c := range b.Below {
		out = append(out, nodeOptions(ctx, c, indent)...)
	}
	return out
}

func (p Pages) initiativeOpen(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	i := initiative.Initiative{Title: f.words("title"), Why: f.text("why"), Owner: f.text("owner"), Journey: f.text("journey"), Steps: f.lines("steps"),
		Source: initiative.Source{Kind: f.text("source"), Ref: f.text("ref"), Label: f.text("label"), Href: f.text("href")}, Days: f.whole("days"), Units: f.whole("units"),
		CoreChange: f.text("core") != "", Budget: f.money("budget", p.Currency), Currency: p.Currency, Obligation: f.text("obligation"),
		Assumption: f.text("assumption") != "", Start: f.day("start"), Method: f.text("method")}
	err := f.err
	var d initiative.Doc
	if err == nil {
		d, err = p.Governance.Initiatives.Open(r.Context(), f.text("unit"), f.text("node"), i)
	}
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderInitiativeForm(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, pathOf(initiativesPath, d.ID), http.StatusSeeOther)
	return nil
}

// initiativeAct carries out what a form of the page asks for.
func (p Pages) initiativeAct(w http.ResponseWriter, r *http.Request) error {
	ctx, id, act := r.Context(), r.PathValue("id"), r.PathValue("act")
	f := &form{r: r, zone: p.Zone}
	to := pathOf(initiativesPath, id)
	var err error
	svc := p.Governance.Initiatives
	switch act {
	case "join":
		err = svc.Join(ctx, id, f.text("role"), "")
	case "evidence":
		e := initiative.Evidence{Criterion: f.text("criterion"), Grade: f.whole("grade"), Note: f.text("note"), Href: f.text("href")}
		if err = f.err; err == nil {
			err = svc.Prove(ctx, id, e)
		}
	case "case":
		c, stop := readCase(f)
		if err = f.err; err == nil {
			err = svc.SetCase(ctx, id, c, stop)
		}
	case "facts":
		facts := initiative.Facts{Days: f.whole("days"), Units: f.whole("units"), CoreChange: f.text("core") != "", Budget: f.money("budget", p.Currency)}
		if err = f.err; err == nil {
			err = svc.SetFacts(ctx, id, facts)
		}
	case "schedule":
		day := f.day("start")
		if err = f.err; err == nil {
			err = svc.Schedule(ctx, id, day)
		}
	case "link":
		err = svc.Serve(ctx, id, f.text("node"))
	case "register":
		err = svc.Register(ctx, id, f.text("method"))
	case "conclusion":
		err = svc.Conclude(ctx, id, f.text("outcome"), f.text("lesson"))
	case "stop":
		err = svc.StopIt(ctx, id, f.text("reason"))
	case "gate":
		var q approval.Request
		if q, err = svc.ProposeGate(ctx, id); err == nil {
			to = approvalPath(q.ID)
		}
	default:
		return errs.NotFound("http.error.not_found", "there is nothing at %s", r.URL.Path)
	}
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderInitiative(w, r, http.StatusUnprocessableEntity, act, ui.ErrorsFrom(ctx, err))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// readCase reads the business case and the stop rule.
func readCase(f *form) (decision.Case, initiative.StopRule) {
	span := func(name string) decision.Range {
		r := decision.Range{Low: f.number(name + ".low"), Mid: f.number(name + ".mid"), High: f.number(name + ".high")}
		if f.text(name+".low") == "" && f.text(name+".high") == "" {
			r.Low, r.High = r.Mid, r.Mid
		}
		return r
	}
	c := decision.Case{Customers: span("customers"), ChurnDrop: span("churn_drop"), Margin: span("margin"), ContactsAvoided: span("contacts_avoided"),
		ContactCost: span("contact_cost"), OneOff: span("one_off"), Running: span("running"), Fade: span("fade"), Rate: f.number("rate"), Years: f.whole("years"), Seed: 1}
	return c, initiative.StopRule{Metric: f.text("stop.metric"), Value: f.number("stop.value"), Day: f.day("stop.day"), Words: f.text("stop.words")}
}

// estimate is the three numbers of one input of the case.
func (v initiativeView) estimate(ctx context.Context, in decision.Input) ui.EstimateProps {
	e := ui.EstimateProps{Name: string(in), Legend: i18n.T(ctx, "governance.case."+string(in)), Unit: i18n.T(ctx, "governance.case.unit."+string(in)), Error: v.wrongIn("case").For(string(in))}
	if posted := v.form.r.Form; v.wrongForm == "case" && posted != nil {
		e.Low, e.Mid, e.High = posted.Get(e.Name+".low"), posted.Get(e.Name+".mid"), posted.Get(e.Name+".high")
		return e
	}
	if v.Body.Case == nil {
		return e
	}
	r := map[decision.Input]decision.Range{decision.Customers: v.Body.Case.Customers, decision.ChurnDrop: v.Body.Case.ChurnDrop, decision.Margin: v.Body.Case.Margin,
		decision.ContactsAvoided: v.Body.Case.ContactsAvoided, decision.ContactCost: v.Body.Case.ContactCost, decision.OneOff: v.Body.Case.OneOff,
		decision.Running: v.Body.Case.Running, decision.Fade: v.Body.Case.Fade}[in]
	write := func(x float64) string {
		if x >= 1000 {
			return i18n.Fmt(ctx).Decimal(x, 0)
		}
		return i18n.Fmt(ctx).Decimal(x, 4)
	}
	e.Low, e.Mid, e.High = write(r.Low), write(r.Mid), write(r.High)
	return e
}

// ledgerHref leads to the form for a line of the ledger from an initiative.
func ledgerHref(v initiativeView) string {
	return ledgerPath + "/new?" + url.Values{"initiative": {v.ID}}.Encode()
}
