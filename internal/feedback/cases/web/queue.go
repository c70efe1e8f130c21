package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type queueView struct {
	table   ui.TableProps
	chips   []ui.ChipProps
	views   []cases.SavedView
	said    string
	query   string
	counts  cases.Counts
	mine    []cases.Escalated // escalations that wait for the reader
	content *cases.Content
}

// queryOf reads the filters of an address.
func queryOf(r *http.Request, now time.Time) cases.Query {
	v := r.URL.Query()
	q := cases.Query{Unit: v.Get("unit"), Kind: cases.Kind(v.Get("kind")), Severity: cases.Severity(v.Get("severity")), Product: v.Get("product"), Journey: v.Get("journey"),
		Channel: v.Get("channel"), Search: v.Get("q"), After: v.Get("after"), Customer: v.Get("customer")}
	switch v.Get("who") {
	case "me":
		q.Owner = me(r.Context())
	case "nobody":
		q.Nobody = true
	case "watched":
		q.Watching, q.Closed = me(r.Context()), true
	}
	switch v.Get("show") {
	case "late":
		q.Late = true
	case "today":
		q.DueBefore = endOfDay(now)
	case "asked":
		q.States = []cases.State{cases.Asked}
	case "all":
		q.Closed = true
	}
	if q.Search != "" {
		q.Closed = true
	}
	return q
}

func endOfDay(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, t.Location())
}

func (p Pages) queue(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q := queryOf(r, p.now())
	columns := queueColumns(ctx)
	table := ui.QueryTable(r, "", columns, "due")
	if table.CSV {
		return p.queueCSV(w, r, q)
	}
	found, err := p.Cases.List(ctx, q)
	if err != nil {
		return err
	}
	v := queueView{said: said(w, r), query: r.URL.RawQuery}
	if v.counts, err = p.Cases.Count(ctx, q, endOfDay(p.now())); err != nil {
		return err
	}
	if v.views, err = p.Cases.Views(ctx); err != nil {
		return err
	}
	content, err := p.Cases.Content(ctx)
	if err != nil {
		return err
	}
	people, units := p.People(ctx), p.Units(ctx)
	var journeys map[string]string
	if p.Journeys != nil {
		journeys = p.Journeys(ctx)
	}
	v.chips = p.queueChips(ctx, r)
	v.table = ui.TableProps{Label: i18n.T(ctx, "feedback.case.queue"), Columns: columns, Query: table, CSV: true, Filter: i18n.T(ctx, "feedback.case.find"), Next: found.Next,
		Selectable: auth.Can(ctx, cases.PermEdit), Dense: false, Choice: true, Prev: q.After != "",
		Foot: i18n.T(ctx, "feedback.case.queue.foot", "count", len(found.Items)),
		Bulk: []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.case.take"), Href: queuePath + "/bulk/take", Key: "A"}, {Label: i18n.T(ctx, "feedback.case.watch"), Href: queuePath + "/bulk/watch", Key: "W"}}}
	for _, c := range found.Items {
		v.table.Rows = append(v.table.Rows, p.queueRow(ctx, c, content, people, units, journeys))
	}
	v.table.Empty = ui.Empty(ui.EmptyProps{Kind: ui.EmptyGood, Title: i18n.T(ctx, "feedback.case.queue.empty"), Text: i18n.T(ctx, "feedback.case.queue.empty.text")})
	if v.query != "" {
		v.table.Empty = ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "feedback.case.queue.none"), Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "feedback.case.queue.drop"), Href: queuePath}}})
	}
	n := v.counts
	page := ui.Page{Title: i18n.T(ctx, "feedback.case.queue"), At: ui.NavCases, Meta: []ui.Item{ui.Text(i18n.T(ctx, "feedback.case.count.open", "count", n.Open)),
		ui.Text(i18n.T(ctx, "feedback.case.count.today", "count", n.DueToday)), ui.Text(i18n.T(ctx, "feedback.case.count.nobody", "count", n.Nobody))}}
	if n.Late > 0 {
		page.Meta = slices.Insert(page.Meta, 1, ui.Care(i18n.T(ctx, "feedback.case.count.late", "count", n.Late)))
	}
	page.Finding = p.queueFinding(ctx, n, found.Items, content)
	for _, l := range []struct {
		key, href string
		perm      auth.Permission
	}{{"feedback.register.title", queuePath + "/register", cases.PermRegister}, {"feedback.cluster.title", queuePath + "/clusters", cases.PermRead},
		{"feedback.wallet.title", queuePath + "/wallet", cases.PermLead}, {"feedback.setup.title", setupPath, cases.PermRead}} {
		if auth.Can(ctx, l.perm) {
			page.Meta = append(page.Meta, ui.Anchor(i18n.T(ctx, l.key), l.href))
		}
	}
	if v.mine, err = p.Cases.MyEscalations(ctx, 5); err != nil {
		return err
	}
	v.content = content
	if auth.Can(ctx, cases.PermEdit) {
		page.Actions = append(page.Actions, ui.ButtonProps{Label: i18n.T(ctx, "feedback.case.today"), Href: todayPath}, ui.ButtonProps{Label: i18n.T(ctx, "feedback.case.new"), Href: queuePath + "/new", Kind: ui.Ink, Key: "N"})
	}
	return ui.Render(w, r, queuePage(page, v))
}

// queueFinding says in a sentence whose clock runs out next.
func (p Pages) queueFinding(ctx context.Context, n cases.Counts, items []cases.Case, content *cases.Content) string {
	if n.Open == 0 || len(items) == 0 {
		return ""
	}
	first := items[0]
	if first.Due().IsZero() {
		return ""
	}
	return i18n.T(ctx, "feedback.case.queue.finding", "ref", first.Ref(), "rule", ruleName(ctx, content, first.NextRule), "when", p.left(ctx, first.Due()))
}

func ruleName(ctx context.Context, content *cases.Content, id string) string {
	if r, ok := content.RuleByID(id); ok {
		return r.Label(i18n.Locale(ctx))
	}
	return id
}

func queueColumns(ctx context.Context) []ui.Column {
	return []ui.Column{
		{Key: "case", Label: i18n.T(ctx, "feedback.case.column.case")},
		{Key: "problem", Label: i18n.T(ctx, "feedback.case.column.problem"), Wide: true},
		{Key: "due", Label: i18n.T(ctx, "feedback.case.column.due"), Narrow: true},
		{Key: "severity", Label: i18n.T(ctx, "feedback.case.column.severity"), Narrow: true},
		{Key: "state", Label: i18n.T(ctx, "feedback.case.column.state"), Optional: true, Narrow: true},
		{Key: "unit", Label: i18n.T(ctx, "feedback.case.column.unit"), Optional: true, Off: true},
		{Key: "owner", Label: i18n.T(ctx, "feedback.case.column.owner")},
	}
}

func (p Pages) queueRow(ctx context.Context, c cases.Case, content *cases.Content, people, units, journeys map[string]string) ui.Row {
	name := c.Name.Plain
	if name == "" {
		name = i18n.T(ctx, "feedback.case.unnamed")
	}
	due := ui.Cell{Text: i18n.T(ctx, "feedback.case.no_clock"), Mute: true}
	if !c.Due().IsZero() && c.IsOpen {
		used := 0.0
		if whole := c.Due().Sub(c.Opened.Time()); whole > 0 {
			used = float64(p.Clock.Now().Sub(c.Opened.Time())) / float64(whole)
		}
		due = ui.Cell{Node: dueCell(ui.ClockProps{Label: p.left(ctx, c.Due()), Used: used, State: p.clockState(c.Due(), used)}, ruleName(ctx, content, c.NextRule))}
	}
	problem := productName(ctx, c.Product)
	if c.Journey != "" {
		problem = nameOf(journeys, c.Journey, "")
	}
	sub := word(ctx, "kind", string(c.Kind)) + " · " + word(ctx, "channel", c.Channel)
	if problem != "" {
		sub += " · " + problem
	}
	if c.Signals > 1 {
		sub += " · " + i18n.T(ctx, "feedback.case.signals", "count", c.Signals)
	}
	owner := ui.Cell{Text: nameOf(people, c.Owner, i18n.T(ctx, "feedback.case.nobody")), Mute: c.Owner == ""}
	return ui.Row{ID: c.ID, Cells: []ui.Cell{
		{Text: name, Sub: c.Ref(), Href: casePath(c.ID)},
		{Text: c.Title.Plain, Sub: sub},
		due,
		{Text: word(ctx, "severity", string(c.Severity)), Care: c.Severity == cases.Severe},
		{Text: word(ctx, "state", string(c.State))},
		{Text: nameOf(units, c.Unit, c.Unit)},
		owner,
	}}
}

func (p Pages) queueChips(ctx context.Context, r *http.Request) (out []ui.ChipProps) {
	q := r.URL.Query()
	chip := func(key, param, value string) {
		params := url.Values{}
		for k, v := range q {
			params[k] = v
		}
		params.Del("after")
		pressed := q.Get(param) == value
		if pressed {
			params.Del(param)
		} else {
			params.Set(param, value)
		}
		href := queuePath
		if len(params) > 0 {
			href += "?" + params.Encode()
		}
		out = append(out, ui.ChipProps{Label: i18n.T(ctx, key), Href: href, Pressed: pressed, Set: pressed})
	}
	chip("feedback.case.chip.mine", "who", "me")
	chip("feedback.case.chip.nobody", "who", "nobody")
	chip("feedback.case.chip.watched", "who", "watched")
	chip("feedback.case.chip.late", "show", "late")
	chip("feedback.case.chip.today", "show", "today")
	chip("feedback.case.chip.asked", "show", "asked")
	chip("feedback.case.chip.all", "show", "all")
	for _, k := range []cases.Kind{cases.Complaint, cases.Dispute, cases.Detractor} {
		chip("feedback.case.kind."+string(k), "kind", string(k))
	}
	return out
}

// queueCSV writes all pages of the queue, without names and words.
func (p Pages) queueCSV(w http.ResponseWriter, r *http.Request, q cases.Query) error {
	ctx := r.Context()
	q.After, q.Limit = "", 500
	var columns []ui.Column
	for _, label := range []string{"ref", "kind", "state", "severity", "channel", "product", "journey", "reason", "unit", "owner", "opened", "next_rule", "next_due", "late", "signals", "reopened"} {
		columns = append(columns, ui.Column{Label: label})
	}
	found, err := p.Cases.List(ctx, q)
	if err != nil {
		return err
	}
	return ui.WriteCSV(w, "omote-cases.csv", columns, func(yield func([]string) bool) {
		for {
			for _, c := range found.Items {
				due := ""
				if !c.Due().IsZero() {
					due = c.Due().Format(time.RFC3339)
				}
				if !yield([]string{c.Ref(), string(c.Kind), string(c.State), string(c.Severity), c.Channel, c.Product, c.Journey, c.Reason, c.Unit, c.Owner, c.Opened.Time().Format(time.RFC3339),
					c.NextRule, due, fmt.Sprint(c.Late), fmt.Sprint(c.Signals), fmt.Sprint(c.Reopened)}) {
					return
				}
			}
			if q.After = found.Next; q.After == "" {
				return
			}
			if found, err = p.Cases.List(ctx, q); err != nil {
				return
			}
		}
	})
}

// next gives the reader the most urgent case that nobody has.
func (p Pages) next(w http.ResponseWriter, r *http.Request) error {
	id, err := p.Cases.TakeNext(r.Context())
	if err != nil || id == "" {
		return back(w, r, queuePath, err)
	}
	return seeOther(w, r, casePath(id))
}

func (p Pages) saveView(w http.ResponseWriter, r *http.Request) error {
	query := r.FormValue("query")
	err := p.Cases.SaveView(r.Context(), r.FormValue("name"), query, r.FormValue("shared") == "1")
	return back(w, r, queuePath+"?"+strings.TrimPrefix(query, "?"), err)
}

// bulk does one thing with the selected cases.
func (p Pages) bulk(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return err
	}
	ids := r.Form["id"]
	for _, id := range ids[:min(len(ids), 500)] {
		var err error
		if r.PathValue("act") == "take" {
			err = p.Cases.Assign(ctx, id, me(ctx))
		} else {
			err = p.Cases.Watch(ctx, id, true)
		}
		if err != nil {
			return back(w, r, queuePath, err)
		}
	}
	return seeOther(w, r, queuePath+"?who=me")
}
