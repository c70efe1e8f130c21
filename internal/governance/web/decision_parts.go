package web

import (
	"context"
	"strconv"

	"omote/internal/governance/council"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

func outcomeOf(v decisionView) council.Outcome {
	if v.Body.Outcome == nil {
		return council.Outcome{}
	}
	return *v.Body.Outcome
}

// recordHint shows the council's own record beside the question how sure it is.
func recordHint(ctx context.Context, v decisionView) string {
	if v.record.N == 0 {
		return i18n.T(ctx, "governance.decision.level.first")
	}
	f := i18n.Fmt(ctx)
	return i18n.T(ctx, "governance.decision.level.record", "said", f.Percent(v.record.Said, 0), "hit", f.Percent(v.record.Hit.Value, 0), "n", v.record.N)
}

func chosenText(v decisionView) string {
	if posted := v.form.text("chosen"); posted != "" {
		return posted
	}
	return strconv.Itoa(v.Body.Recommended)
}

// forecastFacts are what was said, and what came.
func forecastFacts(ctx context.Context, p Pages, v decisionView) []ui.KeyValue {
	f, b := i18n.Fmt(ctx), v.Body
	r := v.now[b.Forecast.Metric]
	name := b.Forecast.Metric
	if r.Metric != "" {
		name = say(ctx, r.Name)
	}
	out := []ui.KeyValue{{Key: i18n.T(ctx, "governance.metric"), Value: name}, {Key: i18n.T(ctx, "governance.decision.said"), Value: said(ctx, r.Unit, b.Forecast)}}
	if base := b.Forecast.Baseline; base != nil {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.decision.before"), Value: figure(ctx, r.Unit, base.Value) + ", " + figure(ctx, r.Unit, base.Low) + " – " + figure(ctx, r.Unit, base.High)})
	}
	if !b.Review.IsZero() {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.decision.review"), Value: f.Date(b.Review.In(p.Zone))})
	}
	if b.Outcome != nil {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.decision.did"), Value: became(ctx, r.Unit, b.Outcome)})
	}
	return out
}

// firstOnly shows an error of a list at its first entry.
func firstOnly(k int, text string) string {
	if k > 0 {
		return ""
	}
	return text
}
