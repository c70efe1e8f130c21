package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeChart(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// answersCSV is two branches over 120 days; "hue" falls on day 90.
func answersCSV(when func(int) string) string {
	rng := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("branch,day,promoters,passives,detractors\n")
	for d := range 120 {
		for _, name := range []string{"hanoi", "hue"} {
			p, q := 100+8*rng.NormFloat64(), 50+5*rng.NormFloat64()
			if name == "hue" && d >= 90 {
				p, q = p-25, q+25
			}
			fmt.Fprintf(&b, "%s,%s,%d,60,%d\n", name, when(d), int(p), int(q))
		}
	}
	return b.String()
}

func runChart(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := newChartCommand()
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestChartFindsTheChange(t *testing.T) {
	t.Parallel()
	path := writeChart(t, "nps.csv", answersCSV(func(d int) string { return fmt.Sprint(d) }))
	plot := filepath.Join(t.TempDir(), "out.svg")
	text := runChart(t, path, "--kind", "nps", "--series", "branch", "--time", "day", "--baseline", "0:59", "--json", "--plot", plot)
	var got struct {
		Series  int
		Signals []struct {
			Series, Direction, Rule, Reason string
			Detected, Onset                 float64
			Low                             float64 `json:"onset_low"`
			High                            float64 `json:"onset_high"`
		}
		Seconds float64
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if got.Series != 2 || len(got.Signals) != 1 {
		t.Fatalf("%s", text)
	}
	s := got.Signals[0]
	if s.Series != "hue" || s.Direction != "down" || s.Detected < 90 || s.Detected > 95 || s.Low > 90 || s.High < 90 || !strings.Contains(s.Reason, "NPS") {
		t.Errorf("%+v", s)
	}
	if svg, err := os.ReadFile(plot); err != nil || !bytes.Contains(svg, []byte(">hue</text>")) {
		t.Errorf("plot %v: %.200s", err, svg)
	}
}

func TestChartKeepsDates(t *testing.T) {
	t.Parallel()
	path := writeChart(t, "nps.csv", answersCSV(func(d int) string { return fmt.Sprintf("2026-%02d-%02d", 1+d/28, 1+d%28) }))
	text := runChart(t, path, "--series", "branch", "--time", "day", "--baseline", "2026-01-01:2026-02-28", "--lang", "vi")
	if !strings.Contains(text, "hue") || !strings.Contains(text, "2026-04-") || !strings.Contains(text, "NPS giảm") {
		t.Error(text)
	}
}

// TestChartKindsAndLines finds a planted shift in each kind of chart, over seeds. The
// default setting allows one false signal in 2,000 quiet periods; those of one kind are
// 2,000, and more than five of a Poisson of mean one come 6 times in 10,000.
func TestChartKindsAndLines(t *testing.T) {
	t.Parallel()
	const seeds, quiet = 25, 80
	rows := map[string]func(rng *rand.Rand, shift float64) string{
		"proportion": func(rng *rand.Rand, s float64) string {
			return fmt.Sprintf(`"hits":%d,"n":200`, int(100+6*rng.NormFloat64()+30*s))
		},
		"mean": func(rng *rand.Rand, s float64) string {
			return fmt.Sprintf(`"mean":%.3f,"n":50,"sd":1`, 4+0.14*rng.NormFloat64()+0.6*s)
		},
		"count": func(rng *rand.Rand, s float64) string {
			return fmt.Sprintf(`"events":%d`, int(max(0, 50+7*rng.NormFloat64()+40*s)))
		},
		"xmr": func(rng *rand.Rand, s float64) string { return fmt.Sprintf(`"value":%.3f`, 10+rng.NormFloat64()+4*s) },
	}
	for kind, row := range rows {
		early, missed := 0, 0
		for seed := range uint64(seeds) {
			rng := rand.New(rand.NewPCG(seed, 1))
			var b strings.Builder
			for d := range 120 {
				shift := 0.0
				if d >= quiet {
					shift = 1
				}
				fmt.Fprintf(&b, "{\"t\":%d,%s}\n", d, row(rng, shift))
			}
			var got chartReportBack
			if err := json.Unmarshal([]byte(runChart(t, writeChart(t, "rows.jsonl", b.String()), "--kind", kind, "--time", "t", "--json")), &got); err != nil {
				t.Fatal(err)
			}
			found := false
			for _, s := range got.Signals {
				switch {
				case s.Detected < quiet:
					early++
				case s.Direction == "up" && s.Detected <= quiet+3:
					found = true
				}
			}
			if !found {
				missed++
			}
		}
		if missed > 0 || early > 5 {
			t.Errorf("%s: %d of %d shifts missed, %d false signals in %d quiet periods", kind, missed, seeds, early, seeds*quiet)
		}
	}
}

type chartReportBack struct {
	Signals []struct {
		Detected  float64
		Direction string
	}
}

func TestChartRefuses(t *testing.T) {
	t.Parallel()
	good := answersCSV(func(d int) string { return fmt.Sprint(d) })
	for _, c := range []struct {
		text, want string
		args       []string
	}{
		{good, "it is nps, proportion", []string{"--kind", "ps"}},
		{good, `no column "week"`, []string{"--time", "week"}},
		{good, "no column for hits", []string{"--kind", "proportion"}},
		{good, "first and the last period", []string{"--time", "day", "--baseline", "0-9"}},
		{"promoters,passives,detractors\n1,2,x\n", "not a number", nil},
		{"promoters,passives,detractors\n1,2,-3\n", "below zero", nil},
		{"promoters,passives,detractors\n", "no rows", nil},
		{"day,promoters,passives,detractors\nsoon,1,2,3\n", "neither a number nor a date", []string{"--time", "day"}},
	} {
		cmd := newChartCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(append([]string{writeChart(t, "in.csv", c.text)}, c.args...))
		cmd.SetOut(&bytes.Buffer{})
		if err := cmd.Execute(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.args, err, c.want)
		}
	}
}

func FuzzChartRead(f *testing.F) {
	f.Add("day,promoters,passives,detractors\n0,1,2,3\n1,2,2,2\n")
	f.Add(`{"day":"2026-01-01","promoters":1,"passives":2,"detractors":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		cmd := newChartCommand()
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs([]string{"-", "--time", "day", "--json"})
		cmd.SetIn(strings.NewReader(text))
		var out bytes.Buffer
		cmd.SetOut(&out)
		if err := cmd.Execute(); err == nil && !json.Valid(out.Bytes()) {
			t.Errorf("%q gave %q", text, out.String())
		}
	})
}
