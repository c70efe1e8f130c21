package i18n

import (
	"net/http"

	"golang.org/x/text/language"
)

// CookieName holds the language a person chose.
const CookieName = "omote_lang"

// Negotiate chooses the locale of a request: the person's own choice (cookie),
// else what the browser asks for (Accept-Language), else English.
func (b *Bundle) Negotiate(r *http.Request) *Localizer {
	if c, err := r.Cookie(CookieName); err == nil {
		if l, ok := b.locales[c.Value]; ok {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return b.locales["en"]
	}
	_, index, confidence := b.matcher.Match(tags...)
	if confidence == language.No {
		return b.locales["en"]
	}
	return b.locales[b.order[index]]
}

// Middleware puts the negotiated localizer into each request's context and says
// in the response which language it is in.
func (b *Bundle) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := b.Negotiate(r)
		w.Header().Set("Content-Language", l.locale)
		w.Header().Add("Vary", "Accept-Language, Cookie")
		next.ServeHTTP(w, r.WithContext(With(r.Context(), l)))
	})
}
