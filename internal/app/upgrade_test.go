package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"omote/internal/testkit/shared"

	"omote/internal/app"
)

// TestMigrate brings a fresh folder up, and finds nothing to do the second time.
func TestMigrate(t *testing.T) {
	t.Parallel()
	o := app.Options{Config: crashConfig(t.TempDir()), Logger: slog.New(slog.DiscardHandler)}
	for round, want := range []bool{true, false} {
		done, err := app.Migrate(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range done {
			if (u.Applied > 0) != want {
				t.Errorf("round %d: %s applied %d", round, u.Module, u.Applied)
			}
		}
	}
}

// TestUpgradeUnderLoad serves with the version before while clients send without a
// pause, stops it, goes on with this version in the same folder and at the same
// address, and counts: every acknowledged event is there once, and what the
// version before had kept is still known.
func TestUpgradeUnderLoad(t *testing.T) {
	previous := filepath.Join(shared.Root(t), ".cache", "previous", "omote")
	if _, err := os.Stat(previous); err != nil {
		t.Skip("the version before is not built (scripts/previous.sh): ", err)
	}
	dir := t.TempDir()
	c := crashConfig(dir)
	c.Addr = freeAddress(t)
	folder := []string{"--data", c.Data, "--keys", c.Keys, "--json"}
	old := exec.CommandContext(t.Context(), previous, append([]string{"serve", "--addr", c.Addr}, folder...)...)
	var log bytes.Buffer
	old.Stdout, old.Stderr = &log, &log
	if err := old.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Process.Kill() }()
	// The command makes a key by itself where nobody serves, and would then hold the folder.
	for late := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + c.Addr + "/healthz")
		if err == nil {
			res.Body.Close()
			break
		}
		if time.Now().After(late) {
			t.Fatalf("the version before does not serve: %v\n%s", err, log.String())
		}
	}
	var made struct{ Key string }
	for late := time.Now().Add(30 * time.Second); made.Key == ""; time.Sleep(50 * time.Millisecond) {
		raw, err := exec.CommandContext(t.Context(), previous, append([]string{"key", "create", "--scope", "ingest", "--source", "crash", "--system", "crash"}, folder...)...).Output()
		if err == nil {
			err = json.Unmarshal(raw, &made)
		}
		if err != nil && time.Now().After(late) {
			t.Fatalf("the version before gives no key: %v\n%s", err, log.String())
		}
	}
	l := &ledger{sent: map[string]bool{}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var clients sync.WaitGroup
	for seed := range uint64(3) {
		clients.Go(func() { l.load(ctx, c.Addr, made.Key, seed) })
	}
	time.Sleep(2 * time.Second)
	before := l.acknowledged()
	if err := old.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := old.Wait(); err != nil {
		t.Fatalf("the version before did not end well: %v\n%s", err, log.String())
	}
	a, err := app.Open(ctx, app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	serving, end := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(serving, true) }()
	for late := time.Now().Add(30 * time.Second); l.acknowledged() < before+1000 && time.Now().Before(late); time.Sleep(20 * time.Millisecond) {
	}
	stop()
	clients.Wait()
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := a.Close(context.Background()); err != nil {
		t.Error(err)
	}
	after := l.acknowledged()
	t.Logf("%d events acknowledged by the version before, %d by this one", before, after-before)
	if before == 0 || after < before+1000 {
		t.Error("one of the versions took nothing: the test proves nothing")
	}
	verifyCrash(t, dir, l)
}

// freeAddress is an address on which nothing listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
