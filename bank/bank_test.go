package bank

import (
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"testing"
)

func testBank(t testing.TB, cfg Config) *Bank {
	t.Helper()
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writeEvent gives every field of an event, for hashing.
func writeEvent(w io.Writer, e *Event) {
	fmt.Fprintf(w, "%s|%s|%s|%d|%s|%s|%s|%d|%s|%s|%s|%s|%s|%s|%d|%s|%s|%s\n", e.Source, e.System, e.MessageID, e.Kind, e.Name, e.UserID, e.AnonymousID, e.At,
		e.Journey, e.Case, e.Channel, e.Unit, e.Product, e.Outcome, e.Amount, e.Currency, e.Props, e.Traits)
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	sum := func(seed uint64) string {
		h := sha256.New()
		for e := range testBank(t, Config{Seed: seed, Customers: 300, Months: 6}).History() {
			writeEvent(h, e)
		}
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	if a, b := sum(7), sum(7); a != b {
		t.Fatal("two runs of one seed differ")
	}
	if sum(7) == sum(8) {
		t.Fatal("two seeds agree")
	}
}

func TestOrdersHoldTheSameEvents(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 3, Customers: 400, Months: 4})
	seen := map[string]string{}
	dup := 0
	for e := range b.ByCustomer() {
		h := sha256.New()
		writeEvent(h, e)
		if _, ok := seen[e.MessageID]; ok {
			dup++
		}
		seen[e.MessageID] = string(h.Sum(nil))
	}
	if dup > 0 {
		t.Fatalf("%d message ids are used twice", dup)
	}
	n, last := 0, int64(0)
	for e := range b.History() {
		n++
		if e.At < last {
			t.Fatalf("event %d goes back in time", n)
		}
		last = e.At
		h := sha256.New()
		writeEvent(h, e)
		if seen[e.MessageID] != string(h.Sum(nil)) {
			t.Fatalf("%s %s differs between the two orders", e.Name, e.MessageID)
		}
	}
	if n != len(seen) {
		t.Fatalf("%d events in time order, %d by customer", n, len(seen))
	}
}

// A large bank is computed in shorter stretches than a small one, and on any
// number of processors; neither may show.
func TestStretchesAndProcessorsDoNotShow(t *testing.T) {
	sum := func(step int64, workers int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
		b := testBank(t, Config{Seed: 5, Customers: 150, Months: 1})
		h := sha256.New()
		st := b.Stream()
		for until := b.start + step; st.Now() < b.end; until += step {
			for e := range st.Until(min(until, b.end)) {
				writeEvent(h, e)
			}
		}
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	if sum(day, 1) != sum(7*minute, 2) || sum(day, 1) != sum(90*day, 3) {
		t.Error("the events depend on how they are computed")
	}
}

func BenchmarkByCustomer(b *testing.B) {
	bank := testBank(b, Config{Seed: 1, Customers: 2000})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range bank.ByCustomer() {
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkHistory(b *testing.B) {
	bank := testBank(b, Config{Seed: 1, Customers: 2000})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range bank.History() {
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
