package web

import (
	"context"
	"net/http"
	"strings"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// maxGrants bounds the rows of a form of roles.
const maxGrants = 20

// personForm is an invitation as typed.
type personForm struct {
	new   auth.NewAccount
	units []ui.Option
	wrong ui.FieldErrors
}

func (p Pages) personNew(w http.ResponseWriter, r *http.Request) error {
	f := personForm{new: auth.NewAccount{Locale: i18n.Locale(r.Context()), Grants: []auth.Grant{{}}}}
	return p.renderPersonNew(w, r, http.StatusOK, f)
}

func (p Pages) renderPersonNew(w http.ResponseWriter, r *http.Request, status int, f personForm) error {
	ctx := r.Context()
	units, err := p.units(ctx)
	if err != nil {
		return err
	}
	f.units = unitOptions(units)
	page := ui.Page{Title: i18n.T(ctx, "admin.web.people.invite"), At: NavPeople, Layer: ui.LayerGuarantee, Finding: i18n.T(ctx, "admin.web.people.invite.finding"),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "admin.web.people.title"), Href: peoplePath}}}
	return ui.RenderStatus(w, r, status, personNewPage(page, f))
}

func (p Pages) personInvite(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f := personForm{new: auth.NewAccount{Email: strings.TrimSpace(r.FormValue("email")), Name: strings.TrimSpace(r.FormValue("name")), Locale: r.FormValue("locale")}}
	rows := grantRows(r)
	f.new.Grants = rows
	if r.FormValue("add") != "" {
		f.new.Grants = append(rows, auth.Grant{})
		return p.renderPersonNew(w, r, http.StatusOK, f)
	}
	n := f.new
	n.Grants = chosen(rows)
	a, token, err := p.Admin.Accounts.Create(ctx, n)
	if err == nil {
		if err := p.showOnce(w, r, "invitation", a.ID, token); err != nil {
			return err
		}
		return p.done(w, r, peoplePath+"/"+a.ID, told{Key: "person.invited", Name: a.Name})
	}
	if !refused(err) {
		return err
	}
	f.wrong = grantErrors(ctx, err)
	if errs.KindOf(err) == errs.KindConflict && len(f.wrong) == 1 && f.wrong[0].Field == "" {
		f.wrong[0].Field = "email"
	}
	return p.renderPersonNew(w, r, http.StatusUnprocessableEntity, f)
}

// grantRows are the roles of a form as typed: the fields role and unit come in
// pairs.
func grantRows(r *http.Request) []auth.Grant {
	if err := r.ParseForm(); err != nil {
		return nil
	}
	units, roles := r.Form["unit"], r.Form["role"]
	var out []auth.Grant
	for i := range roles[:min(len(roles), len(units), maxGrants)] {
		out = append(out, auth.Grant{Role: auth.Role(roles[i]), Unit: units[i]})
	}
	return out
}

// chosen leaves out rows in which no role was chosen.
func chosen(rows []auth.Grant) (out []auth.Grant) {
	for _, g := range rows {
		if g.Role != "" {
			out = append(out, g)
		}
	}
	return out
}

// grantErrors puts what is wrong with roles under the group of roles.
func grantErrors(ctx context.Context, err error) ui.FieldErrors {
	wrong := ui.ErrorsFrom(ctx, err)
	for i := range wrong {
		switch wrong[i].Field {
		case "role", "unit", "grants":
			wrong[i].Field = "grants"
		}
	}
	return wrong
}
