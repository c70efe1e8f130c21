// Package web is the pages of cases: the queue at a desk, the case with its clocks,
// the champion's day on a phone, the customer's complaint form and follow-up page,
// the register, and the content that rules cases.
//
// One action, one file. Handlers read a form, ask the service, and lead on; a refused
// form comes back with what was typed.
package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// Pages are the pages of cases.
type Pages struct {
	Cases *cases.Service
	Clock clock.Clock
	Zone  *time.Location
	// People gives the names of accounts by id, those who may work on cases at a
	// place; Units the names of units by path.
	People func(ctx context.Context) map[string]string
	Units  func(ctx context.Context) map[string]string
	// Journeys gives the names of journeys by id; nil where there are none.
	Journeys func(ctx context.Context) map[string]string
	Bank     func(ctx context.Context) string
	// In gives a context in a language.
	In func(ctx context.Context, locale string) context.Context
}

const (
	queuePath  = "/feedback/cases"
	setupPath  = "/feedback/rules"
	todayPath  = "/feedback/today"
	solvedPath = "/feedback/solved/"
)

func casePath(id string) string { return queuePath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	const link = "the customer's link: its token is the key"
	r.Handle("GET /feedback/cases", cases.PermRead, p.queue)
	r.Handle("POST /feedback/cases/view", cases.PermRead, p.saveView)
	r.Handle("POST /feedback/cases/bulk/{act}", cases.PermEdit, p.bulk)
	r.Handle("GET /feedback/cases/new", cases.PermEdit, p.newCase)
	r.Handle("POST /feedback/cases/new", cases.PermEdit, p.openCase)
	r.Handle("GET /feedback/cases/{id}", cases.PermRead, p.show)
	r.Handle("GET /feedback/cases/{id}/letter/{letter}", cases.PermEdit, p.letter)
	r.Handle("POST /feedback/cases/{id}/letter/{letter}", cases.PermEdit, p.sendLetter)
	r.Handle("GET /feedback/cases/{id}/file/{file}", cases.PermRead, p.file)
	r.Handle("POST /feedback/cases/{id}/file/upload", cases.PermEdit, p.attach)
	r.Handle("POST /feedback/cases/{id}/clock/{clock}/{act}", cases.PermEdit, p.clockAct)
	r.Handle("POST /feedback/cases/{id}/act/{act}", cases.PermEdit, p.act)
	r.Handle("GET /feedback/cases/register", cases.PermRegister, p.register)
	r.Handle("GET /feedback/cases/clusters", cases.PermRead, p.clusters)
	r.Handle("POST /feedback/cases/clusters", cases.PermLead, p.findClusters)
	r.Handle("GET /feedback/cases/clusters/{cluster}", cases.PermRead, p.cluster)
	r.Handle("POST /feedback/cases/clusters/{cluster}", cases.PermLead, p.huddle)
	r.Handle("POST /feedback/cases/next", cases.PermEdit, p.next)
	r.Handle("GET /feedback/cases/wallet", cases.PermLead, p.wallet)
	r.Handle("GET /feedback/rules", cases.PermRead, p.setup)
	r.Handle("GET /feedback/rules/{kind}/{id}", cases.PermSetup, p.setting)
	r.Handle("POST /feedback/rules/{kind}/{id}", cases.PermSetup, p.saveSetting)
	r.Handle("GET /feedback/today", cases.PermEdit, p.today)
	r.Handle("GET /feedback/today/{id}", cases.PermEdit, p.call)
	r.Handle("POST /feedback/today/{id}", cases.PermEdit, p.called)
	r.Public("GET /feedback/solved/{token}", link, p.question)
	r.Public("POST /feedback/solved/{token}", link, p.answer)
	r.Public("GET /complain", "whoever has something to say to the bank", p.complain)
	r.Public("POST /complain", "whoever has something to say to the bank; slowed down by address", p.complained)
}

func seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// refused tells errors that a person can correct in the form they came from.
func refused(err error) bool {
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindConflict, errs.KindTooLarge, errs.KindDenied:
		return true
	}
	return false
}

// back leads to a page with the refusal of an act in its address, to be shown there.
func back(w http.ResponseWriter, r *http.Request, path string, err error) error {
	if err == nil {
		return seeOther(w, r, path)
	}
	if !refused(err) {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: saidCookie, Value: urlSafe(i18n.Error(r.Context(), err)), Path: "/feedback", MaxAge: 20, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return seeOther(w, r, path)
}

const saidCookie = "omote_case_said"

// said takes the refusal of the act before, once.
func said(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(saidCookie)
	if err != nil || c.Value == "" {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: saidCookie, Path: "/feedback", MaxAge: -1})
	return fromSafe(c.Value)
}

// me is the account of the reader.
func me(ctx context.Context) string {
	a, _ := auth.From(ctx)
	return a.ID
}

func (p Pages) now() time.Time { return p.Clock.Now().In(p.Zone) }

// left says how long is left, or since when it is late.
func (p Pages) left(ctx context.Context, due time.Time) string {
	f := i18n.Fmt(ctx)
	if due.IsZero() {
		return i18n.T(ctx, "feedback.case.no_clock")
	}
	if d := due.Sub(p.Clock.Now()); d >= 0 {
		return i18n.T(ctx, "feedback.case.left", "time", f.DurationShort(d))
	}
	return i18n.T(ctx, "feedback.case.late_by", "time", f.DurationShort(p.Clock.Now().Sub(due)))
}

// dueWords is the deadline as people say it: the end of a day, or the minute.
func (p Pages) dueWords(ctx context.Context, due time.Time) string {
	local := due.In(p.Zone)
	if local.Hour() == 0 && local.Minute() == 0 {
		return i18n.T(ctx, "feedback.case.until_day", "day", i18n.Fmt(ctx).Date(local.Add(-time.Minute)))
	}
	return i18n.Fmt(ctx).DateTime(local, p.now())
}

// clockState is how a deadline is drawn.
func (p Pages) clockState(due time.Time, used float64) ui.ClockState {
	switch {
	case !due.After(p.Clock.Now()):
		return ui.ClockLate
	case used >= 0.75:
		return ui.ClockSoon
	}
	return ui.ClockRunning
}

// word translates a value of the program: a kind, a state, a severity.
func word(ctx context.Context, group, value string) string {
	if value == "" {
		return "—"
	}
	return i18n.T(ctx, "feedback.case."+group+"."+value)
}

func nameOf(names map[string]string, id, none string) string {
	if id == "" {
		return none
	}
	if n := names[id]; n != "" {
		return n
	}
	return id
}

func errorText(ctx context.Context, err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return i18n.Error(ctx, e)
	}
	return i18n.Error(ctx, err)
}

func trim(s string) string { return strings.TrimSpace(s) }
