package warehouse

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/testkit"
)

func TestSnapshotAndRestoreWhileFactsComeIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *Warehouse) {
		ctx := as(t, scope.Root)
		rng := rand.New(rand.NewPCG(14, 14))
		var writer sync.WaitGroup
		started, stop := make(chan struct{}), make(chan struct{})
		writer.Go(func() {
			for seq := uint64(1); ; {
				fs := facts(rng, 200, seq)
				if err := w.append(ctx, 0, last(fs), fs); err != nil {
					t.Error(err)
					return
				}
				if seq == 1 {
					close(started)
				}
				seq = last(fs) + 1
				select {
				case <-stop:
					return
				default:
				}
			}
		})
		<-started
		dir := filepath.Join(t.TempDir(), "snapshot")
		m, err := w.Snapshot(ctx, dir)
		close(stop)
		writer.Wait()
		if err != nil {
			t.Fatal(err)
		}
		pos, err := w.Position(ctx, 0)
		if err != nil || m.Watermarks[0] == 0 || m.Watermarks[0] > pos {
			t.Fatalf("snapshot at %d, log applied up to %d, %v", m.Watermarks[0], pos, err)
		}
		opt := w.opt
		if opt.URL == "" {
			opt.Dir = t.TempDir()
		} else {
			opt.URL = testkit.PostgresURL(t)
		}
		if _, err := Restore(ctx, dir, opt); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(ctx, dir, opt); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("restoring over facts: %v", err)
		}
		restored := openTest(t, opt)
		if got := one[int64](t, ctx, restored, `SELECT count(*) FROM {event}`); got != m.Events {
			t.Errorf("%d events restored, want %d", got, m.Events)
		}
		if got := one[int64](t, ctx, restored, `SELECT count(DISTINCT log_seq) FROM {event}`); uint64(got) != m.Watermarks[0] {
			t.Errorf("messages up to %d restored at position %d", got, m.Watermarks[0])
		}
		mustAgree(t, restored)
		if err := os.Remove(filepath.Join(dir, manifestFile)); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(ctx, dir, opt); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("restoring an incomplete snapshot: %v", err)
		}
	})
}
