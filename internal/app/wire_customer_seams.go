package app

import (
	"context"

	"omote/internal/customer/consent"
	"omote/internal/customer/profile"
	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/store"
)

// casesOf shows a customer's open cases on the customer's page, to readers of cases.
type casesOf struct{ a *App }

// OpenOf implements profile.Cases.
func (o casesOf) OpenOf(ctx context.Context, records []string) (out []profile.Case, err error) {
	if !auth.Can(ctx, cases.PermRead) {
		return nil, nil
	}
	for _, record := range records {
		page, err := o.a.services.cases.List(ctx, cases.Query{Customer: record})
		if err != nil {
			return nil, err
		}
		for _, c := range page.Items {
			one := profile.Case{ID: c.Ref(), Title: c.Title.Plain, State: i18n.T(ctx, "feedback.case.state."+string(c.State)), Href: "/feedback/cases/" + c.ID, Late: c.Late}
			if due := c.Due(); !due.IsZero() {
				one.Due = store.At(due)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// consentsOf shows what a customer allows, purpose by purpose and channel by channel.
type consentsOf struct{ a *App }

// Of implements profile.Consents.
func (o consentsOf) Of(ctx context.Context, records []string) (out []profile.Consent, err error) {
	if len(records) == 0 || !auth.Can(ctx, consent.PermRead) {
		return nil, nil
	}
	standing, err := o.a.services.consents.Standing(ctx, records[0])
	if err != nil {
		return nil, err
	}
	for _, p := range standing.Purposes {
		for _, d := range p.Decisions {
			one := profile.Consent{Purpose: p.Purpose.Label.In(i18n.Locale(ctx)), Channel: i18n.T(ctx, "customer.channel."+d.Channel), Allowed: d.Allowed, Reason: i18n.T(ctx, "customer.consent.reason."+string(d.Reason))}
			if d.Statement != nil {
				one.At = d.Statement.At
			}
			out = append(out, one)
		}
	}
	return out, nil
}
