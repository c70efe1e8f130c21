// Package web is the pages of what customers allow and may ask for. The
// preference centre (preference.go) is opened by customers by a signed link; all
// others are for staff.
package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	"omote/internal/customer/erasure"
	"omote/internal/customer/request"
	"omote/internal/customer/retention"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// Keys of the navigation.
const (
	NavPrivacy = "privacy"
	NavContact = "contact"
)

// Pages are the pages of the module.
type Pages struct {
	Consents  *consent.Service
	Contacts  *contact.Service
	Requests  *request.Service
	Erasures  *erasure.Service
	Retention *retention.Service
	Clock     clock.Clock
	Zone      *time.Location
	// LogRetention is how long the event log is kept.
	LogRetention time.Duration
	// Names gives the names of actors by their references.
	Names func(ctx context.Context, refs ...string) map[string]string
}

// Addresses of the pages.
const (
	requestsPath  = "/customer/requests"
	consentPath   = "/customer/consent"
	contactPath   = "/customer/contact"
	erasuresPath  = "/customer/erasures"
	retentionPath = "/customer/retention"
	prefsPath     = "/preferences"
)

func standingPath(customer string) string {
	return "/customer/customers/" + httpx.PathEscape(customer) + "/consent"
}

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	const link = "opened by a signed link that speaks for one customer"
	r.Public("GET /preferences/{token}", link, p.preference)
	r.Public("POST /preferences/{token}", link, p.preferenceSave)
	r.Public("POST /preferences/{token}/stop", link, p.preferenceStop)

	r.Handle("GET /customer/consent", consent.PermRead, p.purposeList)
	r.Handle("GET /customer/consent/find", consent.PermRead, p.find)
	r.Handle("GET /customer/consent/purposes/{id}", consent.PermRead, p.purposeShow)
	r.Handle("POST /customer/consent/purposes/{id}", consent.PermPurpose, p.purposeSave)
	r.Handle("GET /customer/customers/{id}/consent", consent.PermRead, p.standing)
	r.Handle("POST /customer/customers/{id}/consent", consent.PermEdit, p.standingSay)
	r.Handle("POST /customer/customers/{id}/consent/link", consent.PermEdit, p.standingLink)

	r.Handle("GET /customer/contact", contact.PermRead, p.policyShow)
	r.Handle("POST /customer/contact", contact.PermEdit, p.policySave)
	r.Handle("GET /customer/contact/why", contact.PermRead, p.why)

	r.Handle("GET /customer/requests", request.PermRead, p.requestList)
	r.Handle("GET /customer/requests/new", request.PermEdit, p.requestNew)
	r.Handle("POST /customer/requests", request.PermEdit, p.requestOpen)
	r.Handle("GET /customer/requests/{id}", request.PermRead, p.requestShow)
	r.Handle("POST /customer/requests/{id}/{act}", request.PermEdit, p.requestAct)
	r.Handle("GET /customer/requests/{id}/copy.zip", request.PermDecide, p.requestCopy)

	r.Handle("GET /customer/erasures", erasure.PermRead, p.erasureList)
	r.Handle("GET /customer/erasures/{id}", erasure.PermRead, p.erasureShow)
	r.Handle("POST /customer/holds", erasure.PermRun, p.holdPut)
	r.Handle("POST /customer/holds/{id}/end", erasure.PermRun, p.holdEnd)

	r.Handle("GET /customer/retention", retention.PermRead, p.retentionShow)
	r.Handle("POST /customer/retention", retention.PermEdit, p.retentionSave)
}

// tabs lead between the pages of the data-protection officer.
func tabs(ctx context.Context, current string) []ui.Tab {
	var out []ui.Tab
	for _, t := range []struct {
		key, href string
		perm      auth.Permission
	}{
		{"customer.tab.requests", requestsPath, request.PermRead},
		{"customer.tab.consent", consentPath, consent.PermRead},
		{"customer.tab.contact", contactPath, contact.PermRead},
		{"customer.tab.erasures", erasuresPath, erasure.PermRead},
		{"customer.tab.retention", retentionPath, retention.PermRead},
	} {
		if auth.Can(ctx, t.perm) {
			out = append(out, ui.Tab{Label: i18n.T(ctx, t.key), Href: t.href, Current: t.href == current})
		}
	}
	return out
}

func seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

func form(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("customer.form.unreadable", "", "the form cannot be read").Because(err)
	}
	return nil
}

// correctable tells whether a person can mend the error in the form.
func correctable(err error) bool {
	k := errs.KindOf(err)
	return k == errs.KindInvalid || k == errs.KindConflict || k == errs.KindTooLarge
}

// day writes the last day of a deadline, which is the first instant too late.
func (p Pages) day(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return i18n.Fmt(ctx).Date(t.Add(-time.Second).In(p.Zone))
}

// who names an actor.
func (p Pages) who(ctx context.Context, ref string) string {
	if name := p.Names(ctx, ref)[ref]; name != "" {
		return name
	}
	switch {
	case strings.HasPrefix(ref, "customer:"):
		return i18n.T(ctx, "customer.who.customer")
	case strings.HasPrefix(ref, "process:"), strings.HasPrefix(ref, "feed:"):
		return i18n.T(ctx, "customer.who.system")
	}
	return ref
}

// short writes a pseudonym so that it fits.
func short(id string) string {
	if len(id) > 13 {
		return id[:13] + "…"
	}
	return id
}

func channelName(ctx context.Context, channel string) string {
	if channel == consent.AnyChannel {
		return i18n.T(ctx, "customer.channel.all")
	}
	return i18n.T(ctx, "customer.channel."+channel)
}
