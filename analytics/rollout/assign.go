package rollout

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// HeldOut is the cohort of units that wait until the follow-up is over.
const HeldOut = -1

// Limits of a design.
const (
	MaxUnits   = 10_000
	MaxCohorts = 12
	MaxEvery   = 26 // weeks
)

// Unit is one place that gets the change as a whole.
type Unit struct {
	ID string `json:"id"`
	// Stratum groups units that are dealt evenly among cohorts, such as a region.
	Stratum string `json:"stratum,omitempty"`
	// Baseline is what the unit was before; used when the design matches. Not a
	// number when unknown.
	Baseline float64 `json:"baseline,omitempty"`
}

// Design says how units are dealt.
type Design struct {
	Cohorts int `json:"cohorts"`     // 1 to MaxCohorts that begin one after another
	Every   int `json:"every_weeks"` // weeks between the beginnings, 1 to MaxEvery
	// HoldOut is the share of units that begin only when all is over, 0 to 0.5.
	HoldOut float64 `json:"hold_out"`
	// Match deals units of like baseline evenly.
	Match bool   `json:"match"`
	Seed  uint64 `json:"seed"`
}

// Errors of this package.
var (
	ErrDesign   = errors.New("rollout: the design does not hold")
	ErrTampered = errors.New("rollout: the order is not the one that was drawn")
	ErrPanel    = errors.New("rollout: the panel does not fit the design")
	ErrFew      = errors.New("rollout: too few units that begun and that wait to compare")
)

// Validate tells what is wrong with it.
func (d Design) Validate() error {
	switch {
	case d.Cohorts < 1 || d.Cohorts > MaxCohorts:
		return fmt.Errorf("%w: 1 to %d cohorts, not %d", ErrDesign, MaxCohorts, d.Cohorts)
	case d.Every < 1 || d.Every > MaxEvery:
		return fmt.Errorf("%w: 1 to %d weeks between cohorts, not %d", ErrDesign, MaxEvery, d.Every)
	case !(d.HoldOut >= 0 && d.HoldOut <= 0.5):
		return fmt.Errorf("%w: a hold-out of 0 to a half, not %g", ErrDesign, d.HoldOut)
	case d.Cohorts == 1 && d.HoldOut == 0:
		return fmt.Errorf("%w: with one cohort and nobody held out there is nothing to compare with", ErrDesign)
	}
	return nil
}

// groups is how many groups units are dealt into; the last is held out.
func (d Design) groups() int {
	if d.HoldOut > 0 {
		return d.Cohorts + 1
	}
	return d.Cohorts
}

// Starts is the week, from the campaign's first, in which a cohort begins; the
// held-out begin never.
func (d Design) Starts(cohort int) int {
	if cohort == HeldOut {
		return math.MaxInt32
	}
	return cohort * d.Every
}

// Assign deals the units into cohorts: the result has the cohort of units[i] at i,
// [HeldOut] for those who wait. The order of units does not matter; ids must differ.
func Assign(units []Unit, d Design) ([]int, error) {
	o, err := d.order(units)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(units))
	o.deal(d.Seed, out)
	return out, nil
}

// Verify reports whether the cohorts are those that the design draws.
func Verify(units []Unit, d Design, cohorts []int) error {
	want, err := Assign(units, d)
	if err != nil {
		return err
	}
	if !slices.Equal(want, cohorts) {
		return ErrTampered
	}
	return nil
}

// order is a design made ready to be drawn many times.
type order struct {
	sorted []int // units by stratum, then baseline or id
	strata []int // ends of the strata in sorted, when order within them is drawn too
	labels []int // cohorts along sorted before they are shuffled within blocks
	block  int
	draw   []int // room for one draw
}

func (d Design) order(units []Unit) (*order, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	if n := len(units); n < 2*d.groups() || n > MaxUnits {
		return nil, fmt.Errorf("%w: %d units cannot be dealt into %d groups: %d to %d are needed", ErrDesign, n, d.groups(), 2*d.groups(), MaxUnits)
	}
	o := &order{sorted: make([]int, len(units)), labels: d.labels(len(units)), block: d.groups(), draw: make([]int, len(units))}
	seen := make(map[string]bool, len(units))
	for i, u := range units {
		if u.ID == "" || seen[u.ID] {
			return nil, fmt.Errorf("%w: the id %q is empty or used twice", ErrDesign, u.ID)
		}
		seen[u.ID], o.sorted[i] = true, i
	}
	level := func(u Unit) float64 {
		if !d.Match || math.IsNaN(u.Baseline) {
			return math.Inf(1)
		}
		return u.Baseline
	}
	slices.SortFunc(o.sorted, func(i, j int) int {
		a, b := units[i], units[j]
		return cmp.Or(cmp.Compare(a.Stratum, b.Stratum), cmp.Compare(level(a), level(b)), cmp.Compare(a.ID, b.ID))
	})
	if !d.Match {
		for k := range o.sorted {
			if k+1 == len(o.sorted) || units[o.sorted[k]].Stratum != units[o.sorted[k+1]].Stratum {
				o.strata = append(o.strata, k+1)
			}
		}
	}
	return o, nil
}

// labels are the cohorts in the order in which each is most behind its share, so
// that every run of neighbours holds them in proportion.
func (d Design) labels(n int) []int {
	share := make([]float64, d.groups())
	for g := range share {
		share[g] = (1 - d.HoldOut) / float64(d.Cohorts)
	}
	if d.HoldOut > 0 {
		share[d.Cohorts] = d.HoldOut
	}
	given := make([]float64, len(share))
	out := make([]int, n)
	for k := range out {
		best, lack := 0, math.Inf(-1)
		for g := range share {
			if l := share[g]*float64(k+1) - given[g]; l > lack+1e-9 {
				best, lack = g, l
			}
		}
		given[best]++
		if out[k] = best; best == d.Cohorts {
			out[k] = HeldOut
		}
	}
	return out
}

// deal draws once: neighbours change places within strata unless they are matched,
// labels within blocks.
func (o *order) deal(seed uint64, out []int) {
	r := source{rand.NewPCG(seed, 0x9e3779b97f4a7c15)}
	copy(o.draw, o.labels)
	for from := 0; from < len(o.draw); from += o.block {
		r.shuffle(o.draw[from:min(from+o.block, len(o.draw))])
	}
	if o.strata == nil {
		for k, i := range o.sorted {
			out[i] = o.draw[k]
		}
		return
	}
	from := 0
	for _, to := range o.strata {
		r.shuffle(o.draw[from:to])
		from = to
	}
	for k, i := range o.sorted {
		out[i] = o.draw[k]
	}
}

// source gives whole numbers whose sequence this package fixes itself: the
// generator's is fixed by its definition, the shuffles of the library are not.
type source struct{ *rand.PCG }

// below is uniform over 0 … n−1.
func (s source) below(n int) int {
	limit := math.MaxUint64 - math.MaxUint64%uint64(n)
	for {
		if x := s.Uint64(); x < limit {
			return int(x % uint64(n))
		}
	}
}

func (s source) shuffle(x []int) {
	for i := len(x) - 1; i > 0; i-- {
		k := s.below(i + 1)
		x[i], x[k] = x[k], x[i]
	}
}
