// Package web shows campaigns of behaviour: what they did to customers, who begins
// when, and the champion's page on the phone.
package web

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"omote/internal/platform/approval"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/program"
	"omote/internal/program/wave"
	"omote/internal/ui"
)

// Pages are the pages of the module.
type Pages struct {
	*program.Program
	Outcomes wave.Outcomes
	Clock    clock.Clock
	Zone     *time.Location
	Currency string
	Units    func(ctx context.Context) ([]ui.Option, error)
	// Names gives the names of actors, as far as they are known.
	Names   func(ctx context.Context, refs ...string) map[string]string
	Changes func(ctx context.Context) ([]wave.Change, error)
}

// Paths.
const (
	wavesPath   = "/program/waves"
	checkInPath = "/program/checkin"
)

func pathOf(id string) string { return wavesPath + "/" + httpx.PathEscape(id) }

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	r.Handle("GET /program/waves", wave.PermRead, p.waves)
	r.Handle("GET /program/waves/new", wave.PermEdit, p.waveNew)
	r.Handle("POST /program/waves", wave.PermEdit, p.wavePlan)
	r.Handle("GET /program/waves/{id}", wave.PermRead, p.wave)
	r.Handle("GET /program/waves/{id}/plan", wave.PermRead, p.plan)
	r.Handle("POST /program/waves/{id}/{act}", wave.PermEdit, p.act)
	r.Handle("GET /program/checkin", wave.PermCheckIn, p.checkIn)
	r.Handle("POST /program/checkin", wave.PermCheckIn, p.checkInSave)
	r.Handle("GET /program/waves/{id}/observe", wave.PermCheckIn, p.observe)
	r.Handle("POST /program/waves/{id}/observation", wave.PermCheckIn, p.observeSave)
	r.Handle("GET /program/behaviours", wave.PermRead, p.behaviours)
}

func say(ctx context.Context, t approval.Text) string { return t.In(i18n.Locale(ctx)) }

func (p Pages) short(ctx context.Context, minor float64) string {
	return i18n.Fmt(ctx).MoneyShort(money.Amount{Minor: int64(math.Round(minor)), Currency: p.Currency})
}

func (p Pages) day(ctx context.Context, t time.Time) string { return i18n.Fmt(ctx).Date(t.In(p.Zone)) }

// change writes a difference in the unit of its measure, with its sign.
func change(ctx context.Context, unit string, x float64) string {
	f := i18n.Fmt(ctx)
	sign := "+"
	if x < 0 {
		sign = "−"
	}
	x = math.Abs(x)
	switch unit {
	case "share":
		return sign + f.Unit(f.Decimal(100*x, 1), i18n.T(ctx, "program.unit.points"))
	case "seconds", "minutes", "hours", "days":
		return sign + f.Unit(f.Decimal(x, 1), i18n.T(ctx, "program.unit."+unit))
	}
	return sign + f.Decimal(x, 2)
}

func level(ctx context.Context, unit string, x float64) string {
	if unit == "share" {
		return i18n.Fmt(ctx).Percent(x, 1)
	}
	return i18n.Fmt(ctx).Decimal(x, 2)
}

// form reads values of a form and remembers what cannot be read.
type form struct {
	r    *http.Request
	zone *time.Location
	err  error
}

func (f *form) text(name string) string { return strings.TrimSpace(f.r.FormValue(name)) }

func (f *form) or(name, fallback string) string {
	if v := f.text(name); v != "" {
		return v
	}
	return fallback
}

func (f *form) bad(name, value string) {
	if f.err == nil {
		f.err = errs.Invalid("program.error.number", name, "%q cannot be read as %s", value, name).With("value", value)
	}
}

// number reads a decimal number as people write it; a percent sign makes it a share.
func (f *form) number(name string) float64 {
	text := f.text(name)
	if text == "" {
		return 0
	}
	clean := strings.NewReplacer(" ", "", "\u00a0", "", "−", "-").Replace(text)
	share := strings.HasSuffix(clean, "%")
	clean = strings.TrimSuffix(clean, "%")
	if strings.Contains(clean, ",") && !strings.Contains(clean, ".") {
		clean = strings.Replace(clean, ",", ".", 1)
	}
	x, err := strconv.ParseFloat(clean, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		f.bad(name, text)
		return 0
	}
	if share {
		x /= 100
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

// money reads an amount in whole units of the currency; digits may be grouped.
func (f *form) money(name, currency string) int64 {
	text := strings.NewReplacer(" ", "", "\u00a0", "", "₫", "").Replace(f.text(name))
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

func (f *form) span(name string) wave.Range {
	return wave.Range{Low: f.number(name + ".low"), Mid: f.number(name + ".mid"), High: f.number(name + ".high")}
}

// correctable reports whether a form is shown again with the error in it.
func correctable(err error) bool {
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindConflict, errs.KindTooLarge:
		return true
	}
	return false
}
