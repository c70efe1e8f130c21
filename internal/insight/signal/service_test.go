package signal_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"omote/bank"
	"omote/internal/insight"
	"omote/internal/insight/metric"
	"omote/internal/insight/signal"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, insight.Migrations)
}

// span is a stretch of days with a share of satisfied answers in one region.
type span struct {
	from, to int
	share    float64
}

// answers writes what customers of six branches in two regions said over days:
// satisfied in five of six cases, but in the south as the spans say. The clock
// stands at the end.
func (r *rig) answers(seq uint64, from, to int, south ...span) {
	r.t.Helper()
	if seq == 1 {
		must(r.t, r.w.ReplaceUnits(testkit.Context(r.t), []warehouse.Unit{{Code: "n1", Path: "/north/n1/"}, {Code: "n2", Path: "/north/n2/"}, {Code: "n3", Path: "/north/n3/"},
			{Code: "s1", Path: "/south/s1/"}, {Code: "s2", Path: "/south/s2/"}, {Code: "s3", Path: "/south/s3/"}}))
	}
	random := rand.New(rand.NewPCG(seq, 7))
	b := eventlog.Batch{First: seq, Last: seq}
	start := time.Date(2025, 3, 3, 0, 0, 0, 0, bank.Zone)
	for d := from; d < to; d++ {
		for k := range 120 {
			unit, share := []string{"n1", "n2", "n3", "s1", "s2", "s3"}[k%6], 5.0/6
			for _, s := range south {
				if unit[0] == 's' && d >= s.from && d < s.to {
					share = s.share
				}
			}
			score, words := 5, "nhanh gọn"
			if random.Float64() >= share {
				score, words = 1, "chờ lâu quá"
			}
			at := start.AddDate(0, 0, d).Add(9*time.Hour + time.Duration(k)*time.Minute)
			b.Records = append(b.Records, eventlog.Record{Seq: seq, Index: len(b.Records), Event: event.Event{Source: "survey", System: "core", MessageID: fmt.Sprintf("%d-%d", d, k),
				Entity: scope.DefaultEntity, Kind: event.Track, Name: "survey_answered", UserID: fmt.Sprintf("c%d", random.IntN(9000)), At: at.UnixMicro(), ReceivedAt: at.UnixMicro(), Unit: unit, Channel: "branch",
				Props: fmt.Appendf(nil, `{"instrument":"tx_csat","item":"tc_score","score":%d,"trigger_event":"branch_service_completed","comment":%q,"language":"vi","polarity":%q}`,
					score, words, map[bool]string{true: "positive", false: "negative"}[score == 5])}})
		}
	}
	must(r.t, r.w.Apply(r.t.Context(), b))
	testkit.Clock(r.db).Set(start.AddDate(0, 0, to).Add(5 * time.Hour))
}

func (r *rig) look() signal.Run {
	r.t.Helper()
	run, err := r.Look(testkit.Context(r.t), nil)
	must(r.t, err)
	return run
}

// find gives the one signal about branch satisfaction.
func (r *rig) find() *signal.Signal {
	r.t.Helper()
	all, err := r.List(testkit.Context(r.t))
	must(r.t, err)
	var out *signal.Signal
	for _, s := range all {
		if s.Body.Metric == "csat_branch" {
			if out != nil {
				r.t.Fatalf("two signals for one fall: %s %v and %s %v", out.Body.Place.Value, out.Body.Onset, s.Body.Place.Value, s.Body.Onset)
			}
			out = s
		}
	}
	if out == nil {
		r.t.Fatalf("no signal among %d", len(all))
	}
	return out
}

func refused(t *testing.T, what string, err error, key string) {
	t.Helper()
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Key != key {
		t.Errorf("%s: want %s, got %v", what, key, err)
	}
}

// A fall in one region becomes one signal that names the region, however often one
// looks; it closes by itself when the region is back, and a second fall is another.
func TestLifeOfASignal(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.answers(1, 0, 90)
		if run := r.look(); run.Opened != 0 || run.Series < 8 {
			t.Fatalf("a quiet quarter: %+v", run)
		}
		r.answers(2, 90, 110, span{90, 110, 0.55})
		if run := r.look(); run.Opened == 0 {
			t.Fatalf("a fall of 28 points: %+v", run)
		}
		s := r.find()
		b := &s.Body
		if b.Place.Dim != signal.Region || b.Place.Value != "south" || s.Unit != "/south/" || b.State != "worse" || s.State != signal.Open {
			t.Errorf("the signal is about %s %q of %s, %s, %s", b.Place.Dim, b.Place.Value, s.Unit, b.State, s.State)
		}
		if day := int(b.Onset.Sub(time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)).Hours() / 24); day < 88 || day > 92 {
			t.Errorf("it began on day %d, planted on day 90", day)
		}
		if b.Before < 0.78 || b.Before > 0.88 || b.After < 0.5 || b.After > 0.61 {
			t.Errorf("from %.3f to %.3f, planted 0.833 to 0.55", b.Before, b.After)
		}
		if len(b.Tree.Causes) != 1 || b.Tree.Causes[0].Where[0].String() != "region=south" || !b.Tree.Causes[0].Sure || b.Tree.Causes[0].Low > 1 || b.Tree.Causes[0].High < 1 {
			t.Errorf("causes %+v", b.Tree.Causes)
		}
		if b.Customers < 1000 || b.Customers > 1200 || b.N != 1200 {
			t.Errorf("%d customers and %.0f answers, 1,200 were given", b.Customers, b.N)
		}
		if b.Value == nil || b.Value.Low <= 0 || b.Value.Low >= b.Value.Mid || b.Value.Mid >= b.Value.High || s.Worth != b.Value.Mid {
			t.Errorf("worth %+v", b.Value)
		}
		words, err := r.Words(testkit.Context(t), s, 5)
		must(t, err)
		if len(words) != 5 || words[0].Words != "chờ lâu quá" || words[0].Unit[0] != 's' {
			t.Errorf("words %+v", words)
		}
		if run := r.look(); run.Opened != 0 || run.Updated == 0 {
			t.Errorf("looking twice: %+v", run)
		}
		r.answers(3, 110, 135)
		if run := r.look(); run.Closed == 0 {
			t.Errorf("back at the old level: %+v", run)
		}
		if again := r.find(); again.ID != s.ID || again.State != signal.Closed || again.Body.Outcome != signal.Returned {
			t.Errorf("it is %s and %s", again.State, again.Body.Outcome)
		}
		_, events, err := r.Get(testkit.Context(t), s.ID)
		must(t, err)
		if len(events) != 2 || events[0].What != "open" || events[1].What != "close" || events[1].Note != signal.Returned {
			t.Errorf("trail %+v", events)
		}
		r.answers(4, 135, 150, span{135, 150, 0.5})
		r.look()
		all, err := r.List(testkit.Context(t), signal.Open)
		must(t, err)
		if len(all) == 0 || all[0].ID == s.ID {
			t.Errorf("a second fall opened %d signals", len(all))
		}
	}, migrations...)
}

// People take signals up, explain them or turn them into work, each within their
// place, and the rule answers for what was noise.
func TestPeopleActOnSignals(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.answers(1, 0, 110, span{90, 110, 0.55})
		r.look()
		s := r.find()
		lead, south, north := r.person("lan@example.com", auth.CXLead, "/"), r.person("minh@example.com", auth.Champion, "/south/"), r.person("hoa@example.com", auth.Champion, "/north/")
		auditor := r.person("xem@example.com", auth.Auditor, "/")
		if _, _, err := r.Get(north, s.ID); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("another region reads it: %v", err)
		}
		if list, err := r.List(north); err != nil || len(list) != 0 {
			t.Errorf("another region lists %d, %v", len(list), err)
		}
		_, err := r.Acknowledge(auditor, s.ID, "")
		if errs.KindOf(err) != errs.KindDenied {
			t.Errorf("an auditor acts: %v", err)
		}
		if _, err := r.Look(south, nil); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("a champion runs the whole bank: %v", err)
		}
		got, err := r.Acknowledge(south, s.ID, "tôi gọi cho chi nhánh")
		must(t, err)
		if got.State != signal.Taken || got.Body.By == "" {
			t.Errorf("taken up: %s by %q", got.State, got.Body.By)
		}
		_, err = r.Acknowledge(south, s.ID, "")
		refused(t, "taking up twice", err, "insight.signal.error.over")
		_, err = r.Explain(lead, s.ID, " ")
		refused(t, "noise without a reason", err, "insight.signal.error.reason")
		got, err = r.Turn(lead, s.ID, signal.Ask{Title: metric.Text{En: "Shorter queues", Vi: "Giảm chờ"}, Why: "chờ lâu", Days: 20, Units: 1})
		must(t, err)
		if got.State != signal.Work || got.Body.Initiative != "i1" || r.begun[0].Unit != "/south/" || r.begun[0].Signal != s.ID || r.begun[0].Owner == "" {
			t.Errorf("in work: %+v, asked %+v", got.State, r.begun)
		}
		_, err = r.Turn(lead, s.ID, signal.Ask{})
		refused(t, "work twice", err, "insight.signal.error.over")
		if len(r.begun) != 1 {
			t.Errorf("%d initiatives", len(r.begun))
		}
		// What people said stands, whatever the series does.
		r.answers(2, 110, 135)
		r.look()
		if again := r.find(); again.State != signal.Work || again.Body.Outcome != signal.Returned || again.Body.Initiative != "i1" {
			t.Errorf("after its end: %s, %s", again.State, again.Body.Outcome)
		}
		r.answers(3, 135, 150, span{135, 150, 0.5})
		r.look()
		open, err := r.List(lead, signal.Open)
		must(t, err)
		_, err = r.Explain(lead, open[0].ID, "thử nghiệm bảng hỏi mới")
		must(t, err)
		rules, err := r.Rules(lead)
		must(t, err)
		if v := rules[0]; v.FalseAlarms != 1 || v.Opened < 2 || v.Judged != 2 {
			t.Errorf("the rule: %d opened, %d false, %d judged", v.Opened, v.FalseAlarms, v.Judged)
		}
		people, err := func() (int, error) { _, p, err := r.People(lead, s.ID); return len(p), err }()
		if err != nil || people != metric.MaxPeople {
			t.Errorf("%d people, %v", people, err)
		}
	}, migrations...)
}

// A rule is tried on the past, proposed by one and put into force by another, and
// then decides what is raised.
func TestRuleIsMadeAndChecked(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db)
		r.answers(1, 0, 110, span{90, 110, 0.55})
		maker, checker := r.person("lan@example.com", auth.Analyst, "/"), r.person("minh@example.com", auth.CXLead, "/")
		usual, err := r.BackTest(maker, signal.DefaultRule())
		must(t, err)
		if usual.Raised == 0 || usual.Found < usual.Raised || len(usual.List) != usual.Raised {
			t.Fatalf("the usual rule raises %+v", usual)
		}
		strict := signal.DefaultRule()
		strict.Reach = 100_000
		none, err := r.BackTest(maker, strict)
		must(t, err)
		if none.Raised != 0 || none.Found != usual.Found {
			t.Errorf("a rule out of reach raises %+v", none)
		}
		for field, change := range map[string]func(*signal.Rule){
			"share": func(x *signal.Rule) { x.Share = 0.5 }, "limit": func(x *signal.Rule) { x.Limit = -1 }, "persist": func(x *signal.Rule) { x.Persist = 0 },
			"reach": func(x *signal.Rule) { x.Reach = 0 }, "days": func(x *signal.Rule) { x.Days = 1 }, "per_thousand": func(x *signal.Rule) { x.PerThousand = 9 },
		} {
			bad := signal.DefaultRule()
			change(&bad)
			_, err := r.BackTest(maker, bad)
			refused(t, field, err, "insight.signal.error."+field)
		}
		_, err = r.Propose(maker, signal.DefaultRule(), "như cũ")
		refused(t, "no change", err, "insight.signal.error.unchanged")
		q, err := r.Propose(maker, strict, "quá nhiều tín hiệu nhỏ")
		must(t, err)
		if text := fmt.Sprint(q.Details); !strings.Contains(text, "30 → 100000") || !strings.Contains(text, fmt.Sprintf("%d changes, 0 become signals", usual.Found)) {
			t.Errorf("the checker reads %s", text)
		}
		_, err = r.approvals.Decide(maker, q.ID, approval.Approve, "")
		if errs.KindOf(err) != errs.KindDenied {
			t.Errorf("its maker decides: %v", err)
		}
		if run := r.look(); run.Rule != 1 || run.Opened == 0 {
			t.Errorf("before the decision: %+v", run)
		}
		_, err = r.approvals.Decide(checker, q.ID, approval.Approve, "")
		must(t, err)
		r.answers(2, 110, 135)
		r.answers(3, 135, 150, span{135, 150, 0.5})
		if run := r.look(); run.Rule != 2 || run.Opened != 0 {
			t.Errorf("the strict rule: %+v", run)
		}
		rules, err := r.Rules(maker)
		must(t, err)
		if len(rules) != 2 || rules[0].Status != signal.Live || rules[1].Status != signal.Retired || rules[0].Tested.Found != usual.Found {
			t.Errorf("versions %+v %+v", rules[0], rules[1])
		}
	}, migrations...)
}
