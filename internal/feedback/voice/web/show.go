package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"omote/internal/feedback/voice"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type showView struct {
	voice.View
	people map[string]string
	unit   string
	said   string
	text   string // a reply that was refused
	may    bool
}

// show is one voice with its conversation.
func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	return p.renderShow(w, r, http.StatusOK, showView{})
}

func (p Pages) renderShow(w http.ResponseWriter, r *http.Request, status int, v showView) error {
	ctx := r.Context()
	found, err := p.Voices.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v.View, v.people, v.may = found, p.People(ctx), auth.Can(ctx, voice.PermEdit)
	v.unit = nameOf(p.Units(ctx), v.Unit, "")
	title := v.Name
	if title == "" {
		title = i18n.T(ctx, "feedback.voice.somebody")
	}
	page := ui.Page{Title: title, At: ui.NavVoices, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.voice.title"), Href: listPath}},
		Meta: []ui.Item{ui.Text(kindWords(ctx, v.Item, p.Journeys(ctx))), ui.Text(ui.When(ctx, v.At.Time())), ui.Text(i18n.T(ctx, "feedback.voice.state."+string(v.State)))}}
	return ui.RenderStatus(w, r, status, showPage(page, v))
}

// act does one thing with a voice.
func (p Pages) act(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	text := strings.TrimSpace(r.FormValue("text"))
	var err error
	to := voicePath(id)
	switch r.PathValue("act") {
	case "take":
		err = p.Voices.Assign(ctx, id, me(ctx))
	case "assign":
		err = p.Voices.Assign(ctx, id, r.FormValue("owner"))
	case "finish":
		err, to = p.Voices.Finish(ctx, id), listPath
	case "note":
		err = p.Voices.Note(ctx, id, text)
	case "reply":
		err = p.Voices.Reply(ctx, id, text, r.FormValue("done") == "1")
	case "case":
		var made string
		if made, err = p.Voices.MakeCase(ctx, id, r.FormValue("complaint") == "1"); err == nil {
			to = "/feedback/cases/" + url.PathEscape(made)
		}
	default:
		return errs.NotFound("feedback.voice.error.none", "there is no act %q", r.PathValue("act"))
	}
	if err != nil {
		if !refused(err) {
			return err
		}
		return p.renderShow(w, r, http.StatusUnprocessableEntity, showView{said: i18n.Error(ctx, err), text: text})
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (v showView) facts(ctx context.Context) []ui.KeyValue {
	out := []ui.KeyValue{{Key: i18n.T(ctx, "feedback.voice.column.score"), Value: scoreWords(ctx, v.Item)}, {Key: i18n.T(ctx, "feedback.voice.column.unit"), Value: v.unit},
		{Key: i18n.T(ctx, "feedback.voice.owner"), Value: nameOf(v.people, v.Owner, i18n.T(ctx, "feedback.voice.owner.none"))}}
	if v.Product != "" {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "feedback.voice.product"), Value: strings.ReplaceAll(v.Product, "_", " ")})
	}
	for _, t := range v.Themes {
		feeling := ""
		if t.Feeling != 0 {
			feeling = i18n.T(ctx, "feedback.voice.feeling."+map[int]string{-1: "bad", 1: "good"}[t.Feeling])
		}
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "feedback.voice.themes"), Node: themeLink(themeName(ctx, t.Name), issuePath(voice.Issue{Theme: t.Name, Journey: v.Journey}), feeling)})
	}
	if v.Times > 1 {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "feedback.voice.said"), Value: i18n.T(ctx, "feedback.voice.times", "count", v.Times)})
	}
	return out
}

func (v showView) owners() []ui.Option {
	var out []ui.Option
	for id, name := range v.people {
		out = append(out, ui.Option{Value: id, Label: name})
	}
	slices.SortFunc(out, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	return out
}

// entryHead says who did what.
func (v showView) entryHead(ctx context.Context, e voice.Entry) string {
	head := i18n.T(ctx, "feedback.voice.entry."+string(e.Kind))
	if name := v.people[e.Actor]; name != "" {
		head += " · " + name
	}
	return head
}

// theirs tells the customer's own words.
func theirs(e voice.Entry) bool { return e.Kind == voice.EntryAnswer }

// entryBody is a line's text; a state's word is translated.
func entryBody(ctx context.Context, e voice.Entry) string {
	switch e.Kind {
	case voice.EntryState:
		return i18n.T(ctx, "feedback.voice.became."+e.Body.Plain)
	case voice.EntryAgain:
		return ""
	}
	return e.Body.Plain
}

func channelOptions(ctx context.Context) (out []ui.Option) {
	for _, c := range []string{"branch", "phone", "chat", "email", "social", "other"} {
		out = append(out, ui.Option{Value: c, Label: i18n.T(ctx, "feedback.voice.channel."+c)})
	}
	return out
}
