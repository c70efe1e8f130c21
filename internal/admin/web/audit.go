package web

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"omote/internal/admin/account"
	"omote/internal/admin/key"
	"omote/internal/admin/trail"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// auditView is the trail with its filters and, when it was asked for, whether it
// is sound.
type auditView struct {
	actor, action, object string
	from, until           string // days
	table                 ui.TableProps
	whole                 bool // the reader may verify and export: the whole entity's trail
	report                *audit.Report
	given                 int // seals that were brought along
	took                  time.Duration
	wrong                 ui.FieldErrors
}

// actionAreas are the beginnings of actions that the filter offers.
var actionAreas = []string{"auth.", "admin.account.", "admin.org.", "admin.key.", "admin.key_ring.", "admin.system.", "ingest.", "insight.", "journey.", "customer.", "report."}

func (p Pages) audit(w http.ResponseWriter, r *http.Request) error {
	return p.renderAudit(w, r, http.StatusOK, auditView{})
}

func (p Pages) renderAudit(w http.ResponseWriter, r *http.Request, status int, v auditView) error {
	ctx := r.Context()
	q := r.URL.Query()
	v.actor, v.action, v.object = strings.TrimSpace(q.Get("actor")), q.Get("action"), strings.TrimSpace(q.Get("object"))
	v.from, v.until = q.Get("from"), q.Get("until")
	v.whole = auth.Require(ctx, trail.PermRead, scope.Root) == nil
	f := audit.Filter{Actor: v.actor, Action: v.action, Object: v.object, After: q.Get("after"), Limit: pageSize}
	var err error
	if f.From, f.Before, err = days(ctx, v.from, v.until); err != nil {
		v.wrong, f.From, f.Before, status = ui.ErrorsFrom(ctx, err), time.Time{}, time.Time{}, http.StatusUnprocessableEntity
	}
	columns := auditColumns(ctx)
	query := ui.QueryTable(r, "", columns, "")
	if query.CSV {
		return p.auditCSV(w, r, f, columns)
	}
	found, err := p.Admin.Trail.List(ctx, f)
	if err != nil {
		return err
	}
	actors, err := p.actors(ctx, found.Items)
	if err != nil {
		return err
	}
	v.table = ui.TableProps{Label: i18n.T(ctx, "admin.web.audit.title"), Columns: columns, Query: query, CSV: true, Next: found.Next, Choice: true,
		Foot: i18n.T(ctx, "admin.web.audit.foot", "count", len(found.Items)),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "admin.web.audit.none"), Text: i18n.T(ctx, "admin.web.audit.none.text"),
			Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "admin.web.filter.drop"), Href: auditPath}}})}
	for _, l := range found.Items {
		v.table.Rows = append(v.table.Rows, auditRow(ctx, l, actors))
	}
	page := ui.Page{Title: i18n.T(ctx, "admin.web.audit.title"), At: NavAudit, Layer: ui.LayerGuarantee, Finding: i18n.T(ctx, "admin.web.audit.finding"), Toast: p.toast(w, r)}
	return ui.RenderStatus(w, r, status, auditPage(page, v))
}

// days turns the first and last day of a filter into instants.
func days(ctx context.Context, from, until string) (first, before time.Time, err error) {
	zone := ui.ChromeFrom(ctx).Now.Location()
	read := func(field, day string) (time.Time, error) {
		if day == "" {
			return time.Time{}, nil
		}
		t, err := time.ParseInLocation(time.DateOnly, day, zone)
		if err != nil {
			return t, errs.Invalid("admin.web.error.date", field, "%q is no date such as 2027-01-31", day).With("value", day)
		}
		return t, nil
	}
	first, err1 := read("from", from)
	before, err2 := read("until", until)
	if !before.IsZero() {
		before = before.AddDate(0, 0, 1)
	}
	return first, before, errors.Join(err1, err2)
}

func auditColumns(ctx context.Context) []ui.Column {
	return []ui.Column{
		{Key: "action", Label: i18n.T(ctx, "admin.web.audit.action")},
		{Key: "actor", Label: i18n.T(ctx, "admin.web.audit.actor")},
		{Key: "object", Label: i18n.T(ctx, "admin.web.audit.object"), Wide: true},
		{Key: "unit", Label: i18n.T(ctx, "admin.web.audit.unit"), Optional: true, Off: true},
		{Key: "changed", Label: i18n.T(ctx, "admin.web.audit.changed"), Optional: true, Off: true},
		{Key: "digests", Label: i18n.T(ctx, "admin.web.audit.digests"), Optional: true, Off: true},
		{Key: "seal", Label: i18n.T(ctx, "admin.web.audit.seal"), Numeric: true},
		{Key: "at", Label: i18n.T(ctx, "admin.web.audit.at"), Numeric: true},
	}
}

func auditRow(ctx context.Context, l audit.Line, who actors) ui.Row {
	seal := ui.Cell{Text: i18n.T(ctx, "admin.web.audit.unsealed"), Mute: true}
	if l.Batch > 0 {
		seal = ui.Cell{Text: i18n.Fmt(ctx).Int(l.Batch)}
	}
	return ui.Row{ID: l.ID, Cells: []ui.Cell{
		{Text: actionName(ctx, l.Action), Sub: l.Reason},
		who.cell(ctx, l.Actor),
		{Text: objectName(ctx, l.Object), Sub: shortID(l.Object), Href: objectHref(l.Object)},
		{Text: l.Unit}, {Text: changedWords(ctx, l.Changed)}, {Text: short(l.Before), Sub: short(l.After)}, seal, {Text: ui.When(ctx, l.At)},
	}}
}

// changedWords words the names of fields.
func changedWords(ctx context.Context, fields []string) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		if key := "admin.changed." + f; i18n.From(ctx).Has(key) {
			f = i18n.T(ctx, key)
		}
		out[i] = f
	}
	return strings.Join(out, ", ")
}

// actionName words an action; one without words of its own shows as it is.
func actionName(ctx context.Context, action string) string {
	if key := "admin.action." + action; i18n.From(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return action
}

// objectName words the kind of an object.
func objectName(ctx context.Context, object string) string {
	kind, _, _ := strings.Cut(object, "/")
	if key := "admin.object." + kind; i18n.From(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return kind
}

func shortID(object string) string {
	_, id, _ := strings.Cut(object, "/")
	return short(id)
}

// short keeps the end of an id or digest: ids of one moment begin alike.
func short(id string) string {
	if len(id) <= 16 {
		return id
	}
	return "…" + id[len(id)-12:]
}

// objectHref leads to the things that have a page here.
func objectHref(object string) string {
	kind, id, _ := strings.Cut(object, "/")
	switch kind {
	case "account":
		return peoplePath + "/" + url.PathEscape(id)
	case "unit":
		return unitHref(id, true)
	case "key":
		return keysPath + "/" + url.PathEscape(id)
	}
	return ""
}

// actors are the names of those who acted, by reference, as far as the reader may
// know them.
type actors map[string]string

func (p Pages) actors(ctx context.Context, lines []audit.Line) (actors, error) {
	out := actors{}
	accounts, keys := false, false
	for _, l := range lines {
		accounts = accounts || strings.HasPrefix(l.Actor, string(auth.Person))
		keys = keys || strings.HasPrefix(l.Actor, string(auth.Key))
	}
	if accounts && auth.Can(ctx, account.PermRead) {
		found, err := p.Admin.Accounts.List(ctx, account.Query{Limit: 1 << 20})
		if err != nil {
			return nil, err
		}
		for _, a := range found.Items {
			out[string(auth.Person)+":"+a.ID] = a.Name
		}
	}
	if keys && auth.Can(ctx, key.PermRead) {
		found, err := p.Admin.Keys.List(ctx, key.Query{Limit: 1 << 20})
		if err != nil {
			return nil, err
		}
		for _, k := range found.Items {
			out[string(auth.Key)+":"+k.ID] = k.Name
		}
	}
	return out, nil
}

// cell names who acted and leads to everything that they did.
func (a actors) cell(ctx context.Context, ref string) ui.Cell {
	kind, id, _ := strings.Cut(ref, ":")
	href := auditPath + "?" + url.Values{"actor": {ref}}.Encode()
	if name := a[ref]; name != "" {
		return ui.Cell{Text: name, Sub: kindName(ctx, kind), Href: href}
	}
	return ui.Cell{Text: kindName(ctx, kind), Sub: short(id), Href: href}
}

func kindName(ctx context.Context, kind string) string {
	if key := "admin.actor." + kind; i18n.From(ctx).Has(key) {
		return i18n.T(ctx, key)
	}
	return kind
}

// auditCSV writes all lines that the filter leaves, as they were recorded.
func (p Pages) auditCSV(w http.ResponseWriter, r *http.Request, f audit.Filter, columns []ui.Column) error {
	ctx := r.Context()
	f.After, f.Limit = "", 900
	found, err := p.Admin.Trail.List(ctx, f)
	if err != nil {
		return err
	}
	return ui.WriteCSV(w, "omote-audit.csv", columns, func(yield func([]string) bool) {
		for {
			for _, l := range found.Items {
				if !yield([]string{l.Action, l.Actor, l.Object, l.Unit, strings.Join(l.Changed, " "), l.Before + " " + l.After, fmt.Sprint(l.Batch), l.At.UTC().Format(time.RFC3339Nano)}) {
					return
				}
			}
			if found.Next == "" {
				return
			}
			f.After = found.Next
			if found, err = p.Admin.Trail.List(ctx, f); err != nil {
				return
			}
		}
	})
}

// auditVerify reads the whole trail and shows whether it is sound, also against
// seals that were exported before.
func (p Pages) auditVerify(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var v auditView
	heads, err := sentHeads(r)
	if err != nil {
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderAudit(w, r, http.StatusUnprocessableEntity, v)
	}
	begin := time.Now() // a duration for people, not a time of the domain
	report, err := p.Admin.Trail.Verify(ctx, heads...)
	if err != nil {
		return err
	}
	v.report, v.given, v.took = &report, len(heads), time.Since(begin)
	return p.renderAudit(w, r, http.StatusOK, v)
}

// maxSeals bounds a file of seals, in bytes.
const maxSeals = 64 << 20

// sentHeads reads the exported seals of the form, if it brought any.
func sentHeads(r *http.Request) (heads []audit.Head, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil // a plain form brings none
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return heads, nil
		}
		if err != nil {
			return nil, errs.Invalid("admin.web.error.form", "heads", "the upload broke off").Because(err)
		}
		lines := bufio.NewScanner(io.LimitReader(part, maxSeals))
		for n := 1; lines.Scan(); n++ {
			var h audit.Head
			if strings.TrimSpace(lines.Text()) == "" {
				continue
			}
			if err := json.Unmarshal(lines.Bytes(), &h); err != nil || h.No <= 0 || h.Hash == "" {
				return nil, errs.Invalid("admin.web.audit.error.seal", "heads", "line %d is no seal", n).With("line", n)
			}
			heads = append(heads, h)
		}
		if err := lines.Err(); err != nil {
			return nil, errs.Invalid("admin.web.error.form", "heads", "the file cannot be read").Because(err)
		}
	}
}

// auditSeals sends all seals, to be kept off the machine.
func (p Pages) auditSeals(w http.ResponseWriter, r *http.Request) error {
	if err := auth.Require(r.Context(), trail.PermRead, scope.Root); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="omote-seals.jsonl"`)
	w.Header().Set("Cache-Control", "no-store")
	return p.Admin.Trail.Export(r.Context(), w, 0)
}
