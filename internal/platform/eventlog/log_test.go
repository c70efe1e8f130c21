package eventlog

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"omote/internal/platform/event"
)

func TestAppendedEventsAreReadInOrder(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) { o.Partitions = 3 })
	p := newMemory("state")
	start(t, l, p, RunOptions{})

	const customers, each = 40, 50
	want := map[string][]event.Event{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for c := range customers {
		group.Go(func() {
			name := fmt.Sprint("c", c)
			for n := 0; n < each; n += 5 {
				var events []event.Event
				for i := range 5 {
					events = append(events, made(name, n+i))
				}
				waitFor(t, l, "state", mustAppend(t, l, events...))
				mu.Lock()
				want[name] = append(want[name], events...)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	got := map[string][]event.Event{}
	for _, r := range p.all() {
		if r.Duplicate {
			t.Fatalf("%s is marked as a duplicate", r.MessageID)
		}
		if want := partitionOf(&r.Event, 3); r.Partition != want {
			t.Fatalf("%s lies in partition %d, want %d", r.UserID, r.Partition, want)
		}
		got[r.UserID] = append(got[r.UserID], r.Event)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestReopenedLogContinues(t *testing.T) {
	t.Parallel()
	dir, ring := t.TempDir(), testRing(t)
	p := newMemory("state")
	for round := range 3 {
		l := openTest(t, dir, ring, nil)
		mustAppend(t, l, made("a", 2*round))
		stop := start(t, l, p, RunOptions{})
		waitFor(t, l, "state", mustAppend(t, l, made("a", 2*round+1)))
		stop()
		closeLog(t, l)
	}
	var ids []string
	for _, r := range p.all() {
		ids = append(ids, r.MessageID)
		if r.Duplicate {
			t.Errorf("%s is marked as a duplicate", r.MessageID)
		}
	}
	if d := cmp.Diff([]string{"a-000000", "a-000001", "a-000002", "a-000003", "a-000004", "a-000005"}, ids); d != "" {
		t.Fatal(d)
	}
}
