package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"omote/internal/admin/account"
	"omote/internal/admin/trail"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// personView is one person as those who look after them see them.
type personView struct {
	who    auth.Account
	edit   bool
	why    string // why it cannot be changed here
	self   bool
	last   bool // the only active administrator of the whole bank
	link   string
	grants []auth.Grant // rows of the form
	facts  []ui.KeyValue
	units  []ui.Option
	trail  *ui.TableProps
	wrong  ui.FieldErrors
	form   string // the one that came back
	// As typed.
	name, locale string
}

func (p Pages) person(w http.ResponseWriter, r *http.Request) error {
	return p.renderPerson(w, r, http.StatusOK, personView{})
}

func (p Pages) renderPerson(w http.ResponseWriter, r *http.Request, status int, v personView) error {
	ctx := r.Context()
	var err error
	if v.who, err = p.Admin.Accounts.Get(ctx, r.PathValue("id")); err != nil {
		return err
	}
	n, err := p.names(ctx)
	if err != nil {
		return err
	}
	units, err := p.units(ctx)
	if err != nil {
		return err
	}
	v.units, v.facts = unitOptions(units), grantFacts(ctx, v.who.Grants, n)
	if err := p.judge(ctx, &v); err != nil {
		return err
	}
	if v.form != "profile" {
		v.name, v.locale = v.who.Name, v.who.Locale
	}
	if v.form != "grants" {
		v.grants = slices.Clone(v.who.Grants)
		if len(v.grants) == 0 {
			v.grants = []auth.Grant{{}}
		}
	}
	if token := p.takeOnce(w, r, "invitation", v.who.ID); len(token) == 1 {
		v.link = p.base(r) + "/invitation/" + token[0]
	}
	if v.trail, err = p.trailOf(ctx, "account/"+v.who.ID); err != nil {
		return err
	}
	page := ui.Page{Title: v.who.Name, At: NavPeople, Layer: ui.LayerGuarantee, Finding: personFinding(ctx, v.who, n), Meta: personMeta(ctx, v.who),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "admin.web.people.title"), Href: peoplePath}}, Toast: p.toast(w, r)}
	return ui.RenderStatus(w, r, status, personPage(page, v))
}

// judge finds out what the actor may do with the person, and why not the rest.
func (p Pages) judge(ctx context.Context, v *personView) error {
	a, _ := auth.From(ctx)
	v.self = a.Kind == auth.Person && a.ID == v.who.ID
	v.edit = auth.Can(ctx, account.PermEdit)
	if v.edit && slices.ContainsFunc(v.who.Grants, func(g auth.Grant) bool { return auth.Require(ctx, account.PermEdit, g.Unit) != nil }) {
		v.edit, v.why = false, i18n.T(ctx, "admin.web.person.above")
	}
	chief := auth.Grant{Role: auth.Admin, Unit: scope.Root}
	if !v.edit || v.who.State != auth.Active || !slices.Contains(v.who.Grants, chief) {
		return nil
	}
	chiefs, err := p.Admin.Accounts.List(ctx, account.Query{Role: auth.Admin, State: auth.Active, Limit: 1000})
	if err != nil {
		return err
	}
	v.last = !slices.ContainsFunc(chiefs.Items, func(o auth.Account) bool { return o.ID != v.who.ID && slices.Contains(o.Grants, chief) })
	return nil
}

func personFinding(ctx context.Context, a auth.Account, n names) string {
	roles := i18n.T(ctx, "admin.web.person.finding.none")
	if len(a.Grants) > 0 {
		roles = grantWords(ctx, a.Grants, n)
	}
	return i18n.T(ctx, "admin.web.person.finding."+string(a.State), "roles", roles)
}

func personMeta(ctx context.Context, a auth.Account) []ui.Item {
	out := []ui.Item{ui.Text(a.Email), ui.Text(i18n.T(ctx, "admin.web.person.since", "when", ui.When(ctx, a.Created)))}
	if !a.SignedIn.IsZero() {
		out = append(out, ui.Text(i18n.T(ctx, "admin.web.person.signed_in", "when", ui.When(ctx, a.SignedIn))))
	}
	return out
}

// trailOf is what was done to an object lately, nil for whoever may not read it.
func (p Pages) trailOf(ctx context.Context, object string) (*ui.TableProps, error) {
	if !auth.Can(ctx, trail.PermRead) {
		return nil, nil
	}
	lines, err := p.Admin.Trail.List(ctx, audit.Filter{Object: object, Limit: 8})
	if err != nil {
		return nil, err
	}
	actors, err := p.actors(ctx, lines.Items)
	if err != nil {
		return nil, err
	}
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.person.trail"), Dense: true, Columns: []ui.Column{
		{Key: "action", Label: i18n.T(ctx, "admin.web.audit.action")},
		{Key: "actor", Label: i18n.T(ctx, "admin.web.audit.actor")},
		{Key: "at", Label: i18n.T(ctx, "admin.web.audit.at"), Numeric: true},
	}}
	for _, l := range lines.Items {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: actionName(ctx, l.Action), Sub: l.Reason}, actors.cell(ctx, l.Actor), {Text: ui.When(ctx, l.At)}}})
	}
	return &t, nil
}

// base is the address under which people reach this installation.
func (p Pages) base(r *http.Request) string {
	if p.BaseURL != "" {
		return strings.TrimSuffix(p.BaseURL, "/")
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// personRefused shows the page again with what is wrong in one of its forms.
func (p Pages) personRefused(w http.ResponseWriter, r *http.Request, v personView, err error) error {
	if !refused(err) {
		return err
	}
	v.wrong = grantErrors(r.Context(), err)
	return p.renderPerson(w, r, http.StatusUnprocessableEntity, v)
}

func (p Pages) personProfile(w http.ResponseWriter, r *http.Request) error {
	v := personView{form: "profile", name: strings.TrimSpace(r.FormValue("name")), locale: r.FormValue("locale")}
	if err := p.Admin.Accounts.Update(r.Context(), r.PathValue("id"), v.name, v.locale); err != nil {
		return p.personRefused(w, r, v, err)
	}
	return p.done(w, r, peoplePath+"/"+r.PathValue("id"), told{Key: "person.saved", Name: v.name})
}

func (p Pages) personGrants(w http.ResponseWriter, r *http.Request) error {
	rows := grantRows(r)
	v := personView{form: "grants", grants: rows}
	if r.FormValue("add") != "" {
		v.grants = append(rows, auth.Grant{})
		return p.renderPerson(w, r, http.StatusOK, v)
	}
	if err := p.Admin.Accounts.SetGrants(r.Context(), r.PathValue("id"), chosen(rows)); err != nil {
		if len(v.grants) == 0 {
			v.grants = []auth.Grant{{}}
		}
		return p.personRefused(w, r, v, err)
	}
	return p.done(w, r, peoplePath+"/"+r.PathValue("id"), told{Key: "person.grants"})
}

// personAct carries out one act on an account.
func (p Pages) personAct(w http.ResponseWriter, r *http.Request) error {
	ctx, id, s := r.Context(), r.PathValue("id"), p.Admin.Accounts
	who, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	reason := strings.TrimSpace(r.FormValue("reason"))
	key := ""
	switch r.PathValue("act") {
	case "disable":
		key, err = "person.disabled", s.Disable(ctx, id, reason)
	case "enable":
		key, err = "person.enabled", s.Enable(ctx, id, reason)
	case "sign-out":
		key, err = "person.signed_out", s.EndSessions(ctx, id, reason)
	case "clear-code":
		key, err = "person.code_cleared", s.ClearTwoFactor(ctx, id, reason)
	case "invite":
		var token string
		key = "person.link"
		if token, err = s.Invite(ctx, id); err == nil {
			err = p.showOnce(w, r, "invitation", id, token)
		}
	default:
		return errs.NotFound("http.error.not_found", "there is no act %q", r.PathValue("act"))
	}
	if err != nil {
		return p.personRefused(w, r, personView{form: "acts"}, err)
	}
	return p.done(w, r, peoplePath+"/"+id, told{Key: key, Name: who.Name, ID: id})
}
