package event

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func genEvent(t *rapid.T) Event {
	str := func(name string) string { return rapid.String().Draw(t, name) }
	var props, traits json.RawMessage
	if rapid.Bool().Draw(t, "has props") {
		props = json.RawMessage(`{"a":` + rapid.StringMatching(`[0-9]{1,5}`).Draw(t, "props") + `}`)
	}
	if rapid.Bool().Draw(t, "has traits") {
		traits = json.RawMessage(`{"name":"x"}`)
	}
	return Event{
		Source: str("source"), MessageID: str("id"), Entity: str("entity"), Kind: Kind(rapid.IntRange(1, 6).Draw(t, "kind")),
		Name: str("name"), UserID: str("user"), AnonymousID: str("anon"), PreviousID: str("prev"), System: str("system"),
		At: rapid.Int64().Draw(t, "at"), ReceivedAt: rapid.Int64().Draw(t, "received"), Journey: str("journey"), Case: str("case"),
		Channel: str("channel"), Unit: str("unit"), Product: str("product"), Outcome: str("outcome"), Amount: rapid.Int64().Draw(t, "amount"),
		Currency: str("currency"), Props: props, Traits: traits, History: rapid.Bool().Draw(t, "history"), Import: str("import"),
		Schema: rapid.Uint32().Draw(t, "schema"),
	}
}

func TestCodecRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := genEvent(t), genEvent(t)
		buf := b.Append(a.Append(nil))
		var gotA, gotB Event
		rest, err := gotA.Decode(buf)
		if err != nil {
			t.Fatal(err)
		}
		if rest, err = gotB.Decode(rest); err != nil || len(rest) != 0 {
			t.Fatalf("second event: %v, %d bytes left", err, len(rest))
		}
		if d := cmp.Diff([]Event{a, b}, []Event{gotA, gotB}); d != "" {
			t.Fatal(d)
		}
	})
}

func TestDecodeRefusesEveryTruncation(t *testing.T) {
	t.Parallel()
	e := Event{Kind: Track, Name: "card_activated", Source: "app", MessageID: "m", UserID: "u", Props: json.RawMessage(`{"a":1}`)}
	full := e.Append(nil)
	for n := range full {
		var got Event
		if _, err := got.Decode(full[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("%d of %d bytes: got %v, want ErrCorrupt", n, len(full), err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	e := Event{Kind: Track, Name: "a", Source: "s", MessageID: "m", UserID: "u"}
	f.Add(e.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var got Event
		rest, err := got.Decode(b)
		entity, source, id, after, ierr := Identity(b)
		if (err == nil) != (ierr == nil) {
			t.Fatalf("Decode says %v, Identity says %v", err, ierr)
		}
		if err != nil {
			return
		}
		if string(entity) != got.Entity || string(source) != got.Source || string(id) != got.MessageID || len(after) != len(rest) {
			t.Fatalf("Identity gives %q %q %q and leaves %d bytes, Decode gives %+v and leaves %d", entity, source, id, len(after), got, len(rest))
		}
		var again Event
		if _, err := again.Decode(got.Append(nil)); err != nil {
			t.Fatalf("re-encoding failed: %v", err)
		}
		if len(rest) > len(b) {
			t.Fatal("rest grew")
		}
		if d := cmp.Diff(got, again); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkCodec(b *testing.B) {
	e := Event{Kind: Track, Name: "card_activated", Source: "app", MessageID: "0193-abc", UserID: "12345", Entity: "bank",
		At: 1, ReceivedAt: 2, Channel: "mobile_app", Props: json.RawMessage(`{"amount":125000,"outcome":"ok"}`)}
	buf := make([]byte, 0, 512)
	var got Event
	b.ReportAllocs()
	for b.Loop() {
		buf = e.Append(buf[:0])
		if _, err := got.Decode(buf); err != nil {
			b.Fatal(err)
		}
	}
}
