package stats_test

import (
	"math"
	"testing"
)

func near(t testing.TB, what string, got, want, tol float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tol {
		t.Errorf("%s = %.15g, want %.15g (tolerance %g)", what, got, want, tol)
	}
}

func nearPair(t testing.TB, what string, low, high float64, want [2]float64, tol float64) {
	t.Helper()
	near(t, what+" low", low, want[0], tol)
	near(t, what+" high", high, want[1], tol)
}
