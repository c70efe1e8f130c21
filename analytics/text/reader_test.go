package text_test

import (
	"fmt"
	"testing"

	"golang.org/x/text/unicode/norm"

	"omote/analytics/text"
	"omote/analytics/text/model"
)

func head(t testing.TB, name string, examples ...[2]string) text.Head {
	var list []model.Example
	for _, e := range examples {
		list = append(list, model.Example{Text: e[0], Labels: []string{e[1]}})
	}
	m, err := model.Train(list, model.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return text.Head{Name: name, Model: m}
}

func heads(t testing.TB) []text.Head {
	return []text.Head{
		head(t, "subject", [2]string{"thẻ bị khóa", "card"}, [2]string{"máy nuốt thẻ", "card"}, [2]string{"vay mua nhà", "loan"}, [2]string{"lãi vay cao", "loan"}),
		head(t, "feeling", [2]string{"tốt lắm", "good"}, [2]string{"nhiệt tình", "good"}, [2]string{"tệ quá", "bad"}, [2]string{"bực mình", "bad"}),
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	r := text.NewReader(heads(t)...)
	got := r.Read("Thẻ bị khóa, bực mình! Gọi 0912345678 gấp, không tôi đóng tài khoản")
	if got.Language.Language != "vi" || got.Language.Plain {
		t.Errorf("language %+v", got.Language)
	}
	if got.Masked != "Thẻ bị khóa, bực mình! Gọi [phone] gấp, không tôi đóng tài khoản" || len(got.Personal) != 1 {
		t.Errorf("masked %q", got.Masked)
	}
	if got.Answers[0].Label != "card" || got.Answers[1].Label != "bad" {
		t.Errorf("answers %+v", got.Answers)
	}
	if len(got.Opinions) == 0 || got.Opinions[0].Aspect != "card" || got.Opinions[0].Polarity >= 0 {
		t.Errorf("opinions %+v", got.Opinions)
	}
	var cues []string
	for _, c := range got.Cues {
		cues = append(cues, c.Name+"="+got.Masked[c.Start:c.End])
	}
	if fmt.Sprint(cues) != "[urgency=gấp churn=đóng tài khoản]" {
		t.Errorf("cues %v", cues)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Thẻ bị khóa, gọi 0912345678 :((")
	f.Add(norm.NFD.String("Thẻ bị khóa gấp, phí cao"))
	r := text.NewReader(heads(f)...)
	f.Fuzz(func(t *testing.T, s string) {
		got := r.Read(s)
		for _, c := range got.Cues {
			_ = got.Masked[c.Start:c.End]
		}
		for _, o := range got.Opinions {
			_ = got.Masked[o.Start:o.End]
		}
	})
}

func BenchmarkRead(b *testing.B) {
	r := text.NewReader(heads(b)...)
	r.Read("khởi động")
	b.ReportAllocs()
	for b.Loop() {
		r.Read("Ngân hàng phục vụ không tốt, chờ 2 tiếng mà chưa được gọi lại, sđt 0912345678")
	}
}

func ExampleReader_Read() {
	r := text.NewReader()
	got := r.Read("Chị Hương tư vấn nhiệt tình, gọi em 0912 345 678 gấp nhé")
	fmt.Println(got.Language.Language)
	fmt.Println(got.Masked)
	fmt.Println(got.Opinions[0].Aspect, got.Opinions[0].Polarity)
	fmt.Println(got.Cues[0].Name)
	// Output:
	// vi
	// Chị [name] tư vấn nhiệt tình, gọi em [phone] gấp nhé
	// staff positive
	// urgency
}
