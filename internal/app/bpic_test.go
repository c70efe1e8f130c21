package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/analytics/mining"
	"omote/internal/ingest/imports"
	"omote/internal/ingest/mapping"
	"omote/internal/journey/observed"
	"omote/internal/platform/config"

	"omote/internal/testkit/shared"
)

// TestARealLogShowsItsPublishedFigures brings the real loan log in as a person
// would, and compares what the journey page computes with the published figures.
func TestARealLogShowsItsPublishedFigures(t *testing.T) {
	t.Parallel()
	path := shared.Path(t, "eventlogs/bpic2012/BPI_Challenge_2012.xes.gz")
	raw, err := os.ReadFile(shared.Path(t, "eventlogs/bpic2012/facts_bpic2012.json"))
	if err != nil {
		t.Fatal(err)
	}
	var facts struct {
		FileOrder map[string]any `json:"file_order"`
	}
	if err := json.Unmarshal(raw, &facts); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	dir := t.TempDir()
	c.Data, c.Keys = filepath.Join(dir, "data"), filepath.Join(dir, "keys.json")
	a, err := Open(t.Context(), Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(run, false) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ctx := a.system(t.Context())
	im := importFile(t, ctx, a, path)
	if im.Accepted != 262_200 || im.Quarantined != 0 {
		t.Fatalf("%d accepted, %d quarantined", im.Accepted, im.Quarantined)
	}
	picture, err := a.services.journeys.Read(ctx, observed.Query{Journey: "bpi_challenge_2012", FileOrder: true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	shown, err := json.Marshal(mining.NewReport(picture.Log, "BPIC2012, activity=concept:name"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(shown, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range facts.FileOrder {
		if d := cmp.Diff(want, got[key]); d != "" {
			t.Errorf("%s: %s", key, d)
		}
	}
}

func importFile(t *testing.T, ctx context.Context, a *App, path string) *imports.Import {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	svc := a.services.ingest.Imports
	im, err := svc.Upload(ctx, filepath.Base(path), f)
	if err != nil {
		t.Fatal(err)
	}
	preview, err := svc.Preview(ctx, im.ID, mapping.EventLog, "Asia/Ho_Chi_Minh")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := svc.Start(ctx, im.ID, preview.Suggest, true); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if im, err = svc.Get(ctx, im.ID); err != nil {
			t.Fatal(err)
		}
		if im.State == imports.Done {
			return im
		}
		if im.State.Over() {
			t.Fatalf("the import is %s: %s", im.State, im.Error)
		}
	}
	t.Fatal("the import did not end")
	return nil
}
