package eventlog

import (
	"slices"
	"testing"
	"time"

	"omote/internal/platform/event"
)

// TestGatherBoundsBatches: a batch is full at MaxEvents, one of nothing but history
// at MaxHistory; nothing is lost or turned round, also not at the end.
func TestGatherBoundsBatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		kind string // of each message: h history, l live
		want []int
	}{
		{"live", "lllllllll", []int{4, 4, 1}},
		{"history", "hhhhhhhhhhhhhhhhhhhh", []int{9, 9, 2}},
		{"live amid history", "hhhhhlhhhhhh", []int{6, 6}},
		{"history behind live", "llhhhhhhhhhhh", []int{4, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, out := make(chan decoded), make(chan Batch)
			r := &runner{opts: RunOptions{MaxEvents: 4, MaxHistory: 9, MaxDelay: time.Hour}}
			go func() {
				defer close(in)
				for i, k := range c.kind {
					in <- decoded{seq: uint64(i + 1), records: []Record{{Event: event.Event{History: k == 'h'}, Seq: uint64(i + 1)}}}
				}
			}()
			go func() {
				defer close(out)
				_ = r.gather(t.Context(), in, out)
			}()
			var sizes []int
			next := uint64(1)
			for b := range out {
				sizes = append(sizes, len(b.Records))
				for _, e := range b.Records {
					if e.Seq != next {
						t.Errorf("message %d where %d was due", e.Seq, next)
					}
					next++
				}
				if b.Last != next-1 {
					t.Errorf("a batch says it ends at %d, and ends at %d", b.Last, next-1)
				}
			}
			if !slices.Equal(sizes, c.want) || next != uint64(len(c.kind)+1) {
				t.Errorf("batches of %v up to %d, want %v", sizes, next-1, c.want)
			}
		})
	}
}
