package cases_test

import (
	"testing"

	"omote/internal/feedback/cases"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, migrations...)
}

func TestTextsExistInBothLanguages(t *testing.T) {
	t.Parallel()
	must(t, i18n.Check(cases.Locales()))
}

// TestLife follows a complaint from the phone to the customer's yes, and another to a
// no that reopens it.
func TestLife(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		v := r.open(complaint())
		if v.Name.Plain != "Nguyễn Văn Mẫu" || v.State != cases.New || v.Unit != "/north/b1/" || v.Ref() != "CV-00001" {
			t.Fatalf("opened as %+v", v.Case)
		}
		// Several clocks at once; the earliest is the case's.
		for rule, due := range map[string]string{"int_ack_4h": "2026-03-02 14:00", "int_owner_8h": "2026-03-03 09:00", "vn_cl_negotiate": "2026-03-12 00:00", "int_resolve_5d": "2026-03-10 00:00"} {
			if k := clockOf(t, v, rule); local(k.Due) != due || k.State != cases.ClockRunning {
				t.Errorf("%s is due %s (%s), want %s", rule, local(k.Due), k.State, due)
			}
		}
		if v.NextRule != "int_ack_4h" {
			t.Errorf("the next is %s", v.NextRule)
		}
		must(t, r.Assign(r.agent, v.ID, "agent1"))
		wantKind(t, r.Assign(r.agent, v.ID, "agent2"), errs.KindDenied)
		must(t, r.RecordContact(r.agent, v.ID, cases.Contact{Reached: true, Channel: "phone", Words: "Đã xin lỗi"}))
		v = r.get(v.ID)
		if k := clockOf(t, v, "vn_cl_negotiate"); k.State != cases.ClockMet {
			t.Errorf("the contact leaves the statutory clock %s", k.State)
		}
		if k := clockOf(t, v, "int_update_3d"); local(k.Due) != "2026-03-06 00:00" {
			t.Errorf("the update is due %s", local(k.Due))
		}
		// Closing needs cause and action.
		_, err := r.Close(r.agent, v.ID, cases.Resolution{Actions: []string{"refunded"}})
		wantKind(t, err, errs.KindInvalid)
		_, err = r.Close(r.agent, v.ID, cases.Resolution{Cause: "system_fault"})
		wantKind(t, err, errs.KindInvalid)
		must(t, r.Give(r.agent, v.ID, cases.Grant{Kind: "fee_refund", Amount: money.VND(150_000), Reason: "phí thu hai lần"}))
		link, err := r.Close(r.agent, v.ID, cases.Resolution{Cause: "system_fault", Actions: []string{"apologised", "refunded"}, Owner: "Lan"})
		must(t, err)
		if v = r.get(v.ID); v.State != cases.Asked || v.IsOpen || len(r.post.letters) != 1 || r.post.letters[0].Email != "mau@example.com" {
			t.Fatalf("after closing: %s, %d letters", v.State, len(r.post.letters))
		}
		token := link[len("https://bank.example/feedback/solved/"):]
		// Reading the link changes nothing: programs open links too.
		q, err := r.Question(t.Context(), token)
		must(t, err)
		if q.Answered != "" || q.Ref != v.Ref() || r.get(v.ID).State != cases.Asked {
			t.Fatalf("the question reads %+v", q)
		}
		for _, forged := range []string{"", "x", token[:len(token)-1] + "A", token + "A"} {
			if forged == token {
				continue
			}
			_, err := r.Answer(t.Context(), forged, true, "")
			wantKind(t, err, errs.KindNotFound)
		}
		_, err = r.Answer(t.Context(), token, false, "Vẫn chưa nhận được tiền")
		must(t, err)
		v = r.get(v.ID)
		if v.State != cases.Working || !v.IsOpen || v.Reopened != 1 || v.Outcome != "unsolved" {
			t.Fatalf("after a no: %+v", v.Case)
		}
		if k := clockOf(t, v, "int_reopen_8h"); k.State != cases.ClockRunning || local(k.Due) != "2026-03-03 09:00" {
			t.Errorf("the reopening's clock: %s, due %s", k.State, local(k.Due))
		}
		if len(v.Escalations) == 0 || v.Escalations[0].Why != "repeat" {
			t.Errorf("a reopened case climbs: %+v", v.Escalations)
		}
		// The same answer again, also with other words, changes nothing; another is refused.
		_, err = r.Answer(t.Context(), token, false, "")
		must(t, err)
		_, err = r.Answer(t.Context(), token, true, "")
		wantKind(t, err, errs.KindConflict)
		must(t, r.RecordContact(r.agent, v.ID, cases.Contact{Reached: true, Channel: "phone"}))
		link, err = r.Close(r.agent, v.ID, cases.Resolution{Cause: "system_fault", Actions: []string{"corrected"}})
		must(t, err)
		_, err = r.Answer(t.Context(), link[len("https://bank.example/feedback/solved/"):], true, "Cảm ơn")
		must(t, err)
		if v = r.get(v.ID); v.State != cases.Solved || v.Outcome != "solved" {
			t.Fatalf("after a yes: %+v", v.Case)
		}
		// Told what was changed: a clock that starts when the customer accepts.
		if k := clockOf(t, v, "int_prevention_60d"); k.State != cases.ClockRunning {
			t.Errorf("the prevention clock is %s", k.State)
		}
		rows, tallies, err := r.Register(r.owner, testkit.Epoch, testkit.Epoch.AddDate(1, 0, 0))
		must(t, err)
		if len(rows) != 1 || rows[0].Granted != 150_000 || len(tallies) < 4 {
			t.Errorf("the register: %+v", rows)
		}
	}, migrations...)
}

// TestSilence lets the customer say nothing.
func TestSilence(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		in := complaint()
		in.Kind = cases.Detractor
		v := r.open(in)
		_, err := r.Close(r.agent, v.ID, cases.Resolution{Cause: "delay", Actions: []string{"explained"}})
		must(t, err)
		r.at("2026-03-16 09:00")
		if v = r.get(v.ID); v.State != cases.Silent || v.Outcome != "silent" {
			t.Errorf("after two weeks of silence: %s", v.State)
		}
		must(t, r.Reopen(r.agent, v.ID, "gọi lại cho khách"))
		if v = r.get(v.ID); !v.IsOpen || v.Reopened != 1 {
			t.Errorf("reopened by hand: %+v", v.Case)
		}
	}, migrations...)
}

// TestBreach lets clocks run out: warnings, the breach at its own time, the ladder, an
// acknowledgement that stops it.
func TestBreach(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		v := r.open(complaint())
		r.at("2026-03-02 11:00") // half of four working hours
		v = r.get(v.ID)
		if k := clockOf(t, v, "int_ack_4h"); k.Warned != 1 {
			t.Errorf("warned %d times at half of the time", k.Warned)
		}
		if len(v.Escalations) != 1 || v.Escalations[0].Step != 1 || v.Escalations[0].Why != "warn" {
			t.Fatalf("escalations after a warning: %+v", v.Escalations)
		}
		// The worker was down over the deadline: the breach is of its own time.
		r.at("2026-03-02 16:30")
		v = r.get(v.ID)
		k := clockOf(t, v, "int_ack_4h")
		if k.State != cases.ClockBreached || local(k.Breached) != "2026-03-02 14:00" || !v.Late {
			t.Fatalf("breached at %s, %s", local(k.Breached), k.State)
		}
		open := 0
		for _, e := range v.Escalations {
			if e.State == cases.EscalationOpen {
				open++
				if e.Step != 2 || e.Why != "breach" || e.Role != "case_owner" {
					t.Errorf("open escalation %+v", e)
				}
			}
		}
		if open != 1 {
			t.Fatalf("%d open escalations: %+v", open, v.Escalations)
		}
		mine, err := r.MyEscalations(r.owner, 10)
		must(t, err)
		if len(mine) != 1 || mine[0].Case.ID != v.ID {
			t.Fatalf("the owner's escalations: %+v", mine)
		}
		none, err := r.MyEscalations(actor(t, "south", "/south/", "case_owner"), 10)
		must(t, err)
		if len(none) != 0 {
			t.Errorf("another place sees escalations: %+v", none)
		}
		must(t, r.Acknowledge(r.owner, v.ID, mine[0].Escalation.ID))
		wantKind(t, r.Acknowledge(r.owner, v.ID, mine[0].Escalation.ID), errs.KindConflict)
		r.at("2026-03-04 16:30") // the ladder stays where somebody answers for it
		for _, e := range r.get(v.ID).Escalations {
			if e.Ladder == "ladder_internal" && e.Step > 2 {
				t.Errorf("the ladder went on after the acknowledgement: %+v", e)
			}
		}
		// Met after the deadline stays late.
		must(t, r.Mark(r.agent, v.ID, "complaint_acknowledged"))
		if k := clockOf(t, r.get(v.ID), "int_ack_4h"); k.State != cases.ClockLate {
			t.Errorf("met late: %s", k.State)
		}
	}, migrations...)
}

// TestUnanswered climbs because nobody acknowledges, and by silence.
func TestUnanswered(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		in := complaint()
		in.Severity = cases.Severe
		v := r.open(in)
		if len(v.Escalations) != 1 || v.Escalations[0].Ladder != "ladder_severe" || v.Escalations[0].Step != 1 {
			t.Fatalf("a severe case begins with %+v", v.Escalations)
		}
		r.at("2026-03-02 09:20")
		r.at("2026-03-02 11:30")
		steps := map[int]string{}
		for _, e := range r.get(v.ID).Escalations {
			if e.Ladder == "ladder_severe" {
				steps[e.Step] = e.Why + " " + e.State
			}
		}
		if steps[1] != "severity overtaken" || steps[2] != "unanswered overtaken" || steps[3] != "unanswered open" {
			t.Errorf("steps %v", steps)
		}
		// Any step can be reached directly by a person.
		must(t, r.Escalate(r.agent, v.ID, "ladder_legal_clock", 4, "báo chí hỏi"))
		wantKind(t, r.Escalate(r.agent, v.ID, "ladder_legal_clock", 9, ""), errs.KindNotFound)
	}, migrations...)
}

// TestClockChanges pauses, extends and swaps.
func TestClockChanges(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.at("2026-03-02 09:00")
		v := r.open(complaint())
		legal, own := clockOf(t, v, "vn_cl_negotiate"), clockOf(t, v, "int_resolve_5d")
		wantKind(t, r.Pause(r.agent, v.ID, legal.ID, "waiting_for_customer"), errs.KindDenied)
		wantKind(t, r.Pause(r.agent, v.ID, own.ID, "lunch"), errs.KindInvalid)
		wantKind(t, r.ExtendClock(r.agent, v.ID, legal.ID, "cần thêm thời gian"), errs.KindDenied)
		wantKind(t, r.Swap(r.owner, v.ID, legal.ID, "int_resolve_5d", false, "nội bộ dài hơn"), errs.KindDenied)
		r.at("2026-03-04 10:00")
		must(t, r.Pause(r.agent, v.ID, own.ID, "waiting_for_customer"))
		if v = r.get(v.ID); v.State != cases.Waiting || clockOf(t, v, "vn_cl_negotiate").State != cases.ClockRunning {
			t.Errorf("a pause stops only its own clock: %s", v.State)
		}
		r.at("2026-03-06 15:00")
		must(t, r.Resume(r.agent, v.ID, own.ID))
		if k := clockOf(t, r.get(v.ID), "int_resolve_5d"); local(k.Due) != "2026-03-12 00:00" || local(k.FirstDue) != "2026-03-10 00:00" || len(k.Changes.Former) == 0 {
			t.Errorf("after the pause due %s", local(k.Due))
		}
		wantKind(t, r.ExtendClock(r.agent, v.ID, own.ID, ""), errs.KindInvalid)
		must(t, r.ExtendClock(r.agent, v.ID, own.ID, "chờ tổ chức thẻ trả lời"))
		wantKind(t, r.ExtendClock(r.agent, v.ID, own.ID, "thêm lần nữa"), errs.KindDenied)
		if k := clockOf(t, r.get(v.ID), "int_resolve_5d"); local(k.Due) != "2026-03-19 00:00" {
			t.Errorf("after the extension due %s", local(k.Due))
		}
		// A new version of the pack: the open clock stays, until somebody swaps it.
		body, err := r.SettingText(r.lead, cases.SettingPack, "internal_service")
		must(t, err)
		body = replace(t, body, "id: int_resolve_5d", "amount: 5", "amount: 3")
		version, err := r.Publish(r.lead, cases.SettingPack, "internal_service", body, "")
		must(t, err)
		if version != 2 {
			t.Errorf("version %d", version)
		}
		if k := clockOf(t, r.get(v.ID), "int_resolve_5d"); local(k.Due) != "2026-03-19 00:00" {
			t.Errorf("publishing moved an open clock to %s", local(k.Due))
		}
		must(t, r.Swap(r.owner, v.ID, own.ID, "int_resolve_5d", false, "áp dụng cam kết mới"))
		if k := clockOf(t, r.get(v.ID), "int_resolve_5d"); local(k.Due) != "2026-03-17 00:00" || k.From.Version != 2 {
			t.Errorf("after the swap due %s, version %d", local(k.Due), k.From.Version)
		}
		// A pause ends by itself after its longest time.
		must(t, r.Pause(r.agent, v.ID, own.ID, "waiting_for_customer"))
		r.at("2026-03-25 09:00")
		if k := clockOf(t, r.get(v.ID), "int_resolve_5d"); k.State == cases.ClockPaused {
			t.Errorf("still paused after nineteen days")
		}
		wantKind(t, publish(r, "internal_service", "rules: ["), errs.KindInvalid)
	}, migrations...)
}

func publish(r *rig, id, body string) error {
	_, err := r.Publish(r.lead, cases.SettingPack, id, body, "")
	return err
}
