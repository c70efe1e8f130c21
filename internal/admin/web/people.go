package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"omote/internal/admin/account"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// peopleView is the list of people.
type peopleView struct {
	table ui.TableProps
	chips []ui.ChipProps
	total int
	any   bool // there are people besides those that the filter leaves
}

func (p Pages) people(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	columns := peopleColumns(ctx)
	query := ui.QueryTable(r, "", columns, "name")
	state := auth.AccountState(r.URL.Query().Get("state"))
	q := account.Query{Search: query.Filter, State: state, Role: auth.Role(r.URL.Query().Get("role")), Sort: account.Sort(query.Sort), Desc: query.Desc,
		After: query.After, Limit: pageSize}
	n, err := p.names(ctx)
	if err != nil {
		return err
	}
	if query.CSV {
		return p.peopleCSV(w, r, q, columns, n)
	}
	found, err := p.Admin.Accounts.List(ctx, q)
	if err != nil {
		return err
	}
	v := peopleView{total: found.Total, any: found.Total > 0 || q.Search != "" || q.State != "" || q.Role != "", chips: stateChips(ctx, r, state)}
	v.table = ui.TableProps{Label: i18n.T(ctx, "admin.web.people.title"), Columns: columns, Query: query, Filter: i18n.T(ctx, "admin.web.people.find"), CSV: true,
		Next: found.Next, Foot: i18n.T(ctx, "admin.web.people.foot", "shown", len(found.Items), "count", found.Total),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "admin.web.people.none"), Text: i18n.T(ctx, "admin.web.people.none.text"),
			Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "admin.web.filter.drop"), Href: peoplePath}}})}
	for _, a := range found.Items {
		v.table.Rows = append(v.table.Rows, personRow(ctx, a, n))
	}
	page := ui.Page{Title: i18n.T(ctx, "admin.web.people.title"), At: NavPeople, Layer: ui.LayerGuarantee, Finding: i18n.T(ctx, "admin.web.people.finding", "count", found.Total), Toast: p.toast(w, r)}
	if auth.Can(ctx, account.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "admin.web.people.invite"), Href: peoplePath + "/new", Kind: ui.Ink, Key: "N"}}
	}
	return ui.Render(w, r, peoplePage(page, v))
}

func peopleColumns(ctx context.Context) []ui.Column {
	return []ui.Column{
		{Key: string(account.ByName), Label: i18n.T(ctx, "admin.web.field.name"), Sortable: true},
		{Key: "roles", Label: i18n.T(ctx, "admin.web.roles"), Wide: true},
		{Key: "state", Label: i18n.T(ctx, "admin.web.people.state"), Narrow: true},
		{Key: "code", Label: i18n.T(ctx, "admin.web.code.section"), Optional: true},
		{Key: string(account.BySignedIn), Label: i18n.T(ctx, "admin.web.people.signed_in"), Sortable: true, Numeric: true},
	}
}

func personRow(ctx context.Context, a auth.Account, n names) ui.Row {
	signedIn := ui.Cell{Text: i18n.T(ctx, "admin.web.never"), Mute: true}
	if !a.SignedIn.IsZero() {
		signedIn = ui.Cell{Text: ui.When(ctx, a.SignedIn)}
	}
	return ui.Row{ID: a.ID, Cells: []ui.Cell{
		{Text: a.Name, Sub: a.Email, Href: peoplePath + "/" + a.ID},
		{Text: grantWords(ctx, a.Grants, n), Mute: len(a.Grants) == 0},
		{Text: i18n.T(ctx, "admin.account.state."+string(a.State)), Mute: a.State != auth.Active},
		{Text: i18n.T(ctx, onOff(a.TwoFactor)), Mute: !a.TwoFactor},
		signedIn,
	}}
}

func onOff(on bool) string {
	if on {
		return "admin.web.code.state.on"
	}
	return "admin.web.code.state.off"
}

// grantWords spells grants by unit: "Administrator, Analyst (Example Bank); CX
// Champion (Ba Đình branch)".
func grantWords(ctx context.Context, grants []auth.Grant, n names) string {
	if len(grants) == 0 {
		return i18n.T(ctx, "admin.web.roles.none")
	}
	var units, out []string
	roles := map[string][]string{}
	for _, g := range grants {
		if roles[g.Unit] == nil {
			units = append(units, g.Unit)
		}
		roles[g.Unit] = append(roles[g.Unit], roleName(ctx, g.Role))
	}
	for _, u := range units {
		out = append(out, strings.Join(roles[u], ", ")+" ("+n.of(u)+")")
	}
	return strings.Join(out, "; ")
}

// stateChips choose people by the state of their account.
func stateChips(ctx context.Context, r *http.Request, now auth.AccountState) []ui.ChipProps {
	q := r.URL.Query()
	q.Del("after")
	chip := func(label string, state auth.AccountState) ui.ChipProps {
		params := url.Values{}
		for k, v := range q {
			params[k] = v
		}
		params.Del("state")
		if state != "" {
			params.Set("state", string(state))
		}
		return ui.ChipProps{Label: label, Href: withQuery(peoplePath, params), Pressed: now == state}
	}
	out := []ui.ChipProps{chip(i18n.T(ctx, "admin.web.people.all"), "")}
	for _, s := range []auth.AccountState{auth.Active, auth.Invited, auth.Disabled} {
		out = append(out, chip(i18n.T(ctx, "admin.account.state."+string(s)), s))
	}
	return out
}

func withQuery(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// peopleCSV writes all pages of the list.
func (p Pages) peopleCSV(w http.ResponseWriter, r *http.Request, q account.Query, columns []ui.Column, n names) error {
	ctx := r.Context()
	q.After, q.Limit = "", 10_000
	found, err := p.Admin.Accounts.List(ctx, q)
	if err != nil {
		return err
	}
	columns = append([]ui.Column{columns[0], {Label: i18n.T(ctx, "admin.web.field.email")}}, columns[1:]...)
	return ui.WriteCSV(w, "omote-people.csv", columns, func(yield func([]string) bool) {
		for {
			for _, a := range found.Items {
				signedIn := ""
				if !a.SignedIn.IsZero() {
					signedIn = a.SignedIn.UTC().Format(time.RFC3339)
				}
				if !yield([]string{a.Name, a.Email, grantWords(ctx, a.Grants, n), i18n.T(ctx, "admin.account.state."+string(a.State)), i18n.T(ctx, onOff(a.TwoFactor)), signedIn}) {
					return
				}
			}
			if found.Next == "" {
				return
			}
			q.After = found.Next
			if found, err = p.Admin.Accounts.List(ctx, q); err != nil {
				return
			}
		}
	})
}
