package bank

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLiveGoesOnFromTheHistory(t *testing.T) {
	t.Parallel()
	short := testBank(t, Config{Seed: 41, Customers: 60, Months: 1, Plan: &Plan{}})
	long := testBank(t, Config{Seed: 41, Customers: 60, Months: 2, Start: short.cfg.Start, Plan: &Plan{}})
	var want []string
	for e := range long.History() {
		if e.At >= short.end {
			want = append(want, e.MessageID)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		n := 0
		began := time.Now()
		err := short.Live(t.Context(), 3600, func(e *Event) bool {
			if e.MessageID != want[n] {
				t.Errorf("event %d is %s %s", n, e.Name, e.MessageID)
				return false
			}
			if due := began.Add(time.Duration(e.At-short.end) * time.Microsecond / 3600); time.Since(due).Abs() > time.Millisecond {
				t.Errorf("event %d is given %s from its time", n, time.Since(due))
				return false
			}
			n++
			return n < 500
		})
		if err != nil {
			t.Error(err)
		}
		if n != 500 {
			t.Errorf("%d events came", n)
		}
	})
}

func TestLiveStops(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 42, Customers: 30, Months: 1})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		st := b.Stream()
		st.Skip(b.end)
		err := st.Live(ctx, LiveOptions{Restamp: true}, func(e *Event) bool {
			if d := time.Since(e.Time()); d < 0 || d > time.Second {
				t.Errorf("an event is stamped %s ago", d)
			}
			return true
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the stream ends with %v", err)
		}
	})
	if err := b.Stream().Live(t.Context(), LiveOptions{Speed: -1}, nil); err == nil {
		t.Error("a negative speed is taken")
	}
}

func TestStreamCanBeLeftAndTakenUp(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 43, Customers: 100, Months: 1})
	want := 0
	for range b.History() {
		want++
	}
	st := b.Stream()
	got := 0
	for until := b.start + 5*day/2; ; until += 5 * day / 2 {
		for range st.Until(min(until, b.end)) {
			got++
		}
		if until >= b.end {
			break
		}
	}
	if got != want {
		t.Errorf("%d events in pieces, %d in one", got, want)
	}
	for range b.History() {
		break // leaving early must not hang
	}
	for range b.ByCustomer() {
		break
	}
}
