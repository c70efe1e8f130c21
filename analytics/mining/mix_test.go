package mining_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"omote/analytics/mining"
)

// Mix and switches agree with counting case by case; every case that began in a
// period is in exactly one cell of it.
func TestMix(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 1))
	b := mining.NewBuilder("channel")
	type seen struct {
		first    int64
		channels []string
	}
	cases := map[int]*seen{}
	for range 4000 {
		c := random.IntN(900)
		at := random.Int64N(1000)
		value, name := mining.None, ""
		if random.IntN(5) > 0 {
			name = string(rune('a' + random.IntN(3)))
			value = b.Value(0, name)
		}
		b.Add(b.Case(fmt.Sprint(c)), b.Activity("x"), at, value)
		if cases[c] == nil {
			cases[c] = &seen{first: at}
		}
		cases[c].first = min(cases[c].first, at)
		if name != "" {
			cases[c].channels = append(cases[c].channels, name)
		}
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		t.Fatal(err)
	}
	from := []int64{100, 400, 401, 900}
	m := mining.FindMix(l, "channel", from)
	total, moved := 0, 0
	for i := range from {
		total += m.Total(i)
		moved += m.Moved[i]
	}
	wantTotal, wantMoved := 0, 0
	for _, c := range cases {
		if c.first < 100 {
			continue
		}
		wantTotal++
		different := map[string]bool{}
		for _, ch := range c.channels {
			different[ch] = true
		}
		if len(different) > 1 {
			wantMoved++
		}
	}
	if total != wantTotal || moved != wantMoved {
		t.Errorf("%d cases, %d moved; want %d and %d", total, moved, wantTotal, wantMoved)
	}
	if mining.FindMix(l, "nothing", from) != nil {
		t.Error("a mix of a column that is not there")
	}
}

// Of two random halves of one log no way differs; a way that one half takes twice
// as often does.
func TestCompareVariants(t *testing.T) {
	t.Parallel()
	build := func(seed uint64, share float64) *mining.Builder {
		random := rand.New(rand.NewPCG(seed, 5))
		b := mining.NewBuilder()
		for _, name := range []string{"start", "short", "long", "end"} {
			b.Activity(name)
		}
		for i := range 2000 {
			c := b.NewCase(fmt.Sprint(i))
			b.Add(c, 0, 1)
			if random.Float64() < share {
				b.Add(c, 2, 2)
			} else {
				b.Add(c, 1, 2)
			}
			if random.IntN(2) == 0 {
				b.Add(c, 3, 3)
			}
		}
		return b
	}
	log := func(b *mining.Builder) *mining.Log {
		l, err := b.Build(mining.TimeOrder)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	same := mining.CompareVariants(log(build(1, 0.3)), log(build(2, 0.3)), 10, 0.95)
	for _, d := range same {
		if d.Q <= 0.01 {
			t.Errorf("two samples of one: way %v differs with q %v", d.Path, d.Q)
		}
	}
	found := mining.CompareVariants(log(build(1, 0.3)), log(build(2, 0.5)), 10, 0.95)
	if len(found) != 4 || found[0].Q > 1e-6 {
		t.Fatalf("planted difference: %+v", found)
	}
	for _, d := range found {
		long := d.Path[1] == 2
		if (d.Share.Difference.Value < 0) != long {
			t.Errorf("way %v differs by %v", d.Path, d.Share.Difference)
		}
	}
}
