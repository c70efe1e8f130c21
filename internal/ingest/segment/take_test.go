package segment

import (
	"strings"
	"testing"

	"omote/internal/platform/errs"
)

// TestTake takes messages of a feed by the feed's own ids and sets bad ones
// aside without holding up their neighbours.
func TestTake(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	source := Source{Name: "core", Entity: "bank"}
	messages := []Message{
		{"t/0/1", []byte(`{"type":"track","event":"card_activated","userId":"1","messageId":"own","sentAt":"2020-01-01T00:00:00Z","timestamp":"2026-01-02T03:04:05Z"}`)},
		{"t/0/2", []byte(`{"type":"track"`)},
		{"t/0/3", []byte(`[1]`)},
		{"t/0/4", []byte("\xff")},
		{"t/0/5", []byte(`{"type":"track","event":"` + strings.Repeat("x", MaxMessage) + `","userId":"1"}`)},
		{"t/0/6", []byte(`{"type":"track","event":"card_activated","userId":"2"}`)},
	}
	if err := b.Take(t.Context(), source, messages); err != nil {
		t.Fatal(err)
	}
	if len(b.events) != 2 || b.events[0].MessageID != "t/0/1" || b.events[1].MessageID != "t/0/6" {
		t.Fatalf("events %+v", b.events)
	}
	if got := b.events[0].At; got != 1767323045000000 {
		t.Errorf("time moved to %d: sentAt says nothing in a queue", got)
	}
	if len(b.rejected) != 4 {
		t.Fatalf("%d set aside, want 4", len(b.rejected))
	}
	for i, id := range []string{"t/0/2", "t/0/3", "t/0/4", "t/0/5"} {
		if b.rejected[i].MessageID != id {
			t.Errorf("set aside %q, want %q", b.rejected[i].MessageID, id)
		}
	}
	b.full = true
	if err := b.Take(t.Context(), source, messages); errs.KindOf(err) != errs.KindUnavailable {
		t.Errorf("a full log: %v", err)
	}
}
