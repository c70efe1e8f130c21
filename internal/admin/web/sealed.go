package web

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/keyring"
	"omote/internal/ui"
)

// What must outlive a redirect and may not stand in an address, a page's source
// or the store waits in a cookie, encrypted with a key of the ring, for minutes:
// the credentials between the two steps of a sign-in, and secrets that are shown
// once. Any process of the installation can open it.

// sealedValue is the content of such a cookie.
type sealedValue struct {
	Until int64 // Unix seconds
	Value json.RawMessage
}

// Names of the cookies, after the session's.
const (
	cookieSignIn = "-step"  // credentials while the one-time code is asked for
	cookieCode   = "-code"  // secret of an authenticator app that is being set up
	cookieOnce   = "-once"  // what is shown once on the next page
	cookieToast  = "-toast" // what the toast of the next page says
	stepLife     = 5 * time.Minute
	onceLife     = 2 * time.Minute
	codeLife     = 15 * time.Minute
)

func aead(key keyring.Key) (cipher.AEAD, error) {
	raw, err := hkdf.Key(sha256.New, key.Secret[:], nil, "omote admin/web cookie", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// seal encrypts v for the cookie name.
func (p Pages) seal(ctx context.Context, name string, life time.Duration, v any) (string, error) {
	key, err := p.Keys.Current(ctx, keyring.Session)
	if err != nil {
		return "", fmt.Errorf("admin/web: %w", err)
	}
	box, err := aead(key)
	if err != nil {
		return "", fmt.Errorf("admin/web: %w", err)
	}
	value, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("admin/web: %w", err)
	}
	plain, err := json.Marshal(sealedValue{p.Clock.Now().Add(life).Unix(), value})
	if err != nil {
		return "", fmt.Errorf("admin/web: %w", err)
	}
	return key.ID + "." + base64.RawURLEncoding.EncodeToString(box.Seal(nil, nil, plain, []byte(name))), nil
}

// open decrypts what seal gave; false when it is another's, too old or damaged.
func (p Pages) open(ctx context.Context, name, sealed string, v any) bool {
	at := strings.LastIndexByte(sealed, '.')
	if at < 0 {
		return false
	}
	key, err := p.Keys.Lookup(ctx, keyring.Session, sealed[:at])
	if err != nil {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed[at+1:])
	if err != nil {
		return false
	}
	box, err := aead(key)
	if err != nil {
		return false
	}
	plain, err := box.Open(nil, nil, raw, []byte(name))
	if err != nil {
		return false
	}
	var content sealedValue
	if json.Unmarshal(plain, &content) != nil || content.Until < p.Clock.Now().Unix() {
		return false
	}
	return json.Unmarshal(content.Value, v) == nil
}

// keep puts v into the encrypted cookie name.
func (p Pages) keep(w http.ResponseWriter, r *http.Request, name string, life time.Duration, v any) error {
	sealed, err := p.seal(r.Context(), name, life, v)
	if err != nil {
		return err
	}
	http.SetCookie(w, p.cookie(name, sealed, int(life/time.Second)))
	return nil
}

// kept reads the encrypted cookie name.
func (p Pages) kept(r *http.Request, name string, v any) bool {
	c, err := r.Cookie(p.Web.CookieName() + name)
	return err == nil && p.open(r.Context(), name, c.Value, v)
}

// drop removes the cookie name.
func (p Pages) drop(w http.ResponseWriter, name string) { http.SetCookie(w, p.cookie(name, "", -1)) }

func (p Pages) cookie(name, value string, age int) *http.Cookie {
	return &http.Cookie{Name: p.Web.CookieName() + name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: p.Web.Secure, SameSite: http.SameSiteLaxMode}
}

// once is something that its owner sees once.
type once struct {
	Kind   string // "invitation", "key" or "recovery"
	About  string // id of what it belongs to
	Values []string
	Actor  string
}

// showOnce lets the next page of the same actor show values.
func (p Pages) showOnce(w http.ResponseWriter, r *http.Request, kind, about string, values ...string) error {
	a, _ := auth.From(r.Context())
	return p.keep(w, r, cookieOnce, onceLife, once{kind, about, values, a.Ref()})
}

// takeOnce gives what is to be shown, and removes it.
func (p Pages) takeOnce(w http.ResponseWriter, r *http.Request, kind, about string) []string {
	var o once
	a, _ := auth.From(r.Context())
	if !p.kept(r, cookieOnce, &o) || o.Kind != kind || o.About != about || o.Actor != a.Ref() {
		return nil
	}
	p.drop(w, cookieOnce)
	return o.Values
}

// told is the toast of the next page: the end of its key and, where it names
// something, what.
type told struct {
	Key  string
	Name string
	ID   string // of what can be undone
}

// undo gives the addresses that take an act back.
var undo = map[string]func(id string) string{
	"person.disabled": func(id string) string { return peoplePath + "/" + id + "/enable" },
	"person.enabled":  func(id string) string { return peoplePath + "/" + id + "/disable" },
	"unit.closed":     func(id string) string { return orgPath + "/" + id + "/reopen" },
	"unit.reopened":   func(id string) string { return orgPath + "/" + id + "/close" },
}

// done leads on to path, where a toast tells what was done.
func (p Pages) done(w http.ResponseWriter, r *http.Request, path string, t told) error {
	if err := p.keep(w, r, cookieToast, onceLife, t); err != nil {
		return err
	}
	return seeOther(w, r, path)
}

// toast is what the page before wants told, nil for nothing.
func (p Pages) toast(w http.ResponseWriter, r *http.Request) *ui.ToastProps {
	var t told
	if !p.kept(r, cookieToast, &t) {
		return nil
	}
	p.drop(w, cookieToast)
	props := &ui.ToastProps{Text: i18n.T(r.Context(), "admin.web.done."+t.Key, "name", t.Name)}
	if back := undo[t.Key]; back != nil && t.ID != "" {
		props.UndoHref = back(t.ID)
	}
	return props
}
