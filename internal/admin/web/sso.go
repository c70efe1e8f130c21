package web

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// SSOCallback is the path to which the identity provider leads back; the address
// with it is what the bank registers there.
const SSOCallback = "/sign-in/oidc/callback"

// ssoTimeout bounds how long the provider may take to describe itself.
const ssoTimeout = 5 * time.Second

// SSO is the bank's own sign-in. The provider is asked for its configuration when
// the first person comes, not at start: that it is down must not keep the
// installation from starting.
type SSO struct {
	Config auth.OIDCConfig

	mu   sync.Mutex
	oidc *auth.OIDC
}

func (s *SSO) provider(ctx context.Context, web *auth.Web) (*auth.OIDC, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.oidc != nil {
		return s.oidc, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ssoTimeout)
	defer cancel()
	o, err := auth.NewOIDC(ctx, web, s.Config)
	if err != nil {
		return nil, errs.Unavailable("admin.web.signin.sso_down", "the identity provider does not answer").Because(err)
	}
	s.oidc = o
	return o, nil
}

func (p Pages) ssoStart(w http.ResponseWriter, r *http.Request) error {
	next := localPath(r.FormValue("next"))
	if p.SSO == nil {
		return seeOther(w, r, signInPath+"?"+url.Values{"next": {next}}.Encode())
	}
	o, err := p.SSO.provider(r.Context(), p.Web)
	if err != nil {
		return p.ssoFailed(w, r, next, err)
	}
	return o.Start(w, r, next)
}

func (p Pages) ssoBack(w http.ResponseWriter, r *http.Request) error {
	if p.SSO == nil {
		return seeOther(w, r, signInPath)
	}
	o, err := p.SSO.provider(r.Context(), p.Web)
	if err != nil {
		return p.ssoFailed(w, r, "/", err)
	}
	next, err := o.Callback(w, r)
	if errs.KindOf(err) == errs.KindUnauthenticated {
		return p.ssoFailed(w, r, "/", err)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, next)
}

// ssoFailed is the door with what went wrong; the own account is the way in that
// remains.
func (p Pages) ssoFailed(w http.ResponseWriter, r *http.Request, next string, err error) error {
	httpx.LogFailure(r, err)
	return ui.RenderStatus(w, r, httpx.Status(err), signInPage(signInView{next: next, sso: true, note: i18n.Error(r.Context(), err)}, p.Version))
}
