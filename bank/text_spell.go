package bank

import (
	"strings"
)

// chat is the spelling of chat, by word or pair of words.
var chat = map[string][]string{
	"không": {"ko", "k", "hok", "kg", "hông", "kh"}, "được": {"đc", "dc", "đk", "được"}, "rồi": {"r", "rùi", "rồi"}, "vậy": {"v", "zậy", "vậy"},
	"gì": {"j", "gì", "ji"}, "với": {"vs", "với"}, "biết": {"bít", "biết"}, "mình": {"mk", "mik", "mình"}, "quá": {"wá", "qá", "quá"},
	"nhiều": {"nhìu", "nhiều"}, "cũng": {"cx", "cũg", "cũng"}, "người": {"ng", "người"}, "nhân viên": {"nv", "nhân viên"}, "ngân hàng": {"nh", "ngân hàng"},
	"khách hàng": {"kh", "khách"}, "tài khoản": {"tk", "tài khoản"}, "chuyển khoản": {"ck", "chuyển khoản"}, "trước": {"trc", "trước"}, "sao": {"s", "sao"},
	"luôn": {"lun", "luôn"}, "bây giờ": {"bh", "giờ"}, "điện thoại": {"đt", "điện thoại"}, "chi nhánh": {"cn", "chi nhánh"}, "tháng": {"th", "tháng"},
	"phút": {"p", "phút", "ph"}, "nhưng": {"nhg", "nhưng"}, "những": {"nhg", "những"}, "trả lời": {"rep", "trả lời"}, "bạn": {"b", "bạn"},
	"thì": {"thì", "thỳ"}, "thích": {"thik", "thích"}, "vẫn": {"vẫn", "vx"}, "giao dịch": {"gd", "giao dịch"}, "chăm sóc": {"cskh", "chăm sóc"},
	"thông báo": {"tb", "thông báo"}, "tin nhắn": {"tn", "tin nhắn"}, "hỗ trợ": {"htro", "hỗ trợ"}, "mật khẩu": {"mk", "mật khẩu"}, "yêu cầu": {"yc", "yêu cầu"},
	"số điện thoại": {"sđt"}, "bảo hiểm": {"bh", "bảo hiểm"}, "lãi suất": {"ls", "lãi suất"}, "tiết kiệm": {"tk", "tiết kiệm"}, "triệu": {"tr", "củ"}, "nghìn": {"k"},
}

// mixed is what people who mix put in English.
var mixed = map[string][]string{
	"nhân viên": {"staff", "bạn staff"}, "kiểm tra": {"check"}, "hỗ trợ": {"support"}, "ứng dụng": {"app"}, "chậm": {"delay", "chậm"}, "phản hồi": {"feedback", "reply"},
	"cập nhật": {"update"}, "thông tin": {"info"}, "nhanh": {"nhanh", "fast"}, "tổng đài": {"hotline", "call center"}, "giao diện": {"UI", "interface"},
	"khách hàng": {"customer", "khách"}, "dịch vụ": {"service"}, "lỗi": {"bug", "lỗi"}, "thân thiện": {"friendly"}, "hài lòng": {"happy", "ok"}, "thủ tục": {"process", "thủ tục"},
	"giấy tờ": {"paperwork", "giấy tờ"}, "đăng nhập": {"login"}, "tài khoản": {"account"}, "thanh toán": {"pay", "thanh toán"}, "đặt lịch": {"book lịch"}, "chuyên nghiệp": {"pro", "professional"},
	"giải quyết": {"solve", "giải quyết"}, "trải nghiệm": {"experience", "trải nghiệm"}, "từ chối": {"reject", "từ chối"}, "duyệt": {"approve", "duyệt"}, "thái độ": {"attitude", "thái độ"},
}

// respell writes a text the way the voice spells: chat forms, English words,
// missing diacritics.
func (w *remark) respell(s string) string {
	v, r := w.v, w.r
	words := strings.Split(s, " ")
	out := make([]string, 0, len(words))
	for i := 0; i < len(words); i++ {
		if i+1 < len(words) {
			if x, ok := w.swap(words[i] + " " + words[i+1]); ok {
				out = append(out, x)
				i++
				continue
			}
		}
		if x, ok := w.swap(words[i]); ok {
			out = append(out, x)
			continue
		}
		out = append(out, words[i])
	}
	for i := range out {
		if v.plain > 0 && (v.plain == 1 || r.chance(v.plain)) {
			out[i] = unaccent(out[i])
		}
	}
	return strings.Join(out, " ")
}

// swap looks a word or pair up, keeping the punctuation behind it.
func (w *remark) swap(word string) (string, bool) {
	v, r := w.v, w.r
	core := strings.TrimRight(word, ".,!?:")
	tail := word[len(core):]
	key := strings.ToLower(core)
	if v.teen > 0 {
		if forms := chat[key]; forms != nil && r.chance(v.teen) {
			return forms[r.below(len(forms))] + tail, true
		}
	}
	if v.english > 0 {
		if forms := mixed[key]; forms != nil && r.chance(v.english) {
			return forms[r.below(len(forms))] + tail, true
		}
	}
	return "", false
}

// slot fills a blank of a form from what happened.
func (w *remark) slot(name string) string {
	r := w.r
	switch name {
	case "I":
		return w.self()
	case "bank":
		if !w.vi {
			return [...]string{"the bank", "this bank", "your bank"}[r.below(3)]
		}
		return [...]string{"ngân hàng", "bank", "ngân hàng mình", "bên mình", "quý ngân hàng", "nhà băng"}[r.below(6)]
	case "branch":
		return w.branch()
	case "who":
		return w.who()
	case "other":
		if !w.vi {
			return [...]string{"another bank", "other banks", "a competitor", "my other bank"}[r.below(4)]
		}
		return [...]string{"ngân hàng khác", "bên khác", "bank khác", "chỗ khác", "nhà bên"}[r.below(5)]
	case "n":
		if w.vi && r.chance(0.4) {
			return [...]string{"hai", "ba", "bốn", "năm", "mấy"}[r.below(5)]
		}
		return string(appendInt(nil, int64(2+r.below(5))))
	case "min":
		return w.figure(w.it.ch == chBranch || w.it.ch == chQR || w.it.ch == chCall || w.it.jour == jBranch, 8, 45)
	case "days":
		return w.figure(w.it.jour == jCard || w.it.jour == jLoan || w.it.jour == jDispute || w.it.jour == jComplaint, 3, 14)
	case "hours":
		return w.figure(w.it.jour == jTransfer, 3, 12)
	case "amt":
		return w.amount()
	case "tod":
		return w.moment()
	case "ver":
		if k := int(w.it.aux>>16) - 32; w.it.aux>>16 != 0 {
			return appVersion(k)
		}
		if w.vi {
			return "mới"
		}
		return "5"
	}
	return name
}

// figure is a number the comment names: the one lived through, rounded as
// people do, or a plausible one.
func (w *remark) figure(known bool, lo, hi int) string {
	n := lo + w.r.below(hi-lo)
	if said := int(w.it.wait); known && said >= lo/2 && said > 1 {
		n = said
	}
	if n > 12 && w.r.chance(0.7) {
		n = (n + 2) / 5 * 5
	}
	return string(appendInt(nil, int64(n)))
}

func (w *remark) self() string {
	if !w.vi {
		return "I"
	}
	r, v := w.r, w.v
	switch {
	case v.age >= 60 && v.p.Female:
		return [...]string{"tôi", "bác", "cô"}[r.below(3)]
	case v.age >= 60:
		return [...]string{"tôi", "bác", "chú"}[r.below(3)]
	case v.age >= 38 && v.p.Female:
		return [...]string{"tôi", "mình", "chị"}[r.below(3)]
	case v.age >= 38:
		return [...]string{"tôi", "mình", "anh"}[r.below(3)]
	case v.south:
		return [...]string{"mình", "tui", "em", "mình"}[r.below(4)]
	}
	return [...]string{"mình", "em", "mình", "tớ"}[r.below(4)]
}

func (w *remark) branch() string {
	c := w.b.packs
	u := int(w.it.unit) - 1
	if u < 0 || u >= len(c.branches) {
		if w.vi {
			return "chi nhánh"
		}
		return "the branch"
	}
	name := c.branches[u].Name
	if !w.vi {
		return name + " branch"
	}
	return [...]string{"chi nhánh ", "CN ", "PGD ", "phòng giao dịch ", "quầy ", "bên "}[w.r.below(6)] + name
}

func (w *remark) who() string {
	r := w.r
	call := w.it.ch == chCall || w.it.ch == chCallOut
	if !w.vi {
		if call {
			return [...]string{"the agent", "the operator", "the lady on the phone"}[r.below(3)]
		}
		return [...]string{"the teller", "the staff", "the lady at the counter", "the young man at the desk", "the consultant"}[r.below(5)]
	}
	switch {
	case call:
		return [...]string{"bạn tổng đài", "em tổng đài viên", "bạn nghe máy", "chị tổng đài", "nhân viên tổng đài"}[r.below(5)]
	case w.v.age >= 60:
		return [...]string{"cháu giao dịch viên", "cháu nhân viên", "cô nhân viên", "cậu nhân viên", "cháu ở quầy"}[r.below(5)]
	}
	return [...]string{"bạn giao dịch viên", "em nhân viên", "chị ở quầy", "bạn nữ ở quầy", "anh tư vấn", "bạn lễ tân", "chị giao dịch viên", "bạn nhân viên"}[r.below(8)]
}

func (w *remark) amount() string {
	r := w.r
	v := w.it.amount
	if v <= 0 || w.it.reason == rFee && v > 200_000 {
		v = [...]int64{11_000, 22_000, 55_000, 66_000, 99_000, 110_000}[r.below(6)]
	}
	if !w.vi {
		if v >= 1_000_000 {
			return string(append(appendInt(nil, v/1_000_000), " million VND"...))
		}
		return string(append(appendInt(nil, v/1000), "k VND"...))
	}
	if v >= 1_000_000 {
		s := appendInt(nil, v/1_000_000)
		s = append(s, [...]string{"tr", " triệu", "tr", " tr"}[r.below(4)]...)
		if tenth := v / 100_000 % 10; tenth > 0 && s[len(s)-1] == 'r' {
			s = appendInt(s, tenth)
		}
		return string(s)
	}
	return string(append(appendInt(nil, v/1000), [...]string{"k", " nghìn", "k", ".000đ", " ngàn"}[r.below(5)]...))
}

func (w *remark) moment() string {
	h := clockOf(w.it.at) / hour
	day := w.b.cal.at(dayOf(w.it.at)).weekday
	if !w.vi {
		if w.r.chance(0.4) {
			return "On " + [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}[day]
		}
		switch {
		case h < 11:
			return "This morning"
		case h < 17:
			return "This afternoon"
		}
		return "Tonight"
	}
	if w.r.chance(0.35) {
		return [...]string{"chủ nhật", "thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy"}[day] + [...]string{"", " vừa rồi", " này"}[w.r.below(3)]
	}
	switch {
	case h < 11:
		return "sáng nay"
	case h < 13:
		return "trưa nay"
	case h < 18:
		return "chiều nay"
	}
	return "tối nay"
}
