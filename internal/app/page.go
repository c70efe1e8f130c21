package app

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"omote/internal/module"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// chrome is what surrounds the pages of one request.
func (a *App) chrome(r *http.Request) ui.Chrome {
	bank, place := a.names(r)
	c := ui.Chrome{Bank: bank, Now: a.Clock.Now().In(a.Config.Location()), Theme: ui.ThemeOf(r), Path: r.URL.RequestURI(),
		Locales: a.Bundle.Locales()}
	if _, signedIn := auth.From(r.Context()); !signedIn {
		return c
	}
	c.Person, c.Scope = a.person(r), ui.Link{Label: place, Href: "/account#place"}
	for _, m := range a.modules {
		for _, n := range m.Nav {
			if auth.Can(r.Context(), n.Permission) {
				c.Nav.Items = append(c.Nav.Items, navItem(r.Context(), n))
			}
		}
	}
	return c
}

func navItem(ctx context.Context, n module.Nav) ui.NavItem {
	item := ui.NavItem{Key: n.Key, Href: n.Href, Layer: n.Layer}
	if n.Label != "" {
		item.Label = i18n.T(ctx, n.Label)
	}
	return item
}

// names gives the bank's name as the organisation has it, and the name of the
// unit that the reader acts in.
func (a *App) names(r *http.Request) (bank, place string) {
	ctx, path := r.Context(), scope.Root
	if actor, ok := auth.From(ctx); ok {
		path = actor.Place
	}
	bank, place = a.Config.Bank, i18n.T(ctx, "app.scope.whole")
	if httpx.IsAPI(r) || strings.HasPrefix(r.URL.Path, "/assets/") {
		return bank, place
	}
	found, err := a.services.admin.Org.Names(a.system(context.Background()), scope.Root, path)
	if err != nil {
		return bank, place // the page says elsewhere that the store does not answer
	}
	if bank = cmp.Or(found[scope.Root], bank); bank == config.Default().Bank {
		bank = "" // nobody has named it yet
	}
	if path != scope.Root {
		place = cmp.Or(found[path], path)
	}
	return bank, place
}

// person is who is signed in, as the top bar names them.
func (a *App) person(r *http.Request) ui.Person {
	me, err := a.services.auth.Me(r.Context())
	if err != nil {
		return ui.Person{}
	}
	return ui.Person{Name: me.Name, Href: "/account"}
}

// signInPath leads to the sign-in and back to where the request was going.
func signInPath(r *http.Request) string {
	return "/sign-in?next=" + url.QueryEscape(r.URL.RequestURI())
}

// failPage says what went wrong and what to do next. Whoever is not signed in is
// led to the sign-in and back.
func (a *App) failPage(w http.ResponseWriter, r *http.Request, err error) {
	httpx.LogFailure(r, err)
	if errs.KindOf(err) == errs.KindUnauthenticated && r.Method == http.MethodGet {
		http.Redirect(w, r, signInPath(r), http.StatusSeeOther)
		return
	}
	status := httpx.Status(err)
	kind := errs.KindOf(err).String()
	ctx := r.Context()
	text := i18n.T(ctx, "app.fail."+kind+".text")
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind != errs.KindInternal && e.Key != "" {
		text = i18n.Error(ctx, err)
	}
	note := ui.Note(ui.NoteProps{Kind: ui.NoteBad, Text: text, Ref: httpx.RequestID(ctx),
		Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "app.fail.home"), Href: "/"}}})
	page := ui.Layout(ui.Page{Title: i18n.T(ctx, "app.fail."+kind+".title")})
	if renderErr := ui.RenderStatus(w, r, status, ui.With(page, note)); renderErr != nil {
		http.Error(w, text, status)
	}
}
