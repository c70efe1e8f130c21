// Package web shows customers: finding one, all about one, and why their records
// are one person.
package web

import (
	"context"
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
	r.Handle("GET /customer/customers", profile.PermRead, p.list)
	r.Handle("GET /customer/customers/{id}", profile.PermRead, p.show)
	r.Handle("POST /customer/customers/{id}/purpose", profile.PermRead, p.purpose)
	r.Handle("GET /customer/customers/{id}/identity", identity.PermRead, p.identity)
	r.Handle("POST /customer/customers/{id}/merge", identity.PermEdit, p.merge)
	r.Handle("POST /customer/customers/{id}/unmerge", identity.PermEdit, p.unmerge)
	r.Handle("POST /customer/customers/{id}/undo", identity.PermEdit, p.undo)
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
