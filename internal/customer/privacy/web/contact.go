package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// tallyDays is how far back the page counts decisions.
const tallyDays = 30

// policyView is what the page of the contact policy shows.
type policyView struct {
	policy   *contact.Policy
	versions []*contact.Policy
	source   string
	note     string
	wrong    ui.FieldErrors
	edit     bool
	open     bool // the form is open
	kinds    ui.TableProps
	names    func(ref string) string
	waits    *approval.Request // for a second person
}

func (p Pages) policyShow(w http.ResponseWriter, r *http.Request) error {
	return p.renderPolicy(w, r, http.StatusOK, policyView{open: r.URL.Query().Get("edit") == "1"})
}

func (p Pages) renderPolicy(w http.ResponseWriter, r *http.Request, status int, v policyView) error {
	ctx := r.Context()
	var err error
	if v.policy, err = p.Contacts.Policy(ctx); err != nil {
		return err
	}
	if v.versions, err = p.Contacts.Policies(ctx); err != nil {
		return err
	}
	if v.waits, err = p.Contacts.Waiting(ctx); err != nil {
		return err
	}
	if v.source == "" {
		if v.source, err = v.policy.YAML(); err != nil {
			return err
		}
	}
	v.edit = auth.Can(ctx, contact.PermEdit)
	v.names = func(ref string) string { return p.who(ctx, ref) }
	counts, err := p.Contacts.Tallies(ctx, p.Clock.Now().AddDate(0, 0, -tallyDays))
	if err != nil {
		return err
	}
	var purposes []consent.Purpose
	if auth.Can(ctx, consent.PermRead) {
		if purposes, err = p.Consents.Purposes(ctx); err != nil {
			return err
		}
	}
	purposeName := func(id string) string {
		for i := range purposes {
			if purposes[i].ID == id {
				return purposes[i].Label.In(i18n.Locale(ctx))
			}
		}
		return id
	}
	n := map[contact.State]int64{}
	columns := []ui.Column{
		{Key: "kind", Label: i18n.T(ctx, "customer.contact.kind"), Wide: true},
		{Key: "purpose", Label: i18n.T(ctx, "customer.consent.purpose")},
		{Key: "priority", Label: i18n.T(ctx, "customer.contact.priority"), Numeric: true},
		{Key: "reserved", Label: i18n.T(ctx, "customer.contact.state.reserved"), Numeric: true},
		{Key: "refused", Label: i18n.T(ctx, "customer.contact.state.refused"), Numeric: true},
	}
	v.kinds = ui.TableProps{ID: "kinds", Label: i18n.T(ctx, "customer.contact.kinds"), Columns: columns, Query: ui.QueryTable(r, "kinds", columns, "")}
	for _, k := range v.policy.Kinds {
		of := func(s contact.State) string {
			i := slices.IndexFunc(counts, func(t contact.Tally) bool { return t.Kind == k.ID && t.State == s })
			if i < 0 {
				return "0"
			}
			n[s] += counts[i].N
			return i18n.Fmt(ctx).Int(counts[i].N)
		}
		v.kinds.Rows = append(v.kinds.Rows, ui.Row{ID: k.ID, Cells: []ui.Cell{{Text: k.Label.In(i18n.Locale(ctx)), Sub: k.ID}, {Text: purposeName(k.Purpose)}, {Text: strconv.Itoa(k.Priority)},
			{Text: of(contact.Reserved)}, {Text: of(contact.Refused)}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.contact.title"), At: NavContact,
		Finding: i18n.T(ctx, "customer.contact.finding", "reserved", n[contact.Reserved], "refused", n[contact.Refused], "days", tallyDays),
		Meta:    []ui.Item{ui.Text(i18n.T(ctx, "customer.consent.version.n", "version", v.policy.Version)), ui.Text(v.policy.Zone)}}
	if v.edit && !v.open && v.waits == nil {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "customer.contact.edit"), Href: contactPath + "?edit=1", Kind: ui.Ink}}
	}
	return ui.RenderStatus(w, r, status, policyPage(page, v))
}

func (p Pages) policySave(w http.ResponseWriter, r *http.Request) error {
	if err := form(r); err != nil {
		return err
	}
	ctx := r.Context()
	v := policyView{source: r.PostForm.Get("policy"), note: strings.TrimSpace(r.PostForm.Get("note")), open: true}
	next, err := contact.Parse([]byte(v.source))
	if err == nil {
		next.Version, _ = strconv.Atoi(r.PostForm.Get("version")) // a wrong one is a conflict
		_, err = p.Contacts.Save(ctx, next, v.note)
	}
	if correctable(err) {
		v.wrong = ui.ErrorsFrom(ctx, err)
		return p.renderPolicy(w, r, httpStatus(err), v)
	}
	if err != nil {
		return err
	}
	return seeOther(w, r, contactPath)
}

// ruleWords says every rule of a policy in a sentence.
func ruleWords(ctx context.Context, p *contact.Policy) (out []ui.KeyValue) {
	add := func(id, text string) { out = append(out, ui.KeyValue{Key: id, Value: text}) }
	for _, c := range p.Caps {
		text := i18n.T(ctx, "customer.contact.rule.cap", "count", c.Limit, "days", c.Days, "what", applies(ctx, p, c.Applies))
		for _, k := range p.Kinds {
			if n := c.Reserve[k.ID]; n > 0 {
				text += " " + i18n.T(ctx, "customer.contact.rule.reserve", "count", n, "kind", k.Label.In(i18n.Locale(ctx)))
			}
		}
		if c.Hold.Slots > 0 {
			text += " " + i18n.T(ctx, "customer.contact.rule.hold", "count", c.Hold.Slots, "priority", c.Hold.Priority)
		}
		if bare := c.Unreserved(p); len(bare) > 0 && len(bare) < len(p.Kinds) {
			text += " " + i18n.T(ctx, "customer.contact.rule.unreserved", "kinds", kindNames(ctx, p, bare))
		}
		add(c.ID, text)
	}
	for _, g := range p.Gaps {
		add(g.ID, i18n.T(ctx, "customer.contact.rule.gap", "count", g.Hours, "what", applies(ctx, p, g.Applies)))
	}
	for _, q := range p.Quiet {
		var parts []string
		if q.From != "" {
			parts = append(parts, i18n.T(ctx, "customer.contact.rule.hours", "from", q.From, "to", q.To))
		}
		for _, d := range q.Weekdays {
			parts = append(parts, i18n.T(ctx, "customer.contact.weekday."+d))
		}
		if q.Holidays {
			parts = append(parts, i18n.T(ctx, "customer.contact.rule.holidays"))
		}
		parts = append(parts, q.Dates...)
		add(q.ID, i18n.T(ctx, "customer.contact.rule.quiet", "when", strings.Join(parts, ", "), "what", applies(ctx, p, q.Applies)))
	}
	for _, e := range p.Exclusions {
		what := i18n.T(ctx, "customer.contact.rule.attribute", "attribute", e.Attribute, "value", e.Equals)
		if e.When != "" {
			what = circumstance(ctx, e.When)
		}
		add(e.ID, i18n.T(ctx, "customer.contact.rule.exclusion", "what", applies(ctx, p, e.Applies), "when", what))
	}
	return out
}

// circumstance names what a module or the bank reports; a bank's own word stays.
func circumstance(ctx context.Context, word string) string {
	switch word {
	case contact.CaseOpen, contact.ComplaintPending, contact.Vulnerable, contact.Deceased:
		return i18n.T(ctx, "customer.contact.circumstance."+word)
	}
	return word
}

func kindNames(ctx context.Context, p *contact.Policy, ids []string) string {
	var names []string
	for _, id := range ids {
		if k := p.Kind(id); k != nil {
			names = append(names, k.Label.In(i18n.Locale(ctx)))
		}
	}
	return strings.Join(names, ", ")
}

func applies(ctx context.Context, p *contact.Policy, a contact.Applies) string {
	what := i18n.T(ctx, "customer.contact.rule.any")
	if len(a.Kinds) > 0 {
		what = kindNames(ctx, p, a.Kinds)
	}
	var channels []string
	for _, c := range a.Channels {
		channels = append(channels, channelName(ctx, c))
	}
	if len(channels) > 0 {
		what += " (" + strings.Join(channels, ", ") + ")"
	}
	return what
}

// reasons is the answer to why a customer may or may not be contacted.
type reasons struct {
	request  contact.Request
	decision *contact.Decision
	kinds    []ui.Option
	rules    ui.TableProps
	history  ui.TableProps
	wrong    ui.FieldErrors
}

func (p Pages) why(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	policy, err := p.Contacts.Policy(ctx)
	if err != nil {
		return err
	}
	v := reasons{request: contact.Request{Customer: strings.TrimSpace(q.Get("customer")), Kind: q.Get("kind"), Channel: q.Get("channel")}}
	for _, k := range policy.Kinds {
		v.kinds = append(v.kinds, ui.Option{Value: k.ID, Label: k.Label.In(i18n.Locale(ctx))})
	}
	page := ui.Page{Title: i18n.T(ctx, "customer.contact.why.title"), At: NavContact, Crumbs: []ui.Link{{Label: i18n.T(ctx, "customer.contact.title"), Href: contactPath}},
		Finding: i18n.T(ctx, "customer.contact.why.ask")}
	if v.request.Customer == "" {
		return ui.Render(w, r, whyPage(page, v))
	}
	if v.request.Kind == "" {
		v.request.Kind = policy.Kinds[0].ID
	}
	if v.request.Channel == "" {
		v.request.Channel = consent.Channels[0]
	}
	d, err := p.Contacts.Explain(ctx, v.request)
	if correctable(err) {
		v.wrong = ui.ErrorsFrom(ctx, err)
		return ui.RenderStatus(w, r, httpStatus(err), whyPage(page, v))
	}
	if err != nil {
		return err
	}
	v.decision = &d
	page.Finding = i18n.T(ctx, "customer.contact.why.yes")
	if !d.Allowed {
		page.Finding = i18n.T(ctx, "customer.contact.why.no", "count", len(d.Refusals()), "reason", i18n.T(ctx, "customer.contact.reason."+string(d.Why().Reason)))
		if !d.Retry.IsZero() {
			page.Finding += " " + i18n.T(ctx, "customer.contact.why.retry", "at", ui.When(ctx, d.Retry))
		}
	}
	page.Meta = []ui.Item{ui.Text(short(v.request.Customer)), ui.Text(i18n.T(ctx, "customer.contact.why.policy", "version", d.Policy))}
	v.rules = p.findings(r, d.Reasons)
	if v.history, err = p.contactHistory(r, policy, v.request.Customer); err != nil {
		return err
	}
	return ui.Render(w, r, whyPage(page, v))
}

func (p Pages) findings(r *http.Request, all []contact.Finding) ui.TableProps {
	ctx := r.Context()
	columns := []ui.Column{
		{Key: "rule", Label: i18n.T(ctx, "customer.contact.rule"), Wide: true},
		{Key: "word", Label: i18n.T(ctx, "customer.contact.word")},
		{Key: "used", Label: i18n.T(ctx, "customer.contact.used"), Numeric: true},
		{Key: "until", Label: i18n.T(ctx, "customer.contact.until"), Numeric: true},
	}
	t := ui.TableProps{ID: "rules", Label: i18n.T(ctx, "customer.contact.rules"), Columns: columns, Query: ui.QueryTable(r, "rules", columns, "")}
	for _, f := range all {
		used, until := "–", "–"
		if f.Limit > 0 {
			used = fmt.Sprintf("%d / %d", f.Used, f.Limit)
		}
		if !f.Until.IsZero() {
			until = ui.When(ctx, f.Until)
		}
		word := i18n.T(ctx, "customer.contact.met")
		if !f.Met {
			word = i18n.T(ctx, "customer.contact.not_met")
		}
		reason := i18n.T(ctx, "customer.contact.reason."+string(f.Reason))
		if f.What != "" && f.Sort == "exclusion" {
			reason = circumstance(ctx, f.What) + ": " + reason
		}
		t.Rows = append(t.Rows, ui.Row{ID: f.Rule, Cells: []ui.Cell{{Text: i18n.T(ctx, "customer.contact.sort."+f.Sort), Sub: f.Rule}, {Text: word, Sub: reason, Care: !f.Met}, {Text: used}, {Text: until}}})
	}
	return t
}

func (p Pages) contactHistory(r *http.Request, policy *contact.Policy, customer string) (ui.TableProps, error) {
	ctx := r.Context()
	columns := []ui.Column{
		{Key: "at", Label: i18n.T(ctx, "customer.contact.decided")},
		{Key: "kind", Label: i18n.T(ctx, "customer.contact.kind"), Wide: true},
		{Key: "for", Label: i18n.T(ctx, "customer.contact.for"), Numeric: true},
		{Key: "state", Label: i18n.T(ctx, "customer.contact.state")},
	}
	t := ui.TableProps{ID: "past", Label: i18n.T(ctx, "customer.contact.history"), Columns: columns, Query: ui.QueryTable(r, "past", columns, ""),
		Empty: ui.Empty(ui.EmptyProps{Kind: ui.EmptyFirst, Title: i18n.T(ctx, "customer.contact.history.none")})}
	list, err := p.Contacts.History(ctx, customer, 50)
	if err != nil {
		return t, err
	}
	for _, e := range list {
		found, err := e.Findings()
		if err != nil {
			return t, err
		}
		var why []string
		for _, f := range found {
			if !f.Met {
				why = append(why, i18n.T(ctx, "customer.contact.reason."+string(f.Reason)))
			}
		}
		name := e.Kind
		if k := policy.Kind(e.Kind); k != nil {
			name = k.Label.In(i18n.Locale(ctx))
		}
		t.Rows = append(t.Rows, ui.Row{ID: e.Ref, Cells: []ui.Cell{{Text: ui.When(ctx, e.DecidedAt.Time())}, {Text: name, Sub: channelName(ctx, e.Channel)},
			{Text: ui.When(ctx, e.At.Time().Truncate(time.Minute))}, {Text: i18n.T(ctx, "customer.contact.state."+string(e.State)), Sub: strings.Join(why, ", ")}}})
	}
	return t, nil
}
