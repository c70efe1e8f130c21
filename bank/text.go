package bank

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// writer writes what customers say.
type writer struct {
	vi, en *grammar
}

var theWriter = sync.OnceValue(func() *writer {
	return &writer{vi: parseGrammar(packLines("comments_vi.txt")), en: parseGrammar(packLines("comments_en.txt"))}
})

// voice is how one person writes, in everything the person writes.
type voice struct {
	p       *Person
	age     int
	long    float64 // inclination to write much
	plain   float64 // share of words without diacritics
	teen    float64 // share of words in chat spelling
	english float64 // share of words put in English
	lower   bool
	emoji   bool
	polite  bool
	south   bool
}

func (b *Bank) voiceOf(p *Person) voice {
	r := rng(p.style)
	v := voice{p: p, age: p.Age(b.cfg.Start), long: r.float(), lower: r.chance(0.4), emoji: r.chance(0.16), polite: r.chance(0.3)}
	v.south = Regions[b.packs.provinces[p.Province].region].north == 2
	young := v.age < 35
	if u := r.float(); u < 0.2 {
		v.plain = 1
	} else if u < 0.28 {
		v.plain = 0.3
	}
	if u := r.float(); young && u < 0.5 || u < 0.14 {
		v.teen = 0.25 + 0.6*r.float()
	}
	if u := r.float(); young && u < 0.2 || u < 0.05 {
		v.english = 0.35
	}
	if v.age >= 62 {
		v.emoji, v.lower = false, v.lower && r.chance(0.5)
	}
	return v
}

// comment writes the words that go with an answer, a complaint or a review.
func (b *Bank) comment(p *Person, it *item) string {
	v := b.voiceOf(p)
	r := stream(b.cfg.Seed, sText, p.Index<<24^uint64(it.seq)<<4^uint64(it.name))
	felt := decodeQuality(uint8(it.aux >> 8))
	g := b.text.vi
	if p.Language == "en" {
		g = b.text.en
	}
	w := remark{b: b, v: &v, r: &r, it: it, g: g, vi: g == b.text.vi}
	w.ctx = w.context()
	tone := "mid"
	switch {
	case felt < -0.35:
		tone = "neg"
	case felt > 0.5:
		tone = "pos"
	}
	s := w.compose(tone, felt)
	return w.finish(s)
}

// remark is one comment in the making.
type remark struct {
	b  *Bank
	v  *voice
	r  *rng
	it *item
	g  *grammar
	vi bool
	// ctx is the errand, as context says.
	ctx string
}

// context is the kind of errand a comment is about; "" for the whole relationship.
func (w *remark) context() string {
	switch w.it.jour {
	case jBranch:
		return "branch"
	case jTransfer:
		return "transfer"
	case jLogin:
		return "login"
	case jCard:
		return "card"
	case jLoan:
		return "loan"
	case jDispute:
		return "dispute"
	case jComplaint:
		if w.it.name == evComplaintFiled {
			return ""
		}
		return "complaint"
	case jDeposit:
		return "deposit"
	case jOnboarding:
		return "open"
	case jHardship:
		return "hard"
	case jExit:
		return "exit"
	}
	if w.it.ch == chCall && w.it.x != insRel && w.it.x != insDims {
		return "call"
	}
	return ""
}

// besides are the reasons that come up beside the main one, by context.
var besides = map[string][]uint8{
	"branch":    {rWait, rStaffCare, rPapers, rStaffSkill, rSpeed},
	"call":      {rWait, rAnswer, rStaffCare, rStaffSkill},
	"transfer":  {rAppEase, rSpeed, rArrived, rSafe, rAppError},
	"login":     {rAppEase, rOTP, rAppError, rSafe},
	"open":      {rAppEase, rSpeed, rPapers, rClear},
	"card":      {rSpeed, rInformed, rFee, rAppEase},
	"loan":      {rPapers, rSpeed, rFee, rInformed, rClear, rStaffSkill},
	"deposit":   {rFee, rInformed, rStaffSkill, rSafe},
	"dispute":   {rInformed, rSpeed, rAnswer, rOwn, rFair},
	"complaint": {rInformed, rOwn, rAnswer, rSpeed},
	"":          {rFee, rStaffCare, rAppEase, rSpeed, rClear, rOther, rSafe, rWait, rArrived, rAnswer, rPapers, rPrivacy, rFit},
}

// anywhere are the contexts a remark on the whole relationship may recall.
var anywhere = [...]string{"", "", "branch", "transfer", "call", "deposit"}

func (w *remark) line(section string) string {
	forms := w.g.sections[section]
	if len(forms) == 0 {
		return ""
	}
	s := string(forms[w.r.below(len(forms))].write(nil, w.r, w.slot))
	return strings.Join(strings.Fields(s), " ")
}

// about says something on a reason in a tone; not every reason has every tone.
func (w *remark) about(reason uint8, tone string) string {
	if reason >= rLastSurvey || reason == rNone {
		reason = contactReason(reason)
	}
	key := reasonNames[reason] + " " + tone
	context := w.ctx
	if context == "" && w.it.name != evComplaintFiled {
		context = anywhere[w.r.below(len(anywhere))]
	}
	if context != "" && w.r.chance(0.8) {
		if s := w.line(key + "@" + context); s != "" {
			return s
		}
	}
	if s := w.line(key); s != "" {
		return s
	}
	if s := w.line(key + "@" + context); s != "" {
		return s
	}
	return w.line("r_other " + tone)
}

// contactReason gives the survey reason nearest to a contact reason.
func contactReason(reason uint8) uint8 {
	switch reason {
	case kOTP, kLogin:
		return rOTP
	case kTransferPending, kCardDecline:
		return rArrived
	case kCardDelivery, kLoanStatus:
		return rSpeed
	case kFee:
		return rFee
	case kInsuranceCancel:
		return rPressure
	case kDispute:
		return rFair
	case kComplaintChase:
		return rInformed
	}
	return rOther
}

func (w *remark) other() uint8 {
	list := besides[w.ctx]
	if list == nil {
		list = besides[""]
	}
	return list[w.r.below(len(list))]
}

func (w *remark) compose(tone string, felt float64) string {
	r := w.r
	main := w.it.reason
	if main == rOther || main == rNone || w.it.x == insRel || w.it.x == insDims && r.chance(0.5) {
		main = w.other()
	}
	length := w.v.long + 0.25*r.normal()
	if tone == "neg" {
		length += 0.25
	}
	if w.it.name == evComplaintFiled {
		length += 0.8
	}
	if length < 0.22 {
		return w.line("short " + tone)
	}
	if tone == "mid" {
		return w.balanced(main, length)
	}
	var parts []string
	if tone == "neg" && r.chance(0.06) {
		parts = append(parts, w.line("sarcasm"))
		if length < 0.9 {
			return w.join(parts)
		}
	}
	if r.chance(min(0.15+0.35*length, 0.6)) {
		parts = append(parts, w.line("opener "+tone))
	}
	parts = append(parts, w.about(main, tone))
	if length > 0.75 && r.chance(0.6) {
		second := w.other()
		if second != main {
			parts = append(parts, w.about(second, tone))
		}
	}
	if length > 0.6 && r.chance(0.25) && abs(int(felt)) < 2 && w.it.x != insNone && w.it.name != evComplaintFiled {
		back := "pos"
		if tone == "pos" {
			back = "neg"
		}
		if second := w.other(); second != main {
			parts = append(parts, w.line("but "+back)+" "+w.about(second, back))
		}
	}
	if r.chance(min(0.1+0.4*length, 0.7)) {
		parts = append(parts, w.line("closing "+tone))
	}
	return w.join(parts)
}

// balanced is a comment of a lukewarm customer.
func (w *remark) balanced(main uint8, length float64) string {
	r := w.r
	var parts []string
	if r.chance(0.4) {
		parts = append(parts, w.line("opener mid"))
	}
	first, second := "pos", "neg"
	if r.chance(0.35) {
		first, second = second, first
	}
	opposite := w.other()
	for range 4 {
		if opposite != main {
			break
		}
		opposite = w.other()
	}
	parts = append(parts, w.about(opposite, first)+w.comma()+w.line("but "+second)+" "+w.about(main, second))
	if length > 0.7 && r.chance(0.5) {
		parts = append(parts, w.line("closing mid"))
	}
	return w.join(parts)
}

func (w *remark) comma() string {
	return [...]string{", ", " ", ", ", "... "}[w.r.below(4)]
}

func (w *remark) join(parts []string) string {
	var sb strings.Builder
	sep := [...]string{". ", ", ", ". ", "! ", "... ", ", "}[w.r.below(6)]
	for i, p := range parts {
		if p == "" {
			continue
		}
		if i > 0 && sb.Len() > 0 {
			prev := sb.String()
			if strings.HasSuffix(prev, ":") || strings.HasSuffix(prev, "mà") || strings.HasSuffix(prev, "and") {
				sb.WriteByte(' ')
			} else {
				sb.WriteString(sep)
				if sep[0] != ',' {
					p = upperFirst(p)
				}
			}
		}
		sb.WriteString(p)
	}
	return sb.String()
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// finish gives the text the writer's own hand: spelling, case, ending.
func (w *remark) finish(s string) string {
	r, v := w.r, w.v
	if s == "" {
		return s
	}
	if w.vi {
		s = w.respell(s)
	}
	if r.chance(0.07) && utf8.RuneCountInString(s) > 8 {
		s = slip(s, r)
	}
	ends := [...]string{"", "", ".", ".", "!", "", "!!", "...", "!!!"}
	s = strings.TrimRight(s, " ,")
	if w.vi && r.chance(0.22) {
		s += " " + w.particle()
	}
	if last, _ := utf8.DecodeLastRuneInString(s); unicode.IsLetter(last) || unicode.IsDigit(last) {
		s += ends[r.below(len(ends))]
	}
	switch {
	case v.lower || v.teen > 0.5 && r.chance(0.6):
		s = strings.ToLower(s)
	case r.chance(0.012):
		s = strings.ToUpper(s)
	default:
		s = upperFirst(s)
	}
	if v.emoji && r.chance(0.5) {
		s += " " + w.emoji()
	}
	return s
}

func (w *remark) particle() string {
	v, r := w.v, w.r
	switch {
	case v.polite || v.age < 30 && r.chance(0.3):
		return [...]string{"ạ", "nhé ạ", "ạ", "nha ạ"}[r.below(4)]
	case v.south:
		return [...]string{"nha", "nghen", "luôn á", "hen", "dữ lắm", "luôn", "đó"}[r.below(7)]
	}
	return [...]string{"nhé", "đấy", "thật", "lắm", "thế", "nha", "luôn"}[r.below(7)]
}

func (w *remark) emoji() string {
	if decodeQuality(uint8(w.it.aux>>8)) < 0 {
		return [...]string{":(", "😡", "😤", "=((", "👎", ":((", "😔"}[w.r.below(7)]
	}
	return [...]string{":)", "👍", "❤️", "=))", "😊", ":D", "🥰"}[w.r.below(7)]
}
