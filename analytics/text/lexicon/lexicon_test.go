package lexicon

import (
	"fmt"
	"strings"
	"testing"

	"omote/analytics/text/normalise"
)

func found(l *Lexicon, s string) []string {
	var d normalise.Document
	normalise.Default().Parse(&d, s)
	var out []string
	for _, m := range l.Find(nil, &d) {
		out = append(out, l.Name(m.List)+"="+s[m.Start:m.End])
	}
	return out
}

func TestFind(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"phí chuyển tiền cao quá":     "[rate=phí chuyển tiền]",
		"phi chuyen tien cao":         "[rate=phi chuyen tien]",
		"con phỉ":                     "[]",
		"the app crashes at login":    "[digital=app digital=crashes digital=login]",
		"ko vào dc internet banking!": "[digital=internet banking]",
		"":                            "[]",
	} {
		if got := fmt.Sprint(found(Banking(), s)); got != want {
			t.Errorf("%q: have %s, want %s", s, got, want)
		}
	}
	if got := fmt.Sprint(found(Cues(), "Tôi sẽ đóng tài khoản, cần gấp")); got != "[churn=đóng tài khoản urgency=cần gấp]" {
		t.Error(got)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	for _, l := range []*Lexicon{Banking(), Sentiment(), Cues()} {
		for i, name := range l.Names() {
			n := 0
			for _, e := range l.phrases {
				if int(e.list) == i {
					n++
				}
			}
			if n < 10 {
				t.Errorf("%s has only %d phrases", name, n)
			}
		}
	}
	for _, bad := range []string{"no tab", "a\tone two three four five six seven", "a\t;"} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%q must be refused", bad)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("phí chuyển tiền", "a\tphí")
	f.Fuzz(func(t *testing.T, s, list string) {
		l, err := Read(strings.NewReader(list))
		if err != nil {
			l = Banking()
		}
		var d normalise.Document
		normaliser().Parse(&d, s)
		last := 0
		for _, m := range l.Find(nil, &d) {
			if m.From < last || m.To <= m.From || m.Start > m.End {
				t.Fatalf("%+v", m)
			}
			last = m.To
		}
	})
}

func BenchmarkFind(b *testing.B) {
	var d normalise.Document
	normaliser().Parse(&d, "Ngân hàng phục vụ không tốt, chờ 2 tiếng mà chưa được gọi lại, phí cao")
	var out []Match
	b.ReportAllocs()
	for b.Loop() {
		out = Banking().Find(out[:0], &d)
	}
}

func ExampleLexicon_Find() {
	var d normalise.Document
	text := "Gọi mãi không ai nghe, tôi sẽ chuyển sang ngân hàng khác"
	normalise.Default().Parse(&d, text)
	for _, m := range Cues().Find(nil, &d) {
		fmt.Println(Cues().Name(m.List), "-", text[m.Start:m.End])
	}
	// Output:
	// effort - Gọi mãi
	// effort - không ai nghe
	// churn - chuyển sang ngân hàng khác
}
