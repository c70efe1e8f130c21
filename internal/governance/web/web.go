// Package web shows how the bank steers: the strategy, who answers for what, the
// changes that run, the council's room, the value ledger, and what waits for a
// second person.
package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/internal/governance"
	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/governance/maturity"
	"omote/internal/governance/measure"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
)

// Pages are the pages of the module.
type Pages struct {
	*governance.Governance
	Approvals *approval.Service
	Clock     clock.Clock
	Zone      *time.Location
	Currency  string
	// Names gives the names of actors ("account:…"), as far as they are known.
	Names func(ctx context.Context, refs ...string) map[string]string
	// People are those who can be given a role; Units those of the reader's place.
	People func(ctx context.Context) ([]ui.Option, error)
	Units  func(ctx context.Context) ([]ui.Option, error)
}

// Keys of the module's own entries of the navigation.
const (
	NavApprovals = "approvals"
	NavStrategy  = "strategy"
	NavRoles     = "roles"
	NavLedger    = "ledger"
	NavMaturity  = "maturity"
)

// Paths of the lists.
const (
	approvalsPath   = "/governance/approvals"
	strategyPath    = "/governance/strategy"
	rolesPath       = "/governance/roles"
	raciPath        = "/governance/raci"
	lettersPath     = "/governance/letters"
	initiativesPath = "/governance/initiatives"
	councilPath     = "/governance/council"
	decisionsPath   = "/governance/decisions"
	ledgerPath      = "/governance/ledger"
	maturityPath    = "/governance/maturity"
)

func pathOf(list, id string) string { return list + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /governance/approvals", approval.PermRead, p.approvals)
	r.Handle("GET /governance/approvals/{id}", approval.PermRead, p.approval)
	r.Handle("POST /governance/approvals/{id}/decision", approval.PermDecide, p.decide)
	r.Handle("POST /governance/approvals/{id}/withdrawal", approval.PermRead, p.withdraw)

	r.Handle("GET /governance/strategy", strategy.PermRead, p.strategy)
	r.Handle("GET /governance/strategy/new", strategy.PermEdit, p.nodeNew)
	r.Handle("POST /governance/strategy", strategy.PermEdit, p.nodeAdd)
	r.Handle("GET /governance/strategy/{id}", strategy.PermEdit, p.node)
	r.Handle("POST /governance/strategy/{id}", strategy.PermEdit, p.nodeSave)
	r.Handle("POST /governance/strategy/{id}/retirement", strategy.PermEdit, p.nodeRetire)

	r.Handle("GET /governance/roles", role.PermRead, p.roles)
	r.Handle("POST /governance/roles", role.PermEdit, p.assign)
	r.Handle("POST /governance/roles/{id}/end", role.PermEdit, p.endRole)
	r.Handle("GET /governance/raci/{journey}", role.PermRead, p.raci)
	r.Handle("POST /governance/raci/{journey}", role.PermEdit, p.raciSave)
	r.Handle("POST /governance/raci/{journey}/proposal", role.PermEdit, p.raciPropose)
	r.Handle("GET /governance/letters/new", role.PermEdit, p.letterNew)
	r.Handle("POST /governance/letters", role.PermEdit, p.letterLend)
	r.Handle("GET /governance/letters/{id}", role.PermRead, p.letter)
	r.Handle("POST /governance/letters/{id}/use", role.PermRead, p.letterUse)

	r.Handle("GET /governance/initiatives", initiative.PermRead, p.initiatives)
	r.Handle("GET /governance/initiatives/new", initiative.PermEdit, p.initiativeNew)
	r.Handle("POST /governance/initiatives", initiative.PermEdit, p.initiativeOpen)
	r.Handle("GET /governance/initiatives/{id}", initiative.PermRead, p.initiative)
	r.Handle("POST /governance/initiatives/{id}/{act}", initiative.PermEdit, p.initiativeAct)

	r.Handle("GET /governance/council", council.PermRead, p.council)
	r.Handle("POST /governance/council", council.PermEdit, p.meetingPlan)
	r.Handle("GET /governance/council/{id}", council.PermRead, p.meeting)
	r.Handle("POST /governance/council/{id}/{act}", council.PermEdit, p.meetingAct)
	r.Handle("GET /governance/decisions/new", council.PermEdit, p.paperNew)
	r.Handle("POST /governance/decisions", council.PermEdit, p.paperAdd)
	r.Handle("GET /governance/decisions/{id}", council.PermRead, p.decision)
	r.Handle("POST /governance/decisions/{id}/forecast", council.PermEdit, p.forecast)
	r.Handle("POST /governance/decisions/{id}/proposal", council.PermEdit, p.ballot)

	r.Handle("GET /governance/ledger", ledger.PermRead, p.ledger)
	r.Handle("GET /governance/ledger/new", ledger.PermEdit, p.lineNew)
	r.Handle("POST /governance/ledger", ledger.PermEdit, p.lineEnter)
	r.Handle("GET /governance/ledger/{id}", ledger.PermRead, p.line)
	r.Handle("POST /governance/ledger/{id}/booking", ledger.PermEdit, p.lineBook)
	r.Handle("POST /governance/ledger/{id}/reversal", ledger.PermEdit, p.lineReverse)

	r.Handle("GET /governance/maturity", maturity.PermRead, p.assessments)
	r.Handle("POST /governance/maturity", maturity.PermEdit, p.assessmentBegin)
	r.Handle("GET /governance/maturity/{id}", maturity.PermRead, p.assessment)
	r.Handle("GET /governance/maturity/{id}/rate", maturity.PermRate, p.rate)
	r.Handle("POST /governance/maturity/{id}/rate", maturity.PermRate, p.rateSave)
	r.Handle("POST /governance/maturity/{id}/proof", maturity.PermEdit, p.prove)
	r.Handle("POST /governance/maturity/{id}/close", maturity.PermEdit, p.assessmentClose)
}

// who names an actor, or says what it is.
func who(names map[string]string, ref string) string {
	if name := names[ref]; name != "" {
		return name
	}
	_, id, _ := strings.Cut(ref, ":")
	return id
}

// say gives a text in the reader's language.
func say(ctx context.Context, t approval.Text) string { return t.In(i18n.Locale(ctx)) }

// roleName names a role in the reader's language.
func (p Pages) roleName(ctx context.Context, id string) string {
	return p.Pack.RoleName(id, i18n.Locale(ctx))
}

// roleOptions are all roles of the pack, with an empty one first where it may be
// left open.
func (p Pages) roleOptions(ctx context.Context, open bool) (out []ui.Option) {
	if open {
		out = append(out, ui.Option{Label: "–"})
	}
	for _, r := range p.Pack.Roles {
		out = append(out, ui.Option{Value: r.ID, Label: say(ctx, r.Text())})
	}
	return out
}

// journeyOptions are the designed journeys, with an empty choice first.
func (p Pages) journeyOptions(ctx context.Context) ([]ui.Option, error) {
	list, err := p.Journeys.List(ctx)
	if err != nil {
		return nil, err
	}
	out := []ui.Option{{Label: "–"}}
	for _, j := range list {
		out = append(out, ui.Option{Value: j.ID, Label: say(ctx, j.Name)})
	}
	return out, nil
}

// metricOptions are the measures of the registry by name.
func metricOptions(ctx context.Context, now map[string]measure.Reading) []ui.Option {
	out := []ui.Option{{Label: "–"}}
	for id, r := range now {
		out = append(out, ui.Option{Value: id, Label: say(ctx, r.Name)})
	}
	sortOptions(out[1:])
	return out
}

// amount writes money in full, short a rounded one.
func (p Pages) amount(ctx context.Context, minor int64) string {
	return i18n.Fmt(ctx).Money(money.Amount{Minor: minor, Currency: p.Currency})
}

func (p Pages) short(ctx context.Context, minor int64) string {
	return i18n.Fmt(ctx).MoneyShort(money.Amount{Minor: minor, Currency: p.Currency})
}

// span writes a range of money, its bookable bound bold.
func (p Pages) span(ctx context.Context, low, high int64) string {
	booked, rest := i18n.Fmt(ctx).MoneyRange(money.Amount{Minor: low, Currency: p.Currency}, money.Amount{Minor: high, Currency: p.Currency})
	return "**" + booked + "** " + rest
}

// figure writes a value of the registry in its unit.
func figure(ctx context.Context, unit string, x float64) string {
	f := i18n.Fmt(ctx)
	switch unit {
	case "share":
		return f.Percent(x, 1)
	case "points":
		return f.Decimal(x, 2)
	case "VND":
		return f.Money(money.VND(int64(math.Round(x))))
	case "number":
		return f.Int(int64(math.Round(x)))
	case "seconds", "minutes", "hours", "days":
		return f.Unit(f.Decimal(x, 1), i18n.T(ctx, "governance.unit."+unit))
	}
	return f.Decimal(x, 2)
}

// interval writes the interval and n of a reading.
func interval(ctx context.Context, r measure.Reading) string {
	if !r.Known {
		return i18n.T(ctx, "governance.few", "n", r.N)
	}
	return figure(ctx, r.Unit, r.Low) + " – " + figure(ctx, r.Unit, r.High) + " · n = " + i18n.Fmt(ctx).Int(r.N)
}

// stateOf is a trend in the design system's words.
func stateOf(word string) ui.MetricState {
	for _, s := range []ui.MetricState{ui.Noise, ui.Better, ui.Worse, ui.Few, ui.Stale} {
		if s.String() == word {
			return s
		}
	}
	return ui.Few
}

// form reads values of a form and remembers what cannot be read.
type form struct {
	r    *http.Request
	zone *time.Location
	err  error
}

func (f *form) text(name string) string { return strings.TrimSpace(f.r.FormValue(name)) }

func (f *form) bad(name, value string) {
	if f.err == nil {
		f.err = errs.Invalid("governance.error.number", name, "%q cannot be read as %s", value, name).With("value", value)
	}
}

// number reads a decimal number as people write it: with a comma or a point; a
// percent sign makes it a share.
func (f *form) number(name string) float64 {
	text := f.text(name)
	if text == "" {
		return 0
	}
	x, err := parseNumber(text)
	if err != nil {
		f.bad(name, text)
	}
	return x
}

func parseNumber(text string) (float64, error) {
	clean := strings.NewReplacer(" ", "", "\u00a0", "", "−", "-").Replace(text)
	share := strings.HasSuffix(clean, "%")
	clean = strings.TrimSuffix(clean, "%")
	if strings.Contains(clean, ",") && !strings.Contains(clean, ".") {
		clean = strings.Replace(clean, ",", ".", 1)
	}
	x, err := strconv.ParseFloat(clean, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, fmt.Errorf("%q is no number", text)
	}
	if share {
		x /= 100
	}
	return x, nil
}

// money reads an amount in whole units of the currency; digits may be grouped.
func (f *form) money(name, currency string) int64 {
	text := strings.NewReplacer(" ", "", "\u00a0", "", "₫", "", "−", "-").Replace(f.text(name))
	if text == "" {
		return 0
	}
	if money.Exponent(currency) == 0 {
		text = strings.NewReplacer(".", "", ",", "").Replace(text)
	}
	x, err := money.Parse(text, currency)
	if err != nil {
		f.bad(name, f.text(name))
	}
	return x
}

func (f *form) whole(name string) int {
	text := f.text(name)
	if text == "" {
		return 0
	}
	x, err := strconv.Atoi(text)
	if err != nil {
		f.bad(name, text)
	}
	return x
}

func (f *form) day(name string) time.Time {
	text := f.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, text, f.zone)
	if err != nil {
		f.bad(name, text)
	}
	return t
}

func (f *form) words(name string) approval.Text {
	return approval.Text{VI: f.text(name + ".vi"), EN: f.text(name + ".en")}
}

// lines are the lines of a text area that are not empty.
func (f *form) lines(name string) (out []string) {
	for line := range strings.Lines(f.r.FormValue(name)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// correctable reports whether a form is shown again with the error in it.
func correctable(err error) bool {
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindConflict, errs.KindTooLarge:
		return true
	}
	return false
}
