package eventlog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// TestFullDiskRefusesAndRecovers fills a small file system under the log: no
// append may be acknowledged that is not there afterwards, and when there is
// space again the log goes on by itself.
func TestFullDiskRefusesAndRecovers(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("left out: a small file system cannot be mounted here (%v); needs root", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	l := openTest(t, filepath.Join(disk, "log"), testRing(t), func(o *Options) {
		o.Partitions, o.MinFreeBytes = 1, -1 // meet the end of the disk itself
		o.AckTimeout = 2 * time.Second
	})
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]bool{}
	n := 0
	append1 := func() error {
		n++
		e := made("a", n)
		e.Props = fmt.Appendf(nil, "%q", randomText(100<<10))
		_, err := l.Append(context.Background(), []event.Event{e})
		if err == nil {
			acknowledged[e.MessageID] = true
		}
		return err
	}
	eventually(t, "a full disk", func() bool {
		err := append1()
		if err != nil && errs.KindOf(err) != errs.KindUnavailable {
			t.Fatalf("got %v, want unavailable", err)
		}
		return err != nil
	})
	before := len(acknowledged)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "recovery", func() bool { return append1() == nil })
	p := newMemory("state")
	start(t, l, p, RunOptions{})
	for range 10 {
		if err := append1(); err != nil {
			t.Fatal(err)
		}
	}
	_, last, err := l.Bounds(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, l, "state", Receipt{0: last})
	stored := map[string]int{}
	for _, r := range p.all() {
		stored[r.MessageID]++
	}
	for id := range acknowledged {
		if stored[id] != 1 {
			t.Errorf("%s was acknowledged and is stored %d times", id, stored[id])
		}
	}
	t.Logf("%d acknowledged before the disk was full, %d after", before, len(acknowledged)-before)
}

func TestNearlyFullDiskRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	free, err := freeBytes(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := openTest(t, dir, testRing(t), func(o *Options) { o.MinFreeBytes = 2 * free })
	eventually(t, "a refusal", func() bool {
		_, err := l.Append(t.Context(), []event.Event{made("a", 1)})
		return err != nil && errs.KindOf(err) == errs.KindUnavailable && RetryAfter(err) > 1
	})
}

// randomText does not compress.
func randomText(n int) string {
	b := make([]byte, n/2)
	k := newBenchKeys()
	for i := 0; i < len(b); i += len(k.key.Secret) {
		k = newBenchKeys()
		copy(b[i:], k.key.Secret[:])
	}
	return fmt.Sprintf("%x", b)
}
