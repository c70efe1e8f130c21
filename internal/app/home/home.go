// Package home is the first page: what waits for the person who is signed in, part
// by part as the modules fill it, in the order that suits their role, with their
// own figures beside it.
package home

import (
	"context"
	"embed"
	"log/slog"
	"net/http"
	"slices"

	"omote/internal/module"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the page.
func Locales() i18n.Source { return i18n.Source{Name: "home", FS: localeFiles, Dir: "locales"} }

// Page is the first page.
type Page struct {
	// Parts gives the parts of all modules.
	Parts func() []module.Home
	Clock clock.Clock
}

// Routes adds the page.
func (p Page) Routes(r *httpx.Router) { r.Handle("GET /{$}", "account.own", p.home) }

// Keys of the parts.
const (
	Figures   = "figures"
	Signals   = "signals"
	Approvals = "approvals"
	Council   = "council"
	Cases     = "cases"
	Work      = "initiatives"
	Requests  = "requests"
	Identity  = "identity"
	Feeds     = "feeds"
)

// orders say which part comes first for whom; parts that a role does not name
// follow. A person with several roles is served by the first that stands here.
var orders = []struct {
	role  auth.Role
	parts []string
}{
	{auth.Council, []string{Council, Approvals, Signals, Work, Figures}},
	{auth.CXLead, []string{Signals, Approvals, Work, Cases, Figures}},
	{auth.Champion, []string{Cases, Signals, Work, Figures}},
	{auth.CaseOwner, []string{Cases, Signals, Approvals, Figures}},
	{auth.Agent, []string{Cases, Figures}},
	{auth.DPO, []string{Requests, Approvals, Cases, Figures}},
	{auth.Analyst, []string{Signals, Approvals, Feeds, Work, Figures}},
	{auth.Steward, []string{Identity, Feeds, Figures}},
	{auth.FinancePart, []string{Approvals, Council, Work, Signals, Figures}},
	{auth.RiskValidator, []string{Approvals, Signals, Figures}},
}

// view is the page as drawn.
type view struct {
	wait    []part // what waits for the reader
	figures []part
	working bool
}

type part struct {
	key string
	module.HomePart
}

func (p Page) home(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	actor, _ := auth.From(ctx)
	role, order := orderOf(actor)
	var v view
	waits, late := 0, 0
	for _, h := range p.Parts() {
		if !auth.Can(ctx, h.Permission) {
			continue
		}
		one, err := h.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			// One part that fails takes no other with it.
			slog.WarnContext(ctx, "a part of the first page was not read", "part", h.Key, "error", err)
			continue
		}
		switch {
		case len(one.Rows) > 0 || one.Working || h.Key == Figures && one.Calm != "":
			v.figures = append(v.figures, part{h.Key, one})
			v.working = v.working || one.Working && len(one.Rows) == 0
		case len(one.Items) > 0 || one.Calm != "":
			v.wait = append(v.wait, part{h.Key, one})
			if len(one.Items) > 0 {
				waits++
				late += one.Late
			}
		}
	}
	place := func(key string) int {
		if i := slices.Index(order, key); i >= 0 {
			return i
		}
		return len(order)
	}
	// What waits stands before what is calm, each in the role's order.
	slices.SortStableFunc(v.wait, func(a, b part) int {
		if empty := len(a.Items) == 0; empty != (len(b.Items) == 0) {
			if empty {
				return 1
			}
			return -1
		}
		return place(a.key) - place(b.key)
	})
	page := ui.Page{Title: title(ctx, waits), At: ui.NavHome, Finding: finding(ctx, v, late), Meta: []ui.Item{ui.Text(i18n.T(ctx, "home.role."+string(role)))}}
	return ui.Render(w, r, homePage(page, v))
}

// orderOf gives the role that decides the order of the page.
func orderOf(a auth.Actor) (auth.Role, []string) {
	for _, o := range orders {
		if a.Has(o.role) {
			return o.role, o.parts
		}
	}
	for _, role := range auth.PersonRoles {
		if a.Has(role) {
			return role, nil
		}
	}
	return "other", nil
}

func title(ctx context.Context, waits int) string {
	if waits == 0 {
		return i18n.T(ctx, "home.title.calm")
	}
	return i18n.T(ctx, "home.title", "count", waits)
}

// finding says what waits in one sentence.
func finding(ctx context.Context, v view, late int) string {
	text, n := "", 0
	for _, p := range v.wait {
		if len(p.Items) == 0 || n == 3 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += i18n.T(ctx, "home.finding."+p.key, "count", p.Waits())
		n++
	}
	if text == "" {
		return i18n.T(ctx, "home.finding.calm")
	}
	text = i18n.T(ctx, "home.finding", "what", text)
	if late > 0 {
		text += " " + i18n.T(ctx, "home.finding.late", "count", late)
	}
	return text
}
