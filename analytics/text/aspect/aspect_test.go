package aspect

import (
	"fmt"
	"strings"
	"testing"
)

func brief(text string) string {
	var f Finder
	var out []string
	for _, o := range f.Find(text) {
		out = append(out, fmt.Sprintf("%s:%s:%s", o.Aspect, o.Polarity, text[o.Start:o.End]))
	}
	return strings.Join(out, " ")
}

func TestFind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"App dễ dùng nhưng phí cao quá":            "digital:positive:App rate:negative:phí",
		"Nhân viên không nhiệt tình":               "staff:negative:Nhân viên",
		"nhan vien rat nhiet tinh":                 "staff:positive:nhan vien",
		"The app is not good, staff were friendly": "digital:negative:app staff:positive:staff",
		"Thẻ tín dụng ở đây. Tuyệt vời!":           "card:positive:Thẻ tín dụng",
		"lãi suất bao nhiêu":                       "rate:neutral:lãi suất",
		"vay :((":                                  "loan:negative:vay",
		"":                                         "",
		"I love it":                                "",
		"chuyển tiền nhanh, tổng đài gọi mãi bực lắm": "transfer:positive:chuyển tiền nhanh staff:negative:tổng đài",
	} {
		if got := brief(text); got != want {
			t.Errorf("%q\n have %s\n want %s", text, got, want)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("App dễ dùng nhưng phí cao, tệ :((")
	var finder Finder
	f.Fuzz(func(t *testing.T, s string) {
		for _, o := range finder.Find(s) {
			if o.Start < o.From || o.End > o.To || o.To > len(finder.Source()) || o.Start >= o.End {
				t.Fatalf("%+v in %q", o, s)
			}
		}
	})
}

func BenchmarkFind(b *testing.B) {
	var f Finder
	b.ReportAllocs()
	for b.Loop() {
		f.Find("App dễ dùng nhưng phí cao quá, nhân viên không nhiệt tình, chờ lâu")
	}
}

func ExampleFinder_Find() {
	var f Finder
	text := "App dễ dùng nhưng phí chuyển tiền cao quá"
	for _, o := range f.Find(text) {
		fmt.Println(o.Aspect, o.Polarity, "-", text[o.Start:o.End])
	}
	// Output:
	// digital positive - App
	// rate negative - phí chuyển tiền
}
