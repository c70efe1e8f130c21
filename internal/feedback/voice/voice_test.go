package voice

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"omote/analytics/stats"
	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/outbox"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var tables = []store.Migrations{sealed.Migrations, audit.Migrations, Migrations}

func TestMigrations(t *testing.T) { testkit.CheckMigrations(t, Migrations) }

type world struct {
	allowed bool
	sent    []outbox.Message
	cases   []NewCase
	scores  map[string][]UnitScore
	quiet   map[string]time.Time
}

func (w *world) Reach(_ context.Context, _ store.Tx, record string) (Reach, error) {
	return Reach{Name: "Mẫu", Email: map[bool]string{true: "mau@example.com"}[record != "silent" && record != "zalo"], Zalo: map[bool]string{true: "z1"}[record == "zalo"], Locale: "en"}, nil
}
func (w *world) May(_ context.Context, _ store.Tx, record, _, _, _ string) (Verdict, error) {
	if until := w.quiet[record]; !until.IsZero() {
		return Verdict{Reason: "quiet", Retry: until}, nil
	}
	return Verdict{Allowed: w.allowed && record != "deceased", Reason: "excluded"}, nil
}
func (w *world) Owners(_ context.Context, _ store.Tx, records []string) (map[string]string, error) {
	out := map[string]string{}
	for _, r := range records {
		out[r] = strings.TrimSuffix(r, "-card")
	}
	return out, nil
}
func (w *world) Enqueue(_ context.Context, _ store.Tx, m outbox.Message) (string, error) {
	w.sent = append(w.sent, m)
	return m.Key, m.Validate()
}
func (w *world) Open(_ context.Context, c NewCase) (string, error) {
	w.cases = append(w.cases, c)
	return fmt.Sprint("case", len(w.cases)), nil
}
func (w *world) ByUnit(_ context.Context, survey string) ([]UnitScore, error) {
	return w.scores[survey], nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestInbox goes from words to a conversation: once, found by words without accents,
// answered both ways where the policy lets it, made a case.
func TestInbox(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := scope.With(t.Context(), scope.Process(scope.DefaultEntity, "test"))
		box, err := sealed.NewBox(db.Keys())
		must(t, err)
		names, err := pseudonym.New(ctx, db.Keys())
		must(t, err)
		w := &world{allowed: true}
		s := NewService(Deps{DB: db, Box: box, Keys: db.Keys(), Outbox: w, Customers: w, Cases: w, Scores: w, BaseURL: "https://bank.example", Bank: "Bank"})
		now := db.Now().Time()
		e := event.Event{Source: "app", MessageID: "m1", Entity: scope.DefaultEntity, Kind: event.Track, Name: "app_review_posted", UserID: "u1", At: now.UnixMicro(),
			Props: []byte(`{"stars":1,"text":"Ứng dụng lỗi, chuyển tiền mãi không được","language":"vi"}`)}
		again, history, own, wordless, old := e, e, e, e, e
		again.MessageID = "m2"
		history.MessageID, history.UserID, history.History, history.Props = "m3", "u2", true, []byte(`{"stars":5,"text":"Rất hài lòng"}`)
		own.MessageID, own.Name, own.Props = "m4", "survey_answered", []byte(`{"survey_version":1,"verbatim":"x"}`)
		wordless.MessageID, wordless.Props = "m5", []byte(`{"stars":1}`)
		old.MessageID, old.At = "m6", now.Add(-100*24*time.Hour).UnixMicro()
		for range 2 { // read twice
			must(t, db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
				var records []eventlog.Record
				for _, e := range []event.Event{e, e, again, history, own, wordless, old} {
					records = append(records, eventlog.Record{Event: e})
				}
				return Handler{s, names}.Handle(ctx, tx, records)
			}))
		}
		all, err := s.List(ctx, Query{})
		must(t, err)
		if len(all.Items) != 2 {
			t.Fatalf("%d items, want the review and the old praise: %+v", len(all.Items), all.Items)
		}
		found, err := s.List(ctx, Query{Search: "CHUYEN tien", Waiting: true})
		must(t, err)
		if len(found.Items) != 1 || found.Items[0].Mood != -1 || !strings.HasPrefix(found.Items[0].Words.Plain, "Ứng dụng lỗi") {
			t.Fatalf("found %+v", found.Items)
		}
		if none, err := s.List(ctx, Query{Search: "chuyển nhà"}); err != nil || len(none.Items) != 0 {
			t.Errorf("a word that does not occur finds %d, %v", len(none.Items), err)
		}
		id := found.Items[0].ID
		must(t, s.Assign(ctx, id, "lan"))
		w.allowed = false
		if err := s.Reply(ctx, id, "Sorry", false); errs.KindOf(err) != errs.KindConflict || len(w.sent) != 0 {
			t.Errorf("against the policy: %v, %d sent", err, len(w.sent))
		}
		w.allowed = true
		must(t, s.Reply(ctx, id, "Sorry, it works again.", false))
		var letter send.Letter
		must(t, json.Unmarshal(w.sent[0].Payload, &letter))
		_, token, ok := strings.Cut(letter.Text, "https://bank.example/feedback/reply/")
		if !ok {
			t.Fatalf("no link in %q", letter.Text)
		}
		token, _, _ = strings.Cut(token, "\n")
		asked, err := s.Asked(ctx, token)
		must(t, err)
		if asked.Reply != "Sorry, it works again." {
			t.Errorf("the page says %q", asked.Reply)
		}
		if _, err := s.Asked(ctx, token[:len(token)-2]+"zz"); err == nil {
			t.Error("a forged link opens")
		}
		if v, err := s.Get(ctx, id); err != nil || v.State != Answered {
			t.Errorf("after the reply it is %s, %v", v.State, err)
		}
		for range 2 { // the page posted twice
			must(t, s.Back(ctx, token, "It does not. <script>"))
		}
		v, err := s.Get(ctx, id)
		must(t, err)
		if v.State != Taken || len(v.Entries) != 4 || v.Times != 2 {
			t.Errorf("%s, said %d times, %d lines", v.State, v.Times, len(v.Entries))
		}
		made, err := s.MakeCase(ctx, id, true)
		must(t, err)
		twice, err := s.MakeCase(ctx, id, true)
		must(t, err)
		if made != twice || len(w.cases) != 1 || !w.cases[0].Complain {
			t.Errorf("cases %q and %q, %d opened", made, twice, len(w.cases))
		}
		if err := s.Observe(ctx, Said{Words: " ", Locale: "vi"}); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("no words: %v", err)
		}
	}, tables...)
}

// TestUnits hides staff below the minimum and finds the order of the rest. The rank
// correlation is checked against a value worked out by hand.
func TestUnits(t *testing.T) {
	t.Parallel()
	w := &world{scores: map[string][]UnitScore{}}
	for i := range 12 {
		unit := fmt.Sprint("b", i)
		w.scores[staffSurvey] = append(w.scores[staffSurvey], UnitScore{Unit: unit, Path: "/" + unit + "/", N: 12, Few: i == 11, Estimate: stats.Estimate{Value: float64(i)}})
		w.scores[customerSurvey] = append(w.scores[customerSurvey], UnitScore{Unit: unit, Path: "/" + unit + "/", N: 9, Estimate: stats.Estimate{Value: float64(i * i)}})
	}
	s := NewService(Deps{Scores: w})
	got, err := s.Units(scope.With(t.Context(), scope.Process(scope.DefaultEntity, "test")))
	must(t, err)
	if len(got.Units) != 12 || got.Few != 1 || !got.Units[11].Staff.Few || got.Rank.N != 11 || got.Rank.Value < 0.9999 {
		t.Errorf("%d units, %d too few, rank %+v", len(got.Units), got.Few, got.Rank)
	}
	// Ranks 1..10 against 2 1 4 3 6 5 8 7 10 9: the sum of squared differences is 10, so
	// rho = 1 - 6*10/(10*99) = 0.93939.
	x, y := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{2, 1, 4, 3, 6, 5, 8, 7, 10, 9}
	if r := spearman(x, y); math.Abs(r.Value-(1-60.0/990)) > 1e-12 || !(r.Low < r.Value && r.Value < r.High && r.High < 1) {
		t.Errorf("rho %+v", r)
	}
	if r := spearman(x[:9], y[:9]); !math.IsNaN(r.Value) {
		t.Errorf("nine pairs give %+v", r)
	}
}
