package demo

import (
	"context"
	"log/slog"
	"math"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/feedback/survey"
	"omote/internal/platform/config"
)

// TestAskings gives a small bank's askings to an installation: every questionnaire has
// answers, its tallies agree with the answers, and the unit that games is found.
func TestAskings(t *testing.T) {
	t.Parallel()
	c := config.Default()
	dir := t.TempDir()
	c.Data, c.Keys, c.Addr = dir+"/data", dir+"/keys.json", "127.0.0.1:0"
	a, err := app.Open(t.Context(), app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	b, err := newBank(a, Options{Customers: 7_000, Months: 4, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	k := newAskings(a.Config.Entity, b.Config().End)
	for e := range b.ByCustomer() {
		if err := k.note(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.seed(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	ctx, end := a.System(t.Context()), b.Config().End
	for _, id := range []string{"rel_nps", "tx_csat", "ces", "exp_dimensions", "emp_pulse"} {
		r, err := a.Surveys().Result(ctx, id, survey.Period{From: end.Add(-200 * 24 * time.Hour), To: end})
		if err != nil {
			t.Fatal(err)
		}
		wrong, err := a.Surveys().Recount(ctx, id, false)
		if err != nil || r.Done < 10 || wrong != 0 || math.IsNaN(r.Items[0].Estimate.Value) {
			t.Errorf("%s: %d responses, %d wrong tallies, %v", id, r.Done, wrong, err)
		}
	}
	report, err := a.Surveys().Report(ctx, "tx_csat", end.Add(-200*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, g := range report.Gaming {
		found = found || g.Unit == unitCode(k.gaming())
	}
	t.Logf("%d askings, %s games, units that stand out: %+v", len(k.list), k.gaming(), report.Gaming)
	if len(report.Units) < 5 || !found {
		t.Errorf("%d units; the one that games is found: %v", len(report.Units), found)
	}
}
