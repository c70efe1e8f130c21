package voice

import (
	"cmp"
	"context"
	"math"
	"slices"

	"omote/analytics/stats"
	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
)

// Scores gives the score of a questionnaire by unit; app fills it with surveys, which
// leave out groups of an anonymous one that are below its minimum.
type Scores interface {
	ByUnit(ctx context.Context, survey string) ([]UnitScore, error)
}

// UnitScore is a questionnaire's score in one unit.
type UnitScore struct {
	Unit     string // code
	Path     string // "" where the organisation has no such unit
	Estimate stats.Estimate
	N        int64
	Few      bool // below the minimum of an anonymous questionnaire; no figure
}

// Both is one unit: what its staff say beside what its customers say.
type Both struct {
	Unit             string
	Staff, Customers UnitScore
}

// Together is all units of the reader's place, and whether the two go together.
type Together struct {
	StaffSurvey, CustomerSurvey string
	Units                       []Both
	Few                         int // units whose staff are below the minimum
	// Rank is Spearman's correlation over the units that have both figures.
	Rank stats.Estimate
}

// The questionnaires that are laid side by side, and how many answers of customers a
// unit needs to count in the correlation.
const (
	staffSurvey    = "emp_pulse"
	customerSurvey = "tx_csat"
	leastCustomers = 5
)

// Units lays what staff say beside what customers of their unit say (requirement
// 001-15). Units below the questionnaire's minimum show no figure of staff.
func (s *Service) Units(ctx context.Context) (t Together, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return t, err
	}
	t = Together{StaffSurvey: staffSurvey, CustomerSurvey: customerSurvey}
	place, _ := scope.From(ctx)
	all := map[string]*Both{}
	for _, survey := range []string{staffSurvey, customerSurvey} {
		list, err := s.Scores.ByUnit(ctx, survey)
		if err != nil {
			return t, err
		}
		for _, u := range list {
			if u.Unit == "" || u.Path == "" || !place.Sees(u.Path) {
				continue
			}
			b := all[u.Unit]
			if b == nil {
				b = &Both{Unit: u.Unit}
				all[u.Unit] = b
			}
			if survey == staffSurvey {
				b.Staff = u
			} else {
				b.Customers = u
			}
		}
	}
	var x, y []float64
	for _, b := range all {
		if b.Staff.N == 0 && !b.Staff.Few {
			continue
		}
		t.Units = append(t.Units, *b)
	}
	slices.SortFunc(t.Units, func(a, b Both) int {
		return cmp.Or(boolean(a.Staff.Few)-boolean(b.Staff.Few), cmp.Compare(a.Staff.Estimate.Value, b.Staff.Estimate.Value), cmp.Compare(a.Unit, b.Unit))
	})
	for _, b := range t.Units {
		switch {
		case b.Staff.Few:
			t.Few++
		case b.Customers.N >= leastCustomers:
			x, y = append(x, b.Staff.Estimate.Value), append(y, b.Customers.Estimate.Value)
		}
	}
	t.Rank = spearman(x, y)
	return t, nil
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// spearman is the rank correlation with its 95 % interval by Fisher's transformation and
// the variance of Bonett and Wright (2000), (1 + r²/2) / (n − 3); it has no interval
// below ten pairs.
func spearman(x, y []float64) stats.Estimate {
	n := len(x)
	e := stats.Estimate{N: int64(n), Level: 0.95, Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
	if n < 10 {
		return e
	}
	a, b := ranks(x), ranks(y)
	mean := float64(n+1) / 2
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+(a[i]-mean)*(b[i]-mean), aa+(a[i]-mean)*(a[i]-mean), bb+(b[i]-mean)*(b[i]-mean)
	}
	if aa == 0 || bb == 0 {
		return e
	}
	e.Value = ab / math.Sqrt(aa*bb)
	z, se := math.Atanh(min(max(e.Value, -0.999999), 0.999999)), math.Sqrt((1+e.Value*e.Value/2)/float64(n-3))
	e.Low, e.High = math.Tanh(z-1.959964*se), math.Tanh(z+1.959964*se)
	return e
}

// ranks gives mid-ranks from 1.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}
