package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// letterView is one refused event that somebody is about to give up.
type letterView struct {
	letter Letter
	typed  string
	wrong  ui.FieldErrors
}

func letterQuery(l Letter) string {
	return url.Values{"handler": {l.Handler}, "subject": {l.Subject}}.Encode()
}

// letter asks before an event is given up, which cannot be undone.
func (p Pages) letter(w http.ResponseWriter, r *http.Request) error {
	return p.renderLetter(w, r, http.StatusOK, letterView{})
}

func (p Pages) renderLetter(w http.ResponseWriter, r *http.Request, status int, v letterView) error {
	ctx := r.Context()
	all, err := p.Health.Letters(ctx, maxLetters)
	if err != nil {
		return err
	}
	handler, subject := r.FormValue("handler"), r.FormValue("subject")
	i := slices.IndexFunc(all.Items, func(l Letter) bool { return l.Handler == handler && l.Subject == subject })
	if i < 0 {
		return errs.NotFound("admin.web.health.letter.gone", "nothing of %s waits for %s", subject, handler)
	}
	v.letter = all.Items[i]
	page := ui.Page{Title: i18n.T(ctx, "admin.web.health.letter.discard.title"), At: NavSystem, Layer: ui.LayerPlatform,
		Finding: i18n.T(ctx, "admin.web.health.letter.discard.text", "handler", v.letter.Handler, "where", v.letter.where()),
		Crumbs:  []ui.Link{{Label: i18n.T(ctx, "admin.web.health.title"), Href: healthPath}}}
	return ui.RenderStatus(w, r, status, letterPage(page, v))
}

// maxLetters is how many refused events the projector gives at once.
const maxLetters = 500

// letterAct tries refused events again, or gives one up.
func (p Pages) letterAct(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	handler, subject := r.FormValue("handler"), r.FormValue("subject")
	switch r.PathValue("act") {
	case "replay":
		applied, err := p.Health.Replay(ctx, handler, subject)
		if err != nil {
			return err
		}
		return p.done(w, r, healthPath, told{Key: "letters.replayed", Name: i18n.Fmt(ctx).Int(int64(applied))})
	case "discard":
		if typed := strings.TrimSpace(r.FormValue("confirm")); typed != handler {
			wrong := errs.Invalid("admin.web.error.confirm", "confirm", "the name was not typed").With("name", handler).With("value", typed)
			return p.renderLetter(w, r, http.StatusUnprocessableEntity, letterView{typed: typed, wrong: ui.ErrorsFrom(ctx, wrong)})
		}
		if err := p.Health.Discard(ctx, handler, subject); err != nil {
			return err
		}
		return p.done(w, r, healthPath, told{Key: "letters.discarded"})
	}
	return errs.NotFound("http.error.not_found", "there is no act %q", r.PathValue("act"))
}
