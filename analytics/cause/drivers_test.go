package cause

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"omote/internal/testkit/shared"
)

type driverReference struct {
	Data     []map[string]any
	R2       float64
	LMG      map[string]float64
	Johnson  map[string]float64 `json:"relative_weights_johnson"`
	Relative map[string]float64 `json:"relative_weights"`
}

func TestDriversEqualReferences(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(shared.Path(t, "stats/reference_drivers_survival.json"))
	if err != nil {
		t.Fatal(err)
	}
	var refs map[string]json.RawMessage
	if err := json.Unmarshal(text, &refs); err != nil {
		t.Fatal(err)
	}
	for name, outcome := range map[string]string{"swiss": "Fertility", "mtcars": "mpg", "longley": "Employed"} {
		var ref driverReference
		if err := json.Unmarshal(refs[name], &ref); err != nil {
			t.Fatal(err)
		}
		if ref.Johnson == nil {
			ref.Johnson = ref.Relative
		}
		var names []string
		for n := range ref.LMG {
			names = append(names, n)
		}
		slices.Sort(names)
		x, y := columns(ref.Data, names, outcome)
		got, err := Drivers(names, x, y, DriverOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if ref.R2 != 0 && math.Abs(got.R2-ref.R2) > 1e-9 {
			t.Errorf("%s: R² %v, want %v", name, got.R2, ref.R2)
		}
		for _, d := range got.Drivers {
			if math.Abs(d.Shapley-ref.LMG[d.Name]) > 1e-9 || math.Abs(d.RelativeWeight-ref.Johnson[d.Name]) > 1e-9 {
				t.Errorf("%s %s: %v and %v, want %v and %v", name, d.Name, d.Shapley, d.RelativeWeight, ref.LMG[d.Name], ref.Johnson[d.Name])
			}
		}
		if name == "longley" && !got.Collinear {
			t.Error("longley is the textbook of collinearity")
		}
	}
	var two struct {
		Predictors []string
		Raw        []float64
	}
	if err := json.Unmarshal(refs["mtcars_rwa_pkg_example"], &two); err != nil {
		t.Fatal(err)
	}
	var cars driverReference
	if err := json.Unmarshal(refs["mtcars"], &cars); err != nil {
		t.Fatal(err)
	}
	x, y := columns(cars.Data, two.Predictors, "mpg")
	got, err := Drivers(two.Predictors, x, y, DriverOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for j, d := range got.Drivers {
		if math.Abs(d.RelativeWeight-two.Raw[j]) > 1e-9 {
			t.Errorf("%s: %v, want %v", d.Name, d.RelativeWeight, two.Raw[j])
		}
	}
}

func columns(data []map[string]any, names []string, outcome string) (x [][]float64, y []float64) {
	for _, row := range data {
		r := make([]float64, len(names))
		for j, n := range names {
			r[j], _ = row[n].(float64)
		}
		v, _ := row[outcome].(float64)
		x, y = append(x, r), append(y, v)
	}
	return x, y
}

func answers(r *rand.Rand, n int) (x [][]float64, y []float64) {
	for range n {
		a, b, c := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
		x = append(x, []float64{a, 0.7*a + 0.7*b, c})
		y = append(y, 2*a+b+r.NormFloat64())
	}
	return x, y
}

// The Shapley split by all orders of entering is the oracle.
func TestShapleyByOrders(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x, y := answers(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)), 30)
		r, err := correlations(x, y, indices(len(y)))
		if err != nil {
			t.Fatal(err)
		}
		r2 := subsetR2(r, 3)
		want := make([]float64, 3)
		orders := [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
		for _, order := range orders {
			set := 0
			for _, j := range order {
				want[j] += (r2[set|1<<j] - r2[set]) / 6
				set |= 1 << j
			}
		}
		got, _ := Drivers([]string{"a", "b", "c"}, x, y, DriverOptions{})
		sum, relative := 0.0, 0.0
		for j, d := range got.Drivers {
			if math.Abs(d.Shapley-want[j]) > 1e-12 {
				t.Fatalf("%v, want %v", d.Shapley, want[j])
			}
			sum += d.Shapley
			relative += d.RelativeWeight
		}
		if math.Abs(sum-got.R2) > 1e-12 || math.Abs(relative-got.R2) > 1e-12 {
			t.Fatalf("parts sum to %v and %v, R² is %v", sum, relative, got.R2)
		}
	})
}

func TestDriverIntervals(t *testing.T) {
	t.Parallel()
	x, y := answers(rand.New(rand.NewPCG(5, 5)), 400)
	got, err := Drivers([]string{"a", "b", "c"}, x, y, DriverOptions{Resamples: 300, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range got.Drivers {
		if !(d.ShapleyLow <= d.Shapley && d.Shapley <= d.ShapleyHigh+0.01) || !(d.RelativeLow <= d.RelativeHigh) {
			t.Errorf("%+v", d)
		}
	}
	if got.Drivers[0].ShapleyLow < got.Drivers[2].ShapleyHigh {
		t.Error("the strong driver is not told from the idle one")
	}
}

func TestOrdinalDrivers(t *testing.T) {
	t.Parallel()
	x, z := answers(rand.New(rand.NewPCG(6, 6)), 500)
	y := make([]int, len(z))
	for i, v := range z {
		for _, cut := range []float64{-2, 0, 2} {
			if v > cut {
				y[i]++
			}
		}
	}
	got, err := OrdinalDrivers([]string{"a", "b", "c"}, x, y, 4, DriverOptions{Resamples: 30})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, d := range got.Drivers {
		sum += d.Shapley
	}
	if math.Abs(sum-got.R2) > 1e-9 || got.Drivers[1].Shapley < got.Drivers[0].Shapley || got.Drivers[2].Shapley > 0.02 {
		t.Errorf("%+v", got)
	}
	if !(got.Drivers[0].ShapleyLow < got.Drivers[0].ShapleyHigh) {
		t.Errorf("no interval: %+v", got.Drivers[0])
	}
}

func BenchmarkDrivers(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 9))
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	x, y := make([][]float64, 1000), make([]float64, 1000)
	for i := range x {
		for range names {
			x[i] = append(x[i], r.NormFloat64())
			y[i] += x[i][len(x[i])-1] * 0.3
		}
		y[i] += r.NormFloat64()
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Drivers(names, x, y, DriverOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
