package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// idp is a small identity provider: it signs in whoever comes, as the person it
// was told, and checks client, redirect address, code and PKCE as the
// specifications say. Spoil changes an ID token's claims before it is signed.
type idp struct {
	*httptest.Server
	t       *testing.T
	key     *rsa.PrivateKey
	now     func() time.Time
	person  map[string]any
	pending map[string]url.Values // by code
	spoil   func(map[string]any)
	signer  *rsa.PrivateKey
}

func newIDP(t *testing.T, now func() time.Time) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{t: t, key: key, signer: key, now: now, pending: map[string]url.Values{}, spoil: func(map[string]any) {}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
			"jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.json(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *idp) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		p.t.Error(err)
	}
}

func (p *idp) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != "omote" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || !strings.Contains(q.Get("scope"), "openid") {
		p.t.Errorf("authorisation request %v", q)
	}
	code := must1(newToken())
	p.pending[code] = q
	back := must1(url.Parse(q.Get("redirect_uri")))
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	asked, ok := p.pending[r.FormValue("code")]
	delete(p.pending, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if id, secret, _ := r.BasicAuth(); !ok || id != "omote" || secret != "s3cret" || r.FormValue("redirect_uri") != asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != asked.Get("code_challenge") {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": "omote", "nonce": asked.Get("nonce"), "iat": p.now().Unix(), "exp": p.now().Add(time.Minute).Unix()}
	for k, v := range p.person {
		claims[k] = v
	}
	p.spoil(claims)
	signer := must1(jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: p.signer}, (&jose.SignerOptions{}).WithHeader("kid", "1")))
	p.json(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": must1(jwt.Signed(signer).Claims(claims).Serialize())})
}

// oidcSite is a server whose people come from the provider.
func oidcSite(t *testing.T, r rig, p *idp) *httptest.Server {
	t.Helper()
	web := &Web{Service: r.Service, Fail: func(http.ResponseWriter, *http.Request, error) {}}
	mux := http.NewServeMux()
	server := httptest.NewServer(web.Identify(mux))
	t.Cleanup(server.Close)
	o, err := NewOIDC(t.Context(), web, OIDCConfig{Issuer: p.URL, ClientID: "omote", ClientSecret: "s3cret", RedirectURL: server.URL + "/callback"})
	if err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("GET /start", func(w http.ResponseWriter, r *http.Request) {
		if err := o.Start(w, r, r.FormValue("next")); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		next, err := o.Callback(w, r)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(err.Error()))
			return
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	})
	mux.HandleFunc("GET /home", func(w http.ResponseWriter, r *http.Request) {
		a, _ := From(r.Context())
		_, _ = w.Write([]byte(a.Ref()))
	})
	return server
}

func TestOIDC(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		p := newIDP(t, r.db.Clock().Now)
		server := oidcSite(t, r, p)
		id := r.add("lan@bank.test", Grant{Analyst, "/"})
		p.person = map[string]any{"sub": "u1", "email": "Lan@Bank.test", "email_verified": true}
		if status, body, _ := newBrowser(t, server.URL).do(http.MethodGet, "/start?next=/home", nil); status != 200 || body != "account:"+id {
			t.Fatal(status, body)
		}
		// Afterwards the subject counts: another address changes nothing.
		p.person = map[string]any{"sub": "u1", "email": "else@bank.test"}
		if status, body, _ := newBrowser(t, server.URL).do(http.MethodGet, "/start?next=/home", nil); status != 200 || body != "account:"+id {
			t.Error(status, body)
		}
		// And another subject with the address of a linked account is linked to it too,
		// only with a verified address.
		refused := func(name string) {
			t.Helper()
			if status, body, _ := newBrowser(t, server.URL).do(http.MethodGet, "/start?next=/home", nil); status != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", name, status, body)
			}
		}
		p.person = map[string]any{"sub": "u2", "email": "lan@bank.test"}
		refused("unverified address")
		p.person = map[string]any{"sub": "u2", "email": "stranger@bank.test", "email_verified": true}
		refused("no account")
		r.write(func(ctx context.Context, tx store.Tx) error { return r.Disable(ctx, tx, id) })
		p.person = map[string]any{"sub": "u1"}
		refused("disabled account")
	})
}

func TestOIDCRefusesFalseTokens(t *testing.T) {
	t.Parallel()
	r := webRig(t)
	p := newIDP(t, r.db.Clock().Now)
	server := oidcSite(t, r, p)
	r.add("lan@bank.test")
	p.person = map[string]any{"sub": "u1", "email": "lan@bank.test", "email_verified": true}
	try := func() int {
		status, _, _ := newBrowser(t, server.URL).do(http.MethodGet, "/start?next=/home", nil)
		return status
	}
	set := func(name string, v any) func(map[string]any) { return func(c map[string]any) { c[name] = v } }
	for name, spoil := range map[string]func(map[string]any){
		"another nonce":    set("nonce", "replayed"),
		"no nonce":         func(c map[string]any) { delete(c, "nonce") },
		"another audience": set("aud", "someone"),
		"another issuer":   set("iss", "https://evil.test"),
		"expired":          set("exp", r.db.Clock().Now().Add(-time.Minute).Unix()),
	} {
		p.spoil = spoil
		if got := try(); got != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, got)
		}
	}
	p.spoil = func(map[string]any) {}
	p.signer = must1(rsa.GenerateKey(rand.Reader, 2048))
	if got := try(); got != http.StatusUnauthorized {
		t.Errorf("signed by another key: %d", got)
	}
	p.signer = p.key
	if got := try(); got != http.StatusOK {
		t.Errorf("untouched: %d", got)
	}
}

// An answer of the provider counts only in the browser that asked, once, and in time.
func TestOIDCAnswersAreBoundToTheBrowser(t *testing.T) {
	t.Parallel()
	r := webRig(t)
	p := newIDP(t, r.db.Clock().Now)
	server := oidcSite(t, r, p)
	r.add("lan@bank.test", Grant{Analyst, "/"})
	p.person = map[string]any{"sub": "u1", "email": "lan@bank.test", "email_verified": true}

	// stopped follows the way to the provider and back but not into the callback.
	stopped := func() (b browser, callback string) {
		t.Helper()
		b = browser{t, &http.Client{Jar: must1(cookiejar.New(nil))}, ""}
		b.client.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
			if req.URL.Path == "/callback" {
				callback = req.URL.String()
				return http.ErrUseLastResponse
			}
			return nil
		}
		b.do(http.MethodGet, server.URL+"/start?next=/home", nil)
		b.client.CheckRedirect = nil
		return b, callback
	}
	mine, callback := stopped()
	if status, _, _ := newBrowser(t, "").do(http.MethodGet, callback, nil); status != http.StatusUnauthorized {
		t.Errorf("in another browser: %d", status)
	}
	if status, body, _ := mine.do(http.MethodGet, callback, nil); status != http.StatusOK {
		t.Errorf("in the browser that asked: %d %s", status, body)
	}
	if status, _, _ := mine.do(http.MethodGet, callback, nil); status != http.StatusUnauthorized {
		t.Errorf("the same answer again: %d", status)
	}
	late, callback := stopped()
	r.advance(flowLife)
	if status, _, _ := late.do(http.MethodGet, callback, nil); status != http.StatusUnauthorized {
		t.Errorf("too late: %d", status)
	}
}

func TestErrorsOfOIDCTellNothing(t *testing.T) {
	t.Parallel()
	err := errOIDC(errors.New("internal detail"))
	if e, _ := errors.AsType[*errs.Error](err); e.Key != "auth.oidc_failed" || strings.Contains(e.Text, "internal") {
		t.Errorf("%+v", e)
	}
}
