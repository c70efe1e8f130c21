package cases_test

import (
	"strings"
	"testing"
	"time"

	"omote/analytics/worktime"
	"omote/internal/feedback/cases"
	"omote/internal/feedback/condition"
)

// replace changes one line after a mark in a text.
func replace(t testing.TB, text, mark, old, with string) string {
	t.Helper()
	i := strings.Index(text, mark)
	if i < 0 {
		t.Fatalf("%q is not in the text", mark)
	}
	j := strings.Index(text[i:], old)
	if j < 0 {
		t.Fatalf("%q does not follow %q", old, mark)
	}
	return text[:i+j] + with + text[i+j+len(old):]
}

// TestStatutes derives, rule by rule, the deadline that the cited article gives for an
// event, by hand, and compares it with what a clock of the rule would have.
func TestStatutes(t *testing.T) {
	t.Parallel()
	content, err := cases.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		pack, rule, article string
		start, due          string // wall clock of the calendar
		derivation          string
	}{
		{"vn_consumer@1", "vn_cl_negotiate", "Law 19/2023/QH15 Art. 57(2)", "2026-02-11 09:00", "2026-02-28 00:00", "Wed 11/2; 12, 13/2 (1-2), Tết 16-20/2, 23-27/2 (3-7); over at 24:00 of Fri 27/2"},
		{"vn_cards@1", "vn_card_filing", "Circular 18/2024/TT-NHNN, Art. 19", "2026-03-01 10:00", "2026-05-01 00:00", "sixty days after 1/3 is 30/4"},
		{"vn_cards@1", "vn_card_answer", "Circular 18/2024/TT-NHNN, Art. 19", "2026-03-02 09:00", "2026-04-14 00:00", "3/3 is day 1, 31/3 day 21, 13/4 day 30"},
		{"vn_cards@1", "vn_card_compensate", "Card rules", "2026-04-24 09:00", "2026-05-07 00:00", "27/4 in lieu of Hùng Kings; 28, 29/4 (1-2); 30/4 and 1/5 off; 4, 5, 6/5 (3-5)"},
		{"vn_cards@1", "vn_card_block", "Service standard", "2026-02-16 23:58", "2026-02-17 00:03", "five minutes, also on the eve of Tết"},
		{"vn_payment_accounts@1", "vn_pa_filing", "Circular 02/2019/TT-NHNN, Art. 1(11)", "2026-03-01 10:00", "2026-05-01 00:00", "sixty days"},
		{"vn_payment_accounts@1", "vn_pa_answer", "Circular 02/2019/TT-NHNN, Art. 1(11)", "2026-03-02 09:00", "2026-04-14 00:00", "thirty working days"},
		{"vn_payment_accounts@1", "vn_pa_compensate", "Circular 02/2019/TT-NHNN, Art. 1(11)", "2026-03-02 09:00", "2026-03-10 00:00", "3 to 6/3 (1-4), 9/3 (5)"},
		{"vn_payment_accounts@1", "vn_pa_agree", "Circular 02/2019/TT-NHNN, Art. 1(11)", "2026-03-02 09:00", "2026-03-24 00:00", "3/3 (1) to 23/3 (15)"},
		{"vn_personal_data@1", "vn_pd_reply", "Decree 356/2025/ND-CP", "2026-03-05 09:00", "2026-03-10 00:00", "Fri 6/3 (1), Mon 9/3 (2)"},
		{"vn_personal_data@1", "vn_pd_withdraw", "Decree 356/2025/ND-CP", "2026-03-02 09:00", "2026-03-18 00:00", "fifteen days after 2/3 is 17/3"},
		{"vn_personal_data@1", "vn_pd_withdraw_third", "Decree 356/2025/ND-CP", "2026-03-02 09:00", "2026-03-23 00:00", "twenty days after 2/3 is 22/3"},
		{"vn_personal_data@1", "vn_pd_access", "Decree 356/2025/ND-CP", "2026-03-02 09:00", "2026-03-13 00:00", "planned for ten days until counsel has signed: 12/3"},
		{"vn_personal_data@1", "vn_pd_delete", "Decree 356/2025/ND-CP", "2026-03-02 09:00", "2026-03-18 00:00", "planned for fifteen until counsel has signed: 17/3"},
		{"vn_personal_data@1", "vn_pd_breach_notice", "Law on Personal Data Protection 2025", "2026-03-02 09:00", "2026-03-05 09:00", "72 running hours"},
		{"uk_disp@1", "uk_summary", "FCA DISP 1.5", "2026-04-01 10:00", "2026-04-09 00:00", "2/4 (1), Good Friday and Easter Monday off, 7/4 (2), 8/4 (3)"},
		{"uk_disp@1", "uk_ack", "FCA DISP 1.6.1", "2026-05-01 10:00", "2026-05-12 00:00", "Mon 4/5 is a bank holiday; 5 to 8/5 (1-4), 11/5 (5)"},
		{"uk_disp@1", "uk_final", "FCA DISP 1.6.2R", "2026-01-05 10:00", "2026-03-03 00:00", "eight weeks after Mon 5/1 is Mon 2/3"},
		{"uk_disp@1", "uk_psd_final", "FCA DISP 1.6.2AR", "2026-03-02 10:00", "2026-03-24 00:00", "3/3 (1) to 23/3 (15)"},
		{"eu_psd2@1", "eu_reply", "Directive (EU) 2015/2366, Art. 101(2)", "2026-03-24 10:00", "2026-04-17 00:00", "25, 26, 27/3 (1-3), 30/3 to 2/4 (4-7), Good Friday and Easter Monday off, 7 to 10/4 (8-11), 13 to 16/4 (12-15)"},
		{"eu_psd2@1", "eu_refund", "Directive (EU) 2015/2366, Art. 73(1)", "2026-04-30 10:00", "2026-05-05 00:00", "1/5 is a TARGET closing day; end of the next business day, Mon 4/5"},
		{"us_federal@1", "us_e_investigate", "12 CFR 1005.11(c)", "2026-06-17 10:00", "2026-07-03 00:00", "18/6 (1), Juneteenth off, 22 to 26/6 (2-6), 29/6 to 2/7 (7-10)"},
		{"us_federal@1", "us_e_new", "12 CFR 1005.11(c)(3)", "2026-03-02 10:00", "2026-03-31 00:00", "3/3 (1) to 30/3 (20)"},
		{"us_federal@1", "us_e_full", "12 CFR 1005.11(c)(2)", "2026-03-02 10:00", "2026-04-17 00:00", "45 days after 2/3 is 16/4"},
		{"us_federal@1", "us_e_full_90", "12 CFR 1005.11(c)(3)", "2026-03-02 10:00", "2026-06-01 00:00", "90 days after 2/3 is 31/5"},
		{"us_federal@1", "us_e_report", "12 CFR 1005.11(c)-(d)", "2026-11-24 10:00", "2026-12-01 00:00", "25/11 (1), Thanksgiving off, 27/11 (2), 30/11 (3)"},
		{"us_federal@1", "us_z_ack", "12 CFR 1026.13(c)(1)", "2026-03-02 10:00", "2026-04-02 00:00", "30 days after 2/3 is 1/4"},
		{"us_federal@1", "us_z_resolve", "12 CFR 1026.13(c)(2)", "2026-03-02 10:00", "2026-05-03 00:00", "two months after 2/3 is 2/5, within ninety days"},
		{"us_federal@1", "us_cfpb_first", "CFPB company portal manual", "2026-03-02 10:00", "2026-03-18 00:00", "15 days after 2/3 is 17/3"},
		{"ch_pack@1", "ch_access", "FADP Art. 25(7), DPO Art. 18", "2026-03-02 10:00", "2026-04-02 00:00", "30 days after 2/3 is 1/4"},
		{"ch_pack@1", "ch_complaint", "Own standard", "2026-03-02 10:00", "2026-04-02 00:00", "30 days"},
	} {
		rule, ok := content.Rule(want.pack, want.rule)
		if !ok {
			t.Errorf("there is no rule %s of %s", want.rule, want.pack)
			continue
		}
		if !cites(rule.Citation, want.article) {
			t.Errorf("%s cites %q, the test %q", want.rule, rule.Citation, want.article)
		}
		calendar := content.Calendar(rule.Calendar)
		start, err := time.ParseInLocation("2006-01-02 15:04", want.start, calendar.Zone())
		if err != nil {
			t.Fatal(err)
		}
		if got := rule.Due(start, calendar, false).In(calendar.Zone()).Format("2006-01-02 15:04"); got != want.due {
			t.Errorf("%s (%s) from %s: due %s, by hand %s: %s", want.rule, want.article, want.start, got, want.due, want.derivation)
		}
	}
}

// TestPacksAreComplete holds every rule to its duty of stating where it comes from.
func TestPacksAreComplete(t *testing.T) {
	t.Parallel()
	content, err := cases.BuiltIn()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, p := range content.Packs(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)) {
		for _, r := range p.Rules {
			seen++
			if _, err := worktime.ParseDate(r.Checked); err != nil || r.Citation == "" || r.Action.EN == "" || r.Action.VI == "" {
				t.Errorf("%s: checked %q, cites %q", r.ID, r.Checked, r.Citation)
			}
			if p.Legal() && !r.NeedsCounsel {
				t.Errorf("%s is law and needs no counsel", r.ID)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d rules", seen)
	}
}

func FuzzPredicate(f *testing.F) {
	content, err := cases.BuiltIn()
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range content.Packs(time.Now()) {
		for _, r := range p.Rules {
			f.Add(r.Applies)
		}
	}
	for _, s := range []string{"a == 'x' and not (b or c in ['y', 3])", "score <= -2.5", "a ~ 'é'", "((((", "a not in [", "'", "not not not a"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		if p, err := condition.Parse(text); err == nil {
			p.Holds(cases.Facts{"a": "x", "b": true, "score": 3.0})
		}
	})
}

func TestPredicates(t *testing.T) {
	t.Parallel()
	facts := cases.Facts{"j": "UK", "n": 4.0, "yes": true, "no": false, "text": "Bị TRỪ TIỀN hai lần", "empty": ""}
	for text, want := range map[string]bool{
		"": true, "true": true, "false": false, "yes": true, "no": false, "gone": false, "not gone": true,
		"j == 'UK'": true, "j != 'UK'": false, "gone == ''": true, "gone != 'x'": true, "j in ['VN', 'UK']": true, "j not in ['VN']": true,
		"n <= 4": true, "n < 4": false, "n >= 4 and n > 3": true, "n == 4": true, "gone < 4": false, "gone == 0": false,
		"no or yes and no": false, "(no or yes) and yes": true, "not (yes and no)": true, "text ~ 'trừ tiền'": true, "text ~ 'mất'": false,
		"j set": true, "gone set": false, "empty set": false, "yes == true": true, "no == false": true,
	} {
		p, err := condition.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if p.Holds(facts) != want {
			t.Errorf("%q is %t", text, !want)
		}
	}
	for _, text := range []string{"a ==", "a b", "== 'x'", "a in 'x'", "a in ['x'", "(a", "a = 'x'", "a == x", "a == 'x", "a & b", strings.Repeat("a or ", 500) + "a"} {
		if _, err := condition.Parse(text); err == nil {
			t.Errorf("%q is no condition and was read as one", text)
		}
	}
}

// cites reports whether a citation names a text and an article: its words in order.
func cites(citation, want string) bool {
	if strings.HasPrefix(citation, want) {
		return true
	}
	law, article, found := strings.Cut(want, " Art. ")
	return found && strings.HasPrefix(citation, law) && strings.Contains(citation, "Art. "+article)
}
