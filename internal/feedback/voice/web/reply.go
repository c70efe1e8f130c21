package web

import (
	"net/http"
	"strings"

	"omote/internal/feedback/voice"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type replyView struct {
	voice.Asked
	path   string
	text   string
	said   string
	thanks bool
}

// asked is the page at which the customer answers. Opening it changes nothing.
func (p Pages) asked(w http.ResponseWriter, r *http.Request) error {
	return p.renderReply(w, r, http.StatusOK, replyView{thanks: r.URL.Query().Get("thanks") == "1"})
}

func (p Pages) renderReply(w http.ResponseWriter, r *http.Request, status int, v replyView) error {
	a, err := p.Voices.Asked(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if _, err := r.Cookie(i18n.CookieName); err != nil {
		r = r.WithContext(p.In(r.Context(), a.Locale))
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	v.Asked, v.path = a, "/feedback/reply/"+r.PathValue("token")
	return ui.RenderStatus(w, r, status, replyPage(ui.Page{Title: i18n.T(r.Context(), "feedback.voice.back.title")}, v))
}

// maxPost bounds what a customer may send.
const maxPost = 64 << 10

func (p Pages) answered(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxPost)
	text := strings.TrimSpace(r.FormValue("text"))
	if err := p.Voices.Back(r.Context(), r.PathValue("token"), text); err != nil {
		if !refused(err) {
			return err
		}
		return p.renderReply(w, r, http.StatusUnprocessableEntity, replyView{text: text, said: i18n.Error(r.Context(), err)})
	}
	http.Redirect(w, r, "/feedback/reply/"+r.PathValue("token")+"?thanks=1", http.StatusSeeOther)
	return nil
}
