package pii

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"omote/internal/testkit/shared"
)

// generator writes texts with known personal data and with numbers that only
// look like it.
type generator struct{ *rand.Rand }

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) digits(n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(byte('0' + g.IntN(10)))
	}
	return b.String()
}

// parted writes a number in groups of the given sizes.
func (g generator) parted(number string, sizes ...int) string {
	sep := g.pick(" ", ".", "-", " ")
	var parts []string
	for _, n := range sizes {
		parts = append(parts, number[:n])
		number = number[n:]
	}
	if number != "" {
		parts = append(parts, number)
	}
	return strings.Join(parts, sep)
}

func (g generator) card() string {
	issuer := g.pick("4", "4", "51", "55", "2221", "9704", "9704", "3528", "62", "37", "34", "36")
	length := 16
	switch issuer {
	case "37", "34":
		length = 15
	case "36":
		length = 14
	case "9704":
		if g.IntN(3) == 0 {
			length = 19
		}
	}
	number := issuer + g.digits(length-len(issuer)-1)
	for d := range 10 {
		if full := fmt.Sprint(number, d); luhn([]byte(full)) {
			number = full
			break
		}
	}
	switch g.IntN(3) {
	case 0:
		return number
	case 1:
		if length == 15 || length == 14 {
			return g.parted(number, 4, 6)
		}
		return g.parted(number, 4, 4, 4, 4)
	}
	if length == 16 {
		return g.parted(number, 4, 4, 4)
	}
	return number
}

func (g generator) phone() string {
	national := g.pick("32", "35", "39", "52", "56", "58", "70", "76", "79", "81", "83", "88", "89", "90", "91", "97", "98", "99") + g.digits(7)
	switch g.IntN(10) {
	case 0: // old eleven digits
		old := "0" + g.pick("120", "121", "126", "128", "123", "125", "127", "162", "165", "168", "169", "186", "188", "199") + g.digits(7)
		if g.IntN(2) == 0 {
			return old
		}
		return g.parted(old, 4, 3)
	case 1: // land line
		line := g.pick("024", "028") + g.pick("3", "6", "7") + g.digits(7)
		if g.IntN(2) == 0 {
			return line
		}
		return g.pick("("+line[:3]+") "+line[3:7]+" "+line[7:], line[:3]+"."+line[3:], line[:3]+" "+line[3:7]+" "+line[7:])
	case 2:
		return "+84" + g.pick("", " ") + national
	case 3:
		return "84" + national
	case 4:
		return "(+84) " + g.parted(national, 3, 3)
	case 5:
		return "+84 " + g.parted(national, 2, 3)
	case 6, 7:
		return g.parted("0"+national, 4, 3)
	}
	return "0" + national
}

func (g generator) citizen() string {
	id := g.pick("001", "079", "031", "048", "036", "092", "075", "096") + g.pick("0", "1", "2", "3") + g.digits(8)
	if g.IntN(4) == 0 {
		return g.parted(id, 3, 3, 3)
	}
	return id
}

// planted is a text and the finding it must give; a look-alike must give none.
type planted struct {
	text      string
	kind      Kind
	value     string
	lookAlike bool
}

func (g generator) fill(template, value string) string {
	return strings.ReplaceAll(template, "#", value)
}

func (g generator) positive() planted {
	var p planted
	switch g.IntN(4) {
	case 0:
		p.kind, p.value = Card, g.card()
		p.text = g.pick("Thẻ của tôi # bị khóa", "my card # was declined", "số thẻ: #.", "the # hết hạn 12/27 mà chưa đổi", "#", "nuốt thẻ #, gọi 1900 545413 không ai nghe", "Card no.# charged twice on 12/05/2024", "e bị trừ 2 lần 1.250.000đ ở thẻ # ạ")
	case 1:
		p.kind, p.value = Phone, g.phone()
		p.text = g.pick("Gọi lại cho tôi số # nhé", "sđt: #", "lien he # gap", "call me at # please", "#", "Zalo # ạ, em chuyển 2.000.000 rồi", "số điện thoại cũ # đổi sang số mới", "đặt lịch lúc 9h30 ngày 12/05/2024, đt #.", "ib e #, tks")
	case 2:
		p.kind, p.value = CitizenID, g.citizen()
		p.text = g.pick("CCCD # của tôi", "căn cước công dân số #", "citizen id: #", "số định danh # đã cập nhật", "đổi cmnd sang cccd # mà app không nhận", "cccd#", "My ID card number is #, thanks")
	case 3:
		p.kind, p.value = CitizenID, g.digits(9)
		if p.value[0] == '0' {
			p.value = "2" + p.value[1:]
		}
		p.text = g.pick("CMND # cấp năm 2010", "chứng minh nhân dân số #", "cmt: #", "số cmnd cũ là #", "identity card #")
	}
	p.text = g.fill(p.text, p.value)
	return p
}

func (g generator) negative() planted {
	mobile := "09" + g.digits(8)
	sixteen := "4" + g.digits(15)
	for luhn([]byte(sixteen)) {
		sixteen = "4" + g.digits(15)
	}
	amount := fmt.Sprintf("%d.%s.%s", 1+g.IntN(999), g.digits(3), g.digits(3))
	text := g.pick(
		"mã giao dịch "+sixteen, "mã đơn hàng "+mobile, "order "+mobile+" not received", "mã giao dịch FT"+mobile+g.digits(2),
		"chuyển "+amount+" đồng", "số dư "+amount+"đ", "rút "+fmt.Sprint(1+g.IntN(9))+"00000000 đ", "ngày 12/05/2024 10:30:45 bị trừ "+amount,
		"mã hồ sơ "+g.digits(9), "hotline 1900 "+g.digits(4)+" bận", "1800"+g.digits(4), "số hợp đồng "+"0"+g.digits(11), "ticket #"+g.digits(9),
		"reference "+g.digits(12), "thẻ "+sixteen+" không đúng", "mã bưu gửi "+mobile, "OTP 384"+g.digits(3)+" không vào", "20240512"+g.digits(6),
		"bill "+g.digits(7), "từ 2019 2020 2021 2022 đều tốt", "mã số thuế 0"+g.digits(9), "lãi 7,5% năm 2024 kỳ hạn 12 36 60 tháng",
		"v1.23.456.7890", "192.168.10.255", "invoice 0"+g.digits(9), "IMEI 35"+g.digits(13))
	return planted{text: text, lookAlike: true}
}

// TestGenerated measures recall and precision on planted data and look-alikes.
func TestGenerated(t *testing.T) {
	t.Parallel()
	n := 20_000
	if shared.Verify() {
		n = 1_000_000
	}
	g := generator{rand.New(rand.NewPCG(20, 7))}
	var planted, found, wrong [kinds]int
	var misses []string
	for range n {
		p := g.positive()
		if g.IntN(2) == 0 {
			p = g.negative()
		}
		if !p.lookAlike {
			planted[p.kind]++
		}
		for _, s := range Find(p.text) {
			if s.Kind > Phone {
				continue
			}
			if !p.lookAlike && s.Kind == p.kind && sameDigits(p.text[s.Start:s.End], p.value) {
				found[p.kind]++
				p.lookAlike = true
				p.value = ""
			} else {
				wrong[s.Kind]++
				misses = append(misses, fmt.Sprintf("wrong %s: %s", s.Kind, p.text))
			}
		}
		if p.value != "" && len(misses) < 2000 {
			misses = append(misses, fmt.Sprintf("missed %s: %s", p.kind, p.text))
		}
	}
	floor := map[Kind]float64{Card: 0.995, CitizenID: 0.98, Phone: 0.98}
	for kind, least := range floor {
		recall := float64(found[kind]) / float64(planted[kind])
		precision := float64(found[kind]) / float64(found[kind]+wrong[kind])
		t.Logf("%s: planted %d, recall %.4f, precision %.4f", kind, planted[kind], recall, precision)
		if recall < least || precision < 0.98 {
			t.Errorf("%s: recall %.4f (want %.3f), precision %.4f (want 0.98)", kind, recall, least, precision)
		}
	}
	if testing.Verbose() || t.Failed() {
		for _, m := range misses[:min(25, len(misses))] {
			t.Log(m)
		}
	}
}

func sameDigits(a, b string) bool {
	only := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, s)
	}
	return only(a) == only(b)
}
