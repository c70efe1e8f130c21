package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"omote/internal/admin/org"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// SetupGuard leads every page to the first-run set-up until there is an account.
type SetupGuard struct {
	Auth *auth.Service
	done atomic.Bool
}

// Lead is the middleware. Whoever acts already (a key, the operator of the
// machine) and what is no page passes.
func (g *SetupGuard) Lead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, acts := auth.From(r.Context()); acts || g.done.Load() || beforeSetup(r) {
			next.ServeHTTP(w, r)
			return
		}
		needed, err := g.Auth.NeedsSetup(r.Context())
		if err == nil && needed {
			http.Redirect(w, r, setupPath, http.StatusSeeOther)
			return
		}
		g.done.Store(err == nil)
		next.ServeHTTP(w, r)
	})
}

// beforeSetup tells what works without any account.
func beforeSetup(r *http.Request) bool {
	switch r.URL.Path {
	case setupPath, ui.PreferencesPath, "/healthz", "/readyz", "/metrics", "/styleguide":
		return true
	}
	// A customer's signed link has nothing to do with who may sign in.
	return httpx.IsAPI(r) || strings.HasPrefix(r.URL.Path, "/assets/") || strings.HasPrefix(r.URL.Path, "/s/")
}

// setupForm is what the first run asks for.
type setupForm struct {
	token            string
	bank             string
	unit, code, kind string
	name, email      string
	wrong            ui.FieldErrors
	badToken         bool
	parts            []Part
	place            Place
}

func (p Pages) setup(w http.ResponseWriter, r *http.Request) error {
	needed, err := p.Auth.NeedsSetup(r.Context())
	if err != nil {
		return err
	}
	if !needed {
		return seeOther(w, r, signInPath)
	}
	f := setupForm{token: strings.TrimSpace(r.FormValue("token")), kind: string(org.Single), bank: ui.ChromeFrom(r.Context()).Bank}
	return p.renderSetup(w, r, http.StatusOK, f)
}

func (p Pages) renderSetup(w http.ResponseWriter, r *http.Request, status int, f setupForm) error {
	f.parts, f.place = p.Health.Try(r.Context()), p.Health.Place()
	return ui.RenderStatus(w, r, status, setupPage(f))
}

func (p Pages) setupSend(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f := setupForm{token: r.FormValue("token"), bank: strings.TrimSpace(r.FormValue("bank")), unit: strings.TrimSpace(r.FormValue("unit")),
		code: strings.ToLower(strings.TrimSpace(r.FormValue("code"))), kind: r.FormValue("kind"),
		name: strings.TrimSpace(r.FormValue("name")), email: strings.TrimSpace(r.FormValue("email"))}
	password := r.FormValue("password")
	account := auth.NewAccount{Email: f.email, Name: f.name, Locale: i18n.Locale(ctx)}
	if account.Locale != "en" {
		account.Locale = "vi"
	}
	if f.wrong = f.check(ctx, account, password); len(f.wrong) > 0 {
		return p.renderSetup(w, r, http.StatusUnprocessableEntity, f)
	}
	token, err := p.Auth.SetUp(ctx, f.token, account, password, p.Web.Client(r))
	if errs.KindOf(err) == errs.KindDenied {
		f.badToken = true
		return p.renderSetup(w, r, http.StatusForbidden, f)
	}
	if refused(err) {
		f.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderSetup(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	if err := p.nameBank(ctx, token, f); err != nil {
		return err
	}
	if err := p.keep(w, r, cookieToast, onceLife, told{Key: "setup", Name: f.bank}); err != nil {
		return err
	}
	return p.enter(w, r, token, orgPath)
}

// check finds everything that is wrong at once, in the order of the fields.
func (f setupForm) check(ctx context.Context, n auth.NewAccount, password string) ui.FieldErrors {
	all := []error{asField("bank", org.New{Code: "x", Kind: org.Region, Name: f.bank}.Validate())}
	if f.unit != "" || f.code != "" {
		if err := (org.New{Code: "x", Kind: org.Kind(f.kind), Name: f.unit}).Validate(); err != nil {
			all = append(all, asField("unit", err))
		}
		if err := (org.New{Code: f.code, Kind: org.Region, Name: "x"}).Validate(); err != nil {
			all = append(all, err)
		}
	}
	if err := (auth.NewAccount{Email: "x@example.org", Name: n.Name, Locale: n.Locale}).Validate(); err != nil {
		all = append(all, err)
	}
	if err := (auth.NewAccount{Email: n.Email, Name: "x", Locale: n.Locale}).Validate(); err != nil {
		all = append(all, err)
	}
	all = append(all, auth.CheckPassword(password, n.Name, n.Email))
	return ui.ErrorsFrom(ctx, errors.Join(all...))
}

// asField gives an error of a service to the field of the form that it is about.
func asField(field string, err error) error {
	known, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return err
	}
	moved := *known
	moved.Field = field
	return &moved
}

// nameBank gives the entity its name and adds the first unit, as the person who
// has just come in.
func (p Pages) nameBank(ctx context.Context, token string, f setupForm) error {
	a, err := p.Auth.Session(ctx, token)
	if err != nil {
		return err
	}
	ctx = auth.WithActor(ctx, a)
	units, err := p.Admin.Org.Tree(ctx)
	if err != nil {
		return err
	}
	if units[0].Name != f.bank {
		if err := p.Admin.Org.Rename(ctx, units[0].ID, f.bank); err != nil {
			return err
		}
	}
	if f.unit == "" {
		return nil
	}
	_, err = p.Admin.Org.Add(ctx, org.New{Parent: scope.Root, Code: f.code, Kind: org.Kind(f.kind), Name: f.unit})
	return err
}
