package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// signInView is what the door shows.
type signInView struct {
	next  string
	email string
	sso   bool
	wrong string // why the form came back
	note  string // what happened before
	lock  bool   // further attempts must wait
	// forgot offers a link by e-mail to those who forgot the password.
	forgot bool
}

// pending are credentials that wait for the one-time code.
type pending struct{ Email, Password string }

func (p Pages) signIn(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.FormValue("next"))
	if _, ok := auth.From(r.Context()); ok {
		return seeOther(w, r, next)
	}
	if r.Header.Get("HX-Request") != "" { // a part of a page whose session has ended
		w.Header().Set("HX-Redirect", signInPath+"?"+url.Values{"next": {pageOf(r)}}.Encode())
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if r.FormValue("step") == "code" {
		return p.signInCode(w, r, next)
	}
	p.drop(w, cookieSignIn)
	v := signInView{next: next, sso: p.SSO != nil, forgot: p.Auth.CanForget()}
	if reason := r.FormValue("after"); reason == "sign-out" || reason == "password" {
		v.note = i18n.T(r.Context(), "admin.web.signin.after."+reason)
	}
	return ui.Render(w, r, signInPage(v, p.Version))
}

// pageOf is the page that asked for a part of itself.
func pageOf(r *http.Request) string {
	u, err := url.Parse(r.Header.Get("HX-Current-URL"))
	if err != nil {
		return "/"
	}
	return localPath(u.RequestURI())
}

// signInCode is the second step.
func (p Pages) signInCode(w http.ResponseWriter, r *http.Request, next string) error {
	var c pending
	if !p.kept(r, cookieSignIn, &c) {
		v := signInView{next: next, sso: p.SSO != nil, forgot: p.Auth.CanForget(), note: i18n.T(r.Context(), "admin.web.signin.late")}
		return ui.Render(w, r, signInPage(v, p.Version))
	}
	return ui.Render(w, r, codePage(signInView{next: next, email: c.Email}, p.Version))
}

func (p Pages) signInSend(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.FormValue("next"))
	if r.FormValue("step") == "code" {
		return p.signInCodeSend(w, r, next)
	}
	c := auth.Credentials{Email: r.FormValue("email"), Password: r.FormValue("password")}
	token, err := p.Auth.SignIn(r.Context(), c, p.Web.Client(r))
	if auth.NeedsCode(err) {
		if err := p.keep(w, r, cookieSignIn, stepLife, pending{c.Email, c.Password}); err != nil {
			return err
		}
		return seeOther(w, r, signInPath+"?"+url.Values{"step": {"code"}, "next": {next}}.Encode())
	}
	if err == nil {
		return p.enter(w, r, token, next)
	}
	v := signInView{next: next, email: strings.TrimSpace(c.Email), sso: p.SSO != nil, forgot: p.Auth.CanForget()}
	status, err := v.refuse(r.Context(), w, err, "admin.web.signin.wrong")
	if err != nil {
		return err
	}
	return ui.RenderStatus(w, r, status, signInPage(v, p.Version))
}

func (p Pages) signInCodeSend(w http.ResponseWriter, r *http.Request, next string) error {
	var c pending
	if !p.kept(r, cookieSignIn, &c) {
		return p.signInCode(w, r, next)
	}
	code := strings.TrimSpace(r.FormValue("code"))
	v := signInView{next: next, email: c.Email}
	if code == "" {
		v.wrong = i18n.T(r.Context(), "auth.code_needed")
		return ui.RenderStatus(w, r, http.StatusUnprocessableEntity, codePage(v, p.Version))
	}
	token, err := p.Auth.SignIn(r.Context(), auth.Credentials{Email: c.Email, Password: c.Password, Code: code}, p.Web.Client(r))
	if err == nil {
		p.drop(w, cookieSignIn)
		return p.enter(w, r, token, next)
	}
	status, err := v.refuse(r.Context(), w, err, "admin.web.signin.code_wrong")
	if err != nil {
		return err
	}
	return ui.RenderStatus(w, r, status, codePage(v, p.Version))
}

// refuse words why the door stays shut and gives the status. Errors that are no
// refusal come back.
func (v *signInView) refuse(ctx context.Context, w http.ResponseWriter, err error, wrong string) (status int, other error) {
	known, ok := errors.AsType[*errs.Error](err)
	switch {
	case ok && known.Key == "auth.wrong":
		v.wrong = i18n.T(ctx, wrong)
		return http.StatusUnauthorized, nil
	case ok && known.Key == "auth.too_many_attempts":
		seconds, _ := known.Args["seconds"].(int64)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
		v.wrong, v.lock = i18n.T(ctx, "admin.web.signin.wait", "wait", i18n.Fmt(ctx).Duration(time.Duration(seconds)*time.Second)), true
		return http.StatusTooManyRequests, nil
	}
	return 0, err
}

// enter begins the session and leads on. A browser that has not chosen a language
// gets that of the account.
func (p Pages) enter(w http.ResponseWriter, r *http.Request, token, next string) error {
	if err := p.Web.Begin(w, r, token); err != nil {
		return err
	}
	if _, err := r.Cookie(i18n.CookieName); err == nil {
		return seeOther(w, r, next)
	}
	a, err := p.Auth.Session(r.Context(), token)
	if err != nil {
		return err
	}
	me, err := p.Auth.Me(auth.WithActor(r.Context(), a))
	if err != nil {
		return err
	}
	http.SetCookie(w, p.language(me.Locale))
	return seeOther(w, r, next)
}

// language remembers the language of pages in the browser.
func (p Pages) language(locale string) *http.Cookie {
	return &http.Cookie{Name: i18n.CookieName, Value: locale, Path: "/", MaxAge: 365 * 24 * 3600, Secure: p.Web.Secure, SameSite: http.SameSiteLaxMode}
}

func (p Pages) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := p.Web.End(w, r); err != nil {
		return err
	}
	p.drop(w, cookieOnce)
	return seeOther(w, r, signInPath+"?after=sign-out")
}
