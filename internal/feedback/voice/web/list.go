package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"omote/internal/feedback/voice"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type listView struct {
	table ui.TableProps
	chips []ui.ChipProps
}

// queryOf reads the filters of an address. Without any it is what waits.
func queryOf(r *http.Request) voice.Query {
	v := r.URL.Query()
	q := voice.Query{Kind: voice.Kind(v.Get("kind")), Unit: v.Get("unit"), Search: v.Get("q"), After: v.Get("after")}
	if v.Get("who") == "me" {
		q.Owner = me(r.Context())
	}
	switch v.Get("mood") {
	case "bad":
		n := -1
		q.Mood = &n
	case "good":
		n := 1
		q.Mood = &n
	}
	switch state := voice.State(v.Get("show")); {
	case slices.Contains(voice.States, state):
		q.State = state
	case state != "all" && q.Search == "":
		q.Waiting = true
	}
	return q
}

// list is the inbox: everything that customers said, what waits first.
func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q := queryOf(r)
	found, err := p.Voices.List(ctx, q)
	if err != nil {
		return err
	}
	n, err := p.Voices.Count(ctx)
	if err != nil {
		return err
	}
	columns := []ui.Column{
		{Key: "words", Label: i18n.T(ctx, "feedback.voice.column.words"), Wide: true},
		{Key: "score", Label: i18n.T(ctx, "feedback.voice.column.score"), Numeric: true, Narrow: true},
		{Key: "unit", Label: i18n.T(ctx, "feedback.voice.column.unit"), Optional: true},
		{Key: "state", Label: i18n.T(ctx, "feedback.voice.column.state"), Narrow: true},
		{Key: "at", Label: i18n.T(ctx, "feedback.voice.column.at"), Narrow: true},
	}
	v := listView{chips: chips(ctx, r)}
	v.table = ui.TableProps{Label: i18n.T(ctx, "feedback.voice.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, "-at"), Filter: i18n.T(ctx, "feedback.voice.find"), Next: found.Next,
		Prev: q.After != "", Selectable: auth.Can(ctx, voice.PermEdit), Foot: i18n.T(ctx, "feedback.voice.foot", "count", len(found.Items)),
		Bulk: []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.voice.take"), Href: listPath + "/bulk/take", Key: "A"}, {Label: i18n.T(ctx, "feedback.voice.finish"), Href: listPath + "/bulk/finish", Key: "D"}}}
	people, units, journeys := p.People(ctx), p.Units(ctx), p.Journeys(ctx)
	for _, i := range found.Items {
		words := short(i.Words.Plain)
		if i.Times > 1 {
			words += " (" + i18n.T(ctx, "feedback.voice.times", "count", i.Times) + ")"
		}
		state := i18n.T(ctx, "feedback.voice.state."+string(i.State))
		v.table.Rows = append(v.table.Rows, ui.Row{ID: i.ID, Cells: []ui.Cell{
			{Text: "“" + words + "”", Sub: kindWords(ctx, i, journeys), Href: voicePath(i.ID)},
			{Text: scoreWords(ctx, i), Care: i.Mood < 0 && i.Score != nil, Mute: i.Score == nil},
			{Text: nameOf(units, i.Unit, "")},
			{Text: state, Sub: nameOf(people, i.Owner, ""), Mute: !i.Waits()},
			{Text: ui.When(ctx, i.At.Time())},
		}})
	}
	v.table.Empty = ui.Empty(ui.EmptyProps{Kind: ui.EmptyGood, Title: i18n.T(ctx, "feedback.voice.empty"), Text: i18n.T(ctx, "feedback.voice.empty.text"),
		Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.voice.chip.all"), Href: listPath + "?show=all"}}})
	if r.URL.RawQuery != "" {
		v.table.Empty = ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "feedback.voice.none"), Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.voice.drop"), Href: listPath + "?show=all"}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "feedback.voice.title"), At: ui.NavVoices, Finding: i18n.T(ctx, "feedback.voice.finding", "count", n.Waiting, "unhappy", n.Unhappy),
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "feedback.voice.week", "count", n.Week)), ui.Text(i18n.T(ctx, "feedback.voice.nobody", "count", n.Nobody))}}
	if auth.Can(ctx, voice.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.voice.new"), Href: listPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	return ui.Render(w, r, listPage(page, v))
}

func chips(ctx context.Context, r *http.Request) (out []ui.ChipProps) {
	add := func(key, name, value string) {
		href, pressed := with(r, name, value)
		out = append(out, ui.ChipProps{Label: i18n.T(ctx, key), Href: href, Pressed: pressed})
	}
	add("feedback.voice.chip.mine", "who", "me")
	add("feedback.voice.chip.bad", "mood", "bad")
	add("feedback.voice.chip.good", "mood", "good")
	add("feedback.voice.chip.all", "show", "all")
	add("feedback.voice.list.answered", "show", "answered")
	for _, k := range voice.Kinds {
		add("feedback.voice.kind."+string(k), "kind", string(k))
	}
	return out
}

// bulk does one thing with the selected items.
func (p Pages) bulk(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return err
	}
	ids := r.Form["id"]
	for _, id := range ids[:min(len(ids), 200)] {
		do := p.Voices.Finish
		if r.PathValue("act") == "take" {
			do = func(ctx context.Context, id string) error { return p.Voices.Assign(ctx, id, me(ctx)) }
		}
		if err := do(ctx, id); err != nil {
			return err
		}
	}
	http.Redirect(w, r, listPath, http.StatusSeeOther)
	return nil
}

type newView struct {
	in    voice.Said
	wrong ui.FieldErrors
	units []ui.Option
}

func (p Pages) newVoice(w http.ResponseWriter, r *http.Request) error {
	return p.renderNew(w, r, http.StatusOK, newView{in: voice.Said{Locale: "vi", Channel: "branch"}})
}

func (p Pages) renderNew(w http.ResponseWriter, r *http.Request, status int, v newView) error {
	ctx := r.Context()
	for path, name := range p.Units(ctx) {
		v.units = append(v.units, ui.Option{Value: path, Label: name})
	}
	slices.SortFunc(v.units, func(a, b ui.Option) int { return strings.Compare(a.Value, b.Value) })
	page := ui.Page{Title: i18n.T(ctx, "feedback.voice.new"), At: ui.NavVoices, Finding: i18n.T(ctx, "feedback.voice.new.text"), Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.voice.title"), Href: listPath}}}
	return ui.RenderStatus(w, r, status, newPage(page, v))
}

// observe keeps what a member of staff saw or heard.
func (p Pages) observe(w http.ResponseWriter, r *http.Request) error {
	v := newView{in: voice.Said{Words: r.FormValue("words"), Channel: r.FormValue("channel"), Unit: r.FormValue("unit"), CustomerID: strings.TrimSpace(r.FormValue("customer")), Locale: "vi"}}
	if err := p.Voices.Observe(r.Context(), v.in); err != nil {
		if !refused(err) {
			return err
		}
		v.wrong = ui.ErrorsFrom(r.Context(), err)
		return p.renderNew(w, r, http.StatusUnprocessableEntity, v)
	}
	http.Redirect(w, r, listPath, http.StatusSeeOther)
	return nil
}
