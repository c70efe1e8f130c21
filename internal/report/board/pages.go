package board

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"

	"omote/internal/governance/council"
	"omote/internal/governance/measure"
	"omote/internal/insight/signal"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
	"omote/internal/ui/assets"
)

// Pages are the pages of the pack.
type Pages struct {
	Service
	Currency string
	Bank     string
	Bundle   func() *i18n.Bundle // for packs in another language than the reader's
}

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /report/board", PermRead, p.page)
	r.Handle("GET /report/board/download", PermRead, p.download)
	r.Handle("GET /api/v1/board-pack", PermRead, p.download)
}

func (p Pages) page(w http.ResponseWriter, r *http.Request) error {
	pack, err := p.Pack(r.Context())
	if err != nil {
		return err
	}
	page := ui.Page{Title: i18n.T(r.Context(), "report.board.title"), At: ui.NavDecisions, Crumbs: []ui.Link{{Label: i18n.T(r.Context(), "report.board.council"), Href: "/governance/council"}},
		Actions: []ui.ButtonProps{{Label: i18n.T(r.Context(), "report.board.pdf"), Href: "/report/board/download?format=pdf", Kind: ui.Ink}, {Label: i18n.T(r.Context(), "report.board.download"), Href: "/report/board/download"}}}
	return ui.Render(w, r, boardPage(page, p, pack))
}

// download is the pack as one file: HTML with its styles inside, no script and nothing
// from elsewhere, or PDF. lang chooses another language than the reader's.
func (p Pages) download(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	format := cmp.Or(r.URL.Query().Get("format"), "html")
	if format != "html" && format != "pdf" {
		return errs.Invalid("report.board.error.format", "format", "format is html or pdf, not %q", format)
	}
	if lang := r.URL.Query().Get("lang"); lang != "" {
		if !slices.Contains(p.Bundle().Locales(), lang) {
			return errs.Invalid("report.board.error.lang", "lang", "there is no language %q", lang)
		}
		ctx = i18n.With(ctx, p.Bundle().Localizer(lang))
	}
	pack, err := p.Pack(ctx)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="board-%s-%s.%s"`, pack.Made.Format("2006-01-02"), i18n.Locale(ctx), format))
	if format == "html" {
		return ui.Render(w, r.WithContext(ctx), file(p, pack, "<style>"+assets.Styles()+"</style>"))
	}
	raw, err := p.PDF(ctx, pack)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Length", fmt.Sprint(len(raw)))
	_, err = w.Write(raw)
	return err
}

func say(ctx context.Context, t approval.Text) string { return t.In(i18n.Locale(ctx)) }

func (p Pages) short(ctx context.Context, minor int64) string {
	return i18n.Fmt(ctx).MoneyShort(money.Amount{Minor: minor, Currency: p.Currency})
}

// figure writes a value of the registry in its unit.
func figure(ctx context.Context, unit string, x float64) string {
	f := i18n.Fmt(ctx)
	switch unit {
	case "share":
		return f.Percent(x, 1)
	case "VND":
		return f.Money(money.VND(int64(math.Round(x))))
	case "seconds", "minutes", "hours", "days":
		return f.Unit(f.Decimal(x, 1), i18n.T(ctx, "report.unit."+unit))
	}
	return f.Decimal(x, 2)
}

func change(ctx context.Context, unit string, x float64) string {
	f := i18n.Fmt(ctx)
	switch unit {
	case "share":
		return f.Unit(f.Signed(100*x, 1), i18n.T(ctx, "report.unit.points"))
	case "seconds", "minutes", "hours", "days":
		return f.Unit(f.Signed(x, 1), i18n.T(ctx, "report.unit."+unit))
	}
	return f.Signed(x, 2)
}

func interval(ctx context.Context, r measure.Reading) string {
	return figure(ctx, r.Unit, r.Low) + " – " + figure(ctx, r.Unit, r.High) + " · n = " + i18n.Fmt(ctx).Int(r.N)
}

// target writes a promise with its sign.
func target(ctx context.Context, r measure.Reading, t *float64) string {
	if t == nil {
		return "–"
	}
	sign := "≥ "
	if r.Lower() {
		sign = "≤ "
	}
	return sign + figure(ctx, r.Unit, *t)
}

func stateOf(word string) ui.MetricState {
	for _, s := range []ui.MetricState{ui.Noise, ui.Better, ui.Worse, ui.Few, ui.Stale} {
		if s.String() == word {
			return s
		}
	}
	return ui.Few
}

// finding is the pack in one sentence.
func (p Pages) finding(ctx context.Context, pack Pack) string {
	return i18n.T(ctx, "report.board.finding", "booked", p.short(ctx, pack.Ledger.Booked), "signals", len(pack.Signals), "worse", pack.Worse())
}

func signalName(ctx context.Context, s *signal.Signal) string {
	return s.Body.Name.In(i18n.Locale(ctx))
}

// effect writes what a campaign did, its interval, and whether it is final.
func effect(ctx context.Context, c Campaign) (value, interval string) {
	if c.Reading == nil || c.Reading.Effect == nil {
		return "–", i18n.T(ctx, "report.board.early")
	}
	r, e := c.Reading, c.Reading.Effect
	word := "report.board.interim"
	if c.Final {
		word = "report.board.final"
	}
	return change(ctx, r.Unit, e.Value), change(ctx, r.Unit, e.Low) + " – " + change(ctx, r.Unit, e.High) + " · n = " + i18n.Fmt(ctx).Int(int64(e.N+e.Waiting)) + " · " + i18n.T(ctx, word)
}

// verdict says how the council foresees, in words.
func verdict(ctx context.Context, p Pack) string {
	f, r := i18n.Fmt(ctx), p.Record
	if r.N == 0 {
		return i18n.T(ctx, "report.board.calibration.none")
	}
	return i18n.T(ctx, "report.board.calibration", "held", r.Held, "n", r.N, "hit", f.Percent(r.Hit.Value, 0), "low", f.Percent(r.Hit.Low, 0), "high", f.Percent(r.Hit.High, 0), "said", f.Percent(r.Said, 0))
}

// maxSignals is how many signals are shown.
const maxSignals = 6

// signalMove is what a signal moved from and to, with the facts behind it.
func signalMove(ctx context.Context, s *signal.Signal) string {
	b := &s.Body
	return figure(ctx, string(b.Unit), b.Before) + " → " + figure(ctx, string(b.Unit), b.After) + " · n = " + i18n.Fmt(ctx).Int(int64(b.N))
}

// worth is what a signal costs in a year, with its interval.
func (p Pages) worth(ctx context.Context, s *signal.Signal) string {
	if s.Worth <= 0 {
		return i18n.T(ctx, "report.board.worth.unknown")
	}
	out := i18n.T(ctx, "report.board.costs", "money", p.short(ctx, s.Worth))
	if v := s.Body.Value; v != nil {
		out += "\n" + p.short(ctx, v.Low) + " – " + p.short(ctx, v.High)
	}
	return out
}

// outcome is what a decision said, and what came of it, each with its interval.
func outcome(ctx context.Context, pack Pack, d council.Doc) string {
	f, o := d.Body.Forecast, d.Body.Outcome
	unit := pack.Now[f.Metric].Unit
	said := figure(ctx, unit, f.Low) + " – " + figure(ctx, unit, f.High) + " (" + i18n.Fmt(ctx).Percent(f.Level, 0) + ")"
	if f.Chance != nil {
		said = i18n.Fmt(ctx).Percent(*f.Chance, 0)
	}
	return i18n.T(ctx, "report.board.said", "said", said, "became", figure(ctx, unit, o.Value)) + "\n" + figure(ctx, unit, o.Low) + " – " + figure(ctx, unit, o.High) + " · n = " + i18n.Fmt(ctx).Int(o.N)
}

// level is how mature the management is.
func level(ctx context.Context, pack Pack) string {
	o, f := pack.Maturity.Body.Outcome, i18n.Fmt(ctx)
	return i18n.T(ctx, "report.board.maturity", "stage", o.Stage, "claimed", f.Decimal(o.Claimed, 1), "score", f.Decimal(o.Overall, 1), "low", f.Decimal(o.Low, 1), "high", f.Decimal(o.High, 1))
}
