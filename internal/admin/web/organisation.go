package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"omote/internal/admin/account"
	"omote/internal/admin/org"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// orgView is the tree, and beside it the unit that was chosen.
type orgView struct {
	units  []org.Unit
	closed bool // closed units are shown
	table  ui.TableProps
	unit   *org.Unit
	wrong  ui.FieldErrors
	form   string // the one that came back: "add", "rename", "move", "close", "reopen"
	new    org.New
	name   string // as typed
	parent string
	people int // with a role in the chosen unit or below; -1 when the reader may not know
}

func (p Pages) organisation(w http.ResponseWriter, r *http.Request) error {
	return p.renderOrg(w, r, http.StatusOK, r.FormValue("unit"), orgView{})
}

func (p Pages) renderOrg(w http.ResponseWriter, r *http.Request, status int, id string, v orgView) error {
	ctx := r.Context()
	var err error
	if v.units, err = p.Admin.Org.Tree(ctx); err != nil {
		return err
	}
	v.closed = r.FormValue("closed") != ""
	if i := slices.IndexFunc(v.units, func(u org.Unit) bool { return u.ID == id }); i >= 0 {
		v.unit = &v.units[i]
	} else if id != "" {
		return errs.NotFound("admin.org.error.not_found", "no unit %s", id)
	}
	if v.unit != nil {
		if v.people, err = p.peopleIn(ctx, v.unit.Path); err != nil {
			return err
		}
		if v.form != "rename" {
			v.name = v.unit.Name
		}
		if v.form != "move" {
			v.parent = v.unit.Parent()
		}
		if v.form != "add" {
			v.new.Kind = org.Single
		}
	}
	v.table = orgTable(ctx, r, v)
	var before told
	first := p.kept(r, cookieToast, &before) && before.Key == "setup"
	page := ui.Page{Title: i18n.T(ctx, "admin.web.org.title"), At: NavOrganisation, Layer: ui.LayerGuarantee, Finding: orgFinding(ctx, v.units), Toast: p.toast(w, r)}
	if first {
		page.Notice = whatNext()
	}
	if v.unit != nil {
		page.Side, page.SideLabel = orgPanel(v, auth.Require(ctx, org.PermEdit, v.unit.Path) == nil), v.unit.Name
	}
	return ui.RenderStatus(w, r, status, orgPage(page, v))
}

// peopleIn counts the people with a role in a unit or below it.
func (p Pages) peopleIn(ctx context.Context, path string) (int, error) {
	if !auth.Can(ctx, account.PermRead) {
		return -1, nil
	}
	found, err := p.Admin.Accounts.List(ctx, account.Query{Unit: path, Limit: 1})
	return found.Total, err
}

func orgFinding(ctx context.Context, units []org.Unit) string {
	regions, single := 0, 0
	for _, u := range units {
		if u.Open() && u.Kind == org.Region {
			regions++
		}
		if u.Open() && u.Kind == org.Single {
			single++
		}
	}
	inRegions, inUnits := i18n.T(ctx, "admin.web.org.regions", "count", regions), i18n.T(ctx, "admin.web.org.units", "count", single)
	switch {
	case regions+single == 0:
		return i18n.T(ctx, "admin.web.org.finding.empty")
	case regions == 0:
		return i18n.T(ctx, "admin.web.org.finding.only", "what", inUnits)
	case single == 0:
		return i18n.T(ctx, "admin.web.org.finding.only", "what", inRegions)
	}
	return i18n.T(ctx, "admin.web.org.finding", "regions", inRegions, "units", inUnits)
}

// unitHref leads to the tree with a unit beside it.
func unitHref(id string, closed bool) string {
	q := url.Values{"unit": {id}}
	if closed {
		q.Set("closed", "1")
	}
	return orgPath + "?" + q.Encode()
}

// orgTable is the tree as rows, each as far to the right as it lies deep.
func orgTable(ctx context.Context, r *http.Request, v orgView) ui.TableProps {
	columns := []ui.Column{
		{Key: "name", Label: i18n.T(ctx, "admin.web.org.unit")},
		{Key: "kind", Label: i18n.T(ctx, "admin.web.org.kind")},
		{Key: "code", Label: i18n.T(ctx, "admin.web.org.code")},
		{Key: "created", Label: i18n.T(ctx, "admin.web.org.created"), Numeric: true},
	}
	t := ui.TableProps{Label: i18n.T(ctx, "admin.web.org.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, ""), Filter: i18n.T(ctx, "admin.web.org.find"), Dense: true, KeepTable: true,
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "admin.web.org.none"), Text: i18n.T(ctx, "admin.web.org.none.text"),
			Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "admin.web.filter.drop"), Href: orgPath}}})}
	shut := 0
	for _, u := range v.units {
		if !u.Open() && !v.closed {
			shut++
			continue
		}
		if !matches(t.Query.Filter, u.Name+" "+u.Code) {
			continue
		}
		depth := u.Depth() - v.units[0].Depth()
		if t.Query.Filter != "" {
			depth = 0
		}
		kind := i18n.T(ctx, "admin.org.kind."+string(u.Kind))
		if !u.Open() {
			kind = i18n.T(ctx, "admin.web.org.closed_on", "date", i18n.Fmt(ctx).Date(u.Closed))
		}
		t.Rows = append(t.Rows, ui.Row{ID: u.ID, Open: v.unit != nil && v.unit.ID == u.ID, Cells: []ui.Cell{
			{Node: treeLink(u, depth, v.closed)}, {Text: kind, Mute: !u.Open()}, {Text: u.Code, Mute: true}, {Text: i18n.Fmt(ctx).Date(u.Created)}}})
	}
	t.Foot = i18n.T(ctx, "admin.web.org.foot", "count", len(t.Rows))
	if shut > 0 {
		t.Actions = ui.Chip(ui.ChipProps{Label: i18n.T(ctx, "admin.web.org.closed.show", "count", shut), Href: orgPath + "?closed=1"})
	} else if v.closed {
		t.Actions = ui.Chip(ui.ChipProps{Label: i18n.T(ctx, "admin.web.org.closed.shown"), RemoveHref: orgPath})
	}
	return t
}

// treeLink names a unit, indented as deep as it lies.
func treeLink(u org.Unit, depth int, closed bool) templ.Component {
	return treeName(strconv.Itoa(depth*22), unitHref(u.ID, closed), u.Name, u.Open())
}

// unitChange carries out one change of a unit.
func (p Pages) unitChange(w http.ResponseWriter, r *http.Request) error {
	ctx, id, act := r.Context(), r.PathValue("id"), r.PathValue("act")
	v := orgView{form: act, name: strings.TrimSpace(r.FormValue("name")), parent: r.FormValue("parent")}
	unit, err := p.Admin.Org.Get(ctx, id)
	if err != nil {
		return err
	}
	done := told{Name: unit.Name, ID: id}
	switch act {
	case "rename":
		done.Key, done.Name, err = "unit.renamed", v.name, p.Admin.Org.Rename(ctx, id, v.name)
	case "move":
		done.Key, err = "unit.moved", p.Admin.Org.Move(ctx, id, v.parent)
	case "close":
		done.Key, err = "unit.closed", p.Admin.Org.Close(ctx, id)
	case "reopen":
		done.Key, err = "unit.reopened", p.Admin.Org.Reopen(ctx, id)
	default:
		return errs.NotFound("http.error.not_found", "there is no act %q", act)
	}
	if err == nil {
		return p.done(w, r, unitHref(id, act == "close"), done)
	}
	if !refused(err) {
		return err
	}
	v.wrong = ui.ErrorsFrom(ctx, err)
	return p.renderOrg(w, r, http.StatusUnprocessableEntity, id, v)
}

func (p Pages) unitAdd(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	n := org.New{Parent: r.FormValue("above"), Code: strings.ToLower(strings.TrimSpace(r.FormValue("code"))), Kind: org.Kind(r.FormValue("kind")), Name: strings.TrimSpace(r.FormValue("name"))}
	u, err := p.Admin.Org.Add(ctx, n)
	if err == nil {
		return p.done(w, r, unitHref(u.ID, false), told{Key: "unit.added", Name: u.Name})
	}
	if !refused(err) {
		return err
	}
	v := orgView{form: "add", new: n, wrong: ui.ErrorsFrom(ctx, err)}
	for i := range v.wrong {
		switch v.wrong[i].Field {
		case "name":
			v.wrong[i].Field = "new-name"
		case "":
			v.wrong[i].Field = "code"
		}
	}
	return p.renderOrg(w, r, http.StatusUnprocessableEntity, r.FormValue("beside"), v)
}
