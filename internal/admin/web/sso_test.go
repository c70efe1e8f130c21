package web_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"omote/internal/platform/config"
)

// idp is an identity provider that signs everybody in as one person. That the
// protocol is kept is tested in package auth; here it is the way through the
// pages.
func idp(t *testing.T, email string) *httptest.Server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "1"))
	must(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": server.URL, "authorization_endpoint": server.URL + "/authorize", "token_endpoint": server.URL + "/token", "jwks_uri": server.URL + "/keys"})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	nonce := ""
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		nonce = q.Get("nonce")
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {"c"}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		token, err := jwt.Signed(signer).Claims(map[string]any{"iss": server.URL, "aud": "omote", "sub": "1", "nonce": nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
			"email": email, "email_verified": true}).Serialize()
		if err != nil {
			t.Error(err)
		}
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": token})
	})
	return server
}

// freeAddress is an address of this machine that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

func TestTheBanksOwnSignIn(t *testing.T) {
	t.Parallel()
	provider := idp(t, "chief@example.org")
	s := newSite(t, func(c *config.Config) {
		c.Addr = freeAddress(t)
		c.OIDCIssuer, c.OIDCClient = provider.URL, "omote"
	})
	s.visitor().setUp()
	notes := map[string]string{}
	v := s.visitor()
	v.play(notes, step{name: "the bank's way stands first", path: "/sign-in?next=/admin/keys", status: 200, has: []string{"Use my account of Example Bank", `/sign-in/oidc?next=%2Fadmin%2Fkeys`}},
		step{name: "it leads to the provider", path: "/sign-in/oidc?next=/admin/keys", status: 303, to: provider.URL + "/authorize", note: "there", find: `(` + provider.URL + `/authorize\?[^\s]+)`})
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(notes["there"])
	must(t, err)
	res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	must(t, err)
	notes["back"] = back.RequestURI()
	s.visitor().play(notes, step{name: "another browser cannot take the answer", path: "$back", status: 401, has: []string{"identity provider failed"}})
	v.play(notes, step{name: "and back", path: "$back", status: 303, to: "/admin/keys"},
		step{name: "in", path: "/account", status: 200, has: []string{"Chief Example"}},
		step{name: "out", path: "/sign-out", form: "x=1", status: 303},
		step{name: "an answer counts once", path: "$back", status: 401, has: []string{"identity provider failed", `name="password"`}})
}

func TestTheBanksSignInIsDown(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *config.Config) { c.OIDCIssuer, c.OIDCClient = "http://"+freeAddress(t), "omote" })
	s.visitor().setUp()
	s.visitor().play(map[string]string{},
		step{name: "the own account is the way that remains", path: "/sign-in/oidc?next=/admin/keys", status: 503, has: []string{"does not answer", `name="password"`, `value="/admin/keys"`}},
		step{name: "it works", path: "/sign-in", form: "email=chief@example.org&password=" + password + "&next=/admin/keys", status: 303, to: "/admin/keys"})
}
