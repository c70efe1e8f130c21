package cases_test

import (
	"context"
	"testing"

	"omote/internal/feedback/cases"
	"omote/internal/platform/event"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

func (r *rig) answered(a cases.Answered) {
	r.t.Helper()
	a.At = testkit.Clock(r.db).Now()
	must(r.t, r.db.Write(testkit.Context(r.t), func(ctx context.Context, tx store.Tx) error { _, err := r.TakeAnswer(ctx, tx, a); return err }))
}

// TestWholeAnswers lets whole responses make, join and reopen cases.
func TestWholeAnswers(t *testing.T) {
	t.Parallel()
	score := func(n float64) *float64 { return &n }
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		bad := cases.Answered{CustomerID: "c1", Ref: "r1", Instrument: "tx_csat", Journey: "branch_visit", Score: score(1), Top: 5, Words: "Chờ hai giờ, không ai báo lý do", Locale: "vi"}
		r.answered(bad)
		r.answered(bad) // the page posted twice
		all := r.list(cases.Query{Owner: "", Limit: 10})
		if len(all) != 1 || all[0].Kind != cases.Detractor || all[0].Words.Plain != bad.Words || all[0].Signals != 1 {
			t.Fatalf("one bad response makes %+v", all)
		}
		seen, err := r.Get(r.lead, all[0].ID)
		must(t, err)
		if k := clockOf(t, seen, "int_callback_48h"); local(k.Due) != "2026-03-04 09:00" {
			t.Errorf("the call is due %s", local(k.Due))
		}
		// Whom nobody knows has a case too; what is fine has none.
		r.answered(cases.Answered{Ref: "r2", Instrument: "tx_csat", Score: score(2), Top: 5, Locale: "en"})
		r.answered(cases.Answered{CustomerID: "c2", Ref: "r3", Instrument: "tx_csat", Score: score(5), Top: 5, Words: "Tốt"})
		r.answered(cases.Answered{CustomerID: "c3", Ref: "r4", Instrument: "tx_csat", Score: score(3), Top: 5, Asks: true})
		// Words alone are no 0 on a scale, of an own response or of a feed.
		r.answered(cases.Answered{CustomerID: "c4", Ref: "r5", Instrument: "rel_nps", Words: "Mọi thứ đều ổn"})
		r.feed(event.Event{Source: "other", MessageID: "m1", Kind: event.Track, Name: "survey_answered", Props: []byte(`{"instrument":"rel_nps","item":"rn_keep","scale":10,"verbatim":"Nhân viên rất nhiệt tình"}`)}, "c5")
		if all = r.list(cases.Query{Limit: 10}); len(all) != 3 {
			t.Fatalf("%d cases, want those of r1, r2 and r4", len(all))
		}
		// The questionnaire after a complaint finds the case that was closed.
		v := r.open(complaint())
		must(t, r.RecordContact(r.agent, v.ID, cases.Contact{Reached: true, Channel: "phone"}))
		r.at("2026-03-03 09:00")
		_, err = r.Close(r.owner, v.ID, cases.Resolution{Cause: "system_fault", Actions: []string{"corrected"}})
		must(t, err)
		r.answered(cases.Answered{CustomerID: "c1", Ref: "r6", Instrument: "complaint_followup", Unsolved: true, Words: "Vẫn chưa nhận được tiền"})
		if v = r.get(v.ID); !v.IsOpen || v.Reopened != 1 {
			t.Errorf("after an answer that it is not solved: %+v", v.Case)
		}
	}, migrations...)
}
