package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"omote/internal/insight/metric"
	"omote/internal/insight/signal"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

// signalView is what the page of a signal shows.
type signalView struct {
	*signal.Signal
	events  []signal.Event
	voices  []metric.Voice
	names   placeNames
	people  map[string]string // actors
	edit    bool
	begin   bool
	answers bool // the reader may read single answers
	listed  bool // the reader may see customers
	wrong   ui.FieldErrors
	form    string // the form that was wrong: acknowledge, noise, work
	value   func(name string) string
}

// wordsShown is how many voices the page shows.
const wordsShown = 5

func (p SignalPages) show(w http.ResponseWriter, r *http.Request) error {
	return p.renderSignal(w, r, http.StatusOK, "", nil)
}

func (p SignalPages) renderSignal(w http.ResponseWriter, r *http.Request, status int, form string, wrong ui.FieldErrors) error {
	ctx := r.Context()
	s, events, err := p.Signals.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := signalView{Signal: s, events: events, edit: auth.Can(ctx, signal.PermEdit), begin: auth.Can(ctx, p.Begin), answers: auth.Can(ctx, p.Answers), listed: auth.Can(ctx, p.People),
		wrong: wrong, form: form, value: r.FormValue}
	if v.names, err = p.places(ctx); err != nil {
		return err
	}
	if v.answers {
		if v.voices, err = p.Signals.Words(ctx, s, wordsShown); err != nil {
			return err
		}
	}
	refs := []string{s.Body.By}
	for _, e := range events {
		refs = append(refs, e.By)
	}
	v.people = p.Names(ctx, refs...)
	f := i18n.Fmt(ctx)
	page := ui.Page{Title: p.title(ctx, &s.Body), At: ui.NavSignals, Crumbs: []ui.Link{{Label: i18n.T(ctx, "insight.signal.title"), Href: signalsPath}}, Finding: p.finding(ctx, &v),
		Above: ui.StateTag(stateOfBody(&s.Body)), Meta: []ui.Item{ui.Text(i18n.T(ctx, "insight.signal.state."+string(s.State))), ui.Text(i18n.T(ctx, "insight.signal.detected", "day", f.Date(s.Body.Detected))),
			ui.Text(i18n.T(ctx, "insight.signal.owner", "role", p.Role(ctx, s.Body.Owner))), ui.Text(i18n.T(ctx, "insight.signal.fresh", "at", ui.When(ctx, s.Body.Fresh)))}}
	return ui.RenderStatus(w, r, status, signalPage(page, p, &v))
}

// finding says how much, when, where and why in one sentence.
func (p SignalPages) finding(ctx context.Context, v *signalView) string {
	b := &v.Body
	text := i18n.T(ctx, "insight.signal.moved."+b.Shape, "before", figureOf(ctx, b, b.Before), "after", figureOf(ctx, b, b.After), "place", v.names.of(ctx, b.Place.Dim, b.Place.Value),
		"day", i18n.Fmt(ctx).Date(b.Onset))
	if len(b.Tree.Causes) > 0 {
		c := &b.Tree.Causes[0]
		text += " " + i18n.T(ctx, "insight.signal.moved.cause", "share", i18n.Fmt(ctx).Percent(min(1, c.Share), 0), "cause", branchName(ctx, v.names, c))
	} else if b.Tree.Known {
		text += " " + i18n.T(ctx, "insight.signal.moved.common")
	}
	return text
}

// worth is the largest number of the page.
func (p SignalPages) worth(ctx context.Context, b *signal.Body) ui.FigureProps {
	f := i18n.Fmt(ctx)
	if b.Value == nil {
		return ui.FigureProps{Value: "–", Note: i18n.T(ctx, "insight.signal.worth.none")}
	}
	fig := ui.FigureProps{Value: f.MoneyShort(p.amount(b.Value.Mid)), Interval: i18n.T(ctx, "insight.signal.worth.interval", "low", f.MoneyShort(p.amount(b.Value.Low)), "high", f.MoneyShort(p.amount(b.Value.High))),
		Note: i18n.T(ctx, "insight.signal.worth.year")}
	if b.Value.Over {
		fig.Note = i18n.T(ctx, "insight.signal.worth.over")
	} else if b.Value.Low <= 0 {
		fig.Note = i18n.T(ctx, "insight.signal.worth.unsure")
	}
	return fig
}

// worthSteps are the links from the change to money.
func (p SignalPages) worthSteps(ctx context.Context, b *signal.Body) (out []ui.KeyValue) {
	if b.Value == nil {
		return nil
	}
	f := i18n.Fmt(ctx)
	for _, l := range b.Value.Steps {
		digits := 0
		for x := math.Abs(l.Value); x > 0 && x < 10 && digits < 5; x *= 10 {
			digits++
		}
		value := f.Decimal(l.Value, digits) + " " + f.PlusMinus(1.64*l.SE, digits)
		out = append(out, ui.KeyValue{Key: l.Text().In(i18n.Locale(ctx)), Value: value + " · " + i18n.T(ctx, "insight.signal.basis."+l.Basis)})
	}
	volume := "insight.signal.worth.volume"
	if b.Value.Over {
		volume = "insight.signal.worth.volume.over"
	}
	return append(out, ui.KeyValue{Key: i18n.T(ctx, volume), Value: f.Int(int64(b.Value.Volume.Value))})
}

// facts are size, doubt and reach.
func (p SignalPages) facts(ctx context.Context, v *signalView) []ui.KeyValue {
	f, b := i18n.Fmt(ctx), &v.Body
	reach := ui.KeyValue{Key: i18n.T(ctx, "insight.signal.reach"), Value: i18n.T(ctx, "insight.signal.reach.value", "customers", f.Int(b.Customers), "n", f.Int(int64(b.N)))}
	if v.listed && b.Customers > 0 {
		reach = ui.KeyValue{Key: reach.Key, Node: ui.A(ui.Link{Label: ui.PlainText(reach.Value), Href: signalPath(v.ID) + "/customers"})}
	}
	once := i18n.T(ctx, "insight.signal.once."+b.Step, "n", f.Compact(int64(b.FalseOnce)))
	return []ui.KeyValue{
		{Key: i18n.T(ctx, "insight.signal.size"), Value: i18n.T(ctx, "insight.signal.size.value", "before", figureOf(ctx, b, b.Before), "after", figureOf(ctx, b, b.After))},
		{Key: i18n.T(ctx, "insight.signal.sigmas"), Value: i18n.T(ctx, "insight.signal.sigmas."+b.Step, "n", f.Decimal(b.Sigmas, 1), "count", b.Persisted)},
		{Key: i18n.T(ctx, "insight.signal.doubt"), Value: once},
		reach,
		{Key: i18n.T(ctx, "insight.signal.onset"), Value: f.DayRange(b.OnsetLow, b.OnsetHigh)},
		{Key: i18n.T(ctx, "insight.signal.outcome"), Value: i18n.T(ctx, "insight.signal.outcome."+b.Outcome)},
		{Key: i18n.T(ctx, "insight.signal.rule"), Node: ui.A(ui.Link{Label: i18n.T(ctx, "insight.web.version.n", "n", b.Rule), Href: rulePath})},
		{Key: i18n.T(ctx, "insight.signal.measure"), Node: ui.A(ui.Link{Label: b.Name.In(i18n.Locale(ctx)), Href: metricPath(b.Metric)})},
	}
}

func (p SignalPages) chart(ctx context.Context, v *signalView) chart.TimeProps {
	b := &v.Body
	t := chart.TimeProps{ID: "signal", Label: ui.PlainText(p.finding(ctx, v)), Cols: 8, Format: func(x float64) string { return axis(ctx, b, x) }, ValueName: b.Name.In(i18n.Locale(ctx))}
	nan := func(x *float64) float64 {
		if x == nil {
			return math.NaN()
		}
		return *x
	}
	for _, pt := range b.Points {
		c := chart.Point{At: pt.At, Value: nan(pt.Value), Low: math.NaN(), High: math.NaN(), BandLow: nan(pt.Low), BandHigh: nan(pt.High), N: int64(pt.N)}
		switch {
		case pt.Value == nil:
			c.State = ui.Few
		case pt.At.Before(b.Onset):
		case pt.State == "worse":
			c.State = ui.Worse
		case pt.State == "better":
			c.State = ui.Better
		}
		t.Points = append(t.Points, c)
	}
	t.Changes = []chart.Change{{At: b.Onset, From: b.OnsetLow, To: b.OnsetHigh, Label: i18n.T(ctx, "insight.web.change", "day", i18n.Fmt(ctx).Day(b.Onset)), Before: b.Before, After: b.After}}
	if !b.Ended.IsZero() {
		t.Changes[0].After = math.NaN() // the level did not stay
	}
	return t
}

// axis writes a value without words beside it.
func axis(ctx context.Context, b *signal.Body, x float64) string {
	if b.Kind == metric.Duration {
		return i18n.Fmt(ctx).Percent(x, 0)
	}
	return figureOf(ctx, b, x)
}

// causeBars are the causes with the share each explains.
func (p SignalPages) causeBars(ctx context.Context, v *signalView) chart.BarsProps {
	f := i18n.Fmt(ctx)
	bars := chart.BarsProps{ID: "causes", Label: i18n.T(ctx, "insight.signal.causes"), Max: 1, Format: func(x float64) string { return f.Percent(x, 0) }}
	for i := range v.Body.Tree.Causes {
		c := &v.Body.Tree.Causes[i]
		it := chart.BarItem{Name: branchName(ctx, v.names, c), Value: min(1, c.Share), N: int64(c.N), State: stateOfBody(&v.Body), Href: "#cause-" + strconv.Itoa(i)}
		if c.Sure {
			it.Low, it.High = max(0, c.Low), min(1, c.High)
		}
		bars.Items = append(bars.Items, it)
	}
	return bars
}

// causeWords says what happened inside a cause.
func (p SignalPages) causeWords(ctx context.Context, v *signalView, c *signal.Branch) string {
	f, b := i18n.Fmt(ctx), &v.Body
	share := f.Percent(c.Share, 0)
	if c.Sure {
		share += " (" + f.PercentInterval(c.Low, c.High, 0) + ")"
	}
	return i18n.T(ctx, "insight.signal.cause.text", "before", figureOf(ctx, b, c.Before), "after", figureOf(ctx, b, c.After), "n", f.Int(int64(c.N)), "share", share)
}

// partTable splits a cause further.
func (p SignalPages) partTable(ctx context.Context, v *signalView, at int) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{ID: "cause" + strconv.Itoa(at), Label: i18n.T(ctx, "insight.signal.parts"), Dense: true, Columns: []ui.Column{
		{Key: "part", Label: i18n.T(ctx, "insight.signal.parts")}, {Key: "share", Label: i18n.T(ctx, "insight.signal.parts.share"), Numeric: true},
		{Key: "now", Label: i18n.T(ctx, "insight.signal.now"), Numeric: true}, {Key: "n", Label: "n", Numeric: true}}}
	for _, part := range v.Body.Tree.Causes[at].Parts {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: v.names.of(ctx, signal.Dim(part.Dim), part.Value), Sub: i18n.T(ctx, "insight.web.dim."+part.Dim)},
			{Text: f.Percent(part.Share, 0)}, {Text: axis(ctx, &v.Body, part.After)}, {Text: f.Int(int64(part.N))}}})
	}
	return t
}

// alsoText names the other places with the same change.
func (v *signalView) alsoText(ctx context.Context) string {
	var parts []string
	for _, a := range v.Body.Also {
		parts = append(parts, v.names.of(ctx, a.Place.Dim, a.Place.Value)+" ("+figureOf(ctx, &v.Body, a.Before)+" → "+figureOf(ctx, &v.Body, a.After)+")")
	}
	return strings.Join(parts, " · ")
}

func voiceSource(ctx context.Context, v metric.Voice, names placeNames) string {
	parts := []string{i18n.Fmt(ctx).Date(v.At), names.of(ctx, signal.Channel, v.Channel)}
	// A code that no unit of the organisation has says nothing to a reader.
	if name := names.units[strings.ToLower(v.Unit)]; name != "" && v.Unit != v.Channel {
		parts = append(parts, name)
	}
	if v.Score != nil {
		parts = append(parts, i18n.T(ctx, "insight.signal.score", "score", i18n.Fmt(ctx).Decimal(*v.Score, 0)))
	}
	return strings.Join(parts, " · ")
}

// trail is who did what, newest first.
func (p SignalPages) trail(ctx context.Context, v *signalView) ui.TableProps {
	t := ui.TableProps{ID: "trail", Label: i18n.T(ctx, "insight.signal.trail"), Columns: []ui.Column{{Key: "at", Label: i18n.T(ctx, "insight.signal.trail.at"), Narrow: true},
		{Key: "what", Label: i18n.T(ctx, "insight.signal.trail.what")}, {Key: "by", Label: i18n.T(ctx, "insight.signal.trail.by"), Narrow: true}}}
	for i := len(v.events) - 1; i >= 0; i-- {
		e := v.events[i]
		by := v.people[e.By]
		if by == "" {
			by = i18n.T(ctx, "insight.signal.trail.self")
		}
		note := e.Note
		switch {
		case e.What == "close" || e.What == "settle":
			note = i18n.T(ctx, "insight.signal.outcome."+note)
		case e.What == "work":
			note = ""
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Text: ui.When(ctx, e.At)}, {Text: i18n.T(ctx, "insight.signal.did."+e.What), Sub: note}, {Text: by}}})
	}
	return t
}

// act acknowledges, explains or turns a signal into work.
func (p SignalPages) act(w http.ResponseWriter, r *http.Request) error {
	ctx, id, what := r.Context(), r.PathValue("id"), r.PathValue("act")
	to := signalPath(id)
	var err error
	switch what {
	case "acknowledge":
		_, err = p.Signals.Acknowledge(ctx, id, r.FormValue("note"))
	case "noise":
		_, err = p.Signals.Explain(ctx, id, r.FormValue("reason"))
	case "work":
		var s *signal.Signal
		if s, err = p.begun(r, id); err == nil {
			to = s.Body.Href
		}
	default:
		return errs.NotFound("insight.signal.error.act", "nobody can %s a signal", what)
	}
	if errs.KindOf(err) == errs.KindInvalid {
		return p.renderSignal(w, r, http.StatusUnprocessableEntity, what, ui.ErrorsFrom(ctx, err))
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

func (p SignalPages) begun(r *http.Request, id string) (*signal.Signal, error) {
	number := func(name string) int {
		n, _ := strconv.Atoi(strings.TrimSpace(r.FormValue(name))) // what is no number counts as none, and the initiative says what is wrong
		return n
	}
	title := strings.TrimSpace(r.FormValue("title"))
	return p.Signals.Turn(r.Context(), id, signal.Ask{Href: signalPath(id), Title: metric.Text{En: title, Vi: title}, Why: r.FormValue("why"), Days: number("days"), Units: number("units")})
}

// customers lists the people the change has reached.
func (p SignalPages) customers(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s, people, err := p.Signals.People(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	ids := make([]string, len(people))
	for i, x := range people {
		ids[i] = x.Customer
	}
	names, err := p.CustomerNames(ctx, ids)
	if err != nil {
		return err
	}
	places, err := p.places(ctx)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	t := ui.TableProps{Label: i18n.T(ctx, "insight.signal.reach"), Columns: []ui.Column{{Key: "name", Label: i18n.T(ctx, "insight.signal.customer")},
		{Key: "last", Label: i18n.T(ctx, "insight.signal.customer.last"), Narrow: true}, {Key: "n", Label: i18n.T(ctx, "insight.signal.customer.n"), Numeric: true}}}
	for _, x := range people {
		cell := ui.Cell{Text: x.Customer[:min(8, len(x.Customer))], Mute: true}
		if name := names[x.Customer]; name != "" {
			cell = ui.Cell{Text: name, Href: p.CustomerPath(x.Customer)}
		}
		t.Rows = append(t.Rows, ui.Row{ID: x.Customer, Cells: []ui.Cell{cell, {Text: ui.When(ctx, x.Last)}, {Text: f.Int(x.Facts)}}})
	}
	t.Foot = i18n.T(ctx, "insight.signal.customers.foot", "shown", len(people), "all", f.Int(s.Body.Customers))
	page := ui.Page{Title: i18n.T(ctx, "insight.signal.reach"), At: ui.NavSignals, Crumbs: []ui.Link{{Label: i18n.T(ctx, "insight.signal.title"), Href: signalsPath}, {Label: p.title(ctx, &s.Body), Href: signalPath(s.ID)}},
		Finding: i18n.T(ctx, "insight.signal.customers.finding", "n", f.Int(s.Body.Customers), "place", places.of(ctx, s.Body.Place.Dim, s.Body.Place.Value), "day", f.Date(s.Body.Onset))}
	return ui.Render(w, r, signalCustomersPage(page, t))
}

func (v *signalView) wrongIn(form string) ui.FieldErrors {
	if v.form == form {
		return v.wrong
	}
	return nil
}

func (v *signalView) valueIn(form, name string) string {
	if v.form == form {
		return v.value(name)
	}
	return ""
}

func (v *signalView) or(form, name, usual string) string {
	if v.form == form {
		return v.value(name)
	}
	return usual
}

func chartOf(ctx context.Context, p SignalPages, v *signalView) templ.Component {
	return chart.Time(p.chart(ctx, v))
}

func barsOf(ctx context.Context, p SignalPages, v *signalView) templ.Component {
	return chart.Bars(p.causeBars(ctx, v))
}

func ruleMeta(ctx context.Context, v signalsView) []ui.Item {
	if v.rule == nil {
		return nil
	}
	return []ui.Item{ui.Anchor(i18n.T(ctx, "insight.web.version.n", "n", v.rule.Version), rulePath)}
}

func worthTitle(v *signalView) string {
	if v.Body.Value != nil && v.Body.Value.Over {
		return "insight.signal.worth.past"
	}
	return "insight.signal.worth"
}
