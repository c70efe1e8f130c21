package chart

import (
	"context"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"pgregory.net/rapid"

	"omote/internal/platform/i18n"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/testkit"
	"omote/internal/ui"
)

func speak(t testing.TB, locale string) context.Context {
	t.Helper()
	b, err := i18n.New(ui.Locales())
	if err != nil {
		t.Fatal(err)
	}
	return i18n.With(t.Context(), b.Localizer(locale))
}

func render(t testing.TB, ctx context.Context, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var monday1 = time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC)

func weekly() TimeProps {
	p := TimeProps{ID: "w", Label: "fell", Cols: 8, Target: &Target{Value: 0.8, Label: "promise ≥ 80%"},
		Format:  func(v float64) string { return fmtx.For("en").Percent(v, 1) },
		Changes: []Change{{At: monday1.AddDate(0, 0, 38), From: monday1.AddDate(0, 0, 35), To: monday1.AddDate(0, 0, 41), Label: "level change", Before: 0.78, After: 0.7}},
		Notes:   []Note{{At: monday1.AddDate(0, 0, 10), Label: "holiday"}, {At: monday1.AddDate(0, 0, 12), Label: "release", Kind: NoteRelease}}}
	for i, v := range []float64{0.78, 0.79, 0.77, math.NaN(), 0.78, 0.9, 0.71, 0.70} {
		q := Point{At: monday1.AddDate(0, 0, 7*i), Value: v, Low: v - 0.01, High: v + 0.01, BandLow: 0.75, BandHigh: 0.81, N: 1200}
		switch i {
		case 5:
			q.State, q.N, q.Low, q.High = ui.Few, 9, 0.5, 1
		case 6, 7:
			q.State = ui.Worse
		}
		p.Points = append(p.Points, q)
	}
	return p
}

// TestGolden holds each chart as it is drawn for both widths.
func TestGolden(t *testing.T) {
	t.Parallel()
	percent := func(v float64) string { return fmtx.For("vi").Percent(v, 0) }
	for name, c := range map[string]templ.Component{
		"time": Time(weekly()),
		"funnel": FunnelPlot(FunnelPlotProps{ID: "f", Label: "one lies below", Centre: 0.8, MinN: 40, Format: percent, NName: "n", Mean: "bank", Cols: 8,
			Limits: func(n float64) (float64, float64) { h := 1.2 / math.Sqrt(n); return 0.8 - h, 0.8 + h },
			Units:  []Unit{{Name: "A", N: 100, Value: 0.82}, {Name: "B", N: 400, Value: 0.7, Low: 0.66, High: 0.74, State: ui.Worse}, {Name: "C", N: 20, Value: 0.9, State: ui.Few}}}),
		"histogram": Histogram(HistogramProps{ID: "h", Label: "long tail", Bins: []Bin{{0, 1, 50}, {1, 2, 90}, {2, 3, 20}}, Over: 7, Format: func(v float64) string { return fmtx.For("vi").Decimal(v, 0) }, XName: "days", Refs: []Ref{{Value: 1.2, Label: "median"}, {Value: 2, Label: "promise", Promise: true, Care: true}}, Cols: 6}),
		"bars":      Bars(BarsProps{ID: "b", Label: "by channel", Format: percent, Max: 1, Items: []BarItem{{Name: "App", Value: 0.6, Low: 0.5, High: 0.7, State: ui.Worse}, {Name: "E-mail", N: 4, State: ui.Few}}}),
		"spark":     Spark(SparkProps{Values: []float64{1, 2, math.NaN(), 3, 9}, States: []ui.MetricState{0, 0, 0, 0, ui.Better}, BandLow: 0, BandHigh: 4, Width: 120, Height: 30}),
		"stale":     Spark(SparkProps{Values: []float64{1, 2, 1, 2}, StaleFrom: 2}),
	} {
		html := strings.ReplaceAll(render(t, speak(t, "vi"), c), "><", ">\n<") + "\n"
		testkit.Golden(t, "golden/"+name+".html", []byte(html))
	}
}

// TestTimeDrawsAnything: no series makes a drawing with NaN, and the data for
// ECharts is always valid JSON with as many points.
func TestTimeDrawsAnything(t *testing.T) {
	t.Parallel()
	ctx := speak(t, "en")
	island := regexp.MustCompile(`<script id="data-x" type="application/json">(?s)(.*?)</script>`)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "n")
		value := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Just(math.NaN()), rapid.Just(0.5))
		p := TimeProps{ID: "x", Label: "any", Cols: rapid.IntRange(0, 12).Draw(t, "cols"), FromZero: rapid.Bool().Draw(t, "zero")}
		for i := range n {
			v := value.Draw(t, "v")
			q := Point{At: monday1.Add(time.Duration(i) * time.Duration(rapid.IntRange(1, 5000).Draw(t, "h")) * time.Hour), Value: v, Low: v - 1, High: v + 1,
				BandLow: value.Draw(t, "bl"), BandHigh: value.Draw(t, "bh"), State: ui.MetricState(rapid.IntRange(0, 4).Draw(t, "s"))}
			p.Points = append(p.Points, q)
		}
		var b strings.Builder
		if err := Time(p).Render(ctx, &b); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			if b.Len() != 0 {
				t.Fatal("an empty series draws something")
			}
			return
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") || strings.Contains(b.String(), "style=") {
			t.Fatal("drawing contains NaN, Inf or a style")
		}
		m := island.FindStringSubmatch(b.String())
		var data timeIsland
		if m == nil || json.Unmarshal([]byte(m[1]), &data) != nil || len(data.Points) != n || len(data.Ticks) < 2 {
			t.Fatalf("data for ECharts: %v", m)
		}
	})
}

// TestTimeTicks: the first labels of spans that begin on Monday 31 August 2026.
func TestTimeTicks(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	vi := fmtx.For("vi")
	for span, want := range map[time.Duration]string{
		12 * time.Hour: "00:00 01:00", 2 * day: "00:00 06:00", 7 * day: "31.8 1.9", 30 * day: "31.8 2.9", 60 * day: "31.8 7.9",
		200 * day: "Thg 9 Thg 10", 1200 * day: "2027 2028", 4000 * day: "2027 2028", 20000 * day: "2030 2035",
	} {
		var got []string
		ticks := timeTicks(vi, monday1, monday1.Add(span), 640)
		for _, k := range ticks {
			got = append(got, k.label)
		}
		if !strings.HasPrefix(strings.Join(got, " "), want) || len(ticks) > 18 {
			t.Errorf("%v: %v, want %s …", span, got, want)
		}
	}
}

func TestFunnelPlotNamesOnlyOutliers(t *testing.T) {
	t.Parallel()
	html := render(t, speak(t, "en"), FunnelPlot(FunnelPlotProps{ID: "f", Label: "x", Centre: 0.5, Format: func(float64) string { return "v" },
		Units: []Unit{{Name: "Inside", N: 50, Value: 0.5}, {Name: "Outside", N: 60, Value: 0.9, State: ui.Better}}}))
	if strings.Contains(html, ">Inside v<") || !strings.Contains(html, ">Outside v<") {
		t.Error("the plot must name the units outside the limits and no others")
	}
}
