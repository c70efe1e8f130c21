package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"omote/internal/platform/i18n"
)

// Theme is light, dark, or what the reader's system prefers (empty).
type Theme string

// The themes.
const (
	ThemeSystem Theme = ""
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// ThemeCookie holds the theme a person chose.
const ThemeCookie = "omote_theme"

// ThemeOf reads the theme of a request.
func ThemeOf(r *http.Request) Theme {
	if c, err := r.Cookie(ThemeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return Theme(c.Value)
	}
	return ThemeSystem
}

// PreferencesPath is where PreferencesHandler is mounted.
const PreferencesPath = "/preferences"

// preferenceURL leads to the same page in another language or theme.
func preferenceURL(name, value, back string) string {
	return PreferencesPath + "?" + url.Values{name: {value}, "back": {back}}.Encode()
}

// KeysCookie says "off" when a person does without single-letter keys (WCAG
// 2.1.4); the scripts read it.
const KeysCookie = "omote_keys"

// PreferencesHandler remembers a choice of language (?lang=), theme (?theme=) or
// single-letter keys (?keys=) in a cookie for a year and returns to the page the choice was made on. It needs
// no sign-in, changes nothing else, and only returns to addresses of this host.
func PreferencesHandler(b *i18n.Bundle) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if lang := q.Get("lang"); slices.Contains(b.Locales(), lang) {
			http.SetCookie(w, preferenceCookie(r, i18n.CookieName, lang))
		}
		switch theme := q.Get("theme"); theme {
		case "light", "dark", "system":
			http.SetCookie(w, preferenceCookie(r, ThemeCookie, theme))
		}
		switch keys := q.Get("keys"); keys {
		case "on", "off":
			http.SetCookie(w, preferenceCookie(r, KeysCookie, keys))
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Redirect(w, r, localPath(q.Get("back")), http.StatusSeeOther)
	})
}

func preferenceCookie(r *http.Request, name, value string) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600,
		SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	}
}

// localPath keeps a redirect on this host: only "/…" paths pass, and not "//…"
// or "/\…", which browsers read as another host.
func localPath(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(back, "/") ||
		strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\r\n\t") {
		return "/"
	}
	return back
}
