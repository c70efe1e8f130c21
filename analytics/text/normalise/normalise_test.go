package normalise

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestTone(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"hòa": "hoà", "hoà": "hoà", "khỏe": "khoẻ", "thủy": "thuỷ", "thúy": "thuý",
		"tóan": "toán", "hòang": "hoàng", "qúy": "quý", "quý": "quý", "gìa": "già", "già": "già",
		"của": "của", "cuả": "của", "mùa": "mùa", "gì": "gì", "ngoài": "ngoài", "ngòai": "ngoài",
		"tiền": "tiền", "tìên": "tiền", "chuyển": "chuyển", "được": "được", "đựơc": "được",
		"khuỷu": "khuỷu", "nghĩa": "nghĩa", "của1": "của1", "abc": "abc", "café": "café",
		"ý": "ý", "rùi": "rùi", "quá": "quá", "quà": "quà", "qùa": "quà", "thuế": "thuế", "thúê": "thuế",
	} {
		if got := Tone(word); got != want {
			t.Errorf("Tone(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Chuyển khoản ĐƯỢC": "chuyen khoan duoc",
		"Đặng Thuỳ Trâm":    "dang thuy tram",
		"Ærø Łódź":          "æro lodz",
		"e\u0302\u0301":     "e",
		"":                  "",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	n := Default()
	for in, want := range map[string]string{
		"Ko dc luôn!!!":                  "không được luôn !",
		"App quáaaaa chậmmm :((( ":       "app quá chậm <face->",
		"hòa = hoà":                      "hoà hoà",
		"10tr, 1.250.000đ lúc 12h30":     "10 triệu 1.250.000 đ lúc 12 giờ 30",
		"xem https://a.vn/x?y=1 nhé":     "xem <link> nhé",
		"mail: nguyen.van-a@bank.com.vn": "mail <email>",
		"Tốt 👍🏽👍🏽 ❤️❤️":                  "tốt 👍 ❤",
		"@admin #TếtYêuThương":           "<mention> #tếtyêuthương",
		"e\u0302\u0301t":                 "ết",
		"ưu đãi cứu lưuuu bưu quùuu":     "ưu đãi cứu lưu bưu quù",
		"I cant pls helppp":              "i can't please help",
		"goood, soooo cool 24/7 ...":     "good so cool 24/7 …",
	} {
		if got := n.String(in); got != want {
			t.Errorf("String(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestKindsAndFlags(t *testing.T) {
	t.Parallel()
	var d Document
	Default().Parse(&d, "TỆ quá!!! :( 😡 ok :)")
	var got []string
	for _, tok := range d.Tokens {
		got = append(got, fmt.Sprintf("%s/%s/%d", d.Norm(tok), tok.Kind, tok.Flags))
	}
	want := fmt.Sprintf("[tệ/word/%d quá/word/0 !/mark/%d <face->/emoticon/%d 😡/emoji/%d ok/word/0 <face+>/emoticon/%d]",
		Upper, Elongated, Negative, Negative, Positive)
	if fmt.Sprint(got) != want {
		t.Errorf("have %v\nwant %v", got, want)
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	var d Document
	n := Default()
	for in, want := range map[string]string{"1.250.000": "0.000.000", "12345678": "000", "24/7": "00/0"} {
		n.Parse(&d, in)
		if got := string(d.Shape(nil, d.Tokens[0])); got != want {
			t.Errorf("Shape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPacksAreWellFormed(t *testing.T) {
	t.Parallel()
	for name, pack := range map[string]Pack{"vi": Vietnamese(), "en": English()} {
		if len(pack) < 50 {
			t.Errorf("%s pack has only %d forms", name, len(pack))
		}
		for form, words := range pack {
			if strings.ContainsAny(form, " \t") || !norm.NFC.IsNormalString(form) || len(words) == 0 {
				t.Errorf("%s: bad row %q %v", name, form, words)
			}
			for _, w := range words {
				if again, ok := pack[w]; ok && strings.Join(again, " ") != w {
					t.Errorf("%s: %q expands to %q which expands again to %v", name, form, w, again)
				}
			}
		}
	}
	if _, err := ReadPack(strings.NewReader("no tab here")); err == nil {
		t.Error("a row without a tab must be refused")
	}
}

// TestNormalFormsAreStable checks that normalising twice, composing first or
// decomposing first change nothing.
func TestNormalFormsAreStable(t *testing.T) {
	t.Parallel()
	n := Default()
	letters := []rune("aăâeêioôơuưyáàạấềộứđbcghknmtxq ABĐ.!?:)(12#@'")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom(letters)).Draw(t, "s")
		if a, b := n.String(norm.NFC.String(s)), n.String(norm.NFD.String(s)); a != b {
			t.Fatalf("NFC gives %q, NFD gives %q", a, b)
		}
		if f := Fold(s); Fold(f) != f {
			t.Fatalf("Fold is not idempotent on %q", s)
		}
		if w := Tone(s); Tone(w) != w {
			t.Fatalf("Tone is not idempotent on %q", s)
		}
	})
}

func checkDocument(t *testing.T, d *Document) {
	t.Helper()
	last := int32(0)
	for _, tok := range d.Tokens {
		if tok.Start < last || tok.End <= tok.Start || int(tok.End) > len(d.Source) {
			t.Fatalf("token [%d,%d) after %d in %q", tok.Start, tok.End, last, d.Source)
		}
		last = tok.Start
		if len(d.Norm(tok)) == 0 || len(d.Folded(tok)) == 0 && tok.Kind != Word {
			t.Fatalf("empty form for %q", d.Raw(tok))
		}
		if utf8.ValidString(d.Source) && !utf8.Valid(d.Norm(tok)) {
			t.Fatalf("form %q of %q is not UTF-8", d.Norm(tok), d.Source)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"Ko dc luôn!!!", "quáaaa :((", "a@b.co", "http://x y", "e\u0302\u0301", "👍🏽‍❤️", "\xff\xfe#", "12:30:", "=))))", "a.a.a.a@", "①₂٣"} {
		f.Add(seed)
	}
	n := Default()
	var d Document
	f.Fuzz(func(t *testing.T, s string) {
		n.Parse(&d, s)
		checkDocument(t, &d)
	})
}

func FuzzReadPack(f *testing.F) {
	f.Add("a\tb\n# c\n\nd\te f")
	f.Fuzz(func(t *testing.T, s string) {
		pack, err := ReadPack(strings.NewReader(s))
		if err == nil {
			New(pack).String("a d " + s)
		}
	})
}

func TestParseDoesNotAllocate(t *testing.T) {
	n := Default()
	var d Document
	text := "Ngân hàng phục vụ ko tốt, chờ 2 tiếng mà chưa dc gọi!!! :( 😡"
	n.Parse(&d, text)
	if allocs := testing.AllocsPerRun(100, func() { n.Parse(&d, text) }); allocs > 0 {
		t.Errorf("%v allocations a text, want 0", allocs)
	}
}

func BenchmarkParse(b *testing.B) {
	n := Default()
	var d Document
	text := "Ngân hàng phục vụ ko tốt, chờ 2 tiếng mà chưa dc gọi!!! :( 😡"
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		n.Parse(&d, text)
	}
}

func ExampleNormaliser_String() {
	n := Default()
	fmt.Println(n.String("App quáaaa chậm, ko dc hòa nhã :(("))
	// Output: app quá chậm không được hoà nhã <face->
}

func ExampleFold() {
	fmt.Println(Fold("Lãi suất tiền gửi"))
	// Output: lai suat tien gui
}
