package voice

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"omote/analytics/text/lexicon"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// TestThemes reads what words speak of; praise and blame in one text stay apart.
func TestThemes(t *testing.T) {
	t.Parallel()
	have := slices.Clone(lexicon.Banking().Names())
	slices.Sort(have)
	if !slices.Equal(have, Themes) {
		t.Errorf("the lexicon has %v, the themes are %v", have, Themes)
	}
	for words, want := range map[string]string{
		"Ứng dụng dễ dùng nhưng phí chuyển tiền quá cao": "[{digital 1} {rate -1}]",
		"The staff were rude":  "[{staff -1}]",
		"Tôi đến lúc chín giờ": "[]",
		"Thẻ ghi nợ":           "[{card -1}]", // the score says how
	} {
		if got := fmt.Sprint(themesOf(words, -1)); got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
}

// bench fills an inbox in which one issue is said in three ways.
func issueWorld(t *testing.T, db *store.DB) (*Service, *world, context.Context) {
	ctx := scope.With(t.Context(), scope.Process(scope.DefaultEntity, "test"))
	box, err := sealed.NewBox(db.Keys())
	must(t, err)
	w := &world{allowed: true, quiet: map[string]time.Time{}}
	return NewService(Deps{DB: db, Box: box, Keys: db.Keys(), Outbox: w, Customers: w, Cases: w, Channels: []string{"zalo"}, BaseURL: "https://bank.example", Bank: "Bank"}), w, ctx
}

func (s *Service) say(t *testing.T, ctx context.Context, customer string, kind Kind, unit, words string, at time.Time) {
	t.Helper()
	n := 0
	must(t, s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := tx.NewRaw("SELECT COUNT(*) FROM voice_item").Scan(ctx, &n); err != nil {
			return err
		}
		return s.Take(ctx, tx, Said{CustomerID: customer, Source: "test", Ref: fmt.Sprint(n), Kind: kind, Unit: unit, Journey: "card", Step: "card_activated", Words: words, Locale: "vi", At: at})
	}))
}

// TestIssue lays the sources side by side. The counts are checked by hand, customers are
// counted once however often they speak, and another place sees nothing of it.
func TestIssue(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		s, _, ctx := issueWorld(t, db)
		now := db.Now().Time()
		day := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
		for i := range 20 { // before: one in ten complains of the card, now half of them
			c := fmt.Sprint("c", i)
			before, after := "Lãi suất tệ quá", "Lãi suất tệ quá "+c
			if i < 2 {
				before = "Thẻ lỗi, rất tệ"
			}
			if i < 10 {
				after = "Thẻ bị lỗi liên tục, quá tệ " + c
			}
			s.say(t, ctx, c, Complaint, "/north/b1/", before, day(60))
			s.say(t, ctx, c, Complaint, "/north/b1/", after, day(10))
		}
		s.say(t, ctx, "c0", Complaint, "/north/b1/", "Thẻ vẫn tệ, không dùng được", day(3)) // the same customer again
		s.say(t, ctx, "c1", Review, "/south/", "Thẻ quá tệ", day(5))
		s.say(t, ctx, "", Observation, "/north/b1/", "Khách than phiền thẻ tệ", day(4))

		list, err := s.Issues(ctx, "")
		must(t, err)
		if len(list) != 2 || list[0].Theme != "card" || list[0].Now != 11 || list[0].Before != 2 || list[0].Kinds != 3 || list[0].Moved != 1 {
			t.Fatalf("issues %+v", list)
		}
		v, err := s.Issue(ctx, list[0].Issue)
		must(t, err)
		if v.Customers != 11 || len(v.Units) != 2 || len(v.Voices) != 5 || v.Agree != 1 {
			t.Errorf("%d customers, %d units, %d voices, %d sources agree", v.Customers, len(v.Units), len(v.Voices), v.Agree)
		}
		row := v.Rows[slices.Index(Kinds, Complaint)]
		if row.Hits != 10 || row.Now.N != 20 || row.Before.Value != 0.1 || row.Change.Difference.Low <= 0 || row.Weeks[issueWeeks-1] != 1 || row.Weeks[issueWeeks-2] != 10 {
			t.Errorf("complaints %+v", row)
		}
		// One stratum: 10 of 20 against 2 of 20.
		if math.Abs(v.All.Value-5) > 1e-9 || v.All.Low < 1 {
			t.Errorf("altogether %+v", v.All)
		}
		south := scope.With(t.Context(), scope.Scope{Entity: scope.DefaultEntity, Unit: "/south/", Actor: "process:test", System: true})
		if v, err := s.Issue(south, list[0].Issue); err != nil || v.Customers != 1 || v.Units[0].Now != 1 || len(v.Voices) != 1 {
			t.Errorf("the south sees %+v, %v", v, err)
		}
		if _, err := s.Issue(ctx, Issue{Theme: "x"}); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("an unknown theme: %v", err)
		}
		// An older reader's items are read again, once.
		must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewRaw("UPDATE voice_item SET reader = 0").Exec(ctx)
			if err == nil {
				_, err = tx.NewRaw("DELETE FROM voice_theme").Exec(ctx)
			}
			return err
		}))
		for _, want := range []int{43, 0} {
			if n, err := s.Reread(ctx, 1000); err != nil || n != want {
				t.Fatalf("read %d again, %v; want %d", n, err, want)
			}
		}
		if again, err := s.Issues(ctx, ""); err != nil || len(again) != 2 || again[0].Now != 11 {
			t.Errorf("after reading again %+v, %v", again, err)
		}
	}, tables...)
}

// TestNotice tells exactly the customers who spoke of an issue, each once whatever the
// number of their records and of the runs, on the channel that reaches them, and never
// against the contact policy.
func TestNotice(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		s, w, ctx := issueWorld(t, db)
		now := db.Now().Time()
		for _, c := range []string{"a", "a-card", "b", "zalo", "silent", "deceased", "quiet"} {
			s.say(t, ctx, c, Complaint, "/north/", "Thẻ lỗi, rất tệ "+c, now.Add(-time.Hour))
		}
		s.say(t, ctx, "other", Complaint, "/north/", "Lãi suất tệ quá", now.Add(-time.Hour))
		s.say(t, ctx, "happy", Complaint, "/north/", "Thẻ rất tốt", now.Add(-time.Hour))
		s.say(t, ctx, "before", Complaint, "/north/", "Thẻ rất tệ", now.Add(-80*24*time.Hour))
		w.quiet["quiet"] = now.Add(8 * time.Hour)
		n := Notice{Issue: Issue{Theme: "card", Journey: "card"}, Since: now.Add(-30 * 24 * time.Hour), TextVI: "Đã sửa lỗi thẻ.", TextEN: "The card works again."}
		if c, err := s.Concerned(ctx, n.Issue, n.Since); err != nil || c != 6 {
			t.Fatalf("%d concerned, %v", c, err)
		}
		if _, err := s.Tell(ctx, Notice{Issue: n.Issue, Since: n.Since, TextVI: "Chỉ tiếng Việt"}); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("one language only: %v", err)
		}
		id, err := s.Tell(ctx, n)
		must(t, err)
		if again, err := s.Tell(ctx, n); err != nil || again != id {
			t.Errorf("the form sent twice: %q, %v", again, err)
		}
		for range 3 {
			_, err := s.SendNotices(ctx, 100)
			must(t, err)
		}
		to := func() (out []string) {
			for _, m := range w.sent {
				out = append(out, m.CustomerID+" "+m.Channel)
			}
			slices.Sort(out)
			return out
		}
		if got := to(); !slices.Equal(got, []string{"a email", "b email", "zalo zalo"}) {
			t.Errorf("told %v", got)
		}
		var short send.Short
		for _, m := range w.sent {
			if m.Channel == "zalo" {
				must(t, json.Unmarshal(m.Payload, &short))
			}
		}
		if short.To != "z1" || short.Link == "" {
			t.Errorf("the short message %+v", short)
		}
		v, err := s.Issue(ctx, n.Issue)
		must(t, err)
		if len(v.Told) != 1 || v.Told[0].Concerned != 6 || v.Told[0].Told != 3 || v.Told[0].Held != 1 || v.Told[0].Unreachable != 1 || v.Told[0].Waiting != 1 {
			t.Fatalf("the notice %+v", v.Told)
		}
		// The quiet hours end: the one who waited is told, nobody else again.
		testkit.Clock(db).Set(now.Add(9 * time.Hour))
		delete(w.quiet, "quiet")
		for range 2 {
			_, err := s.SendNotices(ctx, 100)
			must(t, err)
		}
		if got := to(); !slices.Equal(got, []string{"a email", "b email", "quiet email", "zalo zalo"}) {
			t.Errorf("told in the end %v", got)
		}
		if _, err := s.Tell(ctx, Notice{Issue: Issue{Theme: "loan"}, Since: n.Since, TextVI: "x", TextEN: "x"}); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("nobody spoke of it: %v", err)
		}
	}, tables...)
}
