package cause

import (
	"math/rand/v2"
	"testing"
)

func TestLocateInManyWorlds(t *testing.T) {
	t.Parallel()
	for k, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(k), 1))
			var s score
			for i := range 40 {
				dims := [][]int{{8, 6, 5, 4}, {12, 10, 10}, {6, 5, 4, 4, 3}}[i%3]
				c := w.generate(r, dims)
				got := Locate(c.table, Options{}).Causes
				s.add(got, c.causes)
				if testing.Verbose() && i < 40 {
					var x score
					x.add(got, c.causes)
					if x.fp+x.fn > 0 {
						l := Locate(c.table, Options{})
						t.Logf("%v %.3f", c.causes, l.Noise)
						for _, g := range got {
							t.Logf("   %s n=%d f=%.2f ev=%.1f", g, g.Leaves, g.Factor, g.Evidence)
						}
					}
				}
			}
			t.Log(s)
		})
	}
}

// The published set of 100 tables of 2,400 leaves; RiskLoc reaches 0.774 on it.
func TestLocatePublishedCases(t *testing.T) {
	t.Parallel()
	var s score
	for _, c := range xsCases(t) {
		s.add(Locate(c.table, Options{}).Causes, c.causes)
	}
	t.Log(s)
	if s.f1() < 0.8 {
		t.Errorf("F1 %.3f, want at least 0.80", s.f1())
	}
}

func BenchmarkLocate(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 7))
	var tables []*Table
	for range 20 {
		tables = append(tables, worlds[0].generate(r, []int{10, 8, 6, 5}).table)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Locate(tables[i%len(tables)], Options{})
	}
}
