package warehouse

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"omote/internal/platform/scope"
)

func TestAggregatesEqualRecomputation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		// A zone with clock changes on both sides of the facts.
		w.opt.Zone = func(string) *time.Location { return mustZone("America/New_York") }
		ctx := as(t, scope.Root)
		rng := rand.New(rand.NewPCG(7, 7))
		seq := uint64(1)
		for batch := range 8 {
			fs := facts(rng, 300, seq)
			for i := range fs {
				if batch < 4 {
					fs[i].At += rng.Int64N(400*24*3600) * 1e6 // over more than a year
				} else {
					fs[i].At = fs[i].At/86400e6%5*86400e6 + 1.76e15 // of a few days
				}
			}
			if err := w.append(ctx, batch%2, last(fs), fs); err != nil {
				t.Fatal(err)
			}
			seq = last(fs) + 1
			mustAgree(t, w)
			if batch%3 == 1 { // only the days of the batches since the last fold
				if err := w.fold(ctx); err != nil {
					t.Fatal(err)
				}
				mustAgree(t, w)
			}
			if batch == 5 {
				before := one[int](t, ctx, w, `SELECT count(*) FROM {event_day}`)
				if err := w.Compact(ctx); err != nil {
					t.Fatal(err)
				}
				if after := one[int](t, ctx, w, `SELECT count(*) FROM {event_day}`); after >= before {
					t.Errorf("folding left %d of %d rows", after, before)
				}
				mustAgree(t, w)
			}
		}
		w.opt.Zone = func(string) *time.Location { return hanoi }
		if bad, err := w.CheckAggregates(ctx); err != nil || len(bad) != 2 {
			t.Errorf("a changed zone was not noticed: %v, %v", bad, err)
		}
		if err := w.Rebuild(ctx); err != nil {
			t.Fatal(err)
		}
		mustAgree(t, w)
	})
}

func mustAgree(t *testing.T, w *Warehouse) {
	t.Helper()
	if bad, err := w.CheckAggregates(as(t, scope.Root)); err != nil || len(bad) > 0 {
		t.Fatalf("aggregates differ from the facts: %v, %v", bad, err)
	}
}

func TestLocalTimeCutsLikeGo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		rng := rand.New(rand.NewPCG(8, 8))
		for _, name := range []string{"Asia/Ho_Chi_Minh", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"} {
			zone := mustZone(name)
			from := time.Date(2020, 1, 1, 0, 0, 0, 0, zone)
			to := from.AddDate(6, 0, 0)
			sqlText := LocalTime("v.t", zone, from, to)
			instants := []time.Time{from, to.Add(-1)}
			for at := from; at.Before(to); {
				_, end := at.ZoneBounds()
				if end.IsZero() || !end.Before(to) {
					break
				}
				instants = append(instants, end.Add(-time.Microsecond), end, end.Add(time.Microsecond))
				at = end
			}
			for range 50 {
				instants = append(instants, from.Add(time.Duration(rng.Int64N(int64(to.Sub(from))))))
			}
			for _, at := range instants {
				at = at.Truncate(time.Microsecond)
				var got string
				q := fmt.Sprintf("SELECT CAST(%s AS VARCHAR) FROM (SELECT %s AS t) v", sqlText, Timestamp(at))
				if err := w.engine.Reader().QueryRow(q).Scan(&got); err != nil {
					t.Fatal(err)
				}
				want := at.In(zone).Format("2006-01-02 15:04:05.999999")
				if got != want {
					t.Errorf("%s %v: got %s, want %s", name, at.UTC(), got, want)
				}
			}
		}
	})
}
