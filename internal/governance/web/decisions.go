package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"omote/internal/governance/council"
	"omote/internal/governance/measure"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type decisionView struct {
	council.Doc
	names   map[string]string
	now     map[string]measure.Reading
	metrics []ui.Option
	sitting []ui.Option // meetings that sit
	choices []ui.Option
	rank    []int
	record  council.Record
	edit    bool
	wrong   ui.FieldErrors
	wrongIn string
	form    *form
}

// decision is one question: the alternatives, the evidence, the forecast, and what
// became of it.
func (p Pages) decision(w http.ResponseWriter, r *http.Request) error {
	return p.renderDecision(w, r, http.StatusOK, "", nil)
}

func (p Pages) renderDecision(w http.ResponseWriter, r *http.Request, status int, wrongIn string, wrong ui.FieldErrors) error {
	ctx := r.Context()
	d, err := p.Council.Decision(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := decisionView{Doc: d, edit: auth.Can(ctx, council.PermEdit), wrong: wrong, wrongIn: wrongIn, form: &form{r: r, zone: p.Zone}, rank: d.Body.Rank(),
		names: p.Names(ctx, append(d.Body.By, d.CreatedBy)...)}
	if v.now, err = p.Registry.Now(ctx); err != nil {
		return err
	}
	v.metrics = metricOptions(ctx, v.now)
	all, err := p.Council.Decisions(ctx)
	if err != nil {
		return err
	}
	v.record = council.Calibration(all)
	meetings, err := p.Council.Meetings(ctx)
	if err != nil {
		return err
	}
	for _, m := range meetings {
		if m.State == council.Sitting {
			v.sitting = append(v.sitting, ui.Option{Value: m.ID, Label: i18n.Fmt(ctx).Date(m.Body.Day.In(p.Zone))})
		}
	}
	for k, a := range d.Body.Alternatives {
		v.choices = append(v.choices, ui.Option{Value: strconv.Itoa(k), Label: say(ctx, a.Name)})
	}
	page := ui.Page{Title: say(ctx, d.Body.Title), At: ui.NavDecisions, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.council.title"), Href: councilPath}},
		Meta:    []ui.Item{ui.Text(p.decisionType(ctx, d.Body.Type)), ui.Text(i18n.T(ctx, "governance.decision.state."+d.State)), ui.Text(p.roleName(ctx, d.Body.Owner))},
		Finding: p.decisionFinding(ctx, v)}
	return ui.RenderStatus(w, r, status, decisionPage(page, p, v))
}

func (p Pages) decisionFinding(ctx context.Context, v decisionView) string {
	b := v.Body
	switch {
	case v.State == council.Refused:
		return i18n.T(ctx, "governance.decision.finding.refused", "day", i18n.Fmt(ctx).Date(b.Review.In(p.Zone)))
	case v.State == council.Scored && b.Outcome.Known && b.Outcome.Held:
		return i18n.T(ctx, "governance.decision.finding.held")
	case v.State == council.Scored && b.Outcome.Known:
		return i18n.T(ctx, "governance.decision.finding.missed")
	case v.State == council.Decided || v.State == council.Proposed:
		return i18n.T(ctx, "governance.decision.finding."+v.State, "choice", say(ctx, b.Alternatives[b.Chosen].Name))
	case len(b.Alternatives) > 0:
		best := b.Alternatives[v.rank[0]]
		return i18n.T(ctx, "governance.decision.finding.paper", "choice", say(ctx, best.Name), "worth", p.span(ctx, best.Low, best.High))
	}
	return ""
}

func (p Pages) alternativeTable(ctx context.Context, v decisionView) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "governance.decision.alternatives"), Columns: []ui.Column{{Key: "name", Label: i18n.T(ctx, "governance.decision.alternative")},
		{Key: "range", Label: i18n.T(ctx, "governance.decision.range")}, {Key: "worth", Label: i18n.T(ctx, "governance.decision.worth"), Numeric: true},
		{Key: "grade", Label: i18n.T(ctx, "governance.decision.evidence")}, {Key: "risk", Label: i18n.T(ctx, "governance.decision.risk")}}}
	var values []int64
	for _, a := range v.Body.Alternatives {
		values = append(values, a.Low, a.High)
	}
	scale := axisOf(values...)
	for k, a := range v.Body.Alternatives {
		var notes []string
		if k == v.rank[0] {
			notes = append(notes, i18n.T(ctx, "governance.decision.first"))
		}
		if k == v.Body.Recommended && v.State == council.Paper {
			notes = append(notes, i18n.T(ctx, "governance.decision.recommended"))
		}
		if k == v.Body.Chosen && v.State != council.Paper {
			notes = append(notes, i18n.T(ctx, "governance.decision.chosen"))
		}
		sub := ""
		for i, n := range notes {
			if i > 0 {
				sub += " · "
			}
			sub += n
		}
		t.Rows = append(t.Rows, ui.Row{Open: k == v.Body.Chosen && v.State != council.Paper, Cells: []ui.Cell{{Text: say(ctx, a.Name), Sub: sub}, {Node: scale.span(a.Low, a.Mid, a.High, 0, false)},
			{Text: p.span(ctx, a.Low, a.High)}, {Node: ui.Grade(ui.EvidenceGrade(a.Grade))}, {Text: a.Risk}}})
	}
	return t
}

func (p Pages) decisionSteps(ctx context.Context, v decisionView) []ui.Step {
	f, b := i18n.Fmt(ctx), v.Body
	at := slices.Index([]string{council.Paper, council.Proposed, council.Decided, council.Scored}, v.State)
	if v.State == council.Refused {
		at = 2
	}
	words := []string{"paper", "proposed", "decided", "scored"}
	notes := []string{f.Date(v.Created.In(p.Zone)), "", "", ""}
	if !b.Decided.IsZero() {
		notes[2] = f.Date(b.Decided.In(p.Zone))
	}
	if !b.Review.IsZero() {
		notes[3] = f.Date(b.Review.In(p.Zone))
	}
	var out []ui.Step
	for k, word := range words {
		s := ui.Step{Title: i18n.T(ctx, "governance.decision.step."+word), Note: notes[k]}
		switch {
		case k < at || k == at && v.State == council.Scored:
			s.State = ui.StepDone
		case k == at:
			s.State = ui.StepNow
		}
		out = append(out, s)
	}
	return out
}

type paperForm struct {
	types, roles, refusals []ui.Option
	form                   *form
	wrong                  ui.FieldErrors
	kind                   string
}

// alternativeRows is how many alternatives the form of a paper offers beside doing
// nothing.
const alternativeRows = 3

func (p Pages) paperNew(w http.ResponseWriter, r *http.Request) error {
	return p.renderPaperForm(w, r, http.StatusOK, nil)
}

func (p Pages) renderPaperForm(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := paperForm{types: p.typeOptions(ctx), roles: p.roleOptions(ctx, false), form: &form{r: r, zone: p.Zone}, wrong: wrong, refusals: []ui.Option{{Label: "–"}}}
	for _, x := range p.Pack.Refusals {
		v.refusals = append(v.refusals, ui.Option{Value: x.ID, Label: say(ctx, x.Text())})
	}
	page := ui.Page{Title: i18n.T(ctx, "governance.decision.new"), At: ui.NavDecisions, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.council.title"), Href: councilPath}}}
	return ui.RenderStatus(w, r, status, paperPage(page, v))
}

func (p Pages) paperAdd(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	d := council.Decision{Type: f.text("type"), Title: f.words("title"), Question: f.text("question"), Owner: f.text("owner"), Grade: f.whole("grade"),
		Assumption: f.text("assumption") != "", Dissent: f.text("dissent"), Currency: p.Currency, About: f.text("about"), Due: f.day("due")}
	if d.Type == "dt_refuse" {
		d.Refusal = &council.Refusal{Request: f.text("question"), Reason: f.text("reason"), Value: f.money("value", p.Currency), Cost: f.money("cost", p.Currency)}
	} else {
		for k := range alternativeRows {
			n := strconv.Itoa(k)
			a := council.Alternative{Name: f.words("a" + n), Low: f.money("a"+n+".low", p.Currency), Mid: f.money("a"+n+".mid", p.Currency), High: f.money("a"+n+".high", p.Currency),
				Grade: f.whole("a" + n + ".grade"), Risk: f.text("a" + n + ".risk")}
			if a.Name.VI != "" || a.Name.EN != "" {
				d.Alternatives = append(d.Alternatives, a)
			}
		}
		d.Alternatives = append(d.Alternatives, council.Alternative{Name: approval.Text{VI: "Không làm gì", EN: "Do nothing"}, Nothing: true, Grade: max(1, d.Grade)})
	}
	err := f.err
	var doc council.Doc
	if err == nil {
		doc, err = p.Council.Prepare(r.Context(), d)
	}
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderPaperForm(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, pathOf(decisionsPath, doc.ID), http.StatusSeeOther)
	return nil
}

func (p Pages) forecast(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	fc := council.Forecast{Metric: f.text("metric"), Days: f.whole("days"), Low: f.number("forecast.low"), Mid: f.number("forecast.mid"), High: f.number("forecast.high"), Level: f.number("level")}
	if fc.Level > 1 {
		fc.Level /= 100
	}
	if f.text("chance") != "" {
		c := f.number("chance")
		if c > 1 {
			c /= 100
		}
		fc.Chance, fc.Reach = &c, f.number("reach")
	}
	err := f.err
	if err == nil {
		err = p.Council.SetForecast(r.Context(), r.PathValue("id"), fc)
	}
	return p.decisionDone(w, r, "forecast", pathOf(decisionsPath, r.PathValue("id")), err)
}

func (p Pages) ballot(w http.ResponseWriter, r *http.Request) error {
	f := &form{r: r, zone: p.Zone}
	b := council.Ballot{Meeting: f.text("meeting"), Chosen: f.whole("chosen"), Override: f.text("override"),
		Votes: council.Votes{For: f.whole("for"), Against: f.whole("against"), Abstain: f.whole("abstain"), ChairFor: f.text("chair") != ""}}
	err, to := f.err, ""
	if err == nil {
		var q approval.Request
		if q, err = p.Council.Propose(r.Context(), r.PathValue("id"), b); err == nil {
			to = approvalPath(q.ID)
		}
	}
	return p.decisionDone(w, r, "ballot", to, err)
}

func (p Pages) decisionDone(w http.ResponseWriter, r *http.Request, name, to string, err error) error {
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderDecision(w, r, http.StatusUnprocessableEntity, name, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (v decisionView) errorsIn(name string) ui.FieldErrors {
	if v.wrongIn == name {
		return v.wrong
	}
	return nil
}

func gradeOptions(ctx context.Context) (out []ui.Option) {
	for g := ui.Opinion; g <= ui.Experiment; g++ {
		out = append(out, ui.Option{Value: strconv.Itoa(int(g)), Label: g.Word(ctx)})
	}
	return out
}
