package web

import (
	"context"
	"fmt"
	"html"
	"io"
	"math"
	"strings"
	"time"

	"github.com/a-h/templ"

	"omote/analytics/rollout"
	"omote/analytics/stats"
	"omote/internal/platform/i18n"
	"omote/internal/program/wave"
)

// drawing collects an SVG.
type drawing struct{ strings.Builder }

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.Builder, format, args...) }

func (d *drawing) text(x, y float64, class, text string) {
	d.add(`<text x="%.1f" y="%.1f" class="%s">%s</text>`, x, y, class, html.EscapeString(text))
}

// figure wraps it: it scrolls inside its box on a phone.
func (d *drawing) figure(width, height float64, label string) templ.Component {
	body := fmt.Sprintf(`<figure class="chart"><div class="scroll" tabindex="0"><svg width="%g" height="%g" viewBox="0 0 %g %g" role="img" aria-label="%s">%s</svg></div></figure>`,
		width, height, width, height, html.EscapeString(label), d.String())
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, body)
		return err
	})
}

const dayHours = 24 * time.Hour

// shade is the class of a share of days on which the behaviour was kept.
func shade(x float64) string {
	switch {
	case x < 0.25:
		return "w2"
	case x < 0.5:
		return "w3"
	case x < 0.75:
		return "w4"
	}
	return "w5"
}

// calendarRow is a line of the calendar: a cohort, or a branch.
type calendarRow struct {
	Group  string // drawn bold, at the first row of a cohort
	Name   string
	Cohort int
	Out    time.Time
	Share  map[int]float64 // share of days kept, by week of the campaign
}

// calendar draws who begins when: weeks across, filled by how often the behaviour
// was kept; a hairline is "not yet", and therefore a comparison; dashed is to come.
func calendar(ctx context.Context, w wave.Wave, rows []calendarRow, now time.Time, width, rowHeight float64) templ.Component {
	const left, top = 168.0, 34.0
	weeks := int(w.Ends(w.Design.Cohorts-1).Sub(w.Start)/dayHours+6) / 7
	step := (width - left - 8) / float64(weeks)
	d := &drawing{}
	f := i18n.Fmt(ctx)
	every := 1
	for step*float64(every) < 44 {
		every++
	}
	for k := 0; k < weeks; k += every {
		d.text(left+step*float64(k), 12, "a-s", i18n.T(ctx, "program.wave.week", "n", k+1))
		d.text(left+step*float64(k), 25, "a-s", f.Day(w.Start.AddDate(0, 0, 7*k)))
	}
	y := top
	for _, row := range rows {
		if row.Group != "" {
			if y > top {
				y += 8
			}
			d.text(0, y+rowHeight-4, "lb", row.Group)
		}
		d.text(left-8, y+rowHeight-4, "a-e", row.Name)
		begin, end := w.Begins(row.Cohort), w.Ends(row.Cohort)
		for k := range weeks {
			at := w.Start.AddDate(0, 0, 7*k)
			x := left + step*float64(k)
			switch {
			case row.Cohort == rollout.HeldOut || at.Before(begin):
				d.add(`<path class="w-line" d="M%.1f %.1fH%.1f"/>`, x, y+rowHeight/2, x+step-2)
			case !at.Before(end) || !row.Out.IsZero() && at.After(row.Out):
			case at.After(now):
				d.add(`<rect class="w-next" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`, x+.5, y+1.5, step-3, rowHeight-3)
			default:
				share, ok := row.Share[k]
				if !ok {
					share = 0
				}
				d.add(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"><title>%s</title></rect>`, shade(share), x, y+1, step-2, rowHeight-2,
					html.EscapeString(row.Name+", "+i18n.T(ctx, "program.wave.week", "n", k+1)+": "+f.Percent(share, 0)))
			}
		}
		if !row.Out.IsZero() {
			// Behind the week in which it left: nothing is drawn there.
			x := left + step*math.Min(float64(weeks), 1+math.Floor(row.Out.Sub(w.Start).Hours()/24/7))
			d.text(x, y+rowHeight-4, "lb care", "× "+i18n.T(ctx, "program.wave.out"))
		}
		y += rowHeight
	}
	mark := func(t time.Time, class, text, anchor string, below float64) {
		x := left + step*t.Sub(w.Start).Hours()/24/7
		if x < left || x > width {
			return
		}
		d.add(`<path class="%s" d="M%.1f %.1fV%.1f"/>`, class, x, top-4, y+4+below)
		d.text(x, y+16+below, anchor, text)
	}
	mark(w.Look(), "w-look", i18n.T(ctx, "program.wave.look"), "a-e lb", 0)
	if now.Before(w.Look()) {
		mark(now, "w-now", i18n.T(ctx, "program.wave.today"), "a-m lb", 14)
	}
	return d.figure(width, y+36, i18n.T(ctx, "program.wave.calendar.label", "count", len(w.Places), "cohorts", w.Design.Cohorts))
}

// curve draws the share of branches that took the habit up, by day on duty, one line
// to a cohort.
func curve(ctx context.Context, all [][]stats.Estimate, width, height float64) templ.Component {
	const left, right, top, bottom = 40.0, 112.0, 10.0, 34.0
	days := 10
	for _, c := range all {
		days = max(days, len(c))
	}
	x := func(d int) float64 { return left + (width-left-right)*float64(d)/float64(days) }
	y := func(v float64) float64 { return top + (height-top-bottom)*(1-v) }
	d := &drawing{}
	f := i18n.Fmt(ctx)
	for _, v := range []float64{0, .25, .5, .75, 1} {
		d.add(`<path class="k-grid" d="M%g %.1fH%.1f"/>`, left, y(v), width-right)
		d.text(left-8, y(v)+4, "a-e", f.Percent(v, 0))
	}
	for v := 10; v <= days; v += 10 {
		d.text(x(v), height-bottom+16, "a-m", fmt.Sprint(v))
	}
	d.text(width-right, height-4, "a-e", i18n.T(ctx, "program.wave.days_since"))
	var taken []float64
	for c, points := range all {
		if len(points) == 0 {
			continue
		}
		var upper, lower, line strings.Builder
		for k, e := range points {
			if k == 0 {
				fmt.Fprintf(&line, "M%.1f %.1f", x(k+1), y(e.Value))
				fmt.Fprintf(&upper, "M%.1f %.1f", x(k+1), y(e.High))
			} else {
				fmt.Fprintf(&line, "L%.1f %.1f", x(k+1), y(e.Value))
				fmt.Fprintf(&upper, "L%.1f %.1f", x(k+1), y(e.High))
			}
		}
		for k := len(points) - 1; k >= 0; k-- {
			fmt.Fprintf(&lower, "L%.1f %.1f", x(k+1), y(points[k].Low))
		}
		last := points[len(points)-1]
		d.add(`<path class="k-ci" d="%s%sZ"/><path class="w-curve w-c%d" d="%s"/><circle class="w-end w-c%d" cx="%.1f" cy="%.1f" r="3"/>`, upper.String(), lower.String(), c%5+1, line.String(), c%5+1, x(len(points)), y(last.Value))
		at := y(last.Value) + 4
		for _, t := range taken {
			if math.Abs(t-at) < 13 {
				at = t + 13
			}
		}
		taken = append(taken, at)
		d.add(`<circle class="w-end w-c%d" cx="%.1f" cy="%.1f" r="3"/>`, c%5+1, width-right+12, at-4)
		d.text(width-right+20, at, "lb", i18n.T(ctx, "program.wave.cohort", "n", c+1)+" "+f.Percent(last.Value, 0))
	}
	return d.figure(width, height, i18n.T(ctx, "program.wave.adoption"))
}

// effects draws the effect by weeks since a branch began, with its interval, and the
// comparison among weeks before anybody began.
func effects(ctx context.Context, r wave.Reading, width, height float64) templ.Component {
	const left, right, top, bottom = 58.0, 16.0, 16.0, 40.0
	type mark struct {
		name             string
		value, low, high float64
		before           bool
	}
	var all []mark
	if r.Before != nil {
		all = append(all, mark{i18n.T(ctx, "program.wave.before"), r.Before.Value, r.Before.Low, r.Before.High, true})
	}
	for _, s := range r.Steps {
		all = append(all, mark{fmt.Sprintf("%d–%d", s.From+1, s.To), s.Value, s.Low, s.High, false})
	}
	low, high := 0.0, 0.0
	for _, m := range all {
		low, high = min(low, m.low), max(high, m.high)
	}
	if low == high {
		high = low + 1
	}
	tick := niceStep((high - low) / 4)
	low, high = math.Floor(low/tick)*tick, math.Ceil(high/tick)*tick
	y := func(v float64) float64 { return top + (height-top-bottom)*(high-v)/(high-low) }
	d := &drawing{}
	for v := low; v <= high+tick/2; v += tick {
		d.add(`<path class="%s" d="M%g %.1fH%.1f"/>`, map[bool]string{true: "k-mid", false: "k-grid"}[math.Abs(v) < tick/2], left, y(v), width-right)
		d.text(left-8, y(v)+4, "a-e", shortChange(ctx, r.Unit, v))
	}
	step := (width - left - right) / float64(max(1, len(all)))
	for k, m := range all {
		x := left + step*(float64(k)+.5)
		class := "k-dot"
		if good := m.low > 0 && !r.Lower || m.high < 0 && r.Lower; good && !m.before {
			class = "k-better"
		} else if (m.low > 0 || m.high < 0) && !m.before {
			class = "k-worse"
		}
		d.add(`<path class="k-whisk" d="M%.1f %.1fV%.1f" stroke-width="1.5"/><circle class="%s" cx="%.1f" cy="%.1f" r="4"/>`, x, y(m.high), y(m.low), class, x, y(m.value))
		d.text(x, height-bottom+16, "a-m", m.name)
		if m.before && len(all) > 1 {
			d.add(`<path class="w-look" d="M%.1f %gV%.1f"/>`, left+step, top-6, height-bottom)
		}
	}
	d.text(width-right, height-6, "a-e", i18n.T(ctx, "program.wave.weeks_since"))
	return d.figure(width, height, i18n.T(ctx, "program.wave.steps.label"))
}

func shortChange(ctx context.Context, unit string, v float64) string {
	if unit == "share" {
		v *= 100
	}
	if math.Abs(v) < 1e-9 {
		return "0"
	}
	places := 0
	if math.Abs(v-math.Round(v)) > 1e-9 {
		places = 1
	}
	return i18n.Fmt(ctx).Decimal(v, places)
}

// niceStep is the next step of 1, 2 or 5.
func niceStep(x float64) float64 {
	p := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x {
			return m * p
		}
	}
	return 10 * p
}
