package web

import (
	"context"
	"net/http"
	"slices"

	"omote/internal/journey/moment"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// momentView is what the page of one step shows.
type momentView struct {
	detail   *moment.Detail
	effects  ui.TableProps
	compared []ui.KeyValue
	unsound  string
	history  ui.TableProps
	pains    []ui.KeyValue
}

func (p MomentPages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	d, err := p.Moments.Step(ctx, r.PathValue("journey"), r.PathValue("step"))
	if err != nil {
		return err
	}
	pains, _, _, err := p.Moments.Pains(ctx, d.Journey)
	if err != nil {
		return err
	}
	v := momentView{detail: d, effects: p.effects(ctx, d), compared: p.compared(ctx, d), history: p.history(ctx, d)}
	if b := d.Best; b.Trimmed > 0.2 || b.Imbalance > 0.25 || b.Effective < 50 {
		v.unsound = i18n.T(ctx, "moment.unsound.text")
	}
	f := i18n.Fmt(ctx)
	for _, pain := range pains {
		if pain.Step == d.Event && len(v.pains) < 5 {
			v.pains = append(v.pains, ui.KeyValue{Key: p.painName(ctx, pain), Node: ui.A(ui.Link{Label: f.MoneyShort(p.amount(pain.Expected.Value)), Href: painPath(pain.ID)})})
		}
	}
	label := p.Label(ctx, d.Event)
	page := ui.Page{Title: label, At: ui.NavMoments, Meta: p.runMeta(ctx, d.Run, true), Finding: p.stepFinding(ctx, d, label),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "moment.title"), Href: momentsPath}, {Label: d.Name.In(i18n.Locale(ctx)), Href: journeyPath(d.Journey)}}}
	return ui.Render(w, r, momentPage(page, v))
}

func (p MomentPages) stepFinding(ctx context.Context, d *moment.Detail, label string) string {
	b := d.Best
	if b.Demoted() {
		return i18n.T(ctx, "moment.step.demoted", "step", label)
	}
	if !b.Effect.Known {
		return i18n.T(ctx, "moment.step.insufficient", "step", label)
	}
	return i18n.T(ctx, "moment.step."+d.Verdict, "step", label, "effect", lowerText(ctx, b.Outcome, b.Effect), "customers", b.Customers)
}

func (p MomentPages) effects(ctx context.Context, d *moment.Detail) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "effects", Label: i18n.T(ctx, "moment.effects"), Columns: []ui.Column{
		{Key: "outcome", Label: i18n.T(ctx, "moment.outcome")}, {Key: "effect", Label: i18n.T(ctx, "moment.effect"), Wide: true},
		{Key: "observed", Label: i18n.T(ctx, "moment.observed"), Numeric: true}, {Key: "expected", Label: i18n.T(ctx, "moment.expected"), Numeric: true},
		{Key: "halves", Label: i18n.T(ctx, "moment.halves"), Numeric: true}, {Key: "q", Label: "q", Numeric: true}, {Key: "verdict", Label: i18n.T(ctx, "moment.verdict"), Narrow: true},
	}}
	for _, x := range d.Findings {
		if !x.Effect.Known {
			t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: outcomeName(ctx, x.Outcome)}, {Text: i18n.T(ctx, "moment.unknown"), Mute: true}, {}, {}, {}, {}, {Node: ui.Seal(Seal(x.Verdict))}}})
			continue
		}
		level := func(y float64) string {
			if x.Outcome == moment.NextNPS {
				return f.Decimal(10-10*y, 1)
			}
			return f.Percent(y, 1)
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: outcomeName(ctx, x.Outcome), Sub: i18n.T(ctx, "moment.form."+formKey(x.Form))},
			{Text: effectText(ctx, x.Outcome, x.Effect)}, {Text: level(x.Observed)}, {Text: level(x.Expected)}, {Text: halves(ctx, x)}, {Text: f.Decimal(x.Q, 3)}, {Node: ui.Seal(Seal(x.Verdict))}}})
	}
	return t
}

func formKey(form string) string {
	if form == "" {
		return "unclear"
	}
	return form
}

// halves writes the effect in either period.
func halves(ctx context.Context, x moment.Finding) string {
	f := i18n.Fmt(ctx)
	one := func(e moment.Interval) string {
		switch {
		case !e.Known:
			return "–"
		case x.Outcome == moment.NextNPS:
			return f.Signed(-10*e.Value, 2)
		}
		return f.Signed(100*e.Value, 1)
	}
	return one(x.First) + " / " + one(x.Second)
}

func (p MomentPages) compared(ctx context.Context, d *moment.Detail) []ui.KeyValue {
	f := i18n.Fmt(ctx)
	b := d.Best
	return []ui.KeyValue{
		{Key: i18n.T(ctx, "moment.compared.bad"), Value: i18n.T(ctx, "moment.compared.bad.value", "count", b.Exposed, "customers", f.Int(int64(b.Customers)))},
		{Key: i18n.T(ctx, "moment.compared.others"), Value: f.Int(int64(b.Others))},
		{Key: i18n.T(ctx, "moment.compared.effective"), Value: f.Int(int64(b.Effective))},
		{Key: i18n.T(ctx, "moment.compared.trimmed"), Value: f.Percent(b.Trimmed, 0)},
		{Key: i18n.T(ctx, "moment.compared.imbalance"), Value: f.Decimal(b.Imbalance, 2)},
		{Key: i18n.T(ctx, "moment.compared.raw"), Value: effectPlain(ctx, b.Outcome, b.Raw)},
		{Key: i18n.T(ctx, "moment.compared.adjusted"), Value: "**" + effectPlain(ctx, b.Outcome, b.Effect.Value) + "**"},
	}
}

func effectPlain(ctx context.Context, o moment.Outcome, x float64) string {
	if o == moment.NextNPS {
		return i18n.Fmt(ctx).Signed(-10*x, 2)
	}
	return i18n.Fmt(ctx).Signed(100*x, 1)
}

// history lists what each test said, newest first.
func (p MomentPages) history(ctx context.Context, d *moment.Detail) ui.TableProps {
	t := ui.TableProps{ID: "history", Label: i18n.T(ctx, "moment.history"), Dense: true, Columns: []ui.Column{
		{Key: "tested", Label: i18n.T(ctx, "moment.tested")}, {Key: "outcome", Label: i18n.T(ctx, "moment.outcome")},
		{Key: "verdict", Label: i18n.T(ctx, "moment.verdict"), Narrow: true}, {Key: "effect", Label: i18n.T(ctx, "moment.effect"), Wide: true}}}
	list := slices.Clone(d.History)
	slices.Reverse(list)
	for _, x := range list[:min(len(list), 60)] {
		effect := ui.Cell{Text: i18n.T(ctx, "moment.unknown"), Mute: true}
		if x.Effect.Known {
			effect = ui.Cell{Text: effectText(ctx, x.Outcome, x.Effect)}
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: ui.When(ctx, x.Tested)}, {Text: outcomeName(ctx, x.Outcome)}, {Node: ui.Seal(Seal(x.Verdict))}, effect}})
	}
	return t
}
