package spc

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Unit is the usual interval between the points of a series.
type Unit uint8

const (
	Period Unit = iota
	Hour
	Day
	Week
	Month
)

// Language is a language of [Words].
type Language uint8

const (
	English Language = iota
	Vietnamese
)

var (
	unitsEN = [...][2]string{{"period", "periods"}, {"hour", "hours"}, {"day", "days"}, {"week", "weeks"}, {"month", "months"}}
	unitsVI = [...]string{"kỳ", "giờ", "ngày", "tuần", "tháng"}
	kindsEN = [...]string{"The value", "NPS", "The share", "The mean", "The rate"}
	kindsVI = [...]string{"Giá trị", "NPS", "Tỷ lệ", "Giá trị trung bình", "Tần suất"}
)

// Words says in one or two sentences what a signal found and how sure it is.
func Words(s Signal, lang Language) string {
	if lang == Vietnamese {
		return wordsVI(s)
	}
	return wordsEN(s)
}

func wordsEN(s Signal) string {
	r := s.Reason
	verb := map[Rule][2]string{
		Spike: {"dropped", "jumped"}, Shift: {"fell", "rose"}, Drift: {"has been sliding", "has been climbing"},
	}[r.Rule][upIndex(r.Direction)]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s from %s to %s, %s standard deviations of one %s, over %s",
		kindsEN[r.Kind], verb, r.number(r.Before, '.', ','), r.number(r.After, '.', ','),
		decimals(r.Sigmas, 1, '.', ','), unitsEN[r.Unit][0], plural(r.Periods, unitsEN[r.Unit]))
	if r.answered() {
		fmt.Fprintf(&b, " and %s answers", decimals(r.Answers, 0, '.', ','))
	}
	fmt.Fprintf(&b, ". Noise alone would show as much once in %s %s.", once(r.FalseOnceIn, '.', ',', "over "), unitsEN[r.Unit][1])
	if s.Under != "" {
		fmt.Fprintf(&b, " %s changed the same way at the same time.", s.Under)
	}
	if s.Driver != "" {
		fmt.Fprintf(&b, " Most of it comes from %s.", s.Driver)
	}
	return b.String()
}

func wordsVI(s Signal) string {
	r := s.Reason
	verb := map[Rule][2]string{
		Spike: {"giảm đột ngột", "tăng đột ngột"}, Shift: {"giảm", "tăng"}, Drift: {"giảm dần", "tăng dần"},
	}[r.Rule][upIndex(r.Direction)]
	to := [2]string{"xuống", "lên"}[upIndex(r.Direction)]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s từ %s %s %s, bằng %s độ lệch chuẩn của một %s, trong %d %s",
		kindsVI[r.Kind], verb, r.number(r.Before, ',', '.'), to, r.number(r.After, ',', '.'),
		decimals(r.Sigmas, 1, ',', '.'), unitsVI[r.Unit], r.Periods, unitsVI[r.Unit])
	if r.answered() {
		fmt.Fprintf(&b, " với %s câu trả lời", decimals(r.Answers, 0, ',', '.'))
	}
	fmt.Fprintf(&b, ". Nếu chỉ do ngẫu nhiên, mức này xuất hiện khoảng một lần trong %s %s.", once(r.FalseOnceIn, ',', '.', "hơn "), unitsVI[r.Unit])
	if s.Under != "" {
		fmt.Fprintf(&b, " %s cũng thay đổi cùng chiều, cùng thời điểm.", s.Under)
	}
	if s.Driver != "" {
		fmt.Fprintf(&b, " Phần lớn thay đổi đến từ %s.", s.Driver)
	}
	return b.String()
}

// StateWords says what a state means.
func StateWords(s State, lang Language) string {
	en := [...]string{"No change beyond noise", "Better, beyond noise", "Worse, beyond noise",
		"Changed beyond noise", "Too few answers to say", "No recent data"}
	vi := [...]string{"Chưa có thay đổi vượt mức ngẫu nhiên", "Tốt lên, vượt mức ngẫu nhiên", "Xấu đi, vượt mức ngẫu nhiên",
		"Có thay đổi vượt mức ngẫu nhiên", "Quá ít câu trả lời để kết luận", "Chưa có dữ liệu gần đây"}
	if lang == Vietnamese {
		return vi[s]
	}
	return en[s]
}

// answered reports whether the number of answers is worth telling.
func (r Reason) answered() bool {
	return (r.Kind == NPS || r.Kind == Proportion || r.Kind == Mean) && r.Answers > float64(r.Periods)
}

func upIndex(d Direction) int {
	if d > 0 {
		return 1
	}
	return 0
}

func plural(n int, unit [2]string) string {
	if n == 1 {
		return "1 " + unit[0]
	}
	return strconv.Itoa(n) + " " + unit[1]
}

// number writes a level in the measure's own unit.
func (r Reason) number(x float64, point, group rune) string {
	switch r.Kind {
	case NPS:
		return decimals(x, 1, point, group)
	case Proportion:
		if x < 0.1 || x > 0.9 {
			return decimals(100*x, 2, point, group) + "%"
		}
		return decimals(100*x, 1, point, group) + "%"
	}
	digits := 0
	if a := math.Abs(x); a > 0 && a < 1000 {
		digits = max(0, 3-int(math.Floor(math.Log10(a))))
	}
	return decimals(x, min(digits, 8), point, group)
}

// once rounds a waiting time to two digits and stops counting at a million.
func once(periods float64, point, group rune, over string) string {
	if !(periods < 1e6) {
		return over + decimals(1e6, 0, point, group)
	}
	scale := math.Pow(10, max(0, math.Floor(math.Log10(max(periods, 1)))-1))
	return decimals(math.Round(periods/scale)*scale, 0, point, group)
}

// decimals formats with the locale's decimal point and grouping.
func decimals(x float64, digits int, point, group rune) string {
	s := strconv.FormatFloat(math.Abs(x), 'f', digits, 64)
	whole, frac, _ := strings.Cut(s, ".")
	var b strings.Builder
	if x < 0 && strings.Trim(s, "0.") != "" {
		b.WriteRune('−')
	}
	for i, d := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteRune(group)
		}
		b.WriteRune(d)
	}
	if frac != "" {
		b.WriteRune(point)
		b.WriteString(frac)
	}
	return b.String()
}
