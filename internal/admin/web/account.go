package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"omote/internal/admin/org"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// accountView is a person's own account.
type accountView struct {
	me       auth.Account
	roles    []ui.KeyValue
	places   []ui.Option
	place    string
	sessions []auth.Session
	recovery []string // shown once
	left     int      // recovery codes
	setting  *auth.TwoFactor
	wrong    ui.FieldErrors
	// form is the one that came back: "profile", "password", "begin", "confirm" or "end".
	form         string
	name, locale string // as typed
}

func (p Pages) account(w http.ResponseWriter, r *http.Request) error {
	return p.renderAccount(w, r, http.StatusOK, accountView{})
}

func (p Pages) renderAccount(w http.ResponseWriter, r *http.Request, status int, v accountView) error {
	ctx := r.Context()
	a, ok := auth.From(ctx)
	if !ok || a.Kind != auth.Person {
		return errs.Denied("admin.web.account.nobody", "only people have an account of their own")
	}
	var err error
	if v.me, err = p.Auth.Me(ctx); err != nil {
		return err
	}
	if v.form != "profile" {
		v.name, v.locale = v.me.Name, v.me.Locale
	}
	if v.sessions, err = p.Auth.Sessions(ctx); err != nil {
		return err
	}
	if v.me.TwoFactor {
		if v.left, err = p.Auth.RecoveryLeft(ctx); err != nil {
			return err
		}
	}
	all, err := p.Admin.Org.Tree(entire(ctx))
	if err != nil {
		return err
	}
	v.place, v.places = a.Place, placeOptions(all, a)
	v.roles = grantFacts(ctx, v.me.Grants, namesOf(all))
	v.recovery = p.takeOnce(w, r, "recovery", a.ID)
	var setting auth.TwoFactor
	if !v.me.TwoFactor && p.kept(r, cookieCode, &setting) {
		v.setting = &setting
	}
	page := ui.Page{Title: i18n.T(ctx, "admin.web.account.title"), Finding: accountFinding(ctx, v), Toast: p.toast(w, r)}
	return ui.RenderStatus(w, r, status, accountPage(page, v))
}

func accountFinding(ctx context.Context, v accountView) string {
	if v.me.TwoFactor {
		return i18n.T(ctx, "admin.web.account.finding.code")
	}
	if v.me.HasPassword {
		return i18n.T(ctx, "admin.web.account.finding.password")
	}
	return i18n.T(ctx, "admin.web.account.finding.sso")
}

// placeOptions are the open units in which the actor has a role, each grant's unit
// and those below.
func placeOptions(all []org.Unit, a auth.Actor) (out []ui.Option) {
	for _, u := range all {
		covered := slices.ContainsFunc(a.Grants, func(g auth.Grant) bool { return strings.HasPrefix(u.Path, g.Unit) })
		if covered && (u.Open() || u.Path == a.Place) {
			out = append(out, ui.Option{Value: u.Path, Label: strings.Repeat("\u2003", u.Depth()) + u.Name})
		}
	}
	return out
}

func namesOf(all []org.Unit) names {
	out := make(names, len(all))
	for _, u := range all {
		out[u.Path] = u.Name
	}
	return out
}

// grantFacts are roles with the units they count in.
func grantFacts(ctx context.Context, grants []auth.Grant, n names) (out []ui.KeyValue) {
	for _, g := range grants {
		out = append(out, ui.KeyValue{Key: roleName(ctx, g.Role), Value: n.of(g.Unit)})
	}
	return out
}

// accountRefused shows the page again with what is wrong in one of its forms.
func (p Pages) accountRefused(w http.ResponseWriter, r *http.Request, form string, err error, rename map[string]string) error {
	if !refused(err) {
		return err
	}
	v := accountView{form: form, wrong: ui.ErrorsFrom(r.Context(), err), name: r.FormValue("name"), locale: r.FormValue("locale")}
	for i := range v.wrong {
		if id := rename[v.wrong[i].Field]; id != "" {
			v.wrong[i].Field = id
		}
	}
	return p.renderAccount(w, r, http.StatusUnprocessableEntity, v)
}

func (p Pages) accountProfile(w http.ResponseWriter, r *http.Request) error {
	locale := r.FormValue("locale")
	if err := p.Admin.Accounts.UpdateOwn(r.Context(), r.FormValue("name"), locale); err != nil {
		return p.accountRefused(w, r, "profile", err, nil)
	}
	http.SetCookie(w, p.language(locale))
	return p.done(w, r, accountPath, told{Key: "account.saved"})
}

func (p Pages) accountPlace(w http.ResponseWriter, r *http.Request) error {
	if err := p.Auth.SetPlace(r.Context(), r.FormValue("unit")); err != nil {
		return err
	}
	n, err := p.names(r.Context())
	if err != nil {
		return err
	}
	return p.done(w, r, accountPath, told{Key: "account.place", Name: n.of(r.FormValue("unit"))})
}

func (p Pages) accountPassword(w http.ResponseWriter, r *http.Request) error {
	// The present password is checked by auth under the field "password", which is
	// also what it calls the new one.
	next := r.FormValue("next")
	if next != r.FormValue("again") {
		return p.accountRefused(w, r, "password", errs.Invalid("admin.web.password.differ", "again", "the two passwords differ"), nil)
	}
	err := p.Auth.ChangePassword(r.Context(), r.FormValue("present"), next)
	if err != nil {
		field := "next"
		if isWrongPassword(err) {
			field = "present"
		}
		return p.accountRefused(w, r, "password", err, map[string]string{"password": field})
	}
	return p.done(w, r, accountPath, told{Key: "account.password"})
}
