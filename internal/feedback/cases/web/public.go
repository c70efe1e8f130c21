package web

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type questionView struct {
	cases.Question
	path string
	said string
}

// question asks the customer with one tap. Opening it changes nothing.
func (p Pages) question(w http.ResponseWriter, r *http.Request) error {
	q, err := p.Cases.Question(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	return p.renderQuestion(w, r, http.StatusOK, questionView{Question: q})
}

func (p Pages) renderQuestion(w http.ResponseWriter, r *http.Request, status int, v questionView) error {
	// The customer's own language, unless this browser has chosen one.
	if _, err := r.Cookie(i18n.CookieName); err != nil {
		r = r.WithContext(p.In(r.Context(), v.Locale))
	}
	ctx := r.Context()
	w.Header().Set("Referrer-Policy", "no-referrer")
	v.path = solvedPath + r.PathValue("token")
	return ui.RenderStatus(w, r, status, questionPage(ui.Page{Title: i18n.T(ctx, "feedback.solved.title", "ref", v.Ref)}, v))
}

func (p Pages) answer(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	word := r.FormValue("solved")
	if word != "yes" && word != "no" {
		return errs.Invalid("feedback.case.error.answer", "solved", "the answer is yes or no")
	}
	_, err := p.Cases.Answer(ctx, r.PathValue("token"), word == "yes", trim(r.FormValue("words")))
	if err != nil && errs.KindOf(err) == errs.KindConflict {
		q, qerr := p.Cases.Question(ctx, r.PathValue("token"))
		if qerr != nil {
			return qerr
		}
		return p.renderQuestion(w, r, http.StatusConflict, questionView{Question: q, said: errorText(ctx, err)})
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, solvedPath+r.PathValue("token"))
}

type complainView struct {
	in    cases.Intake
	token string
	wrong ui.FieldErrors
	ref   string // after it was sent
	by    string
	bank  string
}

const complaintCookie = "omote_complaint"

// complain is the customer's form: no account, one page.
func (p Pages) complain(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := complainView{in: cases.Intake{Locale: i18n.Locale(ctx)}, token: formToken()}
	if c, err := r.Cookie(complaintCookie); err == nil && r.URL.Query().Has("sent") {
		v.ref, v.by, _ = strings.Cut(fromSafe(c.Value), "|")
	}
	return p.renderComplain(w, r, http.StatusOK, v)
}

func (p Pages) renderComplain(w http.ResponseWriter, r *http.Request, status int, v complainView) error {
	ctx := r.Context()
	v.bank = p.Bank(ctx)
	return ui.RenderStatus(w, r, status, complainPage(ui.Page{Title: i18n.T(ctx, "feedback.complain.title")}, v))
}

// complaints of one address in an hour; more are asked to phone.
const complaintsAnHour = 12

var senders = &counter{seen: map[string][]time.Time{}}

// counter counts what addresses sent within the last hour.
type counter struct {
	mu   sync.Mutex
	seen map[string][]time.Time
}

func (c *counter) allow(address string, now time.Time, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.seen) > 10_000 {
		clear(c.seen)
	}
	recent := c.seen[address][:0]
	for _, t := range c.seen[address] {
		if now.Sub(t) < time.Hour {
			recent = append(recent, t)
		}
	}
	c.seen[address] = recent
	if len(recent) >= limit {
		return false
	}
	c.seen[address] = append(recent, now)
	return true
}

func (p Pages) complained(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := complainView{in: intakeOf(r), token: r.FormValue("token")}
	v.in.CustomerID, v.in.Journey = "", "" // a customer's form names neither
	v.in.Kind, v.in.Severity, v.in.Channel, v.in.Locale = cases.Complaint, cases.Medium, "web", i18n.Locale(ctx)
	if v.in.Locale != "en" {
		v.in.Locale = "vi"
	}
	v.in.Issue = "complaint:/" + v.in.Reason + "/" + v.in.Product
	v.in.Signal = cases.Signal{Source: "web_form", Ref: v.token, Kind: "complaint", Words: v.in.Words}
	refuse := func(err error) error {
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderComplain(w, r, http.StatusUnprocessableEntity, v)
	}
	switch {
	case r.FormValue("website") != "": // filled in by programs only
		return seeOther(w, r, "/complain?sent")
	case len(v.token) != 32:
		return refuse(errs.Invalid("feedback.case.error.form", "", "the form is too old; please send it again"))
	case v.in.Phone == "" && v.in.Email == "":
		return refuse(errs.Invalid("feedback.case.error.reach", "phone", "a phone number or an e-mail address is needed, to answer"))
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if !senders.allow(host, p.Clock.Now(), complaintsAnHour) {
		return errs.Unavailable("feedback.case.error.too_many", "too many complaints from one address within an hour")
	}
	sent, err := p.Cases.TakeComplaint(ctx, v.in)
	if err != nil {
		if !refused(err) {
			return err
		}
		return refuse(err)
	}
	by := ""
	if !sent.Promise.IsZero() {
		by = p.dueWords(ctx, sent.Promise)
	}
	http.SetCookie(w, &http.Cookie{Name: complaintCookie, Value: urlSafe(sent.Ref + "|" + by), Path: "/complain", MaxAge: 600, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return seeOther(w, r, "/complain?sent")
}
