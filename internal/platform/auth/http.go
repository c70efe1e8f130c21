package auth

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"omote/internal/platform/errs"
)

// Web puts actors into requests and sessions into cookies.
type Web struct {
	Service *Service
	// Secure marks cookies for encrypted connections only. Leave it off for a
	// server that is reached as http://localhost alone.
	Secure bool
	// Fail answers a request whose key is wrong.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
	// Proxies are the networks of reverse proxies in front, whose
	// X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// Cookieless are path prefixes where cookies count nothing: doors that other
	// sites may call, such as "/v1/".
	Cookieless []string
}

// CookieName is the name of the session's cookie. The prefix __Host- makes
// browsers refuse it from subdomains and over plain connections.
func (h *Web) CookieName() string {
	if h.Secure {
		return "__Host-omote"
	}
	return "omote"
}

// Identify puts the actor and the scope of a request into its context: those of
// a Bearer key, of a Basic user name that is a key (as tracking SDKs send it), or
// of the session's cookie. A request without any goes on as nobody's; one with a
// wrong key is refused; one with an ended session goes on as nobody's, without
// the cookie.
//
// Requests with a cookie are guarded against other sites by the cookie's
// SameSite=Lax and by http.CrossOriginProtection, which stands before this.
func (h *Web) Identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok, err := h.actor(w, r)
		if err != nil {
			h.Fail(w, r, err)
			return
		}
		if ok {
			r = r.WithContext(WithActor(r.Context(), a))
		}
		next.ServeHTTP(w, r)
	})
}

func (h *Web) actor(w http.ResponseWriter, r *http.Request) (a Actor, ok bool, err error) {
	if secret := keyOf(r); secret != "" {
		k, err := h.Service.CheckKey(r.Context(), secret)
		return k.Actor(), err == nil, err
	}
	for _, p := range h.Cookieless {
		if strings.HasPrefix(r.URL.Path, p) {
			return Actor{}, false, nil
		}
	}
	c, err := r.Cookie(h.CookieName())
	if err != nil {
		return Actor{}, false, nil
	}
	a, err = h.Service.Session(r.Context(), c.Value)
	if errs.KindOf(err) == errs.KindUnauthenticated {
		h.clear(w)
		return Actor{}, false, nil
	}
	return a, err == nil, err
}

// keyOf is the key that a request brings, "" for none.
func keyOf(r *http.Request) string {
	value := r.Header.Get("Authorization")
	if kind, secret, ok := strings.Cut(value, " "); ok && strings.EqualFold(kind, "Bearer") {
		return strings.TrimSpace(secret)
	}
	if user, _, ok := r.BasicAuth(); ok && strings.HasPrefix(user, keyMark) {
		return user
	}
	return ""
}

// Begin puts a new session into the answer's cookie and ends the one that the
// browser had.
func (h *Web) Begin(w http.ResponseWriter, r *http.Request, token string) error {
	if a, ok := From(r.Context()); ok && a.Kind == Person && a.Session != "" {
		if err := h.Service.Revoke(r.Context(), a.Session); err != nil && errs.KindOf(err) != errs.KindNotFound {
			return err
		}
	}
	http.SetCookie(w, h.cookie(token, 0))
	return nil
}

// End ends the session of the request and removes its cookie.
func (h *Web) End(w http.ResponseWriter, r *http.Request) error {
	h.clear(w)
	a, ok := From(r.Context())
	if !ok || a.Session == "" {
		return nil
	}
	if err := h.Service.Revoke(r.Context(), a.Session); errs.KindOf(err) != errs.KindNotFound {
		return err
	}
	return nil
}

func (h *Web) clear(w http.ResponseWriter) { http.SetCookie(w, h.cookie("", -1)) }

// cookie lives as long as the browser; the server ends the session earlier.
func (h *Web) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{Name: h.CookieName(), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: h.Secure, SameSite: http.SameSiteLaxMode}
}

// Client is what is known of the request's sender.
func (h *Web) Client(r *http.Request) Client {
	return Client{Address: h.address(r), Agent: r.UserAgent()}
}

// address is the sender's network address: the last one in X-Forwarded-For that
// is no proxy of ours, if the request came through one.
func (h *Web) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && h.isProxy(host); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = hop.Unmap().String()
	}
	return host
}

func (h *Web) isProxy(host string) bool {
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range h.Proxies {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}
