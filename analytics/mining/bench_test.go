package mining_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"omote/analytics/mining"
)

// generated returns a log of about twenty events a case: activities mostly rise
// from 0 to 23, with repeats, returns and leaps.
func generated(tb testing.TB, events int, seed uint64) *mining.Log {
	tb.Helper()
	const activities = 24
	random := rand.New(rand.NewPCG(seed, 0))
	b := mining.NewBuilder()
	for i := range activities {
		b.Activity(string(rune('a' + i)))
	}
	now, id, at := int64(0), b.NewCase("first"), int32(0)
	for range events {
		b.Add(id, at, now)
		now += random.Int64N(int64(48 * time.Hour / time.Microsecond))
		switch draw := random.IntN(100); {
		case draw < 80:
			at++
		case draw < 90:
		case draw < 95:
			at = max(0, at-2)
		default:
			at += 3
		}
		if at >= activities || random.IntN(60) == 0 {
			now, id, at = random.Int64N(int64(365*24*time.Hour/time.Microsecond)), b.NewCase(""), 0
		}
	}
	l, err := b.Build(mining.TimeOrder)
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

const benchEvents = 1_000_000

func BenchmarkDirectlyFollows(b *testing.B) {
	l := generated(b, benchEvents, 1)
	b.ReportAllocs()
	for b.Loop() {
		mining.DirectlyFollows(l)
	}
}

func BenchmarkVariants(b *testing.B) {
	l := generated(b, benchEvents, 1)
	b.ReportAllocs()
	for b.Loop() {
		mining.FindVariants(l)
	}
}

func BenchmarkFunnel(b *testing.B) {
	l := generated(b, benchEvents, 1)
	f := mining.Funnel{Within: 30 * 24 * time.Hour}
	for step := range int32(6) {
		f.Steps = append(f.Steps, []int32{step * 3})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Run(l); err != nil {
			b.Fatal(err)
		}
	}
}
