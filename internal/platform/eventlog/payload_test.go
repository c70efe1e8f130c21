package eventlog

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/klauspost/compress/s2"
	"pgregory.net/rapid"

	"omote/internal/platform/event"
	"omote/internal/platform/keyring"
)

// The vectors are those of the C2SP specification of XAES-256-GCM.
func TestXAESMatchesItsSpecification(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key  byte
		aad  string
		want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		x := newXAES([32]byte(bytes.Repeat([]byte{c.key}, 32)))
		nonce := []byte("ABCDEFGHIJKLMNOPQRSTUVWX")
		got := x.aead(nonce).Seal(nil, nonce[12:], []byte("XAES-256-GCM"), []byte(c.aad))
		if hex.EncodeToString(got) != c.want {
			t.Errorf("key %d: got %x, want %s", c.key, got, c.want)
		}
	}
}

// sealed makes one message and what is needed to open it.
func sealed(tb testing.TB, keys keyring.Provider, events ...event.Event) ([]byte, *decoder) {
	tb.Helper()
	var raw []byte
	for i := range events {
		raw = events[i].Append(raw)
	}
	enc := encoder{sealer: newSealer(keys)}
	m, err := enc.message(context.Background(), "omote_log_0", raw, len(events), 42)
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Clone(m), &decoder{sealer: newSealer(keys)}
}

func TestMessageRoundTrip(t *testing.T) {
	t.Parallel()
	keys := newBenchKeys()
	enc, dec := encoder{sealer: newSealer(keys)}, decoder{sealer: newSealer(keys)}
	rapid.Check(t, func(t *rapid.T) {
		var raw []byte
		n := rapid.IntRange(1, 20).Draw(t, "events")
		for i := range n {
			e := made(rapid.String().Draw(t, "customer"), i)
			raw = e.Append(raw)
		}
		m, err := enc.message(context.Background(), "s", raw, n, rapid.Int64().Draw(t, "written"))
		if err != nil {
			t.Fatal(err)
		}
		h, got, err := dec.open(context.Background(), "s", m)
		if err != nil {
			t.Fatal(err)
		}
		if h.count != n || !bytes.Equal(got, raw) {
			t.Fatalf("%d events of %d bytes came back as %d of %d", n, len(raw), h.count, len(got))
		}
	})
}

func TestNothingReadableIsStored(t *testing.T) {
	t.Parallel()
	m, _ := sealed(t, newBenchKeys(), made("nguyen-van-an", 1))
	for _, word := range []string{"nguyen", "card_activated", "mobile_app", "amount"} {
		if bytes.Contains(m, []byte(word)) {
			t.Errorf("%q stands in the stored message", word)
		}
	}
}

func TestChangedMessageIsRefused(t *testing.T) {
	t.Parallel()
	m, dec := sealed(t, newBenchKeys(), made("a", 1), made("b", 2))
	if _, _, err := dec.open(t.Context(), "omote_log_1", m); !errors.Is(err, ErrSealed) {
		t.Errorf("moved to another partition: %v", err)
	}
	for i := range m {
		changed := bytes.Clone(m)
		changed[i] ^= 0x10
		if _, _, err := dec.open(t.Context(), "omote_log_0", changed); err == nil {
			t.Fatalf("a changed byte %d of %d was accepted", i, len(m))
		}
	}
	for n := range m {
		if _, _, err := dec.open(t.Context(), "omote_log_0", m[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(m))
		}
	}
}

func TestUnknownKeyIsNamed(t *testing.T) {
	t.Parallel()
	m, _ := sealed(t, newBenchKeys(), made("a", 1))
	other := decoder{sealer: newSealer(testRing(t))}
	if _, _, err := other.open(t.Context(), "omote_log_0", m); !errors.Is(err, keyring.ErrUnknownKey) {
		t.Fatalf("got %v", err)
	}
}

func FuzzMessage(f *testing.F) {
	m, dec := sealed(f, newBenchKeysOf(1), made("a", 1), made("b", 2))
	f.Add(m)
	f.Add(m[:20])
	f.Add([]byte{payloadMagic, payloadVersion, 1, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, raw, err := dec.open(context.Background(), "omote_log_0", b)
		if err == nil {
			mustHold(t, h, raw)
		}
	})
}

// FuzzUnpack gives the decoder what only the holder of the key could have
// sealed; even that must not make it fail or grow without bound.
func FuzzUnpack(f *testing.F) {
	e := made("a", 1)
	plain := e.Append(e.Append(nil))
	f.Add(plain, len(plain), false)
	f.Add(s2.Encode(nil, plain), len(plain), true)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, 1<<20, true)
	f.Fuzz(func(t *testing.T, plain []byte, size int, compressed bool) {
		if size < 0 || size > maxRaw {
			return // parseHead refuses it
		}
		var d decoder
		raw, err := d.unpack(head{compressed: compressed, raw: size}, plain)
		if err == nil && len(raw) != size || cap(d.raw) > maxRaw {
			t.Fatalf("%d bytes came out, want %d", len(raw), size)
		}
		for err == nil && len(raw) > 0 {
			var e event.Event
			raw, err = e.Decode(raw)
		}
	})
}

func mustHold(t *testing.T, h head, raw []byte) {
	t.Helper()
	for range h.count {
		var e event.Event
		var err error
		if raw, err = e.Decode(raw); err != nil {
			t.Fatalf("an authentic message holds a broken event: %v", err)
		}
	}
}

// FuzzHead checks that a head that is accepted is bounded and encodes to itself.
func FuzzHead(f *testing.F) {
	m, _ := sealed(f, newBenchKeys(), made("a", 1))
	f.Add(m)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHead(b)
		if err != nil {
			return
		}
		if h.raw > maxRaw || h.count*minEventBytes > h.raw || h.size > len(b) {
			t.Fatalf("unbounded head %+v", h)
		}
		again, err := parseHead(h.append(nil))
		again.size = h.size // numbers may have been written longer than needed
		if err != nil || again != h {
			t.Fatalf("got %+v, %v, want %+v", again, err, h)
		}
	})
}

func TestSmallestEventBoundsTheCount(t *testing.T) {
	t.Parallel()
	if n := len((&event.Event{}).Append(nil)); n < minEventBytes {
		t.Fatalf("an empty event takes %d bytes, less than %d", n, minEventBytes)
	}
}
