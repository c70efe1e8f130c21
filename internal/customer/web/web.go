// Package web shows customers: finding one, all about one, and why their records
// are one person.
package web

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"omote/internal/customer/identity"
	"omote/internal/customer/profile"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/platform/store"
)

// Pages are the pages of the module.
type Pages struct {
	Profile  *profile.Service
	Identity *identity.Service
	// Label gives what people call an event, Labels the events that are called by a text.
	Label  func(ctx context.Context, event string) string
	Labels func(ctx context.Context, text string) []string
	// UnitNames gives the names of units by code, ActorNames those of who acted.
	UnitNames  func(ctx context.Context) (map[string]string, error)
	ActorNames func(ctx context.Context, refs ...string) map[string]string
	Clock      clock.Clock
	Zone       *time.Location
	Currency   string
}

const listPath = "/customer/customers"

func customerPath(id string) string { return listPath + "/" + httpx.PathEscape(id) }

func identityPath(id string) string { return customerPath(id) + "/identity" }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /search", profile.PermRead, p.search)
	r.Handle("GET /customer/customers", profile.PermRead, p.list)
	r.Handle("GET /customer/customers/{id}", profile.PermRead, p.show)
	r.Handle("POST /customer/customers/{id}/purpose", profile.PermRead, p.purpose)
	r.Handle("GET /customer/customers/{id}/identity", identity.PermRead, p.identity)
	r.Handle("POST /customer/customers/{id}/merge", identity.PermEdit, p.merge)
	r.Handle("POST /customer/customers/{id}/unmerge", identity.PermEdit, p.unmerge)
	r.Handle("POST /customer/customers/{id}/undo", identity.PermEdit, p.undo)
}

// search takes what was typed into the top bar of any page.
func (p Pages) search(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, listPath+"?q="+url.QueryEscape(r.URL.Query().Get("q")), http.StatusSeeOther)
	return nil
}

// word translates a key of the module, or gives the plain word where there is none.
func word(ctx context.Context, prefix, name string) string {
	if name == "" {
		return ""
	}
	key := "customer." + prefix + "." + name
	if text := i18n.T(ctx, key); text != key {
		return text
	}
	return name
}

// event names what happened: the label of an event, or the kind of a call without one.
func (p Pages) event(ctx context.Context, name string) string {
	if label := p.Label(ctx, name); label != name {
		return label
	}
	return word(ctx, "kind", name)
}

// day writes a date such as 2019-04-30 as the reader does.
func (p Pages) day(ctx context.Context, text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return i18n.Fmt(ctx).DateOnly(t)
}

// value writes the chosen value of an attribute as the reader does.
func (p Pages) value(ctx context.Context, a *profile.Attribute) string {
	switch {
	case a.Hidden:
		return a.Value
	case a.Rule.Kind == profile.KindDate || a.Rule.Kind == profile.KindEarliest:
		return p.day(ctx, a.Value)
	case a.Rule.Kind == profile.KindMoney:
		if n, ok := profile.Amount(a.Value); ok {
			return p.money(ctx, n, "")
		}
	case a.Rule.Kind == profile.KindCode:
		return word(ctx, "value", a.Value)
	case a.Rule.Kind == profile.KindUnit:
		return p.unit(ctx, a.Value)
	}
	return a.Value
}

// unit names a unit that a record calls by its code or by the path to it; one that
// the organisation does not know stays as it is written.
func (p Pages) unit(ctx context.Context, text string) string {
	names, err := p.UnitNames(ctx)
	if err != nil {
		return text
	}
	for _, code := range []string{text, strings.ToLower(path.Base(strings.TrimSuffix(text, "/")))} {
		if names[code] != "" {
			return names[code]
		}
	}
	return text
}

func (p Pages) date(ctx context.Context, m store.Micros) string {
	if m == 0 {
		return "–"
	}
	return i18n.Fmt(ctx).Date(m.Time().In(p.Zone))
}

func (p Pages) dateTime(ctx context.Context, t time.Time) string {
	return i18n.Fmt(ctx).DateTime(t.In(p.Zone), p.Clock.Now().In(p.Zone))
}

func (p Pages) ago(ctx context.Context, m store.Micros) string {
	return i18n.Fmt(ctx).Ago(p.Clock.Now().Sub(m.Time()))
}

func (p Pages) money(ctx context.Context, minor int64, currency string) string {
	if currency == "" {
		currency = p.Currency
	}
	return i18n.Fmt(ctx).Money(money.Amount{Minor: minor, Currency: currency})
}

func (p Pages) actors(ctx context.Context, refs ...string) map[string]string {
	if p.ActorNames == nil {
		return nil
	}
	return p.ActorNames(ctx, refs...)
}
