package web

import (
	"context"
	"strconv"

	"omote/internal/governance/initiative"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func paybackText(ctx context.Context, j *initiative.Judged) string {
	if j.Payback[1] < 0 {
		return i18n.T(ctx, "governance.case.payback.never")
	}
	f := i18n.Fmt(ctx)
	high := "∞"
	if j.Payback[2] >= 0 {
		high = f.Decimal(j.Payback[2], 1)
	}
	return i18n.T(ctx, "governance.case.payback", "years", f.Decimal(j.Payback[1], 1), "low", f.Decimal(j.Payback[0], 1), "high", high)
}

// tornadoAxis spans the bars of a case.
func tornadoAxis(j *initiative.Judged) axis {
	values := []int64{j.AtMid}
	for _, b := range j.Tornado {
		values = append(values, int64(b.Low), int64(b.High))
	}
	return axisOf(values...)
}

func caseRate(ctx context.Context, v initiativeView) string {
	if v.Body.Case == nil {
		return i18n.Fmt(ctx).Percent(0.11, 0)
	}
	return i18n.Fmt(ctx).Percent(v.Body.Case.Rate, 1)
}

func caseYears(v initiativeView) string {
	if v.Body.Case == nil {
		return "3"
	}
	return strconv.Itoa(v.Body.Case.Years)
}

func stopValue(ctx context.Context, v initiativeView) string {
	if !v.Body.Stop.Set() {
		return ""
	}
	return i18n.Fmt(ctx).Decimal(v.Body.Stop.Value, 4)
}

// stopText is the stop rule as a sentence, with how its measure stands.
func (p Pages) stopText(ctx context.Context, v initiativeView) string {
	s := v.Body.Stop
	r, known := v.now[s.Metric]
	name, sign, value := s.Metric, "<", i18n.Fmt(ctx).Decimal(s.Value, 2)
	if known {
		name, value = say(ctx, r.Name), figure(ctx, r.Unit, s.Value)
		if r.Lower() {
			sign = ">"
		}
	}
	text := i18n.T(ctx, "governance.case.stop.text", "metric", name, "sign", sign, "value", value, "day", i18n.Fmt(ctx).Date(s.Day.In(p.Zone)))
	if known && r.Known {
		text += " " + i18n.T(ctx, "governance.case.stop.now", "value", figure(ctx, r.Unit, r.Value), "interval", interval(ctx, r))
	}
	return text
}

func outcomeOptions(ctx context.Context) (out []ui.Option) {
	for _, o := range initiative.Outcomes {
		out = append(out, ui.Option{Value: o, Label: i18n.T(ctx, "governance.initiative.outcome."+o)})
	}
	return out
}

// initiativeFacts are what decides the lane, and where the change came from.
func (p Pages) initiativeFacts(ctx context.Context, v initiativeView) []ui.KeyValue {
	f, b := i18n.Fmt(ctx), v.Body
	yes := map[bool]string{true: i18n.T(ctx, "governance.yes"), false: i18n.T(ctx, "governance.no")}
	source := i18n.T(ctx, "governance.initiative.source."+b.Source.Kind)
	if b.Source.Label != "" {
		source += ": " + b.Source.Label
	}
	out := []ui.KeyValue{{Key: i18n.T(ctx, "governance.initiative.serves"), Value: orDash(v.node)}}
	if b.Source.Href != "" {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.source"), Node: ui.A(ui.Link{Label: source, Href: b.Source.Href})})
	} else {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.source"), Value: source})
	}
	return append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.owner"), Value: p.roleName(ctx, b.Owner)},
		ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.days"), Value: f.Int(int64(b.Days))},
		ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.units"), Value: f.Int(int64(b.Units))},
		ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.core"), Value: yes[b.CoreChange]},
		ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.budget"), Value: p.short(ctx, b.Budget)},
		ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.start"), Value: f.Date(b.Start.In(p.Zone))},
		ui.KeyValue{Key: i18n.T(ctx, "governance.initiative.method"), Value: methodWord(ctx, b.Method)})
}

func methodWord(ctx context.Context, m string) string {
	if m == "" {
		return "–"
	}
	return i18n.T(ctx, "governance.method."+m)
}
