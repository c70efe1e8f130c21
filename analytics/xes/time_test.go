package xes

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseTime(t *testing.T) {
	t.Parallel()
	cases := []struct {
		text string
		want string // RFC 3339, or empty for an error
	}{
		{"2011-10-01T00:38:44.546+02:00", "2011-09-30T22:38:44.546Z"},
		{"2011-10-01T00:38:44.546-02:00", "2011-10-01T02:38:44.546Z"},
		{"2011-10-01T00:38:44Z", "2011-10-01T00:38:44Z"},
		{"2011-10-01t00:38:44z", "2011-10-01T00:38:44Z"},
		{"2011-10-01 00:38:44,5+0530", "2011-09-30T19:08:44.5Z"},
		{"2011-10-01T00:38:44.123456789+07", "2011-09-30T17:38:44.123456Z"},
		{"2011-10-01T00:38", "2011-10-01T00:38:00Z"},
		{"2011-10-01T00:38+01:00", "2011-09-30T23:38:00Z"},
		{"2011-10-01", "2011-10-01T00:00:00Z"},
		{"2011-10-01T24:00:00", "2011-10-02T00:00:00Z"},
		{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
		{"2012-02-29T12:00:00Z", "2012-02-29T12:00:00Z"},
		{"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
		{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
		{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
		{"", ""},
		{"2011-10-0", ""},
		{"2011-13-01", ""},
		{"2011-00-01", ""},
		{"2011-02-29", ""},
		{"1900-02-29", ""},
		{"2011-04-31T00:00:00Z", ""},
		{"2011-10-01T", ""},
		{"2011-10-01T24:00:01Z", ""},
		{"2011-10-01T25:00:00Z", ""},
		{"2011-10-01T00:60:00Z", ""},
		{"2011-10-01T00:38:61Z", ""},
		{"2011-10-01T00:38:44.Z", ""},
		{"2011-10-01T00:38:44+24:00", ""},
		{"2011-10-01T00:38:44+02:60", ""},
		{"2011-10-01T00:38:44+2", ""},
		{"2011-10-01T00:38:44 Z", ""},
		{"2011-10-01T00:38:44Zx", ""},
		{"01/10/2011 00:38", ""},
		{"2011-1O-01", ""},
	}
	for _, c := range cases {
		got, err := ParseTime(c.text)
		if c.want == "" {
			if !errors.Is(err, ErrTime) {
				t.Errorf("ParseTime(%q) = %d, %v; want ErrTime", c.text, got, err)
			}
			continue
		}
		want, _ := time.Parse(time.RFC3339Nano, c.want)
		if err != nil || got != want.UnixMicro() {
			t.Errorf("ParseTime(%q) = %d, %v; want %d", c.text, got, err, want.UnixMicro())
		}
	}
}

func TestTimeAgreesWithStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
		last := time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro()
		micros := rapid.Int64Range(first, last).Draw(t, "micros")
		if back, err := ParseTime(AppendTime(nil, micros)); err != nil || back != micros {
			t.Fatalf("round trip of %d: %d, %v", micros, back, err)
		}
		offset := rapid.IntRange(-23*60, 23*60).Draw(t, "offset")
		local := time.UnixMicro(micros).In(time.FixedZone("", offset*60))
		if local.Year() < 0 || local.Year() > 9999 {
			return
		}
		text := local.Format("2006-01-02T15:04:05.000000-07:00")
		if got, err := ParseTime(text); err != nil || got != micros {
			t.Fatalf("ParseTime(%q) = %d, %v; want %d", text, got, err, micros)
		}
	})
}

func TestAppendTimeOutsideYears(t *testing.T) {
	t.Parallel()
	if got := string(AppendTime(nil, -1<<62)); got != "0000-01-01T00:00:00.000Z" {
		t.Errorf("far past: %s", got)
	}
	if got := string(AppendTime(nil, 1<<62)); got != "9999-12-31T23:59:59.999999Z" {
		t.Errorf("far future: %s", got)
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2011-10-01T00:38:44.546+02:00")
	f.Add("2011-10-01 24:00")
	f.Fuzz(func(t *testing.T, s string) {
		micros, err := ParseTime(s)
		if err != nil {
			return
		}
		if again, err := ParseTime(AppendTime(nil, micros)); err == nil && again != micros &&
			micros > -62_167_219_200_000_000 && micros < 253_402_300_800_000_000 {
			t.Errorf("%q: %d, then %d", s, micros, again)
		}
	})
}

func BenchmarkParseTime(b *testing.B) {
	text := []byte("2011-10-01T00:38:44.546+02:00")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseTime(text); err != nil {
			b.Fatal(err)
		}
	}
}
