package web

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"omote/internal/insight/metric"
	"omote/internal/insight/signal"
	"omote/internal/module"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

// SignalPages are the pages of signals and of their rule.
type SignalPages struct {
	Signals  *signal.Service
	Clock    clock.Clock
	Zone     *time.Location
	Currency string
	// UnitNames gives the names of the reader's units by code, Label what people call
	// an event, Names those of actors, Role that of a role.
	UnitNames func(ctx context.Context) (map[string]string, error)
	Label     func(ctx context.Context, event string) string
	Names     func(ctx context.Context, refs ...string) map[string]string
	Role      func(ctx context.Context, id string) string
	// MetricName gives what a measure is called.
	MetricName func(ctx context.Context, id string) string
	// CustomerNames gives the names of customers as the reader may see them, and
	// CustomerPath their page.
	CustomerNames func(ctx context.Context, ids []string) (map[string]string, error)
	CustomerPath  func(id string) string
	// Start asks for a run.
	Start func(ctx context.Context) error
	// Answers is the permission to read single answers, People that to see customers,
	// Begin that to begin initiatives.
	Answers, People, Begin auth.Permission
}

// Paths of signals.
const (
	signalsPath = "/insight/signals"
	rulePath    = signalsPath + "/rule"
)

func signalPath(id string) string { return signalsPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p SignalPages) Routes(r *httpx.Router) {
	r.Handle("GET /insight/signals", signal.PermRead, p.list)
	r.Handle("POST /insight/signals/run", signal.PermEdit, p.run)
	r.Handle("GET /insight/signals/rule", signal.PermRead, p.rule)
	r.Handle("POST /insight/signals/rule", signal.PermEdit, p.ruleAct)
	r.Handle("GET /insight/signals/{id}", signal.PermRead, p.show)
	r.Handle("GET /insight/signals/{id}/customers", p.People, p.customers)
	r.Handle("POST /insight/signals/{id}/{act}", signal.PermEdit, p.act)
}

// signalsView is what the list shows.
type signalsView struct {
	table        ui.TableProps
	chips        []ui.ChipProps
	run          signal.Run
	ran          bool
	rule         *signal.RuleVersion
	edit         bool
	none         bool // nothing in any state
	falseAlarm   string
	runFacts     []ui.KeyValue
	ruleFacts    []ui.KeyValue
	showingState string
}

// list is every signal of the reader's place, those that wait first, the dearest
// first among them.
func (p SignalPages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	all, err := p.Signals.List(ctx)
	if err != nil {
		return err
	}
	v := signalsView{edit: auth.Can(ctx, signal.PermEdit), none: len(all) == 0, showingState: r.URL.Query().Get("state")}
	if v.run, v.ran, err = p.Signals.LastRun(ctx); err != nil {
		return err
	}
	rules, err := p.Signals.Rules(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(rules, func(x *signal.RuleVersion) bool { return x.Status == signal.Live }); i >= 0 {
		v.rule = rules[i]
	}
	names, err := p.places(ctx)
	if err != nil {
		return err
	}
	waiting := 0
	counts := map[signal.State]int{}
	for _, s := range all {
		counts[s.State]++
		if s.State.Waits() {
			waiting++
		}
	}
	v.chips = []ui.ChipProps{{Label: i18n.T(ctx, "insight.signal.waiting", "count", waiting), Href: signalsPath, Pressed: v.showingState == ""}}
	for _, st := range []signal.State{signal.Work, signal.Noise, signal.Closed} {
		v.chips = append(v.chips, ui.ChipProps{Label: i18n.T(ctx, "insight.signal.state."+string(st)) + " " + i18n.Fmt(ctx).Int(int64(counts[st])), Href: signalsPath + "?state=" + string(st),
			Pressed: v.showingState == string(st)})
	}
	v.table = p.signalTable(ctx, all, names, func(s *signal.Signal) bool {
		if v.showingState == "" {
			return s.State.Waits()
		}
		return string(s.State) == v.showingState
	})
	v.runFacts, v.ruleFacts = p.runFacts(ctx, v), p.ruleFacts(ctx, v.rule)
	page := ui.Page{Title: i18n.T(ctx, "insight.signal.title"), At: ui.NavSignals, Finding: p.listFinding(ctx, all, waiting, v.ran)}
	if v.edit {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "insight.signal.rule"), Href: rulePath}}
	}
	return ui.Render(w, r, signalsPage(page, v))
}

// listFinding says in one sentence what waits and what it is worth.
func (p SignalPages) listFinding(ctx context.Context, all []*signal.Signal, waiting int, ran bool) string {
	var low, high int64
	valued := 0
	for _, s := range all {
		if s.State.Waits() && s.Body.Value != nil && s.Body.Value.Mid > 0 {
			low, high, valued = low+max(0, s.Body.Value.Low), high+s.Body.Value.High, valued+1
		}
	}
	f := i18n.Fmt(ctx)
	switch {
	case !ran:
		return ""
	case waiting == 0:
		return i18n.T(ctx, "insight.signal.finding.calm")
	case valued == 0:
		return i18n.T(ctx, "insight.signal.finding", "count", waiting)
	}
	return i18n.T(ctx, "insight.signal.finding.worth", "count", waiting, "low", f.MoneyShort(p.amount(low)), "high", f.MoneyShort(p.amount(high)))
}

func (p SignalPages) amount(minor int64) money.Amount {
	return money.Amount{Minor: minor, Currency: p.Currency}
}

func (p SignalPages) runFacts(ctx context.Context, v signalsView) []ui.KeyValue {
	if !v.ran {
		return nil
	}
	f := i18n.Fmt(ctx)
	return []ui.KeyValue{
		{Key: i18n.T(ctx, "insight.signal.run.at"), Value: ui.When(ctx, v.run.At)},
		{Key: i18n.T(ctx, "insight.signal.run.series"), Value: i18n.T(ctx, "insight.signal.run.series.value", "series", f.Int(int64(v.run.Series)), "metrics", f.Int(int64(v.run.Metrics)))},
		{Key: i18n.T(ctx, "insight.signal.run.found"), Value: f.Int(int64(v.run.Found))},
		{Key: i18n.T(ctx, "insight.signal.run.took"), Value: f.Seconds(v.run.Seconds)},
	}
}

func (p SignalPages) ruleFacts(ctx context.Context, v *signal.RuleVersion) []ui.KeyValue {
	if v == nil {
		return nil
	}
	f := i18n.Fmt(ctx)
	pairs := []ui.KeyValue{
		{Key: i18n.T(ctx, "insight.signal.rule.limit"), Value: i18n.T(ctx, "insight.signal.rule.limit.value", "n", f.Decimal(v.Body.Limit, 1))},
		{Key: i18n.T(ctx, "insight.signal.rule.persist"), Value: i18n.T(ctx, "insight.signal.rule.persist.value", "count", v.Body.Persist)},
		{Key: i18n.T(ctx, "insight.signal.rule.reach"), Value: i18n.T(ctx, "insight.signal.rule.reach.value", "count", v.Body.Reach)},
		{Key: i18n.T(ctx, "insight.signal.rule.share"), Value: f.Percent(v.Body.Share, 0)},
		{Key: i18n.T(ctx, "insight.signal.rule.false"), Value: i18n.T(ctx, "insight.signal.rule.false.value", "false", v.FalseAlarms, "opened", v.Opened)},
	}
	return pairs
}

// placeNames gives names to places.
type placeNames struct {
	units map[string]string
	label func(ctx context.Context, event string) string
}

func (p SignalPages) places(ctx context.Context) (placeNames, error) {
	units, err := p.UnitNames(ctx)
	return placeNames{units, p.Label}, err
}

// of names a value of a dimension.
func (n placeNames) of(ctx context.Context, d signal.Dim, value string) string {
	switch d {
	case signal.Whole:
		return i18n.T(ctx, "insight.signal.whole")
	case signal.Unit, signal.Region:
		if name := n.units[strings.ToLower(value)]; name != "" {
			return name
		}
	case signal.Step:
		return n.label(ctx, value)
	case signal.Channel:
		if key := "insight.signal.channel." + value; i18n.T(ctx, key) != key {
			return i18n.T(ctx, key)
		}
	}
	if value == "" {
		return i18n.T(ctx, "insight.web.unknown")
	}
	return strings.ReplaceAll(value, "_", " ")
}

// title says what happened, without its place.
func (p SignalPages) title(ctx context.Context, b *signal.Body) string {
	name, key := b.Name.In(i18n.Locale(ctx)), "insight.signal.title.worse"
	if b.State == "better" {
		key = "insight.signal.title.better"
	}
	return i18n.T(ctx, key, "name", name, "value", figureOf(ctx, b, b.After))
}

// figureOf writes a watched value: durations are watched by their slow cases.
func figureOf(ctx context.Context, b *signal.Body, x float64) string {
	switch {
	case b.Kind == metric.Duration:
		return i18n.T(ctx, "insight.signal.slow", "share", i18n.Fmt(ctx).Percent(x, 1), "limit", write(ctx, b.Unit, b.Slow))
	case b.Kind == metric.Rate && b.Unit != metric.Per10k, b.Kind == metric.Conversion:
		return i18n.Fmt(ctx).Percent(x, 1)
	}
	return write(ctx, b.Unit, x)
}

func stateOfBody(b *signal.Body) ui.MetricState {
	if b.State == "better" {
		return ui.Better
	}
	return ui.Worse
}

// signalTable lists the signals that pass keep.
func (p SignalPages) signalTable(ctx context.Context, all []*signal.Signal, names placeNames, keep func(*signal.Signal) bool) ui.TableProps {
	t := ui.TableProps{ID: "signals", Label: i18n.T(ctx, "insight.signal.title"), Columns: []ui.Column{
		{Key: "signal", Label: i18n.T(ctx, "insight.signal.one")},
		{Key: "line", Label: i18n.T(ctx, "insight.signal.line"), Narrow: true},
		{Key: "worth", Label: i18n.T(ctx, "insight.signal.worth"), Numeric: true},
		{Key: "reach", Label: i18n.T(ctx, "insight.signal.reach"), Numeric: true},
		{Key: "state", Label: i18n.T(ctx, "insight.signal.state"), Narrow: true},
	}}
	f := i18n.Fmt(ctx)
	for _, s := range all {
		if !keep(s) {
			continue
		}
		b := &s.Body
		sub := names.of(ctx, b.Place.Dim, b.Place.Value) + " · " + i18n.T(ctx, "insight.signal.since", "day", f.Date(b.Onset))
		if len(b.Tree.Causes) > 0 {
			sub += " · " + i18n.T(ctx, "insight.signal.cause.short", "cause", branchName(ctx, names, &b.Tree.Causes[0]))
		}
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: []ui.Cell{{Text: p.title(ctx, b), Sub: sub, Href: signalPath(s.ID)},
			{Node: signalSpark(b)}, p.worthCell(ctx, b), {Text: f.Int(b.Customers), Sub: i18n.T(ctx, "insight.signal.reach.sub", "n", f.Int(int64(b.N)))},
			{Text: i18n.T(ctx, "insight.signal.state."+string(s.State)), Care: s.State == signal.Open}}})
	}
	return t
}

func (p SignalPages) worthCell(ctx context.Context, b *signal.Body) ui.Cell {
	if b.Value == nil {
		return ui.Cell{Text: i18n.T(ctx, "insight.signal.worth.unknown"), Mute: true}
	}
	f := i18n.Fmt(ctx)
	return ui.Cell{Text: "**" + f.MoneyShort(p.amount(b.Value.Mid)) + "**", Sub: f.MoneyShort(p.amount(b.Value.Low)) + " – " + f.MoneyShort(p.amount(b.Value.High))}
}

// signalSpark is the shape of the last periods.
func signalSpark(b *signal.Body) templ.Component {
	points := b.Points[max(0, len(b.Points)-40):]
	props := chart.SparkProps{}
	low, high := math.Inf(1), math.Inf(-1)
	for _, pt := range points {
		if pt.Value == nil {
			continue
		}
		props.Values = append(props.Values, *pt.Value)
		state := ui.Noise
		switch {
		case pt.At.Before(b.Onset):
		case pt.State == "worse":
			state = ui.Worse
		case pt.State == "better":
			state = ui.Better
		}
		props.States = append(props.States, state)
		if pt.Low != nil && pt.High != nil && pt.At.Before(b.Onset) {
			low, high = min(low, *pt.Low), max(high, *pt.High)
		}
	}
	if low < high {
		props.BandLow, props.BandHigh = low, high
	}
	return chart.Spark(props)
}

// branchName names a combination of values.
func branchName(ctx context.Context, names placeNames, b *signal.Branch) string {
	parts := make([]string, len(b.Where))
	for i, w := range b.Where {
		parts[i] = names.of(ctx, signal.Dim(w.Dim), w.Value)
	}
	return strings.Join(parts, " + ")
}

// Waiting gives the dearest signals that nobody has settled, for the first page, and
// how many there are.
func (p SignalPages) Waiting(ctx context.Context, n int) (items []module.HomeItem, all int, err error) {
	waiting, err := p.Signals.List(ctx, signal.Open, signal.Taken)
	if err != nil {
		return nil, 0, err
	}
	names, err := p.places(ctx)
	if err != nil {
		return nil, 0, err
	}
	f := i18n.Fmt(ctx)
	for _, s := range waiting[:min(n, len(waiting))] {
		b := &s.Body
		note := names.of(ctx, b.Place.Dim, b.Place.Value) + " · " + i18n.T(ctx, "insight.signal.since", "day", f.Date(b.Onset)) + " · " + i18n.T(ctx, "insight.signal.reach.people", "n", f.Int(b.Customers))
		item := module.HomeItem{Title: p.title(ctx, b), Note: note, Href: signalPath(s.ID), Due: i18n.T(ctx, "insight.signal.state."+string(s.State)), Late: s.State == signal.Open}
		if b.Value != nil && b.Value.Mid > 0 {
			item.Due = i18n.T(ctx, "insight.signal.worth.short", "money", f.MoneyShort(p.amount(b.Value.Mid)))
		}
		items = append(items, item)
	}
	return items, len(waiting), nil
}

// run asks for a run now.
func (p SignalPages) run(w http.ResponseWriter, r *http.Request) error {
	if err := p.Start(r.Context()); err != nil {
		return err
	}
	http.Redirect(w, r, signalsPath, http.StatusSeeOther)
	return nil
}
