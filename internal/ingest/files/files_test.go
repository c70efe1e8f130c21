package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"
)

// drain reads everything: the values of good rows joined by |, and bad rows.
func drain(t testing.TB, r Reader) (good []string, bad []*RowError, err error) {
	t.Helper()
	defer r.Close()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return good, bad, nil
		}
		if b, ok := errors.AsType[*RowError](err); ok {
			bad = append(bad, b)
			continue
		}
		if err != nil {
			return good, bad, err
		}
		var parts []string
		for _, v := range row.Values {
			parts = append(parts, v.Text)
		}
		good = append(good, strings.Join(parts, "|"))
	}
}

func open(t testing.TB, f Format, content string, o Options) Reader {
	t.Helper()
	r, err := Open(f, bytes.NewReader([]byte(content)), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		good     []string
		bad      []int64
	}{
		{"plain", "a,b\n1,2\n3,4\n", []string{"1|2", "3|4"}, nil},
		{"no last newline, CRLF, empty lines", "a,b\r\n1,2\r\n\r\n3,4", []string{"1|2", "3|4"}, nil},
		{"semicolons", "a;b\n1;2,5\n", []string{"1|2,5"}, nil},
		{"tabs", "a\tb\n1\t2\n", []string{"1|2"}, nil},
		{"quotes with breaks", "a,b\n\"x\ny\",2\n", []string{"x\ny|2"}, nil},
		{"byte order mark", "\ufeffa,b\n1,2\n", []string{"1|2"}, nil},
		{"short rows keep what they have", "a,b\n1\n", []string{"1"}, nil},
		{"long rows are set aside", "a,b\n1,2,3\n4,5\n", []string{"4|5"}, []int64{1}},
		{"a stray quote spoils its own row", "a,b\n1,\"x\n2,y\n3,z\n", []string{"2|y", "3|z"}, []int64{1}},
		{"a byte that is no UTF-8 spoils its row", "a,b\n1,\xff\n2,đồng\n3,ý\n4,ấ\n", []string{"2|đồng", "3|ý", "4|ấ"}, []int64{1}},
		{"NUL", "a,b\n1,\x00\n2,3\n4,5\n6,7\n8,9\n1,1\n", []string{"2|3", "4|5", "6|7", "8|9", "1|1"}, []int64{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			good, bad, err := drain(t, open(t, CSV, c.in, Options{}))
			if err != nil || strings.Join(good, "\n") != strings.Join(c.good, "\n") {
				t.Errorf("rows %q, %v; want %q", good, err, c.good)
			}
			var numbers []int64
			for _, b := range bad {
				numbers = append(numbers, b.Number)
			}
			if fmt.Sprint(numbers) != fmt.Sprint(c.bad) {
				t.Errorf("bad rows %v; want %v", numbers, c.bad)
			}
		})
	}
}

func TestCSVHoldsOneRowInMemory(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxRecord+100)
	good, bad, err := drain(t, open(t, CSV, "a,b\n"+long+",1\n2,3\n\"", Options{}))
	if err != nil || len(good) != 1 || len(bad) != 2 {
		t.Fatalf("%d good, %d bad, %v", len(good), len(bad), err)
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	const plain = "ten,ghi chu\nNguyễn Ví Dụ,chuyển khoản chậm quá\n"
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	utf16bare, _ := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String(strings.Repeat("a,b\n1,2\n", 50))
	legacy := toWindows1258(t, plain)
	for name, c := range map[string]struct{ in, want string }{
		"UTF-8":            {plain, "Nguyễn Ví Dụ|chuyển khoản chậm quá"},
		"UTF-16 with mark": {utf16, "Nguyễn Ví Dụ|chuyển khoản chậm quá"},
		"UTF-16 without":   {utf16bare, "1|2"},
		"Windows-1258":     {legacy, "Nguyễn Ví Dụ|chuyển khoản chậm quá"},
	} {
		good, _, err := drain(t, open(t, CSV, c.in, Options{}))
		if err != nil || len(good) == 0 || good[0] != c.want {
			t.Errorf("%s: %q %v, want %q", name, good, err, c.want)
		}
	}
	if _, err := Open(CSV, bytes.NewReader([]byte(plain)), Options{Encoding: "klingon"}); err == nil {
		t.Error("an unknown encoding was taken")
	}
}

// toWindows1258 writes tones as marks of their own, as that encoding does.
func toWindows1258(t *testing.T, s string) string {
	t.Helper()
	tones := map[rune]bool{'\u0300': true, '\u0301': true, '\u0303': true, '\u0309': true, '\u0323': true}
	var out strings.Builder
	for _, r := range s {
		base, tone := "", ""
		for _, d := range norm.NFD.String(string(r)) {
			if tones[d] {
				tone += string(d)
			} else {
				base += string(d)
			}
		}
		out.WriteString(norm.NFC.String(base) + tone)
	}
	encoded, err := charmap.Windows1258.NewEncoder().String(out.String())
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestNDJSON(t *testing.T) {
	t.Parallel()
	in := `{"a":1,"b":{"c":"x","d":null},"e":[1,2]}` + "\n\n" + `{"a":` + "\n[1]\n" + `{"a":"\u0000"}` + "\n" + `{"a":true}`
	good, bad, err := drain(t, open(t, NDJSON, in, Options{}))
	if err != nil || strings.Join(good, ";") != "1|x||[1,2];true" || len(bad) != 3 {
		t.Errorf("%q, %d bad, %v", good, len(bad), err)
	}
}

func TestParquetRoundTripAndDamage(t *testing.T) {
	t.Parallel()
	type inner struct{ City string }
	type row struct {
		Name  string
		N     int64
		Where inner
		Opt   *float64 `parquet:",optional"`
	}
	half := 0.5
	var buf bytes.Buffer
	w := parquet.NewGenericWriter[row](&buf)
	for i := range 700 {
		r := row{Name: fmt.Sprint("n", i), N: int64(i), Where: inner{"Huế"}}
		if i%2 == 0 {
			r.Opt = &half
		}
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	good, bad, err := drain(t, open(t, Parquet, buf.String(), Options{}))
	if err != nil || len(good) != 700 || len(bad) != 0 || good[1] != "n1|1|Huế|" || good[2] != "n2|2|Huế|0.5" {
		t.Fatalf("%d good, %d bad, %v: %q", len(good), len(bad), err, good[:min(3, len(good))])
	}
	for _, broken := range []string{buf.String()[:buf.Len()/2], "PAR1", "", "PAR1" + strings.Repeat("x", 100) + "PAR1"} {
		r, err := Open(Parquet, bytes.NewReader([]byte(broken)), Options{})
		if err == nil {
			_, _, err = drain(t, r)
		}
		if err == nil {
			t.Error("a damaged file was read")
		}
	}
}

func TestXESBrokenTail(t *testing.T) {
	t.Parallel()
	in := `<log><trace><string key="concept:name" value="c1"/><event><string key="concept:name" value="A"/><date key="time:timestamp" value="2026-11-19T09:41:00.000+07:00"/></event></trace><trace><event><string key="conc`
	good, _, err := drain(t, open(t, XES, in, Options{}))
	if err == nil || len(good) != 1 || good[0] != "c1|A|2026-11-19T09:41:00.000+07:00" {
		t.Errorf("%q %v", good, err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,\"x\n2,y\n", "")
	f.Add("\xff\xfea\x00,\x00b\x00\n\x00", "utf-16le")
	f.Fuzz(func(t *testing.T, in, encoding string) {
		r, err := Open(CSV, bytes.NewReader([]byte(in)), Options{Encoding: encoding})
		if err != nil {
			return
		}
		_, _, _ = drain(t, r)
	})
}

func FuzzNDJSON(f *testing.F) {
	f.Add(`{"a":{"b":[1,{"c":2}]}}`)
	f.Fuzz(func(t *testing.T, in string) {
		_, _, _ = drain(t, open(t, NDJSON, in, Options{}))
	})
}

func FuzzParquet(f *testing.F) {
	var buf bytes.Buffer
	w := parquet.NewGenericWriter[struct{ A string }](&buf)
	_, _ = w.Write([]struct{ A string }{{"x"}, {"y"}})
	_ = w.Close()
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := Open(Parquet, bytes.NewReader(in), Options{})
		if err != nil {
			return
		}
		_, _, _ = drain(t, r)
	})
}
