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
