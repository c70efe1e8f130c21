package themes

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

var ordinary = []string{
	"nhân viên tư vấn nhiệt tình", "chờ lâu ở quầy giao dịch", "lãi suất tiết kiệm cao", "ứng dụng dễ sử dụng", "chuyển khoản nhanh",
	"phí thường niên hơi cao", "chi nhánh đông khách", "mở tài khoản nhanh gọn", "thẻ tín dụng nhiều ưu đãi", "tổng đài trả lời lịch sự",
}

var filler = strings.Fields("hôm qua sáng chiều thứ hai ba tư năm sáu quận một nhì mười lăm hai mươi tháng trước tuần mẹ bố vợ chồng bạn thân khu vực trung tâm ngoại thành")

func texts(r *rand.Rand, n int) []string {
	var out []string
	for range n {
		s := ordinary[r.IntN(len(ordinary))]
		for range 6 {
			s += " " + filler[r.IntN(len(filler))]
		}
		out = append(out, s)
	}
	return out
}

func TestEmergingFindsThePlantedTheme(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	past, present := texts(r, 1500), texts(r, 300)
	planted := map[int]bool{}
	for i := range 14 {
		at := i * 20
		present[at] = []string{"quét khuôn mặt hoài không nhận", "không quet khuon mat được", "bắt quét khuôn mặt lại"}[i%3] + " " + present[at]
		planted[at] = true
	}
	found := Emerging(present, past, DefaultOptions())
	if len(found) == 0 {
		t.Fatal("nothing found")
	}
	top := found[0]
	if !strings.Contains(top.Name, "quét khuôn mặt") {
		t.Errorf("named %q", top.Name)
	}
	if len(top.Texts) != 14 || top.Expected > 2 {
		t.Errorf("%d texts, expected %.2f", len(top.Texts), top.Expected)
	}
	for _, q := range top.Quotes {
		if !planted[q] {
			t.Errorf("quote %q does not tell it", present[q])
		}
	}
	if len(found) > 2 {
		t.Errorf("%d themes, one was planted: %+v", len(found), found)
	}
}

func TestQuietWeeksHaveFewThemes(t *testing.T) {
	t.Parallel()
	false_ := 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		if len(Emerging(texts(r, 300), texts(r, 1500), DefaultOptions())) > 0 {
			false_++
		}
	}
	if false_ > 2 {
		t.Errorf("%d of 20 quiet weeks raised a theme", false_)
	}
}

func TestCopiesAreNoTheme(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	present := texts(r, 200)
	for range 30 {
		present = append(present, "Trúng thưởng ngay tại đây, bấm vào liên kết!")
	}
	for _, theme := range Emerging(present, texts(r, 800), DefaultOptions()) {
		if strings.Contains(theme.Name, "trúng thưởng") {
			t.Errorf("a pasted text became the theme %q", theme.Name)
		}
	}
}

func TestTailAgainstSummation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		x              int
		shape, success float64
	}{{3, 0.7, 0.4}, {10, 2.5, 0.2}, {1, 0.05, 0.9}} {
		below := 0.0
		for k := range c.x {
			lg1, _ := math.Lgamma(float64(k) + c.shape)
			lg2, _ := math.Lgamma(c.shape)
			lg3, _ := math.Lgamma(float64(k) + 1)
			below += math.Exp(lg1 - lg2 - lg3 + c.shape*math.Log(c.success) + float64(k)*math.Log(1-c.success))
		}
		if got := tail(c.x, c.shape, c.success); math.Abs(got-(1-below)) > 1e-9 {
			t.Errorf("tail(%v) = %v, want %v", c, got, 1-below)
		}
	}
}

func TestNothing(t *testing.T) {
	t.Parallel()
	if got := Emerging(nil, nil, DefaultOptions()); got != nil {
		t.Errorf("%v", got)
	}
	Emerging([]string{"", "👍", "a"}, nil, DefaultOptions())
}

func BenchmarkEmerging(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	past, present := texts(r, 1500), texts(r, 300)
	b.ReportAllocs()
	for b.Loop() {
		Emerging(present, past, DefaultOptions())
	}
}

func ExampleEmerging() {
	past := []string{"nhân viên nhiệt tình", "chờ lâu", "lãi suất cao", "chuyển khoản nhanh", "app dễ dùng", "phí hơi cao", "mở thẻ nhanh", "quầy đông", "tổng đài lịch sự", "ưu đãi nhiều"}
	present := []string{"sinh trắc học lỗi rồi", "làm sinh trắc học mãi không xong", "sao phải sinh trắc học vậy", "cập nhật sinh trắc học ở đâu", "sinh trắc học không nhận mặt", "bị kẹt bước sinh trắc học", "nhân viên nhiệt tình"}
	for _, t := range Emerging(present, past, DefaultOptions()) {
		fmt.Printf("%s: %d texts\n", t.Name, len(t.Texts))
	}
	// Output: sinh trắc học: 6 texts
}
