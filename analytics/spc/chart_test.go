package spc_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"omote/analytics/spc"

	"omote/internal/testkit/shared"
)

func reference(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	b, err := os.ReadFile(shared.Path(t, "stats/reference_spc.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func decode[T any](t testing.TB, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func near(t testing.TB, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tol {
		t.Errorf("%s = %.12g, want %.12g (tolerance %g)", what, got, want, tol)
	}
}

func TestARLAgainstReference(t *testing.T) {
	t.Parallel()
	type table struct {
		K, H, Lambda, L float64
		Shift, ARL      []float64
	}
	for name, raw := range reference(t) {
		var arl func(c table, d float64) float64
		switch {
		case strings.HasPrefix(name, "shewhart"):
			arl = func(_ table, d float64) float64 { return spc.ShewhartARL(3, d) }
		case strings.HasPrefix(name, "cusum"):
			arl = func(c table, d float64) float64 { return spc.CUSUMARL(c.K, c.H, d) }
		case strings.HasPrefix(name, "ewma"):
			arl = func(c table, d float64) float64 { return spc.EWMAARL(c.Lambda, c.L, d) }
		default:
			continue
		}
		c := decode[table](t, raw)
		for i, d := range c.Shift {
			near(t, fmt.Sprintf("%s at %v", name, d), arl(c, d), c.ARL[i], 1e-6*c.ARL[i])
		}
	}
}

func TestLimitsAgainstReference(t *testing.T) {
	t.Parallel()
	crit := decode[struct {
		H map[string]float64 `json:"cusum_h_for_k0.5"`
		L map[string]float64 `json:"ewma_L"`
	}](t, reference(t)["crit"])
	threeSigma := spc.ShewhartARL(3, 0) // the 370 of the tables
	near(t, "h 370", spc.CUSUMLimit(0.5, threeSigma), crit.H["arl370"], 1e-5)
	near(t, "h 500", spc.CUSUMLimit(0.5, 500), crit.H["arl500"], 1e-5)
	near(t, "h 1000", spc.CUSUMLimit(0.5, 1000), crit.H["arl1000"], 1e-5)
	near(t, "L 0.1 370", spc.EWMALimit(0.1, threeSigma), crit.L["l0.1_arl370"], 1e-5)
	near(t, "L 0.2 370", spc.EWMALimit(0.2, threeSigma), crit.L["l0.2_arl370"], 1e-5)
	near(t, "L 0.1 1000", spc.EWMALimit(0.1, 1000), crit.L["l0.1_arl1000"], 1e-5)
}

type qccChart struct {
	Center     float64
	Std        float64 `json:"std.dev"`
	Limits     [][2]float64
	Statistics []float64
	Newstats   []float64
	Beyond     any
	Runs       any
	Data       []float64
}

// indices turns R's one-based number, list or empty list into zero-based ones.
func indices(v any) []int {
	switch v := v.(type) {
	case float64:
		return []int{int(v) - 1}
	case []any:
		var out []int
		for _, x := range v {
			out = append(out, int(x.(float64))-1)
		}
		return out
	}
	return nil
}

func compare(t *testing.T, name string, c spc.Chart, want qccChart) {
	t.Helper()
	near(t, name+" sigma", c.Sigma, want.Std, 1e-9)
	for i, l := range want.Limits {
		near(t, name+" centre", c.Limits[i].Center, want.Center, 1e-9)
		// qcc tabulates d3(5) as 0.8640855; the integral gives 0.8640819.
		near(t, name+" low", c.Limits[i].Low, l[0], 2e-7)
		near(t, name+" high", c.Limits[i].High, l[1], 2e-7)
	}
	got := map[int]bool{}
	for _, i := range c.Beyond() {
		got[i] = true
	}
	wanted := indices(want.Beyond)
	for _, i := range wanted {
		if !got[i] {
			t.Errorf("%s: point %d is not beyond", name, i)
		}
	}
	if len(got) != len(wanted) {
		t.Errorf("%s: beyond %v, want %v", name, c.Beyond(), wanted)
	}
	if runs := c.Runs(7); fmt.Sprint(runs) != fmt.Sprint(indices(want.Runs)) {
		t.Errorf("%s: runs %v, want %v", name, runs, indices(want.Runs))
	}
}

func TestChartsAgainstQCC(t *testing.T) {
	t.Parallel()
	q := decode[map[string]json.RawMessage](t, reference(t)["qcc"])
	get := func(name string) qccChart { return decode[qccChart](t, q[name]) }
	same := func(n int, v float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = v
		}
		return out
	}
	times := func(xs []float64, k float64) []float64 {
		out := make([]float64, len(xs))
		for i, x := range xs {
			out[i] = x * k
		}
		return out
	}
	v := get("viscosity_xbar.one")
	compare(t, "viscosity", spc.XmR(v.Data), v)
	r := get("pistonrings_R")
	compare(t, "ranges", spc.R(r.Statistics, 5), r)
	s := get("pistonrings_S")
	compare(t, "deviations", spc.S(s.Statistics, 5), s)
	o := get("orangejuice_p")
	p := spc.P(times(o.Statistics, 50), same(len(o.Statistics), 50)).Extend(o.Newstats)
	p.Sigma = o.Std // sigma of one unit is √(p(1−p)) in both
	compare(t, "orangejuice", p, o)
	c := get("circuit_c")
	cc := spc.U(c.Statistics, same(len(c.Statistics), 1))
	compare(t, "circuit", cc, c)
	u := get("pcmanufact_u")
	uc := spc.U(times(u.Statistics, 5), same(len(u.Statistics), 5))
	compare(t, "pcmanufact", uc, u)
}

// The piston rings of Montgomery: means follow from the reference file.
func TestEWMAAndCUSUMAgainstQCC(t *testing.T) {
	t.Parallel()
	q := decode[map[string]json.RawMessage](t, reference(t)["qcc"])
	x := decode[qccChart](t, q["pistonrings_xbar"])
	values := append(append([]float64(nil), x.Statistics...), x.Newstats...)
	se := x.Std / math.Sqrt(5)
	e := decode[struct {
		Y      []float64
		Limits [][2]float64
	}](t, q["pistonrings_ewma"])
	for i, p := range spc.EWMA(values, x.Center, se, 0.2, 3) {
		near(t, "ewma", p.Value, e.Y[i], 1e-8)
		near(t, "low", p.Low, e.Limits[i][0], 1e-8)
		if beyond := i >= 36; p.Beyond != beyond {
			t.Errorf("ewma point %d beyond is %v", i, p.Beyond)
		}
	}
	c := decode[struct{ Pos, Neg []float64 }](t, q["pistonrings_cusum"])
	for i, p := range spc.CUSUM(values, x.Center, se, 0.5, 5) {
		near(t, "up", p.Up, c.Pos[i], 1e-6)
		near(t, "down", p.Down, c.Neg[i], 1e-6)
	}
}

func TestOverdispersionAgainstQCC(t *testing.T) {
	t.Parallel()
	all := reference(t)
	q := decode[map[string]json.RawMessage](t, all["qcc"])
	o := decode[qccChart](t, q["orangejuice_p"])
	var want [3]float64
	if raw, ok := all["orangejuice_overdispersion"]; ok {
		want = decode[[3]float64](t, raw)
	} else {
		want = decode[[3]float64](t, q["orangejuice_overdispersion"])
	}
	hits, n := make([]float64, 54), make([]float64, 54)
	for i, s := range append(append([]float64(nil), o.Statistics...), o.Newstats...) {
		hits[i], n[i] = 50*s, 50
	}
	ratio, stat, p := spc.Overdispersion(hits[:30], n[:30])
	near(t, "ratio", ratio, want[0], 1e-8)
	near(t, "statistic", stat, want[1], 1e-7)
	near(t, "p", p, want[2], 1e-10)
}

func TestLaneyAgainstReference(t *testing.T) {
	t.Parallel()
	type laney struct {
		D, N     []float64
		Pbar     float64
		Ubar     float64
		SigmaZ   float64 `json:"sigma_z"`
		UCL, LCL []float64
		PUCL     []float64 `json:"p_chart_ucl"`
		Outside  []int     `json:"outside_p"`
	}
	all := reference(t)
	p, u := decode[laney](t, all["laney_p"]), decode[laney](t, all["laney_u"])
	pc, plain, uc := spc.LaneyP(p.D, p.N), spc.P(p.D, p.N), spc.LaneyU(u.D, u.N)
	near(t, "p sigma_z", pc.Sigma, p.SigmaZ, 1e-9)
	near(t, "u sigma_z", uc.Sigma, u.SigmaZ, 1e-9)
	for i := range p.D {
		near(t, "p' ucl", pc.Limits[i].High, p.UCL[i], 1e-9)
		near(t, "p' lcl", pc.Limits[i].Low, p.LCL[i], 1e-9)
		near(t, "p ucl", plain.Limits[i].High, p.PUCL[i], 1e-9)
		near(t, "u' ucl", uc.Limits[i].High, u.UCL[i], 1e-9)
		near(t, "u' lcl", uc.Limits[i].Low, u.LCL[i], 1e-9)
	}
	if len(pc.Beyond()) != 0 || len(plain.Beyond()) != len(p.Outside) {
		t.Errorf("outside p' %v, p %v", pc.Beyond(), plain.Beyond())
	}
}

func TestSubgroupCharts(t *testing.T) {
	t.Parallel()
	// Two subgroups of five of Montgomery's piston rings.
	groups := [][]float64{{74.030, 74.002, 74.019, 73.992, 74.008}, {73.995, 73.992, 74.001, 74.011, 74.004}}
	r, s := spc.XbarR(groups), spc.XbarS(groups)
	near(t, "sigma from ranges", r.Sigma, (0.038+0.019)/2/2.326, 1e-9)
	near(t, "sigma from deviations", s.Sigma, (0.014771594+0.007503333)/2/0.939986, 1e-6)
}

func TestWesternElectric(t *testing.T) {
	t.Parallel()
	v := make([]float64, 40)
	for i := range v {
		v[i] = []float64{0.5, -0.5}[i%2]
	}
	c := spc.Chart{Values: v, Limits: make([]spc.Limits, 40)}
	for i := range c.Limits {
		c.Limits[i] = spc.Limits{Center: 0, Low: -3, High: 3}
	}
	if got := c.WesternElectric(); len(got) != 0 {
		t.Errorf("an alternating chart signals at %v", got)
	}
	v[20], v[22] = 2.5, 2.2
	if got := c.WesternElectric(); fmt.Sprint(got) != "[22]" {
		t.Errorf("two of three beyond 2 sigma gave %v", got)
	}
}

func ExampleCUSUMARL() {
	fmt.Printf("in control %.0f, one sigma off %.1f\n", spc.CUSUMARL(0.5, 5, 0), spc.CUSUMARL(0.5, 5, 1))
	// Output: in control 465, one sigma off 10.4
}

func ExampleXmR() {
	c := spc.XmR([]float64{33.75, 33.05, 34, 33.81, 33.46, 34.02, 33.68, 33.27, 33.49, 33.2, 33.62, 33, 33.54, 33.12, 33.84})
	fmt.Printf("%.2f to %.2f, beyond %v\n", c.Limits[0].Low, c.Limits[0].High, c.Beyond())
	// Output: 32.24 to 34.80, beyond []
}
