package auth

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/uptrace/bun"
	"golang.org/x/oauth2"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// OIDCConfig names the bank's identity provider (OpenID Connect Core 1.0).
type OIDCConfig struct {
	Issuer       string // its address; the configuration is read from there
	ClientID     string
	ClientSecret string   // empty for a public client
	RedirectURL  string   // https://…/auth/oidc/callback
	Scopes       []string // besides openid, email and profile
}

// OIDC signs people in through the provider: authorisation code flow with PKCE
// (RFC 7636), state bound to the browser, and a nonce in the ID token. A person
// is known by issuer and subject; the first time, by a verified e-mail address
// of an account that exists and is not disabled. Accounts are not made this way,
// and a one-time code is the provider's affair.
type OIDC struct {
	web      *Web
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
}

// flowLife is how long a person may take at the provider.
const flowLife = 10 * time.Minute

// NewOIDC reads the provider's configuration. ctx may carry an HTTP client
// (oidc.ClientContext).
func NewOIDC(ctx context.Context, web *Web, c OIDCConfig) (*OIDC, error) {
	p, err := oidc.NewProvider(ctx, c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("auth: identity provider: %w", err)
	}
	o := &OIDC{web: web, provider: p, verifier: p.Verifier(&oidc.Config{ClientID: c.ClientID, Now: web.Service.db.Clock().Now})}
	o.oauth = oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURL: c.RedirectURL, Endpoint: p.Endpoint(),
		Scopes: append([]string{oidc.ScopeOpenID, "email", "profile"}, c.Scopes...)}
	return o, nil
}

func (o *OIDC) cookieName() string { return o.web.CookieName() + "-oidc" }

// Start sends the browser to the provider. next is the page to come back to.
func (o *OIDC) Start(w http.ResponseWriter, r *http.Request, next string) error {
	state, err := newToken()
	if err != nil {
		return err
	}
	nonce, err := newToken()
	if err != nil {
		return err
	}
	verifier := oauth2.GenerateVerifier()
	if err := o.web.Service.saveFlow(r.Context(), state, nonce, verifier, localPath(next)); err != nil {
		return err
	}
	c := o.web.cookie(state, int(flowLife.Seconds()))
	c.Name = o.cookieName()
	http.SetCookie(w, c)
	http.Redirect(w, r, o.oauth.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)), http.StatusSeeOther)
	return nil
}

var errOIDC = func(cause error) error {
	return errs.Unauthenticated("auth.oidc_failed", "sign-in through the identity provider failed").Because(cause)
}

// Callback takes the person back from the provider, begins the session and gives
// the page to go to.
func (o *OIDC) Callback(w http.ResponseWriter, r *http.Request) (next string, err error) {
	c := o.web.cookie("", -1)
	c.Name = o.cookieName()
	http.SetCookie(w, c)
	state := r.FormValue("state")
	cookie, err := r.Cookie(o.cookieName())
	if err != nil || state == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(state)) != 1 {
		return "", errOIDC(fmt.Errorf("the answer does not belong to this browser"))
	}
	f, err := o.web.Service.takeFlow(r.Context(), state)
	if err != nil {
		return "", err
	}
	if e := r.FormValue("error"); e != "" {
		return "", errOIDC(fmt.Errorf("the provider says %.100q", e))
	}
	claims, err := o.exchange(r.Context(), r.FormValue("code"), f)
	if err != nil {
		return "", errOIDC(err)
	}
	token, err := o.web.Service.signInClaims(r.Context(), claims, o.web.Client(r))
	if err != nil {
		return "", err
	}
	return f.Next, o.web.Begin(w, r, token)
}

// claims are what the ID token says about a person.
type claims struct {
	Issuer   string
	Subject  string
	Email    string
	Verified bool
}

func (o *OIDC) exchange(ctx context.Context, code string, f flow) (c claims, err error) {
	token, err := o.oauth.Exchange(ctx, code, oauth2.VerifierOption(f.Verifier.Plain))
	if err != nil {
		return c, err
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return c, fmt.Errorf("the answer holds no ID token")
	}
	id, err := o.verifier.Verify(ctx, raw)
	if err != nil {
		return c, err
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return c, fmt.Errorf("the ID token has another nonce")
	}
	var extra struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	if err := id.Claims(&extra); err != nil {
		return c, err
	}
	return claims{id.Issuer, id.Subject, extra.Email, extra.Verified}, nil
}

// flow is a sign-in that is under way at the provider.
type flow struct {
	bun.BaseModel `bun:"table:auth_flow"`

	State    string `bun:",pk"` // hash of it
	Nonce    string
	Verifier sealed.Text
	Next     string
	Expires  store.Micros
}

func (s *Service) saveFlow(ctx context.Context, state, nonce, verifier, next string) error {
	return s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		f := flow{State: hashToken(state), Nonce: nonce, Verifier: sealed.New(verifier), Next: next, Expires: tx.Now().Add(flowLife)}
		if err := s.box.Seal(ctx, tx, &f); err != nil {
			return err
		}
		return do(tx.NewInsert().Model(&f).Exec(ctx))
	})
}

// takeFlow uses up the flow of a state.
func (s *Service) takeFlow(ctx context.Context, state string) (f flow, err error) {
	err = s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		f = flow{}
		if err := tx.NewSelect().Model(&f).Where("state = ? AND expires > ?", hashToken(state), tx.Now()).Scan(ctx); err != nil {
			return err
		}
		n, err := affected(tx.NewDelete().Model(&f).WherePK().Exec(ctx))
		if err == nil && n == 0 {
			return sql.ErrNoRows
		}
		if err != nil {
			return err
		}
		return s.box.Open(ctx, tx, &f)
	})
	if store.IsNoRows(err) {
		return f, errOIDC(fmt.Errorf("the sign-in was begun too long ago or finished before"))
	}
	return f, err
}

// signInClaims begins a session for the account that the claims belong to.
func (s *Service) signInClaims(ctx context.Context, c claims, client Client) (token string, err error) {
	err = s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		r, err := s.accountOfClaims(ctx, tx, c)
		if err != nil {
			return err
		}
		if r.State == Disabled {
			return errOIDC(fmt.Errorf("account %s is disabled", r.ID))
		}
		r.State = Active
		token, err = s.startSession(ctx, tx, &r, client, "identity provider")
		return err
	})
	return token, err
}

func (s *Service) accountOfClaims(ctx context.Context, tx store.Tx, c claims) (accountRow, error) {
	var id string
	err := tx.NewRaw("SELECT account_id FROM auth_identity WHERE issuer = ? AND subject = ?", c.Issuer, c.Subject).Scan(ctx, &id)
	if err == nil {
		return s.accountByID(ctx, tx, id)
	}
	if !store.IsNoRows(err) {
		return accountRow{}, fmt.Errorf("auth: identity: %w", err)
	}
	if !c.Verified || c.Email == "" {
		return accountRow{}, errOIDC(fmt.Errorf("the provider gives no verified e-mail address"))
	}
	r, err := s.findByEmail(ctx, tx, NormaliseEmail(c.Email))
	if store.IsNoRows(err) {
		return r, errOIDC(fmt.Errorf("no account has the provider's e-mail address"))
	}
	if err != nil {
		return r, err
	}
	if err := do(tx.NewRaw("INSERT INTO auth_identity (issuer, subject, account_id) VALUES (?, ?, ?)", c.Issuer, c.Subject, r.ID).Exec(ctx)); err != nil {
		return r, err
	}
	return r, audit.Record(ctx, as(tx, r.ID), audit.Entry{Action: "auth.identity.link", Object: "account/" + r.ID, Reason: c.Issuer})
}

// localPath keeps only addresses of this site, so that a sign-in cannot be made
// to end elsewhere.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
