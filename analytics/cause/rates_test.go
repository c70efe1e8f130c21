package cause

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// stream makes failures per attempt over periods, with small combinations,
// attribute effects, a common drift and one cause in the last period.
func stream(r *rand.Rand, periods int) (*RateTable, string) {
	dims := []int{4, 6, 2, 7, 5}
	names := []string{"cdn", "bitrate", "p2p", "device", "isp"}
	t := NewRateTable(names...)
	effect := make([][]float64, len(dims))
	weight := make([][]float64, len(dims))
	for d, n := range dims {
		for range n {
			effect[d] = append(effect[d], math.Exp(0.3*r.NormFloat64()))
			weight[d] = append(weight[d], math.Exp(1.2*r.NormFloat64()))
		}
	}
	layer := 1 + r.IntN(3)
	on := r.Perm(len(dims))[:layer]
	cause := map[int]int{}
	for _, d := range on {
		best := 0 // a large value, so that there is something to see
		for v := range weight[d] {
			if weight[d][v] > weight[d][best] {
				best = v
			}
		}
		cause[d] = best
		if r.IntN(2) == 0 {
			cause[d] = r.IntN(dims[d])
		}
	}
	rho := 2 + 3*r.Float64()
	label := ""
	for d := range dims {
		if v, ok := cause[d]; ok {
			if label != "" {
				label += "&"
			}
			label += fmt.Sprintf("%s=%d", names[d], v)
		}
	}
	at := make([]int, len(dims))
	var walk func(d int, w, e float64)
	drift := make([]float64, periods)
	for k := range drift {
		drift[k] = math.Exp(0.05 * r.NormFloat64())
	}
	values := make([]string, len(dims))
	walk = func(d int, w, e float64) {
		if d < len(dims) {
			for v := range dims[d] {
				at[d] = v
				values[d] = fmt.Sprint(v)
				walk(d+1, w*weight[d][v], e*effect[d][v])
			}
			return
		}
		for k := range periods {
			den := poisson(r, min(20000, 30*w))
			if den == 0 {
				continue
			}
			p := 0.02 * e * drift[k] * math.Exp(0.1*r.NormFloat64())
			if k == periods-1 && holds(cause, at) {
				p *= rho
			}
			t.Add(int64(k), values, min(den, poisson(r, den*p)), den)
		}
	}
	walk(0, 1, 1)
	return t, label
}

func TestLocateRates(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 3))
	var s score
	for range 30 {
		table, want := stream(r, 8)
		got, err := LocateRates(table, 7, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.add(got.Causes, []string{want})
	}
	t.Log(s)
	if s.f1() < 0.9 {
		t.Errorf("F1 %.3f, want at least 0.9", s.f1())
	}
}
