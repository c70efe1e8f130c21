package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/internal/feedback/cases"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
)

type registerView struct {
	tallies ui.TableProps
	table   ui.TableProps
	from    string
	to      string
	chart   []ui.KeyValue
}

// period reads from and to of an address: whole days, by default the last ninety.
func (p Pages) period(r *http.Request) (from, to time.Time, err error) {
	to = endOfDay(p.now())
	from = to.AddDate(0, 0, -90)
	for name, into := range map[string]*time.Time{"from": &from, "to": &to} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		day, err := time.ParseInLocation(time.DateOnly, text, p.Zone)
		if err != nil {
			return from, to, errs.Invalid("feedback.case.error.date", name, "%q is no date such as 2026-11-19", text)
		}
		if name == "to" {
			day = day.AddDate(0, 0, 1)
		}
		*into = day
	}
	return from, to, nil
}

// register is what a regulator may ask for: every complaint with its terms, and how
// they were kept.
func (p Pages) register(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	from, to, err := p.period(r)
	if err != nil {
		return err
	}
	rows, tallies, err := p.Cases.Register(ctx, from, to)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("format") == "csv" {
		return registerCSV(w, rows)
	}
	units := p.Units(ctx)
	f := i18n.Fmt(ctx)
	v := registerView{from: from.Format(time.DateOnly), to: to.AddDate(0, 0, -1).Format(time.DateOnly)}
	columns := []ui.Column{{Key: "rule", Label: i18n.T(ctx, "feedback.register.rule"), Wide: true}, {Key: "started", Label: i18n.T(ctx, "feedback.register.started"), Numeric: true},
		{Key: "met", Label: i18n.T(ctx, "feedback.register.met"), Numeric: true}, {Key: "late", Label: i18n.T(ctx, "feedback.register.late"), Numeric: true},
		{Key: "open", Label: i18n.T(ctx, "feedback.register.open"), Numeric: true}, {Key: "share", Label: i18n.T(ctx, "feedback.register.share"), Numeric: true}}
	v.tallies = ui.TableProps{ID: "t", Label: i18n.T(ctx, "feedback.register.tallies"), Columns: columns, Query: ui.QueryTable(r, "t", columns, "rule"), Dense: false}
	kept, ended := 0, 0
	for _, t := range tallies {
		share := "—"
		if t.Share >= 0 {
			low, high := wilson(t.Met, t.Met+t.Late+t.Breach)
			share = f.Percent(t.Share, 0) + " (" + f.PercentInterval(low, high, 0) + ")"
		}
		if t.From.Legal() {
			kept, ended = kept+t.Met, ended+t.Met+t.Late+t.Breach
		}
		v.tallies.Rows = append(v.tallies.Rows, ui.Row{ID: t.Rule.ID, Cells: []ui.Cell{{Text: t.Rule.Label(i18n.Locale(ctx)), Sub: t.Rule.Citation}, {Text: f.Int(int64(t.Started))}, {Text: f.Int(int64(t.Met))},
			{Text: f.Int(int64(t.Late + t.Breach)), Care: t.Late+t.Breach > 0}, {Text: f.Int(int64(t.Open))}, {Text: share}}})
	}
	columns = []ui.Column{{Key: "ref", Label: i18n.T(ctx, "feedback.case.column.case")}, {Key: "received", Label: i18n.T(ctx, "feedback.register.received"), Narrow: true},
		{Key: "what", Label: i18n.T(ctx, "feedback.case.column.problem"), Wide: true}, {Key: "unit", Label: i18n.T(ctx, "feedback.case.column.unit")}, {Key: "state", Label: i18n.T(ctx, "feedback.case.column.state")},
		{Key: "cause", Label: i18n.T(ctx, "feedback.case.cause")}, {Key: "granted", Label: i18n.T(ctx, "feedback.register.granted"), Numeric: true}}
	query := ui.QueryTable(r, "", columns, "ref")
	v.table = ui.TableProps{Label: i18n.T(ctx, "feedback.register.title"), Columns: columns, Query: query, CSV: true}
	content, err := p.Cases.Content(ctx)
	if err != nil {
		return err
	}
	shown := rows
	if len(shown) > 200 {
		shown = shown[len(shown)-200:]
		v.table.Foot = i18n.T(ctx, "feedback.register.last", "shown", 200, "count", len(rows))
	}
	for _, row := range shown {
		granted := "—"
		if row.Granted > 0 {
			granted = f.Money(money.Amount{Minor: row.Granted, Currency: content.Wallet.Currency})
		}
		cause := "—"
		if row.Cause != "" {
			cause = choiceName(ctx, content.Causes, row.Cause)
		}
		v.table.Rows = append(v.table.Rows, ui.Row{ID: row.Ref, Cells: []ui.Cell{{Text: row.Ref, Href: casePath(row.Ref)}, {Text: f.Date(row.Received.In(p.Zone))},
			{Text: word(ctx, "kind", row.Kind), Sub: row.Product + " " + row.Reason}, {Text: nameOf(units, row.Unit, row.Unit)}, {Text: word(ctx, "state", row.State)}, {Text: cause}, {Text: granted}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "feedback.register.title"), At: ui.NavCases, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}}}
	if ended > 0 {
		low, high := wilson(kept, ended)
		page.Finding = i18n.T(ctx, "feedback.register.finding", "kept", f.Int(int64(kept)), "ended", f.Int(int64(ended)), "interval", f.PercentInterval(low, high, 0))
	}
	return ui.Render(w, r, registerPage(page, v))
}

func registerCSV(w http.ResponseWriter, rows []cases.Registered) error {
	var columns []ui.Column
	for _, label := range []string{"ref", "kind", "channel", "product", "reason", "unit", "severity", "received", "closed", "state", "cause", "actions", "outcome", "reopened", "granted_minor", "rule", "citation", "due", "first_due", "met", "clock_state", "extended", "paused"} {
		columns = append(columns, ui.Column{Label: label})
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	return ui.WriteCSV(w, "omote-complaints.csv", columns, func(yield func([]string) bool) {
		for _, r := range rows {
			head := []string{r.Ref, r.Kind, r.Channel, r.Product, r.Reason, r.Unit, r.Severity, at(r.Received), at(r.Closed), r.State, r.Cause, strings.Join(r.Actions, " "), r.Outcome, strconv.Itoa(r.Reopened), strconv.FormatInt(r.Granted, 10)}
			clocks := r.Clocks
			if len(clocks) == 0 {
				clocks = []cases.RegisteredClock{{}}
			}
			for _, k := range clocks {
				if !yield(append(append([]string{}, head...), k.Rule, k.Citation, at(k.Due), at(k.FirstDue), at(k.Met), k.State, strconv.FormatBool(k.Extended), strconv.FormatBool(k.Paused))) {
					return
				}
			}
		}
	})
}

// wallet is how gestures were used in the last thirty days, and by whose hand.
func (p Pages) wallet(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	uses, total, err := p.Cases.WalletUse(ctx, p.Clock.Now().AddDate(0, 0, -30))
	if err != nil {
		return err
	}
	content, err := p.Cases.Content(ctx)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	people := p.People(ctx)
	sum := func(minor int64) string {
		return f.Money(money.Amount{Minor: minor, Currency: content.Wallet.Currency})
	}
	columns := []ui.Column{{Key: "who", Label: i18n.T(ctx, "feedback.wallet.who")}, {Key: "n", Label: i18n.T(ctx, "feedback.wallet.n"), Numeric: true}, {Key: "amount", Label: i18n.T(ctx, "feedback.wallet.amount"), Numeric: true},
		{Key: "share", Label: i18n.T(ctx, "feedback.wallet.share"), Numeric: true}}
	use := ui.TableProps{ID: "u", Label: i18n.T(ctx, "feedback.wallet.use"), Columns: columns, Query: ui.QueryTable(r, "u", columns, "-amount"),
		Empty: ui.Empty(ui.EmptyProps{Title: i18n.T(ctx, "feedback.wallet.none"), Text: i18n.T(ctx, "feedback.wallet.none.text")})}
	n := 0
	for _, u := range uses {
		n += u.N
	}
	for _, u := range uses {
		// One hand that grants most is looked at, from ten grants on.
		use.Rows = append(use.Rows, ui.Row{ID: u.Account, Cells: []ui.Cell{{Text: nameOf(people, u.Account, "—")}, {Text: f.Int(int64(u.N))}, {Text: sum(u.Amount)}, {Text: f.Percent(u.Share, 0), Care: n >= 10 && u.Share > 0.4}}})
	}
	limitColumns := []ui.Column{{Key: "roles", Label: i18n.T(ctx, "feedback.wallet.roles"), Wide: true}, {Key: "case", Label: i18n.T(ctx, "feedback.wallet.per_case"), Numeric: true},
		{Key: "customer", Label: i18n.T(ctx, "feedback.wallet.per_customer"), Numeric: true}, {Key: "person", Label: i18n.T(ctx, "feedback.wallet.per_person"), Numeric: true}, {Key: "kinds", Label: i18n.T(ctx, "feedback.wallet.kinds"), Wide: true}}
	limits := ui.TableProps{ID: "l", Label: i18n.T(ctx, "feedback.wallet.limits"), Columns: limitColumns, Query: ui.QueryTable(r, "l", limitColumns, "roles")}
	for _, l := range content.Wallet.Limits {
		var roles, kinds []string
		for _, role := range l.Roles {
			roles = append(roles, i18n.T(ctx, "role."+role))
		}
		for _, k := range l.Kinds {
			kinds = append(kinds, word(ctx, "gesture", k))
		}
		person := "—"
		if l.PerPersonMonth > 0 {
			person = sum(l.PerPersonMonth)
		}
		limits.Rows = append(limits.Rows, ui.Row{ID: l.ID, Cells: []ui.Cell{{Text: strings.Join(roles, ", "), Sub: cases.Text{EN: l.EN, VI: l.VI}.In(i18n.Locale(ctx))}, {Text: sum(l.PerCase)}, {Text: sum(l.PerCustomerYear)}, {Text: person}, {Text: strings.Join(kinds, ", ")}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "feedback.wallet.title"), At: ui.NavCases, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}}, Finding: i18n.T(ctx, "feedback.wallet.finding", "count", n, "amount", sum(total))}
	return ui.Render(w, r, walletPage(page, use, limits))
}
