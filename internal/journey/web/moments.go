package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"omote/analytics/moments"
	"omote/internal/journey/moment"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
)

// MomentPages are the pages of moments of truth, pains and feeling.
type MomentPages struct {
	Moments *moment.Service
	// Label gives what people call an event.
	Label    func(ctx context.Context, event string) string
	Currency string
	Zone     *time.Location
	// Initiative gives the address where a pain becomes an initiative; nil where
	// there are none.
	Initiative func(ctx context.Context, p moment.Pain) string
	// Journey gives what people call a journey; nil shows ids.
	Journey func(ctx context.Context, journey string) string
}

const (
	momentsPath = "/journey/moments"
	painsPath   = "/journey/pains"
)

func momentPath(journey, step string) string {
	return momentsPath + "/" + httpx.PathEscape(journey) + "/" + httpx.PathEscape(step)
}

func painPath(id string) string { return painsPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p MomentPages) Routes(r *httpx.Router) {
	r.Handle("GET /journey/moments", moment.PermRead, p.list)
	r.Handle("POST /journey/moments/test", moment.PermEdit, p.start)
	r.Handle("GET /journey/moments/{journey}/{step}", moment.PermRead, p.show)
	r.Handle("GET /journey/pains", moment.PermRead, p.pains)
	r.Handle("GET /journey/pains/{id}", moment.PermRead, p.pain)
	r.Handle("GET /journey/pains/worth", moment.PermEdit, p.worth)
	r.Handle("POST /journey/pains/worth", moment.PermEdit, p.saveWorth)
	r.Handle("GET /journey/choose", moment.PermRead, p.choose)
	r.Handle("POST /journey/choose/feasibility", moment.PermEdit, p.saveFeasibility)
	r.Handle("GET /journey/observed/{journey}/feeling", moment.PermRead, p.feeling)
}

// verdicts are the choices of the filter, best first.
var verdicts = []string{"proven", "probable", "unproven", "insufficient"}

// Seal is the mark of a verdict.
func Seal(verdict string) ui.SealKind {
	switch verdict {
	case "proven":
		return ui.SealProven
	case "probable":
		return ui.SealProbable
	case "insufficient":
		return ui.SealFew
	}
	return ui.SealUnproven
}

func (p MomentPages) list(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	q := r.URL.Query()
	all, err := p.Moments.Overview(ctx, "")
	if err != nil {
		return err
	}
	columns := momentColumns(ctx)
	t := ui.TableProps{Label: i18n.T(ctx, "moment.title"), Columns: columns, Query: ui.QueryTable(r, "", columns, ""), CSV: len(all.Steps) > 0}
	shown := slices.DeleteFunc(slices.Clone(all.Steps), func(s moment.Step) bool {
		if q.Get("journey") != "" && s.Journey != q.Get("journey") {
			return true
		}
		if v := q.Get("verdict"); v != "" {
			return s.Verdict != v
		}
		// Steps that few went wrong at are counted on their chip, not listed.
		return s.Verdict == moments.Insufficient.String() && !s.Best.Demoted() && q.Get("journey") == "" && !t.Query.CSV
	})
	if t.Query.CSV {
		return p.momentsCSV(ctx, w, shown)
	}
	for _, s := range shown {
		t.Rows = append(t.Rows, p.momentRow(ctx, s))
	}
	t.Foot = i18n.T(ctx, "moment.foot", "shown", len(shown), "all", len(all.Steps))
	if len(shown) == 0 {
		t.Empty = ui.Empty(ui.EmptyProps{Kind: ui.EmptyFiltered, Title: i18n.T(ctx, "moment.filtered"), Acts: []ui.ButtonProps{{Label: i18n.T(ctx, "moment.all"), Href: momentsPath}}})
	}
	page := ui.Page{Title: i18n.T(ctx, "moment.title"), At: ui.NavMoments, Finding: p.momentsFinding(ctx, all), Meta: p.runMeta(ctx, all.Run, all.Ready)}
	return ui.Render(w, r, momentsPage(page, t, p.momentChips(ctx, r, all), all.Ready, auth.Can(ctx, moment.PermEdit)))
}

func momentColumns(ctx context.Context) []ui.Column {
	return []ui.Column{
		{Key: "step", Label: i18n.T(ctx, "moment.step")},
		{Key: "verdict", Label: i18n.T(ctx, "moment.verdict"), Narrow: true},
		{Key: "effect", Label: i18n.T(ctx, "moment.effect"), Wide: true},
		{Key: "customers", Label: i18n.T(ctx, "moment.exposed"), Numeric: true},
		{Key: "form", Label: i18n.T(ctx, "moment.form")},
		{Key: "index", Label: i18n.T(ctx, "moment.index"), Numeric: true},
		{Key: "since", Label: i18n.T(ctx, "moment.since"), Numeric: true},
	}
}

func (p MomentPages) momentRow(ctx context.Context, s moment.Step) ui.Row {
	f := i18n.Fmt(ctx)
	b := s.Best
	sub := s.Name.In(i18n.Locale(ctx))
	if b.Candidate {
		sub += " · " + i18n.T(ctx, "moment.claimed")
	}
	effect := ui.Cell{Text: i18n.T(ctx, "moment.unknown"), Mute: true}
	if b.Effect.Known && s.Verdict != moments.Insufficient.String() {
		effect = ui.Cell{Text: effectText(ctx, b.Outcome, b.Effect), Sub: outcomeName(ctx, b.Outcome)}
	}
	since := ui.Cell{Text: f.Date(b.Since.In(p.Zone))}
	if b.Demoted() {
		since.Sub, since.Care = i18n.T(ctx, "moment.demoted"), true
	}
	index := ui.Cell{Text: "–", Mute: true}
	if b.Index > 0 && (s.Verdict == moments.Proven.String() || s.Verdict == moments.Probable.String()) {
		index = ui.Cell{Text: "≥ " + f.MoneyShort(p.amount(b.Index))}
	}
	form := ui.Cell{Text: "–", Mute: true}
	if b.Form != "" && b.Form != "unclear" {
		form = ui.Cell{Text: i18n.T(ctx, "moment.form."+b.Form), Sub: f.Percent(b.Sure, 0)}
	}
	return ui.Row{ID: s.Journey + "/" + s.Event, Cells: []ui.Cell{
		{Text: p.Label(ctx, s.Event), Sub: sub, Href: momentPath(s.Journey, s.Event)},
		{Node: ui.Seal(Seal(s.Verdict))}, effect, {Text: f.Int(int64(b.Customers))}, form, index, since}}
}

func (p MomentPages) amount(minor float64) money.Amount {
	return money.Amount{Minor: int64(minor), Currency: p.Currency}
}

func (p MomentPages) momentsFinding(ctx context.Context, all *moment.Overview) string {
	if !all.Ready || len(all.Steps) == 0 {
		return ""
	}
	n, demoted := 0, 0
	for _, s := range all.Steps {
		if s.Verdict == moments.Proven.String() {
			n++
		}
		if s.Best.Demoted() {
			demoted++
		}
	}
	text := i18n.T(ctx, "moment.finding.none", "all", len(all.Steps))
	if n > 0 {
		best := all.Steps[0]
		text = i18n.T(ctx, "moment.finding", "count", n, "all", len(all.Steps), "step", p.Label(ctx, best.Event),
			"journey", best.Name.In(i18n.Locale(ctx)), "effect", lowerText(ctx, best.Best.Outcome, best.Best.Effect))
	}
	if demoted > 0 {
		text += " " + i18n.T(ctx, "moment.finding.demoted", "count", demoted)
	}
	return text
}

// runMeta says what the test rests on and how old it is.
func (p MomentPages) runMeta(ctx context.Context, run moment.Run, ready bool) []ui.Item {
	if !ready {
		return nil
	}
	f := i18n.Fmt(ctx)
	return []ui.Item{
		ui.Text(i18n.T(ctx, "moment.meta.customers", "count", run.Customers)),
		ui.Text(f.DayRange(run.First.In(p.Zone), run.Last.In(p.Zone))),
		ui.Text(i18n.T(ctx, "moment.meta.level", "level", f.Percent(run.Level, 0))),
		ui.Text(i18n.T(ctx, "moment.meta.tested", "at", ui.When(ctx, run.Tested))),
	}
}

func (p MomentPages) momentChips(ctx context.Context, r *http.Request, all *moment.Overview) ui.FiltersProps {
	counts := map[string]int{}
	for _, s := range all.Steps {
		counts[s.Verdict]++
	}
	var out ui.FiltersProps
	chosen := r.URL.Query().Get("verdict")
	for _, v := range verdicts {
		if counts[v] == 0 {
			continue
		}
		q := r.URL.Query()
		q.Set("verdict", v)
		chip := ui.ChipProps{Label: i18n.T(ctx, "moment.verdict."+v) + " " + strconv.Itoa(counts[v]), Href: momentsPath + "?" + q.Encode(), Pressed: v == chosen}
		if chip.Pressed {
			q.Del("verdict")
			chip.Href = momentsPath + "?" + q.Encode()
		}
		out.Chips = append(out.Chips, chip)
	}
	if j := r.URL.Query().Get("journey"); j != "" {
		q := r.URL.Query()
		q.Del("journey")
		out.Chips = append(out.Chips, ui.ChipProps{Label: i18n.T(ctx, "moment.chip.journey", "name", journeyName(ctx, all.Steps, j)), RemoveHref: momentsPath + "?" + q.Encode()})
	}
	return out
}

func journeyName(ctx context.Context, steps []moment.Step, journey string) string {
	for _, s := range steps {
		if s.Journey == journey {
			return s.Name.In(i18n.Locale(ctx))
		}
	}
	return journey
}

func (p MomentPages) momentsCSV(ctx context.Context, w http.ResponseWriter, steps []moment.Step) error {
	var columns []ui.Column
	for _, name := range []string{"journey", "step", "outcome", "verdict", "effect", "low", "high", "q", "exposed", "customers", "observed", "expected", "index", "form", "tested_at"} {
		columns = append(columns, ui.Column{Label: name})
	}
	num := func(x float64) string { return strconv.FormatFloat(x, 'g', 6, 64) }
	return ui.WriteCSV(w, "moments-of-truth.csv", columns, func(yield func([]string) bool) {
		for _, s := range steps {
			for _, f := range s.Findings {
				if !yield([]string{f.Journey, f.Step, string(f.Outcome), f.Verdict, num(f.Effect.Value), num(f.Effect.Low), num(f.Effect.High), num(f.Q), strconv.Itoa(f.Exposed),
					strconv.Itoa(f.Customers), num(f.Observed), num(f.Expected), num(f.Index), f.Form, f.Tested.Format(time.RFC3339)}) {
					return
				}
			}
		}
	})
}

// start asks for a test.
func (p MomentPages) start(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Moments.Start(r.Context()); err != nil && errs.KindOf(err) != errs.KindConflict {
		return err
	}
	http.Redirect(w, r, momentsPath+"?"+url.Values{"started": {"1"}}.Encode(), http.StatusSeeOther)
	return nil
}

// outcomeName names an outcome.
func outcomeName(ctx context.Context, o moment.Outcome) string {
	return i18n.T(ctx, "moment.outcome."+string(o))
}

// effectText writes an effect with its interval: points of a hundred customers,
// or points of a scale of ten for a score.
func effectText(ctx context.Context, o moment.Outcome, e moment.Interval) string {
	f := i18n.Fmt(ctx)
	factor, key, digits := 100.0, "moment.points", 1
	if o == moment.NextNPS {
		factor, key, digits = -10, "moment.scale", 2
	}
	low, high := e.Low*factor, e.High*factor
	if low > high {
		low, high = high, low
	}
	return i18n.T(ctx, key, "value", "**"+f.Signed(e.Value*factor, digits)+"**", "low", f.Signed(low, digits), "high", f.Signed(high, digits))
}

// lowerText writes the bound of an effect that is sure.
func lowerText(ctx context.Context, o moment.Outcome, e moment.Interval) string {
	f := i18n.Fmt(ctx)
	if o == moment.NextNPS {
		return i18n.T(ctx, "moment.at_least.scale", "value", f.Decimal(10*max(e.Low, 0), 2))
	}
	return i18n.T(ctx, "moment.at_least."+string(o), "value", f.Decimal(100*max(e.Low, 0), 1))
}

// EffectNote writes the effect behind a step's verdict with its interval, for other
// pages.
func EffectNote(ctx context.Context, s moment.Step) string {
	if !s.Best.Effect.Known || s.Verdict == moments.Insufficient.String() {
		return i18n.T(ctx, "moment.unknown")
	}
	return outcomeName(ctx, s.Best.Outcome) + " " + effectText(ctx, s.Best.Outcome, s.Best.Effect)
}
