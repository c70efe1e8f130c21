package bank

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// comments collects verbatims with what is known of them.
func comments(t *testing.T, b *Bank, n int) (texts []string, about []string) {
	t.Helper()
	for e := range b.ByCustomer() {
		if e.Name != "survey_answered" {
			continue
		}
		var p struct{ Verbatim, Language, Reason string }
		if err := json.Unmarshal(e.Props, &p); err != nil {
			t.Fatal(err)
		}
		if p.Verbatim == "" {
			continue
		}
		texts = append(texts, p.Language+" "+p.Verbatim)
		about = append(about, p.Reason)
		if len(texts) == n {
			break
		}
	}
	return texts, about
}

func TestCommentsAreVaried(t *testing.T) {
	t.Parallel()
	texts, _ := comments(t, testBank(t, Config{Seed: 31, Customers: 14_000}), sample(2000, 6000))
	c := measureTexts(texts)
	t.Logf("%+v", c)
	// for comparison: 0.12 and 0.16 in two public collections of Vietnamese bank comments
	if c.TypeToken < 0.10 {
		t.Errorf("the first 10,000 words hold %.3f different ones", c.TypeToken)
	}
	if c.Repeated > 0.005 || c.NearDuplicates > 0.03 {
		t.Errorf("%.4f are repeats, %.4f near duplicates", c.Repeated, c.NearDuplicates)
	}
	if c.NoDiacritics < 0.08 || c.NoDiacritics > 0.35 || c.Vietnamese < 0.9 {
		t.Errorf("%.2f are Vietnamese, %.2f of them without diacritics", c.Vietnamese, c.NoDiacritics)
	}
	for from := 0; from+200 <= len(texts); from += 200 {
		if share := measureTexts(texts[from : from+200]).NearDuplicates; share > 0.03 {
			t.Errorf("of two hundred comments %.3f are near duplicates", share)
		}
	}
}

func TestCommentsSpeakOfWhatHappened(t *testing.T) {
	t.Parallel()
	texts, about := comments(t, testBank(t, Config{Seed: 32, Customers: 14_000}), sample(2500, 8000))
	words := map[string][]string{
		"r_otp":        {"otp", "ma", "code", "quet mat", "face", "mat khau", "sim"},
		"r_pressure":   {"bao hiem", "insurance", "bh", "chi tieu", "moi", "goi"},
		"r_papers":     {"giay to", "thu tuc", "ho so", "can cuoc", "cccd", "sao ke", "chung minh", "paper", "document", "danh sach", "list", "process", "passport"},
		"r_staff_care": {"nhan vien", "nv", "thai do", "staff", "teller", "ban", "chi", "em", "chau", "anh", "attitude", "service", "lady", "agent", "operator", "consultant", "co"},
	}
	hit, n := map[string]int{}, map[string]int{}
	for i, text := range texts {
		list := words[about[i]]
		_, body, _ := strings.Cut(text, " ")
		if list == nil || len(strings.Fields(body)) < 6 {
			continue
		}
		n[about[i]]++
		plain := strings.ToLower(unaccent(body))
		for _, w := range list {
			if strings.Contains(plain, w) {
				hit[about[i]]++
				break
			}
		}
	}
	for reason, k := range n {
		if k >= 15 && float64(hit[reason]) < 0.7*float64(k) {
			t.Errorf("%s: %d of %d comments speak of it", reason, hit[reason], k)
		}
	}
}

func TestEveryReasonHasWords(t *testing.T) {
	t.Parallel()
	w := theWriter()
	for lang, g := range map[string]*grammar{"vi": w.vi, "en": w.en} {
		for r := rStaffCare; r < rLastSurvey; r++ {
			n := 0.0
			for section := range g.sections {
				if strings.HasPrefix(section, reasonNames[r]+" ") {
					n += g.readings(section)
				}
			}
			if n < 4 {
				t.Errorf("%s: %s can be said in %.0f ways only", lang, reasonNames[r], n)
			}
		}
		for _, s := range []string{"opener neg", "opener pos", "opener mid", "closing neg", "closing pos", "closing mid", "but neg", "but pos", "sarcasm", "short neg", "short pos", "short mid", "r_other neg", "r_other pos"} {
			if len(g.sections[s]) == 0 {
				t.Errorf("%s: section %q is empty", lang, s)
			}
		}
	}
}

func TestEverySlotIsFilled(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 33, Customers: 10})
	for i := range uint64(600) {
		p := b.Person(i << 3)
		for _, ch := range []uint8{chBranch, chCall, chApp, chSMS} {
			it := item{at: b.start + int64(i)*hour, name: evSurveyAnswered, seq: uint32(i), x: insTx, ch: ch, unit: 3, reason: uint8(1 + i%23), wait: 25, amount: 1_800_000,
				jour: uint8(i % 13), aux: uint32(i*7%240)<<8 | 34<<16 | 1}
			s := b.comment(&p, &it)
			if s == "" || strings.ContainsAny(s, "{}[]|") || !utf8.ValidString(s) || strings.Contains(s, "  ") {
				t.Fatalf("person %d writes %q", i, s)
			}
		}
	}
}

func TestVoiceIsStable(t *testing.T) {
	t.Parallel()
	b := testBank(t, Config{Seed: 34, Customers: 10})
	plain, written := 0, 0
	for i := range uint64(300) {
		p := b.Person(i << 3)
		if v := b.voiceOf(&p); v.plain != 1 || p.Language != "vi" {
			continue
		}
		for seq := range uint32(5) {
			it := item{at: b.start, name: evSurveyAnswered, seq: seq, x: insTx, ch: chBranch, jour: jBranch, unit: 3, reason: rWait, wait: 25, aux: 60<<8 | 1}
			s := b.comment(&p, &it)
			written++
			if !strings.ContainsFunc(strings.TrimRight(s, ".! ạéẹáậấ"), func(r rune) bool { return plainLetters[r] != 0 }) {
				plain++
			}
		}
	}
	if written < 100 || float64(plain) < 0.8*float64(written) {
		t.Errorf("of %d comments by people who write without diacritics %d are", written, plain)
	}
}

func BenchmarkComment(b *testing.B) {
	bank := testBank(b, Config{Seed: 1, Customers: 10})
	p := bank.Person(16)
	it := item{at: bank.start, name: evSurveyAnswered, x: insTx, ch: chBranch, jour: jBranch, unit: 3, reason: rWait, wait: 25, aux: 60<<8 | 1}
	b.ReportAllocs()
	for b.Loop() {
		it.seq++
		bank.comment(&p, &it)
	}
}
