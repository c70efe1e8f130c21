package eventlog

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/internal/platform/event"
)

// fact is one event as the definition of a duplicate sees it.
type fact struct {
	id string
	at int64 // microseconds
}

// duplicates decides by the definition: it looks at everything before.
func duplicates(facts []fact, w DedupWindow) []bool {
	out := make([]bool, len(facts))
	for i := range facts {
		for j := i - 1; j >= 0 && i-j <= w.Events; j-- {
			if facts[j].id == facts[i].id {
				out[i] = facts[i].at-facts[j].at <= w.Age.Microseconds()
				break
			}
		}
	}
	return out
}

func drawFacts(t *rapid.T) []fact {
	ids := rapid.IntRange(1, 400).Draw(t, "ids")
	at := int64(0)
	facts := make([]fact, rapid.IntRange(1, 3000).Draw(t, "events"))
	for i := range facts {
		at += rapid.Int64Range(-3, 10).Draw(t, "step")
		facts[i] = fact{fmt.Sprint(rapid.IntRange(0, ids).Draw(t, "id")), at}
	}
	return facts
}

func TestDedupFollowsItsDefinition(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := DedupWindow{
			Events: rapid.IntRange(1, 1500).Draw(t, "window"),
			Age:    time.Duration(rapid.IntRange(0, 2000).Draw(t, "age")) * time.Microsecond,
		}
		facts := drawFacts(t)
		want := duplicates(facts, w)
		d := newDeduper(w)
		for i, f := range facts {
			if got := d.see(hashIdentity(d, "bank", "app", f.id), f.at); got != want[i] {
				t.Fatalf("event %d (%+v): duplicate %v, want %v", i, f, got, want[i])
			}
			if len(d.ring) > w.Events {
				t.Fatalf("the ring holds %d events, more than %d", len(d.ring), w.Events)
			}
		}
	})
}

func TestDedupDoesNotDependOnWhereReadingStarts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := DedupWindow{Events: rapid.IntRange(1, 300).Draw(t, "window"), Age: time.Millisecond}
		facts := drawFacts(t)
		want := duplicates(facts, w)
		start := rapid.IntRange(0, len(facts)-1).Draw(t, "start")
		d := newDeduper(w)
		for i := max(0, start-w.Events); i < len(facts); i++ {
			got := d.see(hashIdentity(d, "bank", "app", facts[i].id), facts[i].at)
			if i >= start && got != want[i] {
				t.Fatalf("started at %d, event %d: duplicate %v, want %v", start, i, got, want[i])
			}
		}
	})
}

func TestIdentityHasNoSeams(t *testing.T) {
	t.Parallel()
	d := newDeduper(DedupWindow{Events: 10, Age: time.Hour})
	seen := map[[2]uint64][3]string{}
	for _, id := range [][3]string{{"a", "b", "c"}, {"ab", "", "c"}, {"", "ab", "c"}, {"a", "bc", ""}, {"a", "b", "c\x00"}, {"a\x01b", "", "c"}} {
		h := hashIdentity(d, id[0], id[1], id[2])
		if other, ok := seen[h]; ok {
			t.Errorf("%q and %q are taken for the same", id, other)
		}
		seen[h] = id
	}
}

// TestReadersAgreeWhereverTheyStart lets projectors start at every position of
// a real log with repeats in it; each must see the decisions of the first.
func TestReadersAgreeWhereverTheyStart(t *testing.T) {
	t.Parallel()
	l := openTest(t, t.TempDir(), testRing(t), func(o *Options) {
		o.Partitions = 1
		o.Dedup.Events = 40
	})
	var last Receipt
	for n := range 60 {
		var events []event.Event
		for i := range 1 + n*7%5 {
			events = append(events, made("a", (n*13+i*5)%(20+n)))
		}
		last = mustAppend(t, l, events...)
	}
	whole := newMemory("whole")
	start(t, l, whole, RunOptions{})
	waitFor(t, l, "whole", last)
	var facts []fact
	for _, r := range whole.all() {
		facts = append(facts, fact{r.MessageID, 0})
	}
	for i, want := range duplicates(facts, DedupWindow{Events: 40, Age: time.Hour}) {
		if r := whole.all()[i]; r.Duplicate != want {
			t.Fatalf("event %d: duplicate %v, want %v", i, r.Duplicate, want)
		}
	}
	first, end, err := l.Bounds(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for at := first; at < end; at += 3 {
		p := newMemory(fmt.Sprint("from", at))
		p.pos[0] = at
		stop := start(t, l, p, RunOptions{})
		waitFor(t, l, p.name, last)
		stop()
		got, want := p.all(), whole.all()
		want = want[len(want)-len(got):]
		for i := range got {
			if got[i].Seq != want[i].Seq || got[i].Index != want[i].Index || got[i].Duplicate != want[i].Duplicate {
				t.Fatalf("started after %d: event %d/%d is duplicate %v, want %v", at, got[i].Seq, got[i].Index, got[i].Duplicate, want[i].Duplicate)
			}
		}
	}
}

func TestPartitionFollowsTheKey(t *testing.T) {
	t.Parallel()
	fnv := func(s string) uint64 {
		h := uint64(14695981039346656037)
		for _, b := range []byte(s) {
			h = (h ^ uint64(b)) * 1099511628211
		}
		h ^= h >> 33
		h *= 0xff51afd7ed558ccd
		return h ^ h>>33
	}
	rapid.Check(t, func(t *rapid.T) {
		e := event.Event{
			Entity: rapid.String().Draw(t, "entity"), Source: rapid.String().Draw(t, "source"), System: rapid.String().Draw(t, "system"),
			UserID: rapid.String().Draw(t, "user"), AnonymousID: rapid.String().Draw(t, "anonymous"),
		}
		n := rapid.IntRange(1, 64).Draw(t, "partitions")
		if got, want := partitionOf(&e, n), int(fnv(e.Key())%uint64(n)); got != want {
			t.Fatalf("partition %d, want %d by the key %q", got, want, e.Key())
		}
	})
}

func TestKeysSpreadEvenly(t *testing.T) {
	t.Parallel()
	const n, keys = 8, 80_000
	var counts [n]int
	for i := range keys {
		e := made(fmt.Sprint(i), 0)
		counts[partitionOf(&e, n)]++
	}
	for p, c := range counts {
		if c < keys/n*95/100 || c > keys/n*105/100 {
			t.Errorf("partition %d holds %d of %d keys", p, c, keys)
		}
	}
}
