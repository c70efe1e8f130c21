package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"omote/internal/customer/identity"
	"omote/internal/customer/profile"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// timelinePage is how many facts a page of the timeline shows.
const timelinePage = 25

// showView is all about one customer.
type showView struct {
	pages     Pages
	ctx       context.Context
	query     url.Values
	customer  *profile.Customer
	overview  profile.Overview
	table     ui.TableProps
	household []profile.Relative
	cases     []profile.Case
	consents  []profile.Consent
	wrong     ui.FieldErrors
}

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	c, err := p.Profile.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if c.ID != r.PathValue("id") { // the customer has another id since a merge
		http.Redirect(w, r, customerPath(c.ID), http.StatusSeeOther)
		return nil
	}
	v := &showView{pages: p, ctx: ctx, query: r.URL.Query(), customer: c}
	page := ui.Page{Title: v.name(), At: ui.NavCustomers, Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.list.title"), Href: listPath}}}
	if c.Closed {
		page.Finding = i18n.T(ctx, "customer.closed.finding")
		return ui.Render(w, r, closedPage(page, v))
	}
	if v.overview, err = p.Profile.Overview(ctx, c.ID); err != nil {
		return err
	}
	if v.household, err = p.Profile.Household(ctx, c.ID); err != nil {
		return err
	}
	if v.cases, err = p.Profile.OpenCases(ctx, c.ID); err != nil {
		return err
	}
	if v.consents, err = p.Profile.ConsentsOf(ctx, c.ID); err != nil {
		return err
	}
	if v.table, err = v.timeline(r); err != nil {
		return err
	}
	page.Finding, page.Meta = v.finding(), v.meta()
	if auth.Can(ctx, identity.PermRead) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "customer.identity.open"), Href: identityPath(c.ID), Key: "I"}}
	}
	return ui.Render(w, r, showPage(page, v))
}

func (p Pages) purpose(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := p.Profile.State(r.Context(), id, r.FormValue("purpose"), r.FormValue("reason")); err != nil {
		return err
	}
	http.Redirect(w, r, customerPath(id), http.StatusSeeOther)
	return nil
}

func (v *showView) name() string {
	if v.customer.Name != "" {
		return v.customer.Name
	}
	return i18n.T(v.ctx, "customer.nameless")
}

func (v *showView) finding() string {
	c := v.customer
	if c.Prospect {
		return i18n.T(v.ctx, "customer.show.prospect", "count", c.Events, "ago", v.pages.ago(v.ctx, c.LastSeen))
	}
	last := ""
	for _, r := range c.Records {
		if r.LastSeen == c.LastSeen {
			last = v.pages.event(v.ctx, r.LastEvent)
		}
	}
	return i18n.T(v.ctx, "customer.show.finding", "count", len(c.Systems()), "ago", v.pages.ago(v.ctx, c.LastSeen), "event", last)
}

func (v *showView) meta() []ui.Item {
	c := v.customer
	items := []ui.Item{ui.Text(i18n.T(v.ctx, "customer.show.records", "count", len(c.Records))), ui.Text(i18n.T(v.ctx, "customer.show.facts", "count", v.overview.Facts))}
	if since := c.Value("created_at"); since != "" {
		items = append(items, ui.Text(i18n.T(v.ctx, "customer.show.since", "date", v.pages.day(v.ctx, since))))
	}
	if n := v.conflicts(); n > 0 {
		items = append(items, ui.Text(i18n.T(v.ctx, "customer.show.conflicts", "count", n)))
	}
	return items
}

func (v *showView) conflicts() (n int) {
	for _, a := range v.customer.Attributes {
		if len(a.Others) > 0 {
			n++
		}
	}
	return n
}

// who are the attributes as facts, each with where it comes from.
func (v *showView) who() (out []ui.KeyValue) {
	for i := range v.customer.Attributes {
		a := &v.customer.Attributes[i]
		if a.Rule.Name == "name" && len(a.Others) == 0 || a.Rule.Name == "created_at" {
			continue
		}
		out = append(out, ui.KeyValue{Key: word(v.ctx, "attribute", a.Rule.Name), Node: attributeValue(v.pages.value(v.ctx, a), v.source(a))})
	}
	return out
}

// source says who states a value, and that others say something else.
func (v *showView) source(a *profile.Attribute) string {
	text := systems(v.ctx, a.Systems())
	if n := len(a.Others); n > 0 {
		text += " · " + i18n.T(v.ctx, "customer.show.others", "count", n)
	}
	return text
}

// worth is the customer's contribution over the last year.
func (v *showView) worth() ui.FigureProps {
	o := v.overview
	return ui.FigureProps{Value: v.pages.money(v.ctx, o.Revenue-o.Cost, o.Currency), Note: i18n.T(v.ctx, "customer.show.worth.note", "count", o.Months,
		"revenue", v.pages.money(v.ctx, o.Revenue, o.Currency), "cost", v.pages.money(v.ctx, o.Cost, o.Currency))}
}

// relation are the products held and the computed attributes.
func (v *showView) relation() (out []ui.KeyValue) {
	if len(v.overview.Products) > 0 {
		names := make([]string, len(v.overview.Products))
		for i, code := range v.overview.Products {
			names[i] = word(v.ctx, "product", code)
		}
		out = append(out, ui.KeyValue{Key: i18n.T(v.ctx, "customer.show.products"), Value: strings.Join(names, ", ")})
	}
	for _, c := range v.customer.Computed {
		text := ""
		switch {
		case c.Rule.Count != nil && c.N > 0:
			text = i18n.Fmt(v.ctx).Int(c.N)
		case c.Rule.Last != nil && c.At != 0:
			text = v.pages.ago(v.ctx, c.At)
		case c.Rule.Sum != nil && len(c.Sums) > 0:
			text = v.pages.money(v.ctx, c.Sums[0].Amount, c.Sums[0].Currency)
		}
		if text != "" {
			out = append(out, ui.KeyValue{Key: word(v.ctx, "computed", c.Rule.Name), Value: text})
		}
	}
	return out
}

// address is this page with some parameters changed; the cursor is dropped.
func (v *showView) address(changes ...string) string {
	q := url.Values{}
	for k, values := range v.query {
		if k != "after" {
			q[k] = values
		}
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			q.Del(changes[i])
		} else {
			q.Set(changes[i], changes[i+1])
		}
	}
	if len(q) == 0 {
		return customerPath(v.customer.ID) + "#timeline"
	}
	return customerPath(v.customer.ID) + "?" + q.Encode() + "#timeline"
}

// chips jump by journey, to voices, and take filters away.
func (v *showView) chips() ui.FiltersProps {
	const most = 8
	now := v.query.Get("journey")
	chips := []ui.ChipProps{{Label: i18n.T(v.ctx, "customer.timeline.all"), Href: v.address("journey", "", "voices", ""), Pressed: now == "" && !v.query.Has("voices")}}
	if len(v.overview.Voices) > 0 {
		chips = append(chips, ui.ChipProps{Label: i18n.T(v.ctx, "customer.timeline.voices"), Href: v.address("voices", "1", "journey", ""), Pressed: v.query.Has("voices")})
	}
	for i, j := range v.overview.Journeys {
		if i < most || j.Value == now {
			chips = append(chips, ui.ChipProps{Label: word(v.ctx, "journey", j.Value) + " **" + i18n.Fmt(v.ctx).Int(j.N) + "**", Href: v.address("journey", j.Value, "voices", ""), Pressed: j.Value == now})
		}
	}
	for _, name := range []string{"channel", "case"} {
		if value := v.query.Get(name); value != "" {
			chips = append(chips, ui.ChipProps{Label: i18n.T(v.ctx, "customer.timeline."+name) + ": **" + word(v.ctx, "via", value) + "**", RemoveHref: v.address(name, "")})
		}
	}
	return ui.FiltersProps{Chips: chips}
}

// timeline reads the part of the timeline that the address asks for.
func (v *showView) timeline(r *http.Request) (ui.TableProps, error) {
	ctx := v.ctx
	columns := []ui.Column{
		{Key: "at", Label: i18n.T(ctx, "customer.timeline.at"), Narrow: true},
		{Key: "what", Label: i18n.T(ctx, "customer.timeline.what"), Wide: true},
		{Key: "journey", Label: i18n.T(ctx, "customer.timeline.journey")},
		{Key: "channel", Label: i18n.T(ctx, "customer.timeline.channel")},
		{Key: "amount", Label: i18n.T(ctx, "customer.timeline.amount"), Numeric: true, Narrow: true},
	}
	query := ui.QueryTable(r, "", columns, "")
	f := profile.Filter{Journey: v.query.Get("journey"), Channel: v.query.Get("channel"), Case: v.query.Get("case"), Voices: v.query.Has("voices"), After: query.After, Limit: timelinePage}
	if query.Filter != "" {
		f.Text, f.Names = query.Filter, v.pages.Labels(ctx, query.Filter)
	}
	t, err := v.pages.Profile.Timeline(ctx, v.customer.ID, f)
	if err != nil {
		return ui.TableProps{}, err
	}
	table := ui.TableProps{Label: i18n.T(ctx, "customer.timeline"), Columns: columns, Query: query, Filter: i18n.T(ctx, "customer.timeline.search"), Next: t.Next, Prev: query.After != "",
		Empty: ui.Small(i18n.T(ctx, "customer.timeline.none"))}
	names, err := v.pages.UnitNames(ctx)
	if err != nil {
		return table, err
	}
	for _, e := range t.Entries {
		table.Rows = append(table.Rows, v.entry(e, names))
	}
	return table, nil
}

func (v *showView) entry(e profile.Entry, units map[string]string) ui.Row {
	ctx := v.ctx
	what := ui.Cell{Text: v.pages.event(ctx, cmp.Or(e.Name, e.Kind))}
	var subs []string
	if e.Outcome != "" && e.Outcome != "ok" {
		subs = append(subs, word(ctx, "outcome", e.Outcome))
	}
	if e.Product != "" {
		subs = append(subs, word(ctx, "product", e.Product))
	}
	if name := units[e.Unit]; e.Unit != "" && name != "" {
		subs = append(subs, name)
	}
	what.Sub = strings.Join(subs, " · ")
	if len(e.Voices) > 0 {
		what.Node = voiceCell(what.Text, what.Sub, v.said(e.Voices))
		what.Sub = ""
	}
	journey := ui.Cell{Text: word(ctx, "journey", e.Journey)}
	if e.Journey != "" {
		journey.Href = v.address("journey", e.Journey, "case", e.Case)
	}
	amount := ""
	if e.Amount != nil && *e.Amount != 0 && e.Currency != "" {
		amount = v.pages.money(ctx, *e.Amount, e.Currency)
	}
	channel := ui.Cell{Text: word(ctx, "via", e.Channel)}
	if e.Channel != "" {
		channel.Href = v.address("channel", e.Channel)
	}
	return ui.Row{ID: e.ID, Cells: []ui.Cell{{Text: v.pages.dateTime(ctx, e.At)}, what, journey, channel, {Text: amount}}}
}

// saying is one voice as text.
type saying struct {
	Score   string
	Comment string
	Source  string
}

func (v *showView) said(voices []profile.Voice) (out []saying) {
	for _, x := range voices {
		s := saying{Comment: x.Comment, Source: i18n.Fmt(v.ctx).Date(x.At.In(v.pages.Zone))}
		if x.Instrument != "" {
			s.Source = word(v.ctx, "instrument", x.Instrument) + ", " + s.Source
		}
		if x.Score != nil {
			s.Score = strconv.FormatFloat(*x.Score, 'f', -1, 64)
		}
		if s.Score != "" || s.Comment != "" {
			out = append(out, s)
		}
	}
	return out
}

func (v *showView) purposeOptions() []ui.Option {
	out := []ui.Option{}
	for _, p := range v.pages.Profile.Purposes() {
		out = append(out, ui.Option{Value: p.Name, Label: word(v.ctx, "purpose", p.Name)})
	}
	return out
}

// opened says for which purpose identifiers are shown, "" when they are masked.
func (v *showView) opened() string {
	c := v.customer
	if c.Purpose == nil {
		return ""
	}
	return i18n.T(v.ctx, "customer.purpose.open", "purpose", word(v.ctx, "purpose", c.Purpose.Name), "time", i18n.Fmt(v.ctx).Clock(c.Until.Time().In(v.pages.Zone)))
}

func (v *showView) evidence(r profile.Relative) string {
	out := make([]string, len(r.Evidence))
	for i, e := range r.Evidence {
		out[i] = word(v.ctx, "household", e)
	}
	return strings.Join(out, ", ")
}

func (v *showView) relatives() (out []ui.KeyValue) {
	for _, r := range v.household {
		out = append(out, ui.KeyValue{Key: v.evidence(r), Node: ui.A(ui.Link{Label: r.Name, Href: customerPath(r.ID)})})
	}
	return out
}

// agreed gives one line a purpose where all its channels have one answer, else one
// for each answer with its channels.
func (v *showView) agreed() (out []ui.KeyValue) {
	type line struct {
		purpose, reason string
		allowed         bool
	}
	var order []line
	channels := map[line][]string{}
	answers := map[string]int{} // by purpose
	for _, c := range v.consents {
		l := line{c.Purpose, c.Reason, c.Allowed}
		if _, known := channels[l]; !known {
			order = append(order, l)
			answers[c.Purpose]++
		}
		channels[l] = append(channels[l], c.Channel)
	}
	for _, l := range order {
		answer := i18n.T(v.ctx, "customer.show.consents.no")
		if l.allowed {
			answer = i18n.T(v.ctx, "customer.show.consents.yes")
		}
		key := l.purpose
		if answers[l.purpose] > 1 {
			key += " (" + strings.Join(channels[l], ", ") + ")"
		}
		out = append(out, ui.KeyValue{Key: key, Node: attributeValue("**"+answer+"**", l.reason)})
	}
	return out
}
