package web

import (
	"net/http"

	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// invitationView is the page on which an invited person chooses a password.
type invitationView struct {
	token string
	wrong ui.FieldErrors
	dead  bool // the link works no more
}

func (p Pages) invitation(w http.ResponseWriter, r *http.Request) error {
	return ui.Render(w, r, invitationPage(invitationView{token: r.PathValue("token")}, p.Version))
}

func (p Pages) invitationSend(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v := invitationView{token: r.PathValue("token")}
	password := r.FormValue("password")
	if password != r.FormValue("again") {
		v.wrong = ui.FieldErrors{{Field: "again", Text: i18n.T(ctx, "admin.web.password.differ")}}
		return ui.RenderStatus(w, r, http.StatusUnprocessableEntity, invitationPage(v, p.Version))
	}
	token, err := p.Auth.Redeem(ctx, v.token, password, p.Web.Client(r))
	switch errs.KindOf(err) {
	case errs.KindDenied:
		v.dead = true
		return ui.RenderStatus(w, r, http.StatusForbidden, invitationPage(v, p.Version))
	case errs.KindInvalid:
		v.wrong = ui.ErrorsFrom(ctx, err)
		return ui.RenderStatus(w, r, http.StatusUnprocessableEntity, invitationPage(v, p.Version))
	}
	if err != nil {
		return err
	}
	if token == "" { // a one-time code is asked for as well
		return seeOther(w, r, signInPath+"?after=password")
	}
	return p.enter(w, r, token, "/")
}
