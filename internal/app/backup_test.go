package app_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/testkit"
)

// TestBackupAndRestoreUnderLoad backs a server up while events come in,
// restores it elsewhere, and counts: nothing that was acknowledged before the
// back-up is missing, state and warehouse agree, and the restored server goes
// on: it takes new events and still recognises those that it had.
func TestBackupAndRestoreUnderLoad(t *testing.T) {
	t.Parallel()
	t.Run("sqlite and duckdb", func(t *testing.T) {
		t.Parallel()
		backupAndRestore(t, crashConfig(t.TempDir()), crashConfig(t.TempDir()))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		from, to := crashConfig(t.TempDir()), crashConfig(t.TempDir())
		for _, c := range []*config.Config{&from, &to} {
			c.Store, c.Warehouse = testkit.PostgresURL(t), testkit.PostgresURL(t)
		}
		backupAndRestore(t, from, to)
	})
}

func backupAndRestore(t *testing.T, from, to config.Config) {
	s := startWith(t, from)
	l := &ledger{sent: map[string]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for seed := range uint64(3) {
		group.Go(func() { l.load(ctx, s.address, s.key, seed) })
	}
	for l.acknowledged() < 500 {
		time.Sleep(5 * time.Millisecond)
	}
	before := l.snapshot()
	dir := filepath.Join(t.TempDir(), "backup")
	b, err := s.Backup(s.ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // the load goes on past the end of the back-up
	cancel()
	group.Wait()
	s.stop()

	to.Keys = from.Keys
	r, err := app.Restore(t.Context(), to, slog.New(slog.DiscardHandler), dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Events != b.Warehouse.Events || r.CaughtUp < r.Events || r.CaughtUp < int64(len(before)) {
		t.Errorf("restored %d and then %d events; the back-up holds %d and %d had been acknowledged before it", r.Events, r.CaughtUp, b.Warehouse.Events, len(before))
	}
	again := startWith(t, to)
	client := &http.Client{Timeout: 10 * time.Second}
	old := before[:min(20, len(before))]
	fresh := []string{"fresh-1", "fresh-2", "fresh-3"}
	if !l.post(t.Context(), client, again.address, again.key, append(fresh, old...)) {
		t.Fatal("the restored server took no events")
	}
	if err := again.CaughtUp(again.ctx); err != nil {
		t.Fatal(err)
	}
	facts := factCounts(t, again.App, again.ctx)
	if want := int(r.CaughtUp) + len(fresh); len(facts) != want {
		t.Errorf("%d facts after new and repeated events, want %d", len(facts), want)
	}
	perUser := map[string]int64{}
	l.note(fresh, true)
	for id := range l.sent {
		n := facts[again.Warehouse.EventID(&event.Event{Entity: "bank", Source: "crash", MessageID: id})]
		perUser[userOf(id)] += int64(n)
		if n > 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
	for _, id := range append(before, fresh...) {
		if facts[again.Warehouse.EventID(&event.Event{Entity: "bank", Source: "crash", MessageID: id})] != 1 {
			t.Fatalf("%s was acknowledged before the back-up and is missing", id)
		}
	}
	checkState(t, again.App, again.ctx, perUser)
}

// acknowledged counts the events that the server has acknowledged.
func (l *ledger) acknowledged() int { return len(l.snapshot()) }

// snapshot lists the acknowledged events.
func (l *ledger) snapshot() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, acked := range l.sent {
		if acked {
			ids = append(ids, id)
		}
	}
	return ids
}

// TestRestoreRefuses refuses what would not be the installation that was backed
// up, and leaves no folder behind.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	from := t.TempDir()
	s := start(t, from)
	dir := filepath.Join(t.TempDir(), "backup")
	if _, err := s.Backup(s.ctx, dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Backup(s.ctx, dir); errs.KindOf(err) != errs.KindConflict {
		t.Errorf("a back-up went into a folder that holds one: %v", err)
	}
	s.stop()
	to := crashConfig(t.TempDir())
	refuse := func(what string, kind errs.Kind) {
		t.Helper()
		if _, err := app.Restore(t.Context(), to, slog.New(slog.DiscardHandler), dir); errs.KindOf(err) != kind {
			t.Errorf("%s: %v", what, err)
		}
		for _, left := range []string{to.Data + ".restoring", filepath.Join(to.Data, "store.db")} {
			if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s left %s behind", what, left)
			}
		}
	}
	refuse("no key ring", errs.KindInvalid)
	to.Keys = crashConfig(from).Keys
	to.Store = "postgres://elsewhere"
	refuse("another engine", errs.KindInvalid)
	to.Store = ""
	damage := filepath.Join(dir, "log", "0")
	if err := os.WriteFile(damage, []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse("a damaged file", errs.KindInvalid)
	if err := os.Remove(filepath.Join(dir, "backup.json")); err != nil {
		t.Fatal(err)
	}
	refuse("no manifest", errs.KindNotFound)
}

// TestBackupOnlyOnTheMachine takes a back-up through the socket and refuses one
// over the address.
func TestBackupOnlyOnTheMachine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, dir)
	target := filepath.Join(t.TempDir(), "b")
	socket := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", filepath.Join(crashConfig(dir).Data, app.SocketName))
	}}}
	ask := func(client *http.Client, base string) int {
		res, err := client.Post(base+"/api/v1/backup", "application/json", strings.NewReader(`{"dir":"`+target+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	if got := ask(http.DefaultClient, "http://"+s.address); got != http.StatusUnauthorized && got != http.StatusForbidden {
		t.Errorf("over the address: %d", got)
	}
	if got := ask(socket, "http://omote"); got != http.StatusOK {
		t.Errorf("through the socket: %d", got)
	}
	if _, err := os.Stat(filepath.Join(target, "backup.json")); err != nil {
		t.Error(err)
	}
}
