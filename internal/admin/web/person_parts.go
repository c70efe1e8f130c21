package web

import (
	"context"
	"slices"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// roleFacts says in a line what each role is for.
func roleFacts(ctx context.Context) []ui.KeyValue {
	out := make([]ui.KeyValue, len(auth.PersonRoles))
	for i, r := range auth.PersonRoles {
		out[i] = ui.KeyValue{Key: roleName(ctx, r), Value: i18n.T(ctx, "admin.web.role.about."+string(r))}
	}
	return out
}

// withUnit adds a unit to the choices that the actor could not choose anew, such
// as a closed one of an older grant.
func withUnit(units []ui.Option, path string) []ui.Option {
	if path == "" || slices.ContainsFunc(units, func(o ui.Option) bool { return o.Value == path }) {
		return units
	}
	return append(slices.Clone(units), ui.Option{Value: path, Label: path})
}

// accessFacts say how the person comes in.
func accessFacts(ctx context.Context, a auth.Account) []ui.KeyValue {
	yes := func(b bool) string {
		if b {
			return i18n.T(ctx, "admin.web.yes")
		}
		return i18n.T(ctx, "admin.web.no")
	}
	signedIn := i18n.T(ctx, "admin.web.never")
	if !a.SignedIn.IsZero() {
		signedIn = ui.When(ctx, a.SignedIn)
	}
	return []ui.KeyValue{
		{Key: i18n.T(ctx, "admin.web.people.state"), Value: i18n.T(ctx, "admin.account.state."+string(a.State))},
		{Key: i18n.T(ctx, "admin.web.person.password"), Value: yes(a.HasPassword)},
		{Key: i18n.T(ctx, "admin.web.code.section"), Value: yes(a.TwoFactor)},
		{Key: i18n.T(ctx, "admin.web.people.signed_in"), Value: signedIn},
	}
}

func inviteNote(a auth.Account) string {
	if a.State == auth.Invited {
		return "admin.web.person.invite.first"
	}
	return "admin.web.person.invite.again"
}

func disableWhy(ctx context.Context, v personView) string {
	switch {
	case v.self:
		return i18n.T(ctx, "admin.account.error.own_account")
	case v.last:
		return i18n.T(ctx, "admin.account.error.last_admin")
	}
	return ""
}
