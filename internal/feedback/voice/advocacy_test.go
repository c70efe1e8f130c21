package voice

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/analytics/stats"
	"omote/internal/platform/clock"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
	"omote/internal/testkit"
)

// TestSaidAndDone counts, in the warehouse of each engine, who referred somebody
// within half a year of their first answer: later answers, referrals before it or
// too late, and questions of other kinds do not count.
func TestSaidAndDone(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	var records []eventlog.Record
	add := func(day int, person, name, props string) {
		at := begin.AddDate(0, 0, day).UnixMicro()
		records = append(records, eventlog.Record{Seq: 1, Index: len(records), Event: event.Event{Source: "core", System: "core", Entity: scope.DefaultEntity, Kind: event.Track,
			MessageID: fmt.Sprint(len(records)), UserID: person, Name: name, At: at, ReceivedAt: at, Props: []byte(props)}})
	}
	says := func(day int, person, item string, score int) {
		add(day, person, "survey_answered", fmt.Sprintf(`{"instrument":"nps","item":%q,"score":%d}`, item, score))
	}
	refers := func(day int, person string) { add(day, person, "referral_made", `{}`) }
	says(20, "keeps", "rn_score", 10)
	refers(30, "keeps")
	says(20, "late", "cf_nps", 9)
	says(60, "late", "cf_nps", 3)
	refers(201, "late")
	says(20, "before", "rn_score", 8)
	refers(19, "before")
	says(20, "surprises", "rn_score", 2)
	refers(20, "surprises")
	refers(199, "surprises")
	says(20, "other", "ease", 10)
	refers(21, "other")
	refers(22, "never asked")
	want := Advocacy{Days: referredWithin, All: 7, Unsaid: 2, Groups: []Promise{
		{"promoters", 2, stats.Proportion(1, 2, 0.95), 1},
		{"passives", 1, stats.Proportion(0, 1, 0.95), 0},
		{"detractors", 1, stats.Proportion(1, 1, 0.95), 2},
	}}
	run := func(t *testing.T, o warehouse.Options) {
		t.Parallel()
		names, err := pseudonym.New(t.Context(), testkit.Keys(t))
		must(t, err)
		o.Pseudonyms, o.Logger, o.Clock = names, slog.New(slog.DiscardHandler), clock.NewManual(begin.AddDate(1, 0, 0))
		w, err := warehouse.Open(t.Context(), o)
		must(t, err)
		t.Cleanup(func() { must(t, w.Close()) })
		ctx := scope.With(t.Context(), scope.Process(scope.DefaultEntity, "test"))
		must(t, w.Apply(ctx, eventlog.Batch{First: 1, Last: 1, Records: records}))
		got, err := (&Service{Deps: Deps{Warehouse: w}}).Advocacy(ctx)
		must(t, err)
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	t.Run("duckdb", func(t *testing.T) { run(t, warehouse.Options{Dir: t.TempDir()}) })
	t.Run("postgres", func(t *testing.T) { run(t, warehouse.Options{URL: testkit.PostgresURL(t)}) })
}
