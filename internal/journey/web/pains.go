package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"

	"omote/internal/journey/moment"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

func (p MomentPages) pains(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	list, run, ready, err := p.Moments.Pains(ctx, r.URL.Query().Get("journey"))
	if err != nil {
		return err
	}
	worth, err := p.Moments.Worth(ctx)
	if err != nil {
		return err
	}
	columns := []ui.Column{
		{Key: "pain", Label: i18n.T(ctx, "pain.word")},
		{Key: "money", Label: i18n.T(ctx, "pain.money"), Numeric: true},
		{Key: "reach", Label: i18n.T(ctx, "pain.reach"), Numeric: true},
		{Key: "harm", Label: i18n.T(ctx, "pain.harm"), Wide: true},
		{Key: "felt", Label: i18n.T(ctx, "pain.felt"), Numeric: true},
	}
	t := ui.TableProps{Label: i18n.T(ctx, "pain.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, ""), CSV: len(list) > 0}
	if t.Query.CSV {
		return painsCSV(w, list)
	}
	for _, x := range list {
		t.Rows = append(t.Rows, p.painRow(ctx, x))
	}
	t.Foot = i18n.T(ctx, "pain.foot", "count", len(list))
	page := ui.Page{Title: i18n.T(ctx, "pain.title"), At: ui.NavPains, Finding: p.painsFinding(ctx, list), Meta: p.runMeta(ctx, run, ready)}
	if auth.Can(ctx, moment.PermEdit) {
		page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "pain.worth"), Href: painsPath + "/worth", Key: "W"}}
	}
	return ui.Render(w, r, painsPage(page, t, ready, worth.Assumed))
}

// painName says what goes wrong.
func (p MomentPages) painName(ctx context.Context, x moment.Pain) string {
	if x.Kind == "failed" {
		return p.Label(ctx, x.Event)
	}
	return i18n.T(ctx, "pain.kind."+x.Kind, "step", p.Label(ctx, x.Step))
}

func (p MomentPages) painRow(ctx context.Context, x moment.Pain) ui.Row {
	f := i18n.Fmt(ctx)
	cost := ui.Cell{Text: i18n.T(ctx, "moment.unknown"), Mute: true}
	switch {
	case x.Expected.Known && x.Expected.Value <= 0:
		cost.Text = i18n.T(ctx, "pain.no_loss")
	case x.Expected.Known:
		cost = ui.Cell{Text: "**" + f.MoneyShort(p.amount(x.Expected.Value)) + "**", Sub: f.MoneyShort(p.amount(x.Expected.Low)) + " – " + f.MoneyShort(p.amount(x.Expected.High))}
	}
	felt := ui.Cell{Text: "–", Mute: true}
	if x.Felt.Known {
		felt = ui.Cell{Text: f.Signed(10*x.Felt.Value, 1), Sub: "n = " + f.Int(x.Felt.N)}
	}
	return ui.Row{ID: x.ID, Cells: []ui.Cell{
		{Text: p.painName(ctx, x), Sub: i18n.T(ctx, "pain.at", "step", p.Label(ctx, x.Step), "journey", p.journeyLabel(ctx, x.Journey)), Href: painPath(x.ID)},
		cost, {Text: f.Decimal(x.Reach.Value, 0), Sub: i18n.T(ctx, "pain.customers", "count", x.Customers)}, {Text: harmText(ctx, x)}, felt}}
}

// journeyLabel names a journey by its template, or by its id.
func (p MomentPages) journeyLabel(ctx context.Context, journey string) string {
	if p.Journey == nil {
		return journey
	}
	return p.Journey(ctx, journey)
}

// harmText writes the harms that differ from zero.
func harmText(ctx context.Context, x moment.Pain) string {
	var parts []string
	for _, h := range x.Harm {
		if h.Effect.Known && (h.Effect.Low > 0 || h.Effect.High < 0) {
			parts = append(parts, outcomeName(ctx, h.Outcome)+" "+effectText(ctx, h.Outcome, h.Effect))
		}
	}
	if len(parts) == 0 {
		return i18n.T(ctx, "pain.harm.none")
	}
	return strings.Join(parts, "; ")
}

func (p MomentPages) painsFinding(ctx context.Context, list []moment.Pain) string {
	if len(list) == 0 || !list[0].Expected.Known {
		return ""
	}
	total, low := 0.0, 0.0
	sure := 0
	for _, x := range list {
		if x.Expected.Above() {
			sure++
			total += x.Expected.Value
			low += x.Expected.Low
		}
	}
	f := i18n.Fmt(ctx)
	if sure == 0 {
		return i18n.T(ctx, "pain.finding.none", "count", len(list))
	}
	return i18n.T(ctx, "pain.finding", "count", sure, "all", len(list), "pain", p.painName(ctx, list[0]), "journey", p.journeyLabel(ctx, list[0].Journey),
		"money", f.MoneyShort(p.amount(list[0].Expected.Value)))
}

func painsCSV(w http.ResponseWriter, list []moment.Pain) error {
	var columns []ui.Column
	for _, name := range []string{"rank", "journey", "step", "kind", "event", "runs", "customers", "reach_quarter", "cost", "cost_low", "cost_high", "money_quarter", "money_low", "money_high", "expected", "felt", "sound"} {
		columns = append(columns, ui.Column{Label: name})
	}
	num := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	return ui.WriteCSV(w, "pains.csv", columns, func(yield func([]string) bool) {
		for _, x := range list {
			if !yield([]string{strconv.Itoa(x.Rank), x.Journey, x.Step, x.Kind, x.Event, strconv.Itoa(x.Runs), strconv.Itoa(x.Customers), num(math.Round(x.Reach.Value)),
				num(math.Round(x.Cost.Value)), num(math.Round(x.Cost.Low)), num(math.Round(x.Cost.High)), num(math.Round(x.Money.Value)), num(math.Round(x.Money.Low)),
				num(math.Round(x.Money.High)), num(math.Round(x.Expected.Value)), num(x.Felt.Value), strconv.FormatBool(x.Sound)}) {
				return
			}
		}
	})
}

func (p MomentPages) pain(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	x, quotes, run, err := p.Moments.Pain(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	v := painView{pain: x, quotes: quotes}
	if x.Expected.Known && x.Expected.Value > 0 {
		v.figure = ui.FigureProps{Value: f.MoneyShort(p.amount(x.Expected.Value)), Interval: i18n.T(ctx, "pain.interval", "low", f.MoneyShort(p.amount(x.Expected.Low)), "high", f.MoneyShort(p.amount(x.Expected.High))),
			Note: i18n.T(ctx, "pain.figure.note")}
	}
	v.facts = []ui.KeyValue{
		{Key: i18n.T(ctx, "pain.reach"), Value: f.Decimal(x.Reach.Value, 0) + " (" + f.Decimal(x.Reach.Low, 0) + " – " + f.Decimal(x.Reach.High, 0) + ")"},
		{Key: i18n.T(ctx, "pain.runs"), Value: i18n.T(ctx, "moment.compared.bad.value", "count", x.Runs, "customers", f.Int(int64(x.Customers)))},
	}
	for _, h := range x.Harm {
		value := i18n.T(ctx, "moment.unknown")
		if h.Effect.Known {
			value = effectText(ctx, h.Outcome, h.Effect)
		}
		v.facts = append(v.facts, ui.KeyValue{Key: outcomeName(ctx, h.Outcome), Value: value})
	}
	if x.Cost.Known {
		v.facts = append(v.facts, ui.KeyValue{Key: i18n.T(ctx, "pain.cost"), Value: f.Money(p.amount(math.Round(x.Cost.Value/1000)*1000)) + " (" + f.MoneyShort(p.amount(x.Cost.Low)) + " – " + f.MoneyShort(p.amount(x.Cost.High)) + ")"})
		v.facts = append(v.facts, ui.KeyValue{Key: i18n.T(ctx, "pain.money.own"), Value: f.MoneyShort(p.amount(x.Money.Value)) + " (" + f.MoneyShort(p.amount(x.Money.Low)) + " – " + f.MoneyShort(p.amount(x.Money.High)) + ")"})
	}
	if x.Felt.Known {
		v.facts = append(v.facts, ui.KeyValue{Key: i18n.T(ctx, "pain.felt"), Value: f.Signed(10*x.Felt.Value, 1) + " (" + f.Signed(10*x.Felt.Low, 1) + " – " + f.Signed(10*x.Felt.High, 1) + "), n = " + f.Int(x.Felt.N)})
	}
	page := ui.Page{Title: p.painName(ctx, x), At: ui.NavPains, Meta: p.runMeta(ctx, run, true),
		Finding: i18n.T(ctx, "pain.at", "step", "**"+p.Label(ctx, x.Step)+"**", "journey", p.journeyLabel(ctx, x.Journey)) + ": " + harmText(ctx, x) + ".",
		Crumbs:  []ui.Link{{Label: i18n.T(ctx, "pain.title"), Href: painsPath}}}
	page.Actions = []ui.ButtonProps{{Label: i18n.T(ctx, "pain.see"), Href: journeyPath(x.Journey) + "?with=" + x.Step}}
	if p.Initiative != nil {
		if href := p.Initiative(ctx, x); href != "" {
			page.Actions = append([]ui.ButtonProps{{Label: i18n.T(ctx, "pain.initiative"), Href: href, Kind: ui.Ink, Key: "I"}}, page.Actions...)
		}
	}
	return ui.Render(w, r, painPage(page, v))
}

// painView is what the page of a pain shows.
type painView struct {
	pain   moment.Pain
	quotes []moment.Quote
	figure ui.FigureProps
	facts  []ui.KeyValue
}

func (p MomentPages) worth(w http.ResponseWriter, r *http.Request) error {
	worth, err := p.Moments.Worth(r.Context())
	if err != nil {
		return err
	}
	return p.renderWorth(w, r, http.StatusOK, worth, nil)
}

func (p MomentPages) renderWorth(w http.ResponseWriter, r *http.Request, status int, worth moment.Worth, wrong ui.FieldErrors) error {
	ctx := r.Context()
	page := ui.Page{Title: i18n.T(ctx, "pain.worth.title"), At: ui.NavPains, Finding: i18n.T(ctx, "pain.worth.finding"), Crumbs: []ui.Link{{Label: i18n.T(ctx, "pain.title"), Href: painsPath}}}
	return ui.RenderStatus(w, r, status, worthPage(page, worth, p.Currency, wrong))
}

func (p MomentPages) saveWorth(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	number := func(name string) int64 {
		text := strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return c
			}
			return -1
		}, r.FormValue(name))
		n, _ := strconv.ParseInt(text, 10, 64) // nothing counts as zero, and Validate says what is wrong
		return n
	}
	ask := func(name string) moment.Range {
		return moment.Range{Low: number(name + ".low"), Mid: number(name + ".mid"), High: number(name + ".high")}
	}
	worth := moment.Worth{Complaint: ask("complaint"), Left: ask("left"), Contact: ask("contact"), Handling: map[string]moment.Range{}}
	for _, channel := range moment.Channels {
		worth.Handling[channel] = ask("handling." + channel)
	}
	if err := p.Moments.SetWorth(ctx, worth); err != nil {
		if errs.KindOf(err) != errs.KindInvalid {
			return err
		}
		return p.renderWorth(w, r, http.StatusUnprocessableEntity, worth, ui.ErrorsFrom(ctx, err))
	}
	http.Redirect(w, r, painsPath, http.StatusSeeOther)
	return nil
}

func (p MomentPages) feeling(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	journey := r.PathValue("journey")
	points, run, err := p.Moments.Curve(ctx, journey)
	if err != nil {
		return err
	}
	f := i18n.Fmt(ctx)
	ten := func(x float64) string { return f.Decimal(10*x, 1) }
	name := p.journeyLabel(ctx, journey)
	c := chart.StepsProps{ID: "feeling", Bounds: [2]float64{0, 1}, Format: ten, ValueName: i18n.T(ctx, "feeling.score"), StepName: i18n.T(ctx, "moment.step"), Caption: i18n.T(ctx, "feeling.caption")}
	t := ui.TableProps{ID: "steps", Label: i18n.T(ctx, "feeling.title", "name", name), Columns: []ui.Column{
		{Key: "step", Label: i18n.T(ctx, "moment.step")}, {Key: "score", Label: i18n.T(ctx, "feeling.score"), Numeric: true}, {Key: "change", Label: i18n.T(ctx, "feeling.change"), Numeric: true},
		{Key: "asked", Label: i18n.T(ctx, "feeling.answers"), Numeric: true}, {Key: "runs", Label: i18n.T(ctx, "feeling.runs"), Numeric: true}, {Key: "negative", Label: i18n.T(ctx, "feeling.negative"), Numeric: true}}}
	lowest, asked, answers := -1, 0, int64(0)
	for i, x := range points {
		item := chart.StepItem{Name: p.Label(ctx, x.Step), Value: math.NaN(), N: x.Score.N}
		cells := []ui.Cell{{Text: p.Label(ctx, x.Step), Href: momentPath(journey, x.Step)}, {Text: i18n.T(ctx, "feeling.unasked"), Mute: true}, {Text: "–", Mute: true}, {Text: f.Int(x.Score.N)}, {Text: f.Int(int64(x.Runs))}, {Text: "–", Mute: true}}
		if x.Score.Known {
			asked++
			answers += x.Score.N
			if lowest < 0 || x.Score.Value < points[lowest].Score.Value {
				lowest = i
			}
			item.Value, item.Low, item.High = x.Score.Value, x.Score.Low, x.Score.High
			cells[1] = ui.Cell{Text: "**" + ten(x.Score.Value) + "**", Sub: ten(x.Score.Low) + " – " + ten(x.Score.High)}
			if x.Change.Known {
				cells[2] = ui.Cell{Text: f.Signed(10*x.Change.Value, 1)}
				switch {
				case x.Change.High < 0:
					item.State, cells[2].Care = ui.Worse, true
				case x.Change.Low > 0:
					item.State = ui.Better
				}
			}
		}
		if x.Negative.Known {
			cells[5] = ui.Cell{Text: f.Percent(x.Negative.Value, 0), Sub: "n = " + f.Int(x.Negative.N)}
		}
		c.Items = append(c.Items, item)
		t.Rows = append(t.Rows, ui.Row{Cells: cells})
	}
	page := ui.Page{Title: i18n.T(ctx, "feeling.title", "name", name), At: ui.NavJourneys, Meta: p.runMeta(ctx, run, !run.Tested.IsZero()),
		Crumbs: []ui.Link{{Label: i18n.T(ctx, "journey.list.title"), Href: listPath}, {Label: name, Href: journeyPath(journey)}}}
	if lowest >= 0 {
		page.Finding = i18n.T(ctx, "feeling.finding", "count", asked, "all", len(points), "step", p.Label(ctx, points[lowest].Step), "score", ten(points[lowest].Score.Value),
			"low", ten(points[lowest].Score.Low), "high", ten(points[lowest].Score.High))
	}
	c.Label = ui.PlainText(page.Finding)
	return ui.Render(w, r, feelingPage(page, c, t, asked))
}

// PainLine writes a pain for other pages: what goes wrong, what it does, what it
// costs, and where to read on.
func (p MomentPages) PainLine(ctx context.Context, x moment.Pain) (name, note, worth, href string) {
	f := i18n.Fmt(ctx)
	worth = i18n.T(ctx, "moment.unknown")
	if x.Expected.Known {
		worth = f.MoneyShort(p.amount(x.Expected.Value)) + " (" + f.MoneyShort(p.amount(x.Expected.Low)) + " – " + f.MoneyShort(p.amount(x.Expected.High)) + ")"
	}
	return p.painName(ctx, x), harmText(ctx, x), worth, painPath(x.ID)
}
