package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"

	"omote/internal/insight/signal"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// ruleView is what the page of the rule shows.
type ruleView struct {
	live, proposed *signal.RuleVersion
	all            []*signal.RuleVersion
	draft          signal.Rule
	reason         string
	tested         *signal.Tested
	edit           bool
	wrong          ui.FieldErrors
	names          placeNames
	people         map[string]string
}

func (p SignalPages) rule(w http.ResponseWriter, r *http.Request) error {
	return p.renderRule(w, r, http.StatusOK, nil, "", nil, nil)
}

func (p SignalPages) renderRule(w http.ResponseWriter, r *http.Request, status int, draft *signal.Rule, reason string, tested *signal.Tested, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := ruleView{draft: signal.DefaultRule(), reason: reason, tested: tested, edit: auth.Can(ctx, signal.PermEdit), wrong: wrong}
	var err error
	if v.all, err = p.Signals.Rules(ctx); err != nil {
		return err
	}
	var refs []string
	for _, x := range v.all {
		refs = append(refs, x.CreatedBy)
		switch x.Status {
		case signal.Live:
			v.live, v.draft = x, x.Body
		case signal.Proposed:
			v.proposed = x
		}
	}
	if draft != nil {
		v.draft = *draft
	}
	v.people = p.Names(ctx, refs...)
	if v.names, err = p.places(ctx); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "insight.signal.rule"), At: ui.NavSignals, Crumbs: []ui.Link{{Label: i18n.T(ctx, "insight.signal.title"), Href: signalsPath}}}
	if v.live != nil {
		page.Finding = i18n.T(ctx, "insight.signal.rule.finding", "opened", v.live.Opened, "false", v.live.FalseAlarms)
	}
	return ui.RenderStatus(w, r, status, rulePage(page, p, &v))
}

// ruleAct tries a draft of the rule, or proposes it.
func (p SignalPages) ruleAct(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	number := func(name string) float64 {
		x, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(r.FormValue(name)), ",", ".", 1), 64)
		if err != nil {
			return math.NaN() // Validate says what is wrong
		}
		return x
	}
	whole := func(name string) int {
		if x := number(name); x == math.Trunc(x) && math.Abs(x) < 1e9 {
			return int(x)
		}
		return -1
	}
	draft := signal.Rule{Share: number("share") / 100, PerThousand: number("per_thousand"), Limit: number("limit"), Persist: whole("persist"), Reach: int64(whole("reach")),
		Both: r.FormValue("both") != "", Days: whole("days")}
	reason := r.FormValue("reason")
	if r.FormValue("do") == "propose" {
		q, err := p.Signals.Propose(ctx, draft, reason)
		if err == nil {
			http.Redirect(w, r, "/governance/approvals/"+q.ID, http.StatusSeeOther)
			return nil
		}
		if k := errs.KindOf(err); k != errs.KindInvalid && k != errs.KindConflict {
			return err
		}
		return p.renderRule(w, r, http.StatusUnprocessableEntity, &draft, reason, nil, ui.ErrorsFrom(ctx, err))
	}
	tested, err := p.Signals.BackTest(ctx, draft)
	if errs.KindOf(err) == errs.KindInvalid {
		return p.renderRule(w, r, http.StatusUnprocessableEntity, &draft, reason, nil, ui.ErrorsFrom(ctx, err))
	}
	if err != nil {
		return err
	}
	return p.renderRule(w, r, http.StatusOK, &draft, reason, &tested, nil)
}

func numberText(x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', -1, 64)
}

// testedTable lists what a draft would have raised.
func (p SignalPages) testedTable(ctx context.Context, v *ruleView) ui.TableProps {
	t := ui.TableProps{ID: "tested", Label: i18n.T(ctx, "insight.signal.tested"), Dense: true, Columns: []ui.Column{{Key: "metric", Label: i18n.T(ctx, "insight.signal.measure")},
		{Key: "place", Label: i18n.T(ctx, "insight.signal.place")}, {Key: "day", Label: i18n.T(ctx, "insight.signal.tested.day"), Numeric: true}, {Key: "outcome", Label: i18n.T(ctx, "insight.signal.outcome")}}}
	f := i18n.Fmt(ctx)
	for _, l := range v.tested.List {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: p.MetricName(ctx, l.Metric)}, {Text: v.names.of(ctx, l.Place.Dim, l.Place.Value)}, {Text: f.Date(l.Detected)},
			{Text: i18n.T(ctx, "insight.signal.outcome."+l.Outcome)}}})
	}
	return t
}

// ruleTable is the history of the rule with what each version brought.
func (p SignalPages) ruleTable(ctx context.Context, v *ruleView) ui.TableProps {
	t := ui.TableProps{ID: "versions", Label: i18n.T(ctx, "insight.web.versions"), Columns: []ui.Column{{Key: "version", Label: i18n.T(ctx, "insight.web.version")},
		{Key: "what", Label: i18n.T(ctx, "insight.signal.rule"), Wide: true}, {Key: "opened", Label: i18n.T(ctx, "insight.signal.title"), Numeric: true},
		{Key: "false", Label: i18n.T(ctx, "insight.signal.rule.false"), Numeric: true}, {Key: "at", Label: i18n.T(ctx, "insight.web.version.at")}}}
	f := i18n.Fmt(ctx)
	for _, x := range v.all {
		reason, by := x.Reason, v.people[x.CreatedBy]
		if x.Reason == signal.BuiltIn {
			reason = i18n.T(ctx, "insight.signal.rule.builtin")
		}
		cells := []ui.Cell{{Text: i18n.T(ctx, "insight.web.version.n", "n", x.Version), Sub: i18n.T(ctx, "insight.signal.status."+string(x.Status))},
			{Text: i18n.T(ctx, "insight.signal.rule.text", "limit", f.Decimal(x.Body.Limit, 1), "persist", x.Body.Persist, "reach", f.Int(x.Body.Reach), "share", f.Percent(x.Body.Share, 0)), Sub: reason},
			{Text: f.Int(int64(x.Opened))}, {Text: f.Int(int64(x.FalseAlarms)), Sub: i18n.T(ctx, "insight.signal.rule.judged", "n", x.Judged)}, {Text: ui.When(ctx, x.CreatedAt), Sub: by}}
		t.Rows = append(t.Rows, ui.Row{Cells: cells})
	}
	return t
}
