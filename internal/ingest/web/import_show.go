package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"omote/internal/ingest/files"
	"omote/internal/ingest/imports"
	"omote/internal/ingest/mapping"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// importShow is the mapping of a draft, the progress of a running import, or the
// result of one that ended.
func (p Pages) importShow(w http.ResponseWriter, r *http.Request) error {
	im, err := p.Imports.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if im.State == imports.Draft {
		return p.showDraft(w, r, im, http.StatusOK, nil)
	}
	return p.showResult(w, r, im)
}

// draft is what the mapping form shows.
type draft struct {
	im      *imports.Import
	kind    mapping.Kind
	mapping mapping.Mapping
	rows    []files.Row
	columns []string
	history bool
	wrong   ui.FieldErrors
}

func (p Pages) showDraft(w http.ResponseWriter, r *http.Request, im *imports.Import, status int, edited *draft) error {
	ctx := r.Context()
	kind := mapping.Kind(r.FormValue("kind"))
	if !slices.Contains(mapping.Kinds, kind) {
		kind = mapping.EventLog
	}
	preview, err := p.Imports.Preview(ctx, im.ID, kind, p.Zone)
	if err != nil {
		return err
	}
	d := draft{im: im, kind: kind, mapping: preview.Suggest, rows: preview.Rows, history: true}
	for i := range preview.Rows {
		for _, c := range preview.Rows[i].Columns {
			if !slices.Contains(d.columns, c) {
				d.columns = append(d.columns, c)
			}
		}
	}
	if edited != nil {
		d.mapping, d.wrong, d.history = edited.mapping, edited.wrong, edited.history
	}
	page := ui.Page{Title: im.FileName, At: ui.NavData, Finding: i18n.T(ctx, "ingest.draft.finding", "columns", len(d.columns)),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "ingest.import.title"), Href: importsPath}}}
	return ui.RenderStatus(w, r, status, importDraftPage(page, d))
}

// options are the columns a field can take.
func (d draft) options(ctx context.Context, needed bool) []ui.Option {
	none := "ingest.draft.none"
	if needed {
		none = "ingest.draft.choose"
	}
	out := []ui.Option{{Value: "", Label: i18n.T(ctx, none)}}
	for _, c := range d.columns {
		out = append(out, ui.Option{Value: c, Label: c})
	}
	return out
}

// fields are the meanings asked for at once (needed, guessed or with an error), or
// the others.
func (d draft) fields(first bool) (out []mapping.Field) {
	known, _ := mapping.Fields(d.kind)
	for _, f := range known {
		asked := d.needs(f) || d.mapping.Fields[f] != "" || d.mapping.Constants[f] != "" || d.wrong.For(string(f)) != ""
		if asked == first {
			out = append(out, f)
		}
	}
	return out
}

// needs tells whether a kind of import cannot do without a field.
func (d draft) needs(f mapping.Field) bool {
	known, needed := mapping.Fields(d.kind)
	return slices.Contains(known[:needed], f)
}

// example is the first value of a column.
func (d draft) example(column string) string {
	for i := range d.rows {
		if v, ok := d.rows[i].Get(column); ok && v.Text != "" {
			if r := []rune(v.Text); len(r) > 60 {
				return string(r[:60]) + "…"
			}
			return v.Text
		}
	}
	return ""
}

// left are the columns that no field takes.
func (d draft) left() (out []string) {
	taken := map[string]bool{}
	for _, c := range d.mapping.Fields {
		taken[c] = true
	}
	for _, c := range d.columns {
		if !taken[c] {
			out = append(out, c)
		}
	}
	return out
}

// keep says how a left column is treated: keep, personal or drop.
func (d draft) keep(column string) string {
	for _, q := range d.mapping.Properties {
		if q.Column == column && q.Personal {
			return "personal"
		}
		if q.Column == column {
			return "keep"
		}
	}
	return "drop"
}

func (p Pages) importStart(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	im, err := p.Imports.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("ingest.error.form", "", "the form cannot be read").Because(err)
	}
	kind := mapping.Kind(r.FormValue("kind"))
	preview, err := p.Imports.Preview(ctx, im.ID, kind, p.Zone)
	if err != nil {
		return err
	}
	m := fromForm(r, kind, preview.Suggest)
	history := r.FormValue("mode") != "live"
	if _, err := p.Imports.Start(ctx, im.ID, m, history); err != nil {
		if errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		return p.showDraft(w, r, im, http.StatusUnprocessableEntity, &draft{mapping: m, history: history, wrong: ui.ErrorsFrom(ctx, err)})
	}
	return seeOther(w, r, importsPath+"/"+im.ID)
}

// fromForm reads a mapping from the form; guessed gives names and types of the
// columns that are kept.
func fromForm(r *http.Request, kind mapping.Kind, guessed mapping.Mapping) mapping.Mapping {
	m := mapping.Mapping{Kind: kind, Fields: map[mapping.Field]string{}, Constants: map[mapping.Field]string{},
		TimeFormat: strings.TrimSpace(r.FormValue("time_format")), Zone: strings.TrimSpace(r.FormValue("zone"))}
	known, _ := mapping.Fields(kind)
	for _, f := range known {
		if column := r.FormValue("field." + string(f)); column != "" {
			m.Fields[f] = column
		} else if constant := strings.TrimSpace(r.FormValue("constant." + string(f))); constant != "" {
			m.Constants[f] = constant
		}
	}
	for _, q := range guessed.Properties {
		switch r.FormValue("keep." + q.Column) {
		case "keep":
			q.Personal = false
		case "personal":
			q.Personal = true
		default:
			continue
		}
		m.Properties = append(m.Properties, q)
	}
	return m
}

func (p Pages) importSteer(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	var err error
	switch r.PathValue("act") {
	case "pause":
		err = p.Imports.Pause(r.Context(), id)
	case "resume":
		err = p.Imports.Resume(r.Context(), id)
	case "cancel":
		err = p.Imports.Cancel(r.Context(), id)
	default:
		err = errs.NotFound("http.error.not_found", "an import cannot %s", r.PathValue("act"))
	}
	// Whoever presses too late sees how it ended.
	if err != nil && errs.KindOf(err) != errs.KindConflict {
		return err
	}
	return seeOther(w, r, importsPath+"/"+id)
}

// importProgress is the part of the page that is asked for every second. When the
// import has ended the whole page is loaded anew.
func (p Pages) importProgress(w http.ResponseWriter, r *http.Request) error {
	im, err := p.Imports.Get(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if !im.State.Running() {
		w.Header().Set("HX-Refresh", "true")
		return nil
	}
	return ui.Render(w, r, ui.Progress(p.progress(r.Context(), im)))
}

func (p Pages) progress(ctx context.Context, im *imports.Import) ui.ProgressProps {
	f := i18n.Fmt(ctx)
	here := importsPath + "/" + im.ID
	out := ui.ProgressProps{ID: "progress", Title: i18n.T(ctx, "ingest.state."+string(im.State)), Done: im.Progress(), Remark: i18n.T(ctx, "ingest.progress.leave"),
		Facts: []ui.Item{
			ui.Text(i18n.T(ctx, "ingest.progress.rows", "count", im.ReadRows)),
			ui.Text(i18n.T(ctx, "ingest.progress.held", "count", im.Quarantined)),
		}}
	if left := im.Left(p.Clock.Now()); left > 0 {
		out.Left = i18n.T(ctx, "ingest.progress.left", "time", f.Duration(left))
	}
	switch im.State {
	case imports.Queued, imports.Reading:
		out.PollHref, out.PauseHref, out.CancelHref = here+"/progress", here+"/pause", here+"/cancel"
	case imports.Settling:
		out.PollHref = here + "/progress"
	case imports.Paused, imports.Failed:
		out.Paused, out.PauseHref, out.CancelHref = true, here+"/resume", here+"/cancel"
	}
	if !auth.Can(ctx, imports.PermEdit) {
		out.PauseHref, out.CancelHref = "", ""
	}
	return out
}

// result is what the page of a started import shows.
type result struct {
	im      *imports.Import
	mapping mapping.Mapping
	groups  []quarantine.Group
	open    int64
	canRead bool
	canEdit bool
	journey string
}

func (p Pages) showResult(w http.ResponseWriter, r *http.Request, im *imports.Import) error {
	ctx := r.Context()
	res := result{im: im, canRead: auth.Can(ctx, quarantine.PermRead), canEdit: auth.Can(ctx, imports.PermEdit)}
	var err error
	if res.mapping, err = im.Mapping(); err != nil {
		return err
	}
	res.journey = res.mapping.Constants[mapping.Journey]
	if res.canRead && im.Quarantined > 0 {
		filter := quarantine.Filter{ImportID: im.ID, State: quarantine.Open}
		if res.groups, err = p.Quarantine.Groups(ctx, filter); err != nil {
			return err
		}
		if res.open, err = p.Quarantine.Count(ctx, filter); err != nil {
			return err
		}
	}
	page := ui.Page{Title: im.FileName, At: ui.NavData, Finding: resultFinding(ctx, im), Meta: resultMeta(ctx, im),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "ingest.import.title"), Href: importsPath}}}
	if im.State == imports.Done && res.mapping.Kind == mapping.EventLog && res.journey != "" {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "ingest.result.journey"), Href: "/journey/observed/" + httpx.PathEscape(res.journey), Kind: ui.Ink}}
	}
	return ui.Render(w, r, importResultPage(page, res, p.progress(ctx, im)))
}

func resultFinding(ctx context.Context, im *imports.Import) string {
	f := i18n.Fmt(ctx)
	switch im.State {
	case imports.Done:
		return i18n.T(ctx, "ingest.result.finding", "accepted", f.Int(im.Accepted), "seconds", f.Decimal(im.Seconds(im.FinishedAt.Time()), 1))
	case imports.Failed:
		return i18n.T(ctx, "ingest.result.failed", "rows", f.Int(im.ReadRows))
	case imports.Cancelled:
		return i18n.T(ctx, "ingest.result.cancelled", "rows", f.Int(im.ReadRows))
	}
	return ""
}

func resultMeta(ctx context.Context, im *imports.Import) []ui.Item {
	return []ui.Item{
		ui.Text(i18n.T(ctx, modeKey(im))),
		ui.Text(i18n.T(ctx, "ingest.result.started", "at", ui.When(ctx, im.CreatedAt.Time()))),
		ui.Text(i18n.T(ctx, "ingest.result.hash", "hash", im.FileHash[:12])),
	}
}

func (p Pages) importQuarantine(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="quarantine.csv"`)
	return p.Imports.WriteQuarantine(r.Context(), r.PathValue("id"), w)
}

func (p Pages) importRetry(w http.ResponseWriter, r *http.Request) error {
	file, header, err := r.FormFile("file")
	if err != nil {
		return errs.Invalid("ingest.error.no_file", "file", "choose a file first").Because(err)
	}
	defer file.Close()
	im, err := p.Imports.Retry(r.Context(), r.PathValue("id"), header.Filename, file)
	if err != nil {
		return err
	}
	return seeOther(w, r, importsPath+"/"+im.ID)
}
