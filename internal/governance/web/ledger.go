package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"omote/analytics/value"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/governance/measure"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

type ledgerView struct {
	lines []ledger.Doc
	sums  ledger.Sums
	names map[string]string
	now   map[string]measure.Reading
	edit  bool
}

// ledger is what better experience really brought: what is booked, at which bound,
// signed by whom.
func (p Pages) ledger(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	lines, err := p.Ledger.List(ctx)
	if err != nil {
		return err
	}
	v := ledgerView{lines: lines, sums: ledger.Sum(lines), edit: auth.Can(ctx, ledger.PermEdit)}
	var refs []string
	for _, d := range lines {
		refs = append(refs, d.Body.SignedBy)
	}
	v.names = p.Names(ctx, refs...)
	if v.now, err = p.Registry.Now(ctx); err != nil {
		return err
	}
	// The largest booking first; what was reversed stays beside its reversal.
	slices.SortStableFunc(v.lines, func(a, b ledger.Doc) int {
		switch {
		case a.Body.Booked > b.Body.Booked:
			return -1
		case a.Body.Booked < b.Body.Booked:
			return 1
		}
		return 0
	})
	page := ui.Page{Title: i18n.T(ctx, "governance.ledger.title"), At: NavLedger, Layer: ui.LayerGuarantee}
	if len(lines) > 0 {
		key := "governance.ledger.finding"
		if v.sums.Booked <= 0 {
			key = "governance.ledger.finding.none"
		}
		page.Finding = i18n.T(ctx, key, "booked", p.short(ctx, v.sums.Booked), "expected", p.short(ctx, v.sums.Expected), "count", v.sums.Lines)
		page.Meta = []ui.Item{ui.Text(i18n.T(ctx, "governance.ledger.meta"))}
	}
	if v.edit {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "governance.ledger.new"), Href: ledgerPath + "/new", Key: "N"}}
	}
	return ui.Render(w, r, ledgerPage(page, p, v))
}

// promise shows expected, bound and booked beside one another.
func (p Pages) promise(ctx context.Context, s ledger.Sums) chart.BarsProps {
	return chart.BarsProps{ID: "promise", Label: i18n.T(ctx, "governance.ledger.promise"), Items: []chart.BarItem{
		{Name: i18n.T(ctx, "governance.ledger.expected"), Value: float64(max(0, s.Expected)), N: int64(s.Lines)},
		{Name: i18n.T(ctx, "governance.ledger.lower"), Value: float64(max(0, s.Lower)), N: int64(s.Lines)},
		{Name: i18n.T(ctx, "governance.ledger.booked"), Value: float64(max(0, s.Booked)), N: int64(s.Lines - s.Open)},
	}, Format: func(x float64) string { return p.short(ctx, int64(x)) }}
}

func (p Pages) lineTable(ctx context.Context, v ledgerView) ui.TableProps {
	t := ui.TableProps{Label: i18n.T(ctx, "governance.ledger.lines"), Columns: []ui.Column{{Key: "title", Label: i18n.T(ctx, "governance.ledger.change")},
		{Key: "grade", Label: i18n.T(ctx, "governance.decision.evidence")}, {Key: "range", Label: i18n.T(ctx, "governance.decision.range")},
		{Key: "worth", Label: i18n.T(ctx, "governance.ledger.worth"), Numeric: true}, {Key: "booked", Label: i18n.T(ctx, "governance.ledger.booked"), Numeric: true},
		{Key: "state", Label: i18n.T(ctx, "governance.approval.state")}}}
	var values []int64
	for _, d := range v.lines {
		values = append(values, d.Body.Valued.Low, d.Body.Valued.High, d.Body.Booked)
	}
	scale := axisOf(values...)
	f := i18n.Fmt(ctx)
	for _, d := range v.lines {
		l := d.Body
		name := l.Metric
		if r, ok := v.now[l.Metric]; ok {
			name = say(ctx, r.Name)
		}
		booked := ui.Cell{Text: "**" + p.short(ctx, l.Booked) + "**", Care: l.Booked < 0}
		if l.Booked == 0 {
			booked = ui.Cell{Text: "–", Mute: true}
		}
		state := ui.Cell{Text: i18n.T(ctx, "governance.ledger.state."+d.State)}
		switch {
		case l.SignedBy != "":
			state.Sub = who(v.names, l.SignedBy) + ", " + f.Date(l.Signed.In(p.Zone))
		case l.Grade < ledger.Adjusted:
			state.Sub = i18n.T(ctx, "governance.ledger.pattern")
		}
		t.Rows = append(t.Rows, ui.Row{ID: d.ID, Cells: []ui.Cell{{Text: say(ctx, l.Title), Sub: name, Href: pathOf(ledgerPath, d.ID)}, {Node: ui.Grade(ui.EvidenceGrade(l.Grade))},
			{Node: scale.span(l.Valued.Low, l.Valued.Mid, l.Valued.High, l.Booked, d.State == ledger.Open || d.State == ledger.Waiting)},
			{Text: p.span(ctx, l.Valued.Low, l.Valued.High)}, booked, state}})
	}
	t.Foot = i18n.T(ctx, "governance.ledger.foot", "booked", p.amount(ctx, v.sums.Booked))
	return t
}

type lineView struct {
	ledger.Doc
	names map[string]string
	now   map[string]measure.Reading
	title string // of the initiative
	edit  bool
	wrong ui.FieldErrors
	form  *form
}

// line is one effect on its way to money.
func (p Pages) line(w http.ResponseWriter, r *http.Request) error {
	return p.renderLine(w, r, http.StatusOK, nil)
}

func (p Pages) renderLine(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	d, err := p.Ledger.Get(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v := lineView{Doc: d, names: p.Names(ctx, d.CreatedBy, d.Body.SignedBy), edit: auth.Can(ctx, ledger.PermEdit), wrong: wrong, form: &form{r: r, zone: p.Zone}}
	if v.now, err = p.Registry.Now(ctx); err != nil {
		return err
	}
	if d.Ref != "" && auth.Can(ctx, initiative.PermRead) {
		if one, err := p.Governance.Initiatives.Get(ctx, d.Ref); err == nil {
			v.title = say(ctx, one.Body.Title)
		}
	}
	page := ui.Page{Title: say(ctx, d.Body.Title), At: NavLedger, Layer: ui.LayerGuarantee, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.ledger.title"), Href: ledgerPath}},
		Meta: []ui.Item{ui.Text(i18n.T(ctx, "governance.ledger.state."+d.State)), ui.Text(d.Unit)}}
	switch {
	case d.State == ledger.Booked || d.State == ledger.Reversal:
		page.Finding = i18n.T(ctx, "governance.ledger.finding.booked", "booked", p.short(ctx, d.Body.Booked))
	case d.State == ledger.Reversed:
		page.Finding = i18n.T(ctx, "governance.ledger.finding.reversed", "why", d.Body.Reason)
	case d.Body.Bookable() == 0:
		page.Finding = i18n.T(ctx, "governance.ledger.finding.nothing")
	default:
		page.Finding = i18n.T(ctx, "governance.ledger.finding.open", "booked", p.short(ctx, d.Body.Bookable()), "mid", p.short(ctx, d.Body.Valued.Mid))
	}
	return ui.RenderStatus(w, r, status, linePage(page, p, v))
}

// chain are the links from effect to money as facts.
func (p Pages) chain(ctx context.Context, v lineView) []ui.KeyValue {
	f, l := i18n.Fmt(ctx), v.Body
	name, unit := l.Metric, ""
	if r, ok := v.now[l.Metric]; ok {
		name, unit = say(ctx, r.Name), r.Unit
	}
	plus := func(e value.Estimate, write func(float64) string) string {
		if e.SE == 0 {
			return "**" + write(e.Value) + "**"
		}
		return "**" + write(e.Value) + "** " + write(e.Value-1.96*e.SE) + " – " + write(e.Value+1.96*e.SE)
	}
	number := func(x float64) string {
		if x >= 1000 || x <= -1000 {
			return f.Int(int64(x))
		}
		return f.Decimal(x, 3)
	}
	out := []ui.KeyValue{{Key: i18n.T(ctx, "governance.ledger.effect", "metric", name), Value: plus(l.Chain.Effect, func(x float64) string { return figure(ctx, unit, x) }) + " · " + methodWord(ctx, l.Method)}}
	for k, link := range l.Links {
		out = append(out, ui.KeyValue{Key: say(ctx, link.Name) + " (" + say(ctx, link.Unit) + ")", Value: plus(l.Chain.Links[k], number) + " · " + say(ctx, link.Method) + ", " + f.Date(link.AsOf.In(p.Zone))})
	}
	return append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.ledger.volume"), Value: plus(l.Chain.Volume, number)},
		ui.KeyValue{Key: i18n.T(ctx, "governance.ledger.horizon"), Value: i18n.T(ctx, "governance.ledger.horizon.text", "months", l.Chain.Months, "rate", f.Percent(l.Chain.Rate, 0), "fade", f.Percent(l.Chain.Fade, 0))},
		ui.KeyValue{Key: i18n.T(ctx, "governance.ledger.cost"), Value: p.short(ctx, int64(l.Chain.Cost.Value))},
		ui.KeyValue{Key: i18n.T(ctx, "governance.ledger.overlap"), Value: f.Percent(l.Chain.Overlap, 0)},
		ui.KeyValue{Key: i18n.T(ctx, "governance.ledger.worth"), Value: p.span(ctx, l.Valued.Low, l.Valued.High)})
}

func (p Pages) figureTable(ctx context.Context, v lineView) ui.TableProps {
	t := ui.TableProps{ID: "figures", Label: i18n.T(ctx, "governance.ledger.figures"), Columns: []ui.Column{{Key: "what", Label: i18n.T(ctx, "governance.ledger.window")},
		{Key: "days", Label: i18n.T(ctx, "governance.ledger.days")}, {Key: "value", Label: i18n.T(ctx, "governance.ledger.value"), Numeric: true},
		{Key: "interval", Label: i18n.T(ctx, "governance.ledger.interval"), Numeric: true}, {Key: "n", Label: "n", Numeric: true}}}
	f, unit := i18n.Fmt(ctx), v.now[v.Body.Metric].Unit
	for _, x := range v.Body.Figures {
		t.Rows = append(t.Rows, ui.Row{Cells: ui.Cells(i18n.T(ctx, "governance.ledger.window."+x.Label), f.DayRange(x.From.In(p.Zone), x.To.In(p.Zone)), figure(ctx, unit, x.Value),
			figure(ctx, unit, x.Low)+" – "+figure(ctx, unit, x.High), f.Int(x.N))})
	}
	return t
}

func (p Pages) lineBook(w http.ResponseWriter, r *http.Request) error {
	q, err := p.Ledger.ProposeBooking(r.Context(), r.PathValue("id"))
	return p.lineDone(w, r, q, err)
}

func (p Pages) lineReverse(w http.ResponseWriter, r *http.Request) error {
	q, err := p.Ledger.ProposeReversal(r.Context(), r.PathValue("id"), r.FormValue("reason"))
	return p.lineDone(w, r, q, err)
}

func (p Pages) lineDone(w http.ResponseWriter, r *http.Request, q approval.Request, err error) error {
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderLine(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(r.Context(), err))
	}
	http.Redirect(w, r, approvalPath(q.ID), http.StatusSeeOther)
	return nil
}

type lineForm struct {
	initiatives, metrics []ui.Option
	form                 *form
	wrong                ui.FieldErrors
}

// lineLinks is how many links of the chain the form offers.
const lineLinks = 2

func (p Pages) lineNew(w http.ResponseWriter, r *http.Request) error {
	return p.renderLineForm(w, r, http.StatusOK, nil)
}

func (p Pages) renderLineForm(w http.ResponseWriter, r *http.Request, status int, wrong ui.FieldErrors) error {
	ctx := r.Context()
	v := lineForm{form: &form{r: r, zone: p.Zone}, wrong: wrong}
	all, err := p.Governance.Initiatives.List(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		v.initiatives = append(v.initiatives, ui.Option{Value: d.ID, Label: say(ctx, d.Body.Title)})
	}
	now, err := p.Registry.Now(ctx)
	if err != nil {
		return err
	}
	v.metrics = metricOptions(ctx, now)
	page := ui.Page{Title: i18n.T(ctx, "governance.ledger.new"), At: NavLedger, Layer: ui.LayerGuarantee, Crumbs: []ui.Link{{Label: i18n.T(ctx, "governance.ledger.title"), Href: ledgerPath}}}
	return ui.RenderStatus(w, r, status, lineFormPage(page, v))
}

// lineEnter measures the effect from the registry and enters the line.
func (p Pages) lineEnter(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	f := &form{r: r, zone: p.Zone}
	l := ledger.Line{Title: f.words("title"), Metric: f.text("metric"), Method: "did", Grade: ledger.Adjusted, Currency: p.Currency}
	spec := ledger.Spec{Metric: l.Metric, Units: f.lines("units"), BeforeFrom: f.day("before.from"), BeforeTo: f.day("before.to"), AfterFrom: f.day("after.from"), AfterTo: f.day("after.to")}
	estimate := func(name string) value.Estimate {
		mid, low, high := f.number(name+".mid"), f.number(name+".low"), f.number(name+".high")
		if low == high {
			return value.Known(mid)
		}
		return value.FromInterval(mid, low, high, measure.Level)
	}
	for k := range lineLinks {
		n := "link" + strconv.Itoa(k)
		if f.text(n+".vi") == "" && f.text(n+".en") == "" {
			continue
		}
		l.Chain.Links = append(l.Chain.Links, estimate(n))
		l.Links = append(l.Links, ledger.Link{Name: f.words(n), Unit: f.words(n + ".unit"), Method: f.words(n + ".method"), AsOf: p.Clock.Now()})
	}
	l.Chain.Volume, l.Chain.Months, l.Chain.Fade, l.Chain.Rate, l.Chain.Cost = estimate("volume"), f.whole("months"), f.number("fade"), f.number("rate"), value.Known(float64(f.money("cost", p.Currency)))
	l.Chain.Overlap = f.number("overlap")
	err := f.err
	var one initiative.View
	if err == nil {
		one, err = p.Governance.Initiatives.Get(ctx, f.text("initiative"))
		if errs.KindOf(err) == errs.KindNotFound {
			err = errs.Invalid("governance.initiative.error.not_found", "initiative", "choose the initiative")
		}
	}
	if err == nil {
		l.Chain.Effect, l.Figures, l.MetricVersion, err = p.Ledger.Measure(ctx, spec)
	}
	var d ledger.Doc
	if err == nil {
		d, err = p.Ledger.Enter(ctx, one.Unit, one.ID, l)
	}
	if err != nil {
		if !correctable(err) {
			return err
		}
		return p.renderLineForm(w, r, http.StatusUnprocessableEntity, ui.ErrorsFrom(ctx, err))
	}
	http.Redirect(w, r, pathOf(ledgerPath, d.ID), http.StatusSeeOther)
	return nil
}

// signatures are who did what to a line.
func (p Pages) signatures(ctx context.Context, v lineView) []ui.KeyValue {
	f := i18n.Fmt(ctx)
	line := func(who string, t time.Time) string { return who + ", " + f.Date(t.In(p.Zone)) }
	out := []ui.KeyValue{{Key: i18n.T(ctx, "governance.ledger.entered"), Value: line(who(v.names, v.CreatedBy), v.Created)}}
	if v.Body.SignedBy != "" {
		out = append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.ledger.signed"), Value: line(who(v.names, v.Body.SignedBy), v.Body.Signed)})
	}
	return append(out, ui.KeyValue{Key: i18n.T(ctx, "governance.ledger.review"), Value: f.Date(v.Body.Review.In(p.Zone))})
}
