package dedupe

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	texts := []string{
		"Chuyển tiền hoài không được, gọi tổng đài không ai nghe",
		"chuyen tien hoai khong duoc goi tong dai khong ai nghe!!!",
		"Lãi suất quá cao so với ngân hàng khác",
		"Chuyển tiền hoài không được, gọi tổng đài không ai nghe ạ",
		"👍", "👎", "👍", "",
	}
	got := fmt.Sprint(Groups(texts, DefaultThreshold))
	if got != "[0 0 1 0 2 3 2 4]" {
		t.Error(got)
	}
}

// TestGroupsAgainstAllPairs compares with the exact graph of copies.
func TestGroupsAgainstAllPairs(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("tiền thẻ vay lãi chậm nhanh tốt tệ gọi chờ mở khóa app lỗi phí cao thấp nhân viên quầy")
	var texts []string
	for range 150 {
		var w []string
		for range 10 {
			w = append(w, words[r.IntN(len(words))])
		}
		texts = append(texts, strings.Join(w, " "))
		for range r.IntN(3) {
			w[r.IntN(len(w))] = words[r.IntN(len(words))]
			texts = append(texts, strings.Join(w, " "))
		}
	}
	const threshold = 0.7
	exact := newUnion(len(texts))
	pairs, found := 0, 0
	groups := Groups(texts, threshold)
	for i := range texts {
		for j := range i {
			if Similarity(texts[i], texts[j]) >= threshold {
				exact.join(i, j)
				pairs++
				if groups[i] == groups[j] {
					found++
				}
			}
		}
	}
	want := exact.numbers()
	for i := range texts {
		for j := range i {
			if groups[i] == groups[j] && want[i] != want[j] {
				t.Fatalf("%q and %q are not connected", texts[i], texts[j])
			}
		}
	}
	if pairs < 50 || found < pairs*98/100 {
		t.Errorf("%d of %d pairs found", found, pairs)
	}
}

func TestSimilarityProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		s := Similarity(a, b)
		if s < 0 || s > 1 || s != Similarity(b, a) || Similarity(a, a) != 1 {
			t.Fatalf("similarity %v", s)
		}
	})
}

func BenchmarkGroups(b *testing.B) {
	texts := make([]string, 2000)
	for i := range texts {
		texts[i] = fmt.Sprintf("giao dịch %d bị lỗi ở chi nhánh số %d từ hôm qua", i*7919%5000, i%40)
	}
	b.ReportAllocs()
	for b.Loop() {
		Groups(texts, DefaultThreshold)
	}
}

func ExampleGroups() {
	fmt.Println(Groups([]string{"App lỗi hoài, không đăng nhập được", "app loi hoai khong dang nhap duoc", "Nhân viên dễ thương"}, DefaultThreshold))
	// Output: [0 0 1]
}
