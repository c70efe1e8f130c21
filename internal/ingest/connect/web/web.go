// Package web shows connectors: how each does, what of its columns is used, and
// the form by which one is made or changed.
package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/internal/ingest/connect"
	"omote/internal/ingest/mapping"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// Pages are the pages of connectors.
type Pages struct {
	Connectors *connect.Service
	Clock      clock.Clock
}

const listPath = "/ingest/connectors"

func connectorPath(id string) string { return listPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /ingest/connectors", connect.PermRead, p.list)
	r.Handle("GET /ingest/connectors/new", connect.PermEdit, p.edit)
	r.Handle("POST /ingest/connectors", connect.PermEdit, p.save)
	r.Handle("GET /ingest/connectors/{id}", connect.PermRead, p.show)
	r.Handle("GET /ingest/connectors/{id}/edit", connect.PermEdit, p.edit)
	r.Handle("POST /ingest/connectors/{id}", connect.PermEdit, p.save)
	r.Handle("POST /ingest/connectors/{id}/{act}", connect.PermEdit, p.act)
}

func (p Pages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Connectors.List(ctx)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	columns := []ui.Column{{Key: "name", Label: i18n.T(ctx, "connect.name")}, {Key: "state", Label: i18n.T(ctx, "connect.state")}, {Key: "last", Label: i18n.T(ctx, "connect.last")},
		{Key: "lag", Label: i18n.T(ctx, "connect.lag"), Numeric: true}, {Key: "rows", Label: i18n.T(ctx, "connect.rows"), Numeric: true},
		{Key: "bad", Label: i18n.T(ctx, "connect.bad"), Numeric: true}, {Key: "coverage", Label: i18n.T(ctx, "connect.coverage"), Numeric: true}}
	var rows []ui.Row
	failing := 0
	for i := range all {
		c := &all[i]
		state := ui.Cell{Text: i18n.T(ctx, "connect.is."+string(c.State())), Sub: c.Error, Care: c.State() == connect.Failing}
		if c.State() == connect.Failing {
			failing++
		}
		rows = append(rows, ui.Row{ID: c.ID, Cells: []ui.Cell{{Text: c.Config.Name, Sub: c.Config.Place(), Href: connectorPath(c.ID)}, state, {Text: p.when(ctx, c.LastGood.Time())},
			{Text: p.lag(ctx, c)}, {Text: f.Int(c.Rows)}, {Text: f.Int(c.Quarantined), Mute: c.Quarantined == 0}, {Text: coverage(ctx, c)}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "connect.title"), At: ui.NavData, Finding: finding(ctx, len(all), failing)}
	if auth.Require(ctx, connect.PermEdit, scope.Root) == nil {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "connect.new"), Href: listPath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	table := ui.TableProps{Label: page.Title, Columns: columns, Rows: rows,
		Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "connect.none"), Text: i18n.T(ctx, "connect.none_text"), Acts: page.Actions})}
	return ui.Render(w, r, ui.With(ui.Layout(page), ui.Table(table)))
}

func finding(ctx context.Context, n, failing int) string {
	switch {
	case n == 0:
		return i18n.T(ctx, "connect.finding_none")
	case failing > 0:
		return i18n.T(ctx, "connect.finding_failing", "count", failing, "n", n)
	}
	return i18n.T(ctx, "connect.finding_good", "n", n)
}

func (p Pages) when(ctx context.Context, t time.Time) string {
	if t.IsZero() {
		return i18n.T(ctx, "connect.never")
	}
	return ui.When(ctx, t)
}

// lag is the age of the newest row, where rows carry a time.
func (p Pages) lag(ctx context.Context, c *connect.Connector) string {
	if c.Newest == 0 {
		return "–"
	}
	return i18n.Fmt(ctx).DurationShort(p.Clock.Now().Sub(c.Newest.Time()).Truncate(time.Second))
}

func coverage(ctx context.Context, c *connect.Connector) string {
	used, all := c.Coverage()
	if all == 0 {
		return "–"
	}
	return i18n.T(ctx, "connect.of", "used", used, "all", all)
}

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := p.Connectors.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	used, all := c.Coverage()
	page := ui.Page{Title: c.Config.Name, At: ui.NavData, Crumbs: []ui.Link{{Label: i18n.T(ctx, "connect.title"), Href: listPath}},
		Finding: i18n.T(ctx, "connect.covers", "used", used, "all", all), Meta: []ui.Item{ui.Text(i18n.T(ctx, "connect.is."+string(c.State()))), ui.Text(c.Config.Place()), ui.Text(c.Config.System)}}
	if c.Error != "" {
		page.Notice = ui.Note(ui.NoteProps{Kind: ui.NoteBad, Head: i18n.T(ctx, "connect.is.failing"), Text: c.Error})
	}
	if all == 0 {
		page.Finding = i18n.T(ctx, "connect.unread")
	}
	columns := []ui.Column{{Key: "column", Label: i18n.T(ctx, "connect.column")}, {Key: "to", Label: i18n.T(ctx, "connect.to")}, {Key: "filled", Label: i18n.T(ctx, "connect.filled"), Numeric: true}}
	var rows []ui.Row
	for _, col := range c.Columns {
		to := ui.Cell{Text: col.To}
		if col.To == "" {
			to = ui.Cell{Text: i18n.T(ctx, "connect.left_out"), Mute: true}
		}
		rows = append(rows, ui.Row{ID: col.Name, Cells: []ui.Cell{{Text: col.Name}, to, {Text: f.Int(col.Filled)}}})
	}
	facts := []ui.KeyValue{{Key: i18n.T(ctx, "connect.last"), Value: p.when(ctx, c.LastGood.Time())}, {Key: i18n.T(ctx, "connect.lag"), Value: p.lag(ctx, c)},
		{Key: i18n.T(ctx, "connect.rows"), Value: f.Int(c.Rows)}, {Key: i18n.T(ctx, "connect.sent"), Value: f.Int(c.Sent)}, {Key: i18n.T(ctx, "connect.bad"), Value: f.Int(c.Quarantined)},
		{Key: i18n.T(ctx, "connect.every"), Value: f.Duration(c.Config.Every)}, {Key: i18n.T(ctx, "connect.acts"), Value: acts(ctx, c.Config.History)}}
	return ui.Render(w, r, showPage(page, c, facts, ui.TableProps{Label: i18n.T(ctx, "connect.column"), Columns: columns, Rows: rows, Dense: true,
		Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "connect.unread"), Text: i18n.T(ctx, "connect.unread_text")})}, auth.Require(ctx, connect.PermEdit, scope.Root) == nil))
}

func acts(ctx context.Context, history bool) string {
	if history {
		return i18n.T(ctx, "connect.as_history")
	}
	return i18n.T(ctx, "connect.as_live")
}

// form is a connector that is being made or changed.
type form struct {
	id      string
	c       connect.Config
	mapping string
	wrong   ui.FieldErrors
}

const exampleMapping = `kind: customers
fields: {user: customer_id, time: updated_at}
properties: [{column: full_name, name: name, type: string, personal: true}]
zone: Asia/Ho_Chi_Minh
`

func (p Pages) edit(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f := &form{id: r.PathValue("id"), mapping: exampleMapping, c: connect.Config{Kind: connect.Database, Every: 5 * time.Minute, History: true, System: "crm",
		Source: &connect.Source{Driver: connect.Postgres, Port: 5432, MarkIs: connect.ByTime, Overlap: time.Minute}, Drop: &connect.Drop{Pattern: "*.csv", Settle: 10 * time.Second}}}
	if f.id != "" {
		c, err := p.Connectors.Get(ctx, f.id)
		if err != nil {
			return err
		}
		raw, err := yaml.Marshal(c.Config.Mapping)
		if err != nil {
			return err
		}
		f.mapping = string(raw)
		source, drop := f.c.Source, f.c.Drop
		if f.c = c.Config; f.c.Source == nil {
			f.c.Source = source
		}
		if f.c.Drop == nil {
			f.c.Drop = drop
		}
	}
	return p.renderForm(w, r, http.StatusOK, f)
}

func (p Pages) renderForm(w http.ResponseWriter, r *http.Request, status int, f *form) error {
	ctx := r.Context()
	title := i18n.T(ctx, "connect.new")
	if f.id != "" {
		title = f.c.Name
	}
	page := ui.Page{Title: title, At: ui.NavData, Crumbs: []ui.Link{{Label: i18n.T(ctx, "connect.title"), Href: listPath}}, Finding: i18n.T(ctx, "connect.form_finding")}
	return ui.RenderStatus(w, r, status, formPage(page, f))
}

func (p Pages) save(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	seconds := func(name string, unit time.Duration) time.Duration {
		n, _ := strconv.ParseInt(strings.TrimSpace(r.FormValue(name)), 10, 32)
		return time.Duration(n) * unit
	}
	f := &form{id: r.PathValue("id"), mapping: r.FormValue("mapping")}
	f.c = connect.Config{Name: strings.TrimSpace(r.FormValue("name")), Kind: connect.Kind(r.FormValue("kind")), System: strings.TrimSpace(r.FormValue("system")),
		Every: seconds("every", time.Minute), History: r.FormValue("acts") != "live"}
	port, _ := strconv.Atoi(r.FormValue("port"))
	source := &connect.Source{Driver: connect.Driver(r.FormValue("driver")), Host: strings.TrimSpace(r.FormValue("host")), Port: port, Name: strings.TrimSpace(r.FormValue("database")),
		User: strings.TrimSpace(r.FormValue("user")), Insecure: r.FormValue("insecure") == "1", Query: strings.TrimSpace(r.FormValue("query")), Key: strings.TrimSpace(r.FormValue("key")),
		Mark: strings.TrimSpace(r.FormValue("mark")), MarkIs: connect.Marks(r.FormValue("mark_is"))}
	if source.MarkIs == connect.ByTime {
		source.Overlap = seconds("overlap", time.Second)
	}
	drop := &connect.Drop{Dir: strings.TrimSpace(r.FormValue("dir")), Pattern: strings.TrimSpace(r.FormValue("pattern")), Settle: seconds("settle", time.Second)}
	config := f.c
	if config.Kind == connect.Folder {
		config.Drop = drop
	} else {
		config.Source = source
	}
	f.c.Source, f.c.Drop = source, drop
	dec := yaml.NewDecoder(strings.NewReader(f.mapping))
	dec.KnownFields(true)
	if err := dec.Decode(&config.Mapping); err != nil {
		f.wrong = ui.ErrorsFrom(ctx, mapping.BadDocument(err))
		return p.renderForm(w, r, http.StatusUnprocessableEntity, f)
	}
	c, err := p.Connectors.Save(ctx, f.id, config, r.FormValue("password"))
	if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindTooLarge {
		f.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderForm(w, r, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, connectorPath(c.ID), http.StatusSeeOther)
	return nil
}

func (p Pages) act(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	to := connectorPath(id)
	var err error
	switch r.PathValue("act") {
	case "run":
		err = p.Connectors.RunNow(ctx, id)
	case "pause":
		err = p.Connectors.Pause(ctx, id, true)
	case "resume":
		err = p.Connectors.Pause(ctx, id, false)
	case "remove":
		to, err = listPath, p.Connectors.Remove(ctx, id)
	default:
		err = errs.NotFound("connect.error.not_found", "a connector cannot %s", r.PathValue("act"))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func options(ctx context.Context, key string, values ...string) (out []ui.Option) {
	for _, v := range values {
		out = append(out, ui.Option{Value: v, Label: i18n.T(ctx, key+v)})
	}
	return out
}
