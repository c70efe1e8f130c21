package web

import (
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
)

// kioskChannel is that of a tablet which many people use one after another.
const kioskChannel = "kiosk"

// How long a tablet waits, in seconds, before it begins anew: for a tap, for words, and
// after the thanks.
const (
	kioskTap    = 40
	kioskWords  = 120
	kioskThanks = 8
)

// again is the refresh of a page on a tablet, "" elsewhere: nobody finds what the person
// before left. The first page waits for ever.
func again(v *survey.Session, it *form.Item) string {
	if v.Channel != kioskChannel {
		return ""
	}
	wait := kioskTap
	switch {
	case it == nil:
		wait = kioskThanks
	case len(v.Answers()) == 0:
		return ""
	case it.Type == form.Words || it.Type == form.File || it.Type == form.Matrix || it.Type == form.Rank || it.Type == form.Paired:
		wait = kioskWords
	}
	return strconv.Itoa(wait) + ";url=/s/" + v.Token + "/next"
}

// nextPerson gives a tablet a visit of its own, which nothing joins with the one before.
func (p Pages) nextPerson(w http.ResponseWriter, r *http.Request) error {
	v, err := p.Surveys.Begin(r.Context(), r.PathValue("token"), "")
	if err != nil {
		return p.closed(w, r, err)
	}
	if v.Channel == kioskChannel {
		v.Visit = uuid.NewString()
		p.keepVisit(w, r, v)
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, p.action(r), http.StatusSeeOther)
	return nil
}
