package web

import (
	"net/http"

	"omote/internal/ui"
)

const forgotPath = "/forgotten"

// forgotView is the page of people who forgot their password.
type forgotView struct {
	email string
	wrong string
	sent  bool
}

func (p Pages) forgot(w http.ResponseWriter, r *http.Request) error {
	if !p.Auth.CanForget() {
		return seeOther(w, r, signInPath)
	}
	return ui.Render(w, r, forgotPage(forgotView{email: r.FormValue("email")}, p.Version))
}

func (p Pages) forgotSend(w http.ResponseWriter, r *http.Request) error {
	v := forgotView{email: r.FormValue("email")}
	if err := p.Auth.Forgot(r.Context(), v.email, p.Web.Client(r)); err != nil {
		var refused signInView
		status, err := refused.refuse(r.Context(), w, err, "admin.web.signin.wrong")
		if err != nil {
			return err
		}
		v.wrong = refused.wrong
		return ui.RenderStatus(w, r, status, forgotPage(v, p.Version))
	}
	v.sent = true
	return ui.Render(w, r, forgotPage(v, p.Version))
}
