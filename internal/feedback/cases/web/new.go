package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"

	"omote/internal/feedback/cases"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type newView struct {
	in    cases.Intake
	token string // makes a form that is sent twice one case
	wrong ui.FieldErrors
	units []ui.Option
}

func (p Pages) newCase(w http.ResponseWriter, r *http.Request) error {
	in := cases.Intake{Kind: cases.Complaint, Severity: cases.Medium, Channel: "phone", Locale: "vi"}
	return p.renderNew(w, r, http.StatusOK, newView{in: in, token: formToken()})
}

func formToken() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw)
	return hex.EncodeToString(raw)
}

func (p Pages) renderNew(w http.ResponseWriter, r *http.Request, status int, v newView) error {
	ctx := r.Context()
	v.units = unitOptions(p.Units(ctx))
	page := ui.Page{Title: i18n.T(ctx, "feedback.case.new.title"), At: ui.NavCases, Finding: i18n.T(ctx, "feedback.case.new.finding"), Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}}}
	return ui.RenderStatus(w, r, status, newPage(page, v))
}

func (p Pages) openCase(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := newView{in: intakeOf(r), token: r.FormValue("token")}
	v.in.Kind, v.in.Severity, v.in.Channel, v.in.Unit = cases.Kind(r.FormValue("kind")), cases.Severity(r.FormValue("severity")), r.FormValue("channel"), r.FormValue("unit")
	v.in.Signal = cases.Signal{Source: "form", Ref: v.token, Kind: "complaint", Words: v.in.Words}
	if len(v.token) != 32 {
		v.in.Signal = cases.Signal{}
	}
	if v.in.CustomerID != "" || v.in.Phone != "" || v.in.Email != "" {
		v.in.Issue = string(v.in.Kind) + ":/" + v.in.Reason + "/" + v.in.Product
	}
	id, err := p.Cases.Open(ctx, v.in)
	if err != nil {
		if !refused(err) {
			return err
		}
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderNew(w, r, http.StatusUnprocessableEntity, v)
	}
	return seeOther(w, r, casePath(id))
}

// intakeOf reads what staff and customers fill in alike.
func intakeOf(r *http.Request) cases.Intake {
	return cases.Intake{Product: r.FormValue("product"), Reason: r.FormValue("reason"), Title: trim(r.FormValue("title")), Words: trim(r.FormValue("words")), Name: trim(r.FormValue("name")),
		Phone: trim(r.FormValue("phone")), Email: trim(r.FormValue("email")), Locale: r.FormValue("locale"), CustomerID: trim(r.FormValue("customer")), Journey: r.FormValue("journey")}
}

// Products and reasons that a complaint can be about; the bank's own codes come with
// its feeds.
var (
	products = []string{"payment_account", "debit_card", "credit_card", "loan", "deposit", "transfer", "mobile_app", "branch", "other"}
	reasons  = []string{"charged_twice", "unauthorised", "failed_transfer", "fee", "delay", "staff", "information", "app_error", "lost_card", "other"}
)

func listOptions(ctx context.Context, group string, values []string) []ui.Option {
	out := []ui.Option{{Label: i18n.T(ctx, "feedback.case.choose")}}
	for _, v := range values {
		out = append(out, ui.Option{Value: v, Label: word(ctx, group, v)})
	}
	return out
}

func kindOptions(ctx context.Context) (out []ui.Option) {
	for _, k := range cases.Kinds {
		out = append(out, ui.Option{Value: string(k), Label: word(ctx, "kind", string(k))})
	}
	return out
}

func localeOptions(ctx context.Context) []ui.Option {
	return []ui.Option{{Value: "vi", Label: i18n.T(ctx, "feedback.case.locale.vi")}, {Value: "en", Label: i18n.T(ctx, "feedback.case.locale.en")}}
}
