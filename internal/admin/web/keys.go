package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"omote/internal/admin/key"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// keyForm is a key to be made, as typed.
type keyForm struct {
	new     auth.NewKey
	expires string // a day, 2027-01-31
	units   []ui.Option
	wrong   ui.FieldErrors
}

// keyView is one key.
type keyView struct {
	key    auth.APIKey
	state  string
	unit   string
	secret string // shown once
	edit   bool
	trail  *ui.TableProps
	wrong  ui.FieldErrors
	typed  string
}

func (p Pages) keys(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	columns := []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "admin.web.key.name")},
		{Key: "scopes", Label: i18n.T(ctx, "admin.web.key.scopes"), Wide: true},
		{Key: "unit", Label: i18n.T(ctx, "admin.web.key.unit")},
		{Key: "source", Label: i18n.T(ctx, "admin.web.key.source")},
		{Key: "used", Label: i18n.T(ctx, "admin.web.key.used"), Numeric: true},
		{Key: "state", Label: i18n.T(ctx, "admin.web.people.state")},
	}
	query := ui.QueryTable(r, "", columns, "")
	n, err := p.names(ctx)
	if err != nil {
		return err
	}
	ended := r.FormValue("ended") != ""
	found, err := p.Admin.Keys.List(ctx, key.Query{Search: query.Filter, Active: !ended, After: query.After, Limit: pageSize})
	if err != nil {
		return err
	}
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.key.title"), Columns: columns, Query: query, Filter: i18n.T(ctx, "admin.web.key.find"), Next: found.Next,
		Foot: i18n.T(ctx, "admin.web.key.foot", "shown", len(found.Items), "count", found.Total), Actions: ui.Chip(endedChip(ctx, ended))}
	for _, k := range found.Items {
		t.Rows = append(t.Rows, p.keyRow(ctx, k, n))
	}
	page := ui.Page{Title: i18n.T(ctx, "admin.web.key.title"), At: NavKeys, Layer: ui.LayerPlatform, Finding: i18n.T(ctx, "admin.web.key.finding"), Toast: p.toast(w, r)}
	if auth.Can(ctx, key.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "admin.web.key.new"), Href: keysPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	t.Empty = ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "admin.web.key.none"), Text: i18n.T(ctx, "admin.web.key.none.text"), Acts: page.Actions})
	if query.Filter != "" {
		t.Empty = ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "admin.web.key.nomatch"), Text: i18n.T(ctx, "admin.web.key.nomatch.text"),
			Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "admin.web.filter.drop"), Href: keysPath}}})
	}
	return ui.Render(w, r, keysPage(page, t))
}

func endedChip(ctx context.Context, ended bool) ui.ChipProps {
	if ended {
		return ui.ChipProps{Label: i18n.T(ctx, "admin.web.key.ended"), RemoveHref: keysPath}
	}
	return ui.ChipProps{Label: i18n.T(ctx, "admin.web.key.ended.show"), Href: keysPath + "?ended=1"}
}

func (p Pages) keyRow(ctx context.Context, k auth.APIKey, n names) ui.Row {
	used := ui.Cell{Text: i18n.T(ctx, "admin.web.never"), Mute: true}
	if !k.Used.IsZero() {
		used = ui.Cell{Text: ui.When(ctx, k.Used)}
	}
	state := p.keyState(k)
	return ui.Row{ID: k.ID, Cells: []ui.Cell{
		{Text: k.Name, Sub: k.Prefix + "…", Href: keysPath + "/" + k.ID}, {Text: scopeWords(ctx, k.Roles)}, {Text: n.of(k.Unit)}, {Text: k.Source}, used,
		{Text: i18n.T(ctx, "admin.web.key.state."+state), Mute: state != "active"},
	}}
}

// keyState is "active", "revoked" or "expired".
func (p Pages) keyState(k auth.APIKey) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked"
	case !k.Expires.IsZero() && !k.Expires.After(p.Clock.Now()):
		return "expired"
	}
	return "active"
}

func scopeWords(ctx context.Context, roles []auth.Role) string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = roleName(ctx, r)
	}
	return strings.Join(out, ", ")
}

func (p Pages) keyNew(w http.ResponseWriter, r *http.Request) error {
	a, _ := auth.From(r.Context())
	return p.renderKeyNew(w, r, http.StatusOK, keyForm{new: auth.NewKey{Unit: a.Place, Roles: []auth.Role{auth.KeyIngest}}})
}

func (p Pages) renderKeyNew(w http.ResponseWriter, r *http.Request, status int, f keyForm) error {
	ctx := r.Context()
	units, err := p.units(ctx)
	if err != nil {
		return err
	}
	f.units = unitOptions(units)
	page := ui.Page{Title: i18n.T(ctx, "admin.web.key.new"), At: NavKeys, Layer: ui.LayerPlatform, Finding: i18n.T(ctx, "admin.web.key.new.finding"),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "admin.web.key.title"), Href: keysPath}}}
	return ui.RenderStatus(w, r, status, keyNewPage(page, f))
}

func (p Pages) keyCreate(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("admin.web.error.form", "", "the form cannot be read").Because(err)
	}
	f := keyForm{expires: strings.TrimSpace(r.FormValue("expires")), new: auth.NewKey{Name: strings.TrimSpace(r.FormValue("name")), Unit: r.FormValue("unit"),
		Source: strings.TrimSpace(r.FormValue("source")), System: strings.TrimSpace(r.FormValue("system"))}}
	for _, s := range r.Form["scope"] {
		f.new.Roles = append(f.new.Roles, auth.Role(s))
	}
	n, err := f.new, error(nil)
	if f.expires != "" {
		n.Expires, err = p.endOf(ctx, f.expires)
	}
	if err == nil {
		var k auth.APIKey
		var secret string
		if k, secret, err = p.Admin.Keys.Create(ctx, n); err == nil {
			if err := p.showOnce(w, r, "key", k.ID, secret); err != nil {
				return err
			}
			return p.done(w, r, keysPath+"/"+k.ID, told{Key: "key.made", Name: k.Name})
		}
	}
	if !refused(err) {
		return err
	}
	f.wrong = ui.ErrorsFrom(ctx, err)
	return p.renderKeyNew(w, r, http.StatusUnprocessableEntity, f)
}

// endOf is the end of a day in the installation's zone.
func (p Pages) endOf(ctx context.Context, day string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, day, ui.ChromeFrom(ctx).Now.Location())
	if err != nil {
		return t, errs.Invalid("admin.web.error.date", "expires", "%q is no date such as 2027-01-31", day).With("value", day)
	}
	return t.AddDate(0, 0, 1), nil
}

func (p Pages) keyShow(w http.ResponseWriter, r *http.Request) error {
	return p.renderKey(w, r, http.StatusOK, keyView{})
}

func (p Pages) renderKey(w http.ResponseWriter, r *http.Request, status int, v keyView) error {
	ctx := r.Context()
	var err error
	if v.key, err = p.Admin.Keys.Get(ctx, r.PathValue("id")); err != nil {
		return err
	}
	n, err := p.names(ctx)
	if err != nil {
		return err
	}
	v.state, v.unit, v.edit = p.keyState(v.key), n.of(v.key.Unit), auth.Can(ctx, key.PermEdit)
	if secret := p.takeOnce(w, r, "key", v.key.ID); len(secret) == 1 {
		v.secret = secret[0]
	}
	if v.trail, err = p.trailOf(ctx, "key/"+v.key.ID); err != nil {
		return err
	}
	page := ui.Page{Title: v.key.Name, At: NavKeys, Layer: ui.LayerPlatform, Crumbs: []ui.Link{{Label: i18n.T(ctx, "admin.web.key.title"), Href: keysPath}},
		Finding: i18n.T(ctx, "admin.web.key.finding."+v.state, "scopes", scopeWords(ctx, v.key.Roles), "unit", v.unit), Toast: p.toast(w, r)}
	return ui.RenderStatus(w, r, status, keyPage(page, v))
}

// keyRevoke ends a key for good: the reader types its name first.
func (p Pages) keyRevoke(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	k, err := p.Admin.Keys.Get(ctx, id)
	if err != nil {
		return err
	}
	v := keyView{typed: strings.TrimSpace(r.FormValue("confirm"))}
	if v.typed != k.Name {
		err = errs.Invalid("admin.web.error.confirm", "confirm", "the name was not typed").With("name", k.Name).With("value", v.typed)
	} else {
		err = p.Admin.Keys.Revoke(ctx, id, strings.TrimSpace(r.FormValue("reason")))
	}
	if err == nil {
		return p.done(w, r, keysPath+"/"+id, told{Key: "key.revoked", Name: k.Name})
	}
	if !refused(err) {
		return err
	}
	v.wrong = ui.ErrorsFrom(ctx, err)
	return p.renderKey(w, r, http.StatusUnprocessableEntity, v)
}
