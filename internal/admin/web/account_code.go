package web

import (
	"errors"
	"net/http"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// isWrongPassword tells that the present password was wrong, not the new one.
func isWrongPassword(err error) bool {
	known, ok := errors.AsType[*errs.Error](err)
	return ok && known.Key == "auth.password_wrong"
}

// codeBegin makes the secret of an authenticator app. It waits in an encrypted
// cookie until the app has proven that it has it.
func (p Pages) codeBegin(w http.ResponseWriter, r *http.Request) error {
	setting, err := p.Auth.BeginTwoFactor(r.Context(), r.FormValue("password"))
	if err != nil {
		return p.accountRefused(w, r, "begin", err, map[string]string{"password": "begin-password"})
	}
	if err := p.keep(w, r, cookieCode, codeLife, setting); err != nil {
		return err
	}
	return seeOther(w, r, accountPath+"#code")
}

func (p Pages) codeConfirm(w http.ResponseWriter, r *http.Request) error {
	recovery, err := p.Auth.ConfirmTwoFactor(r.Context(), r.FormValue("code"))
	if err != nil {
		return p.accountRefused(w, r, "confirm", err, map[string]string{"code": "code-now"})
	}
	p.drop(w, cookieCode)
	a, _ := auth.From(r.Context())
	if err := p.showOnce(w, r, "recovery", a.ID, recovery...); err != nil {
		return err
	}
	return p.done(w, r, accountPath+"#code", told{Key: "account.code_on"})
}

func (p Pages) codeEnd(w http.ResponseWriter, r *http.Request) error {
	if err := p.Auth.EndTwoFactor(r.Context(), r.FormValue("password")); err != nil {
		return p.accountRefused(w, r, "end", err, map[string]string{"password": "end-password"})
	}
	return p.done(w, r, accountPath, told{Key: "account.code_off"})
}

// sessionEnd ends one session of one's own, or all others.
func (p Pages) sessionEnd(w http.ResponseWriter, r *http.Request) error {
	if r.PathValue("id") == "others" {
		if err := p.Auth.RevokeOthers(r.Context()); err != nil {
			return err
		}
		return p.done(w, r, accountPath, told{Key: "account.sessions"})
	}
	if err := p.Auth.Revoke(r.Context(), r.PathValue("id")); err != nil && errs.KindOf(err) != errs.KindNotFound {
		return err
	}
	return p.done(w, r, accountPath, told{Key: "account.session"})
}
