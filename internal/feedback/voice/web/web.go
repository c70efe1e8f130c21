// Package web is the pages of voices: the inbox, one voice with its conversation, what
// staff say beside their customers, what customers promise beside what they did, and
// the page at which a customer answers a reply.
package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"omote/internal/feedback/voice"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// Pages are the pages of voices.
type Pages struct {
	Voices *voice.Service
	Clock  clock.Clock
	Zone   *time.Location
	// People gives the names of accounts by id, Units those of units by path,
	// Journeys those of journeys by id.
	People   func(ctx context.Context) map[string]string
	Units    func(ctx context.Context) map[string]string
	Journeys func(ctx context.Context) map[string]string
	// Steps names a step of a journey.
	Steps func(ctx context.Context, step string) string
	// In gives a context in a language.
	In func(ctx context.Context, locale string) context.Context
}

const listPath = "/feedback/voices"

func voicePath(id string) string { return listPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	const link = "the customer's link: its signature is the key"
	r.Handle("GET /feedback/voices", voice.PermRead, p.list)
	r.Handle("POST /feedback/voices/bulk/{act}", voice.PermEdit, p.bulk)
	r.Handle("GET /feedback/voices/new", voice.PermEdit, p.newVoice)
	r.Handle("POST /feedback/voices/new", voice.PermEdit, p.observe)
	r.Handle("GET /feedback/voices/units", voice.PermRead, p.units)
	r.Handle("GET /feedback/voices/advocacy", voice.PermRead, p.advocacy)
	r.Handle("GET /feedback/issues", voice.PermRead, p.issues)
	r.Handle("GET /feedback/issues/{theme}", voice.PermRead, p.issue)
	r.Handle("POST /feedback/issues/{theme}", voice.PermTell, p.tell)
	r.Handle("GET /feedback/voices/{id}", voice.PermRead, p.show)
	r.Handle("POST /feedback/voices/{id}/act/{act}", voice.PermEdit, p.act)
	r.Public("GET /feedback/reply/{token}", link, p.asked)
	r.Public("POST /feedback/reply/{token}", link, p.answered)
}

func me(ctx context.Context) string {
	a, _ := auth.From(ctx)
	return a.ID
}

// tabs lead between the pages of voices.
func tabs(ctx context.Context, at string) []ui.Tab {
	var out []ui.Tab
	for _, t := range [][2]string{{"list", listPath}, {"issues", issuesPath}, {"units", listPath + "/units"}, {"advocacy", listPath + "/advocacy"}} {
		out = append(out, ui.Tab{Label: i18n.T(ctx, "feedback.voice.tab."+t[0]), Href: t[1], Current: t[0] == at})
	}
	return out
}

// refused tells errors that a person can correct on the page they came from.
func refused(err error) bool {
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindConflict, errs.KindTooLarge, errs.KindDenied:
		return true
	}
	return false
}

// kindWords says in which way and where something was said.
func kindWords(ctx context.Context, i voice.Item, journeys map[string]string) string {
	out := i18n.T(ctx, "feedback.voice.kind."+string(i.Kind))
	if i.Channel != "" {
		out += " · " + channelName(ctx, i.Channel)
	}
	if i.Journey != "" {
		out += " · " + nameOf(journeys, i.Journey, strings.ReplaceAll(i.Journey, "_", " "))
	}
	return out
}

// channelName names a channel; feeds may bring one that has no name here.
func channelName(ctx context.Context, channel string) string {
	key := "feedback.voice.channel." + channel
	if name := i18n.T(ctx, key); name != key {
		return name
	}
	return strings.ReplaceAll(channel, "_", " ")
}

// scoreWords is the score as said: "3 / 10".
func scoreWords(ctx context.Context, i voice.Item) string {
	if i.Score == nil || i.Top == nil {
		return "–"
	}
	f := i18n.Fmt(ctx)
	return f.Decimal(*i.Score, 0) + " / " + f.Decimal(*i.Top, 0)
}

func nameOf(names map[string]string, id, none string) string {
	if id == "" {
		return none
	}
	if n := names[id]; n != "" {
		return n
	}
	return id
}

// short cuts words for a row.
func short(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 180 {
		return string(r[:180]) + " …"
	}
	return string(r)
}

// with gives the address of the list with a parameter set, or dropped where it is set
// already.
func with(r *http.Request, name, value string) (href string, pressed bool) {
	params := url.Values{}
	for k, v := range r.URL.Query() {
		params[k] = v
	}
	params.Del("after")
	if pressed = params.Get(name) == value; pressed {
		params.Del(name)
	} else {
		params.Set(name, value)
	}
	if len(params) == 0 {
		return listPath, pressed
	}
	return listPath + "?" + params.Encode(), pressed
}
