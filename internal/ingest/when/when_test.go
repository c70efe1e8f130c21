package when

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestISOAgreesWithTimeParse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(-60*365*86400e6, 200*365*86400e6).Draw(t, "micros"))
		offset := rapid.IntRange(-12*60, 14*60).Draw(t, "offset")
		text := at.In(time.FixedZone("", offset*60)).Format("2006-01-02T15:04:05.000000Z07:00")
		got, ok := ISO([]byte(text))
		if !ok || got != at.UnixMicro() {
			t.Fatalf("%s: got %d %t, want %d", text, got, ok, at.UnixMicro())
		}
	})
}

func TestISORefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+7", "garbage garbage garbage"} {
		if _, ok := ISO([]byte(text)); ok {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	hanoi, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 11, 19, 9, 41, 0, 0, hanoi).UnixMicro()
	for _, c := range []struct{ sample, layout string }{
		{"2026-11-19T09:41:00+07:00", "iso"},
		{"2026-11-19 09:41", "2006-01-02 15:04"},
		{"2026-11-19 09:41:00", "2006-01-02 15:04:05.999999"},
		{"19/11/2026 09:41", "02/01/2006 15:04"},
		{"11/19/2026 09:41", "01/02/2006 15:04"},
		{"19-11-2026 09:41", "02-01-2006 15:04"},
		{"19.11.2026 09:41", "02.01.2006 15:04"},
		{"2026/11/19 09:41", "2006/01/02 15:04"},
		{"1795056060", "unix"},
		{"1795056060000", "unix_ms"},
		{"20261119094100", "20060102150405"},
	} {
		f, ok := Detect([]string{"", c.sample}, hanoi)
		if !ok || f.Name != c.layout {
			t.Errorf("%q: detected %q %t, want %q", c.sample, f.Name, ok, c.layout)
			continue
		}
		if got, err := f.Parse(c.sample); err != nil || got != want {
			t.Errorf("%q: got %d %v, want %d", c.sample, got, err, want)
		}
	}
	if f, ok := Detect([]string{"03/04/2026", "25/12/2026"}, hanoi); !ok || f.Name != "02/01/2006" {
		t.Errorf("day-first column: %q %t", f.Name, ok)
	}
	if f, ok := Detect([]string{"03/04/2026", "12/25/2026"}, hanoi); !ok || f.Name != "01/02/2006" {
		t.Errorf("month-first column: %q %t", f.Name, ok)
	}
	if _, ok := Detect([]string{"yesterday"}, hanoi); ok {
		t.Error("nonsense was detected")
	}
}

func FuzzISO(f *testing.F) {
	f.Add("2026-11-19T09:41:00.123Z")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ISO([]byte(s))
		if !ok {
			return
		}
		want, err := time.Parse(time.RFC3339Nano, s)
		if err == nil && want.UnixMicro() != got {
			t.Fatalf("%q: %d, time.Parse says %d", s, got, want.UnixMicro())
		}
	})
}

func BenchmarkISO(b *testing.B) {
	text := []byte("2026-11-19T09:41:00.123Z")
	b.ReportAllocs()
	for b.Loop() {
		ISO(text)
	}
}
