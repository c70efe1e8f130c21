// Package web shows activations: how each does, what became of its rows, and the
// form by which one is made or changed.
package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/internal/customer/activation"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// Pages are the pages of activations.
type Pages struct {
	Activations *activation.Service
	// Segments and Purposes are what the form offers, by id and name.
	Segments, Purposes func(ctx context.Context) ([]ui.Option, error)
	// Names gives the names of customers as the reader may see them, by record.
	Names        func(ctx context.Context, ids []string) (map[string]string, error)
	CustomerPath func(id string) string
}

const listPath = "/customer/activations"

// NavActivations is the place in the navigation.
const NavActivations = "activations"

func pathOf(id string) string { return listPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /customer/activations", activation.PermRead, p.list)
	r.Handle("GET /customer/activations/new", activation.PermEdit, p.edit)
	r.Handle("POST /customer/activations", activation.PermEdit, p.save)
	r.Handle("GET /customer/activations/{id}", activation.PermRead, p.show)
	r.Handle("GET /customer/activations/{id}/edit", activation.PermEdit, p.edit)
	r.Handle("POST /customer/activations/{id}", activation.PermEdit, p.save)
	r.Handle("POST /customer/activations/{id}/{act}", activation.PermEdit, p.act)
}

func total(f activation.Figures) (n int64) {
	for _, v := range f {
		n += v
	}
	return n
}

func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Activations.List(ctx)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "name", Label: i18n.T(ctx, "activation.name"), Wide: true}, {Key: "state", Label: i18n.T(ctx, "activation.state")}, {Key: "last", Label: i18n.T(ctx, "activation.last")},
		{Key: "delivered", Label: i18n.T(ctx, "activation.row.delivered"), Numeric: true}, {Key: "queued", Label: i18n.T(ctx, "activation.row.queued"), Numeric: true},
		{Key: "refused", Label: i18n.T(ctx, "activation.row.refused"), Numeric: true}}
	var rows []ui.Row
	failing, refused := 0, int64(0)
	for i := range all {
		s := &all[i]
		if s.State() == activation.Failing {
			failing++
		}
		bad := s.Rows[activation.Refused] + s.Rows[activation.Uncertain]
		refused += bad
		rows = append(rows, ui.Row{ID: s.ID, Cells: []ui.Cell{{Text: s.Config.Name, Sub: s.Config.Place(), Href: pathOf(s.ID)},
			{Text: i18n.T(ctx, "activation.is."+string(s.State())), Sub: s.Error, Care: s.State() == activation.Failing}, {Text: when(ctx, s.LastGood.Time(), s.LastGood == 0)},
			{Text: f.Int(s.Rows[activation.Delivered])}, {Text: f.Int(s.Rows[activation.Queued]), Mute: s.Rows[activation.Queued] == 0}, {Text: f.Int(bad), Mute: bad == 0, Care: bad > 0}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "activation.title"), At: NavActivations, Finding: i18n.T(ctx, "activation.finding.good", "count", len(all))}
	switch {
	case len(all) == 0:
		page.Finding = i18n.T(ctx, "activation.finding.none")
	case failing > 0 || refused > 0:
		page.Finding = i18n.T(ctx, "activation.finding.bad", "failing", failing, "refused", refused)
	}
	if auth.Can(ctx, activation.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "activation.new"), Href: listPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	table := ui.TableProps{Label: page.Title, Columns: columns, Rows: rows, Query: ui.QueryTable(r, "", columns, ""),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFirst, Title: i18n.T(ctx, "activation.none"), Text: i18n.T(ctx, "activation.none_text"), Acts: page.Actions})}
	return ui.Render(w, r, ui.With(ui.Layout(page), ui.Table(table)))
}

func when(ctx context.Context, t time.Time, never bool) string {
	if never {
		return i18n.T(ctx, "activation.never")
	}
	return ui.When(ctx, t)
}

const rowPage = 50

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, err := p.Activations.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	f, c := i18n.Fmt(ctx), s.Config
	page := ui.Page{Title: c.Name, At: NavActivations, Crumbs: []ui.Link{{Label: i18n.T(ctx, "activation.title"), Href: listPath}},
		Finding: i18n.T(ctx, "activation.one.finding", "delivered", s.Rows[activation.Delivered], "all", total(s.Rows)),
		Meta:    []ui.Item{ui.Text(i18n.T(ctx, "activation.is."+string(s.State()))), ui.Text(c.System), ui.Text(c.Place())}}
	if total(s.Rows) == 0 {
		page.Finding = i18n.T(ctx, "activation.one.nothing")
	}
	if s.Error != "" {
		page.Notice = ui.Note(ui.NoteProps{Kind: ui.NoteBad, Head: i18n.T(ctx, "activation.is.failing"), Text: s.Error})
	}
	v := showView{s: s, state: activation.RowState(r.URL.Query().Get("state")), edit: auth.Can(ctx, activation.PermEdit)}
	columns := []ui.Column{{Key: "record", Label: i18n.T(ctx, "activation.record"), Wide: true}, {Key: "member", Label: i18n.T(ctx, "activation.member")}, {Key: "state", Label: i18n.T(ctx, "activation.result"), Wide: true},
		{Key: "version", Label: i18n.T(ctx, "activation.times"), Numeric: true}, {Key: "at", Label: i18n.T(ctx, "activation.at")}}
	q := ui.QueryTable(r, "", columns, "")
	rows, err := p.Activations.Rows(ctx, s.ID, v.state, q.After, rowPage)
	if err != nil {
		return err
	}
	names := map[string]string{}
	if p.Names != nil {
		ids := make([]string, len(rows.Items))
		for i, row := range rows.Items {
			ids[i] = row.RecordID
		}
		if names, err = p.Names(ctx, ids); err != nil {
			return err
		}
	}
	v.rows = ui.TableProps{Label: i18n.T(ctx, "activation.rows"), Columns: columns, Query: q, Next: rows.Next, Prev: q.After != "",
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFirst, Title: i18n.T(ctx, "activation.rows.none"), Text: i18n.T(ctx, "activation.rows.none_text")})}
	for _, row := range rows.Items {
		cell := ui.Cell{Text: names[row.RecordID], Sub: strings.ToUpper(row.RecordID[:8])}
		if cell.Text == "" {
			cell = ui.Cell{Text: cell.Sub}
		}
		if p.CustomerPath != nil {
			cell.Href = p.CustomerPath(row.RecordID)
		}
		at := row.SettledAt
		if row.State == activation.Queued {
			at = row.QueuedAt
		}
		v.rows.Rows = append(v.rows.Rows, ui.Row{ID: row.RecordID, Cells: []ui.Cell{cell, {Text: i18n.T(ctx, "activation.member."+strconv.FormatBool(row.Member))},
			{Text: i18n.T(ctx, "activation.row."+string(row.State)), Sub: why(ctx, row.Reason), Care: row.State == activation.Refused || row.State == activation.Uncertain},
			{Text: f.Int(row.Version)}, {Text: ui.When(ctx, at.Time())}}})
	}
	add := func(key, value string) { v.facts = append(v.facts, ui.KeyValue{Key: i18n.T(ctx, key), Value: value}) }
	segments, err := p.Segments(ctx)
	if err != nil {
		return err
	}
	purposes, err := p.Purposes(ctx)
	if err != nil {
		return err
	}
	add("activation.segment", named(segments, c.Segment))
	add("activation.consent", i18n.T(ctx, "activation.consent.value", "purpose", named(purposes, c.Purpose), "channel", i18n.T(ctx, "customer.channel."+c.Channel)))
	var fields []string
	for _, field := range c.Fields {
		text := field.Attribute + " → " + field.Column
		if field.Fill {
			text += " (" + i18n.T(ctx, "activation.fill") + ")"
		}
		fields = append(fields, text)
	}
	add("activation.fields", strings.Join(append([]string{i18n.T(ctx, "activation.membership") + " → " + c.Member}, fields...), "; "))
	add("activation.every", f.Duration(c.Every))
	add("activation.per_minute", f.Int(int64(c.PerMinute)))
	add("activation.last", when(ctx, s.LastGood.Time(), s.LastGood == 0))
	return ui.Render(w, r, showPage(page, v))
}

// named is the label of an option, its value where there is none any more.
func named(options []ui.Option, value string) string {
	for _, o := range options {
		if o.Value == value {
			return o.Label
		}
	}
	return value
}

// why says a reason of the outbox or of the gate, where there is a text for it.
func why(ctx context.Context, reason string) string {
	switch {
	case reason == "":
		return ""
	case strings.HasPrefix(reason, "consent_"):
		return i18n.T(ctx, "activation.reason.consent")
	case reason == "rejected", reason == "not_sent", reason == "no_answer", reason == "no_result", reason == "forgotten":
		return i18n.T(ctx, "activation.reason."+reason)
	}
	return reason
}

// showView is what the page of an activation shows.
type showView struct {
	s     activation.Summary
	state activation.RowState
	edit  bool
	rows  ui.TableProps
	facts []ui.KeyValue
}

// filters are the states by which the rows can be narrowed, with their numbers.
func (v showView) filters(ctx context.Context) (out []ui.Link) {
	f := i18n.Fmt(ctx)
	out = append(out, ui.Link{Label: i18n.T(ctx, "activation.rows.all") + " " + f.Int(total(v.s.Rows)), Href: pathOf(v.s.ID)})
	for _, s := range activation.RowStates {
		if n := v.s.Rows[s]; n > 0 {
			out = append(out, ui.Link{Label: i18n.T(ctx, "activation.row."+string(s)) + " " + f.Int(n), Href: pathOf(v.s.ID) + "?state=" + string(s)})
		}
	}
	return out
}

// form is an activation that is being made or changed.
type form struct {
	id                 string
	c                  activation.Config
	fields             string
	segments, purposes []ui.Option
	wrong              ui.FieldErrors
}

func (p Pages) edit(w http.ResponseWriter, r *http.Request) error {
	f := &form{id: r.PathValue("id"), c: activation.Config{System: "crm", Member: "omote_segment", Purpose: "marketing", Channel: "email", Target: activation.Webhook, Every: time.Hour, PerMinute: 600,
		Segment: r.URL.Query().Get("segment"), Table: &activation.Table{Port: 5432}}}
	if f.id != "" {
		s, err := p.Activations.Get(r.Context(), f.id)
		if err != nil {
			return err
		}
		table := f.c.Table
		if f.c = s.Config; f.c.Table == nil {
			f.c.Table = table
		}
		for _, field := range s.Config.Fields {
			f.fields += field.Attribute + " = " + field.Column
			if field.Fill {
				f.fields += " fill"
			}
			f.fields += "\n"
		}
	}
	return p.renderForm(w, r, http.StatusOK, f)
}

func (p Pages) renderForm(w http.ResponseWriter, r *http.Request, status int, f *form) (err error) {
	ctx := r.Context()
	if f.segments, err = p.Segments(ctx); err != nil {
		return err
	}
	if f.purposes, err = p.Purposes(ctx); err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(ctx, "activation.new"), At: NavActivations, Crumbs: []ui.Link{{Label: i18n.T(ctx, "activation.title"), Href: listPath}}, Finding: i18n.T(ctx, "activation.form")}
	if f.id != "" {
		page.Title = f.c.Name
	}
	return ui.RenderStatus(w, r, status, formPage(page, f))
}

// parseFields reads lines of the form "attribute = column" or "attribute = column fill".
func parseFields(text string) (out []activation.Field, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		attribute, rest, ok := strings.Cut(line, "=")
		words := strings.Fields(rest)
		if !ok || len(words) == 0 || len(words) > 2 || len(words) == 2 && words[1] != "fill" {
			return nil, errs.Invalid("activation.error.line", "fields", "%q is not of the form attribute = column", line).With("line", line)
		}
		out = append(out, activation.Field{Attribute: strings.TrimSpace(attribute), Column: words[0], Fill: len(words) == 2})
	}
	return out, nil
}

func (p Pages) save(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	get := func(name string) string { return strings.TrimSpace(r.FormValue(name)) }
	number := func(name string) int { n, _ := strconv.Atoi(get(name)); return n } // none is refused with the right range
	f := &form{id: r.PathValue("id"), fields: r.FormValue("fields")}
	f.c = activation.Config{Name: get("name"), System: get("system"), Segment: get("segment"), Member: get("member"), Purpose: get("purpose"), Channel: get("channel"),
		Target: activation.Target(get("target")), Every: time.Duration(number("every")) * time.Minute, PerMinute: number("per_minute"), URL: get("url"),
		Table: &activation.Table{Host: get("host"), Port: number("port"), Name: get("database"), User: get("user"), Insecure: get("insecure") == "1", Table: get("table"), Key: get("key")}}
	config := f.c
	if config.Target == activation.Webhook {
		config.Table = nil
	} else {
		config.URL = ""
	}
	var a *activation.Activation
	var secret string
	var err error
	if config.Fields, err = parseFields(f.fields); err == nil {
		a, secret, err = p.Activations.Save(ctx, f.id, config, r.FormValue("password"))
	}
	if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindTooLarge {
		f.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderForm(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	if secret != "" { // shown once, on the answer itself
		page := ui.Page{Title: config.Name, At: NavActivations, Crumbs: []ui.Link{{Label: i18n.T(ctx, "activation.title"), Href: listPath}}, Finding: i18n.T(ctx, "activation.secret.finding")}
		return ui.Render(w, r, secretPage(page, a.ID, secret))
	}
	http.Redirect(w, r, pathOf(a.ID), http.StatusSeeOther)
	return nil
}

func (p Pages) act(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	to := pathOf(id)
	var err error
	switch r.PathValue("act") {
	case "run":
		err = p.Activations.RunNow(ctx, id)
	case "retry":
		err = p.Activations.Retry(ctx, id)
	case "pause":
		err = p.Activations.Pause(ctx, id, true)
	case "resume":
		err = p.Activations.Pause(ctx, id, false)
	case "remove":
		to, err = listPath, p.Activations.Remove(ctx, id)
	default:
		err = errs.NotFound("activation.error.not_found", "an activation cannot %s", r.PathValue("act"))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
