package app_test

import (
	"context"
	"log/slog"
	"testing"

	"omote/internal/app"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
)

// running is a server of this process on a free port.
type running struct {
	*app.App
	ctx     context.Context // of the process's own work
	address string          // host:port
	key     string          // write key of the feed "crash"
	stop    func()
}

// start serves the installation in dir until stop or the end of the test.
func start(t *testing.T, dir string) *running {
	t.Helper()
	return startWith(t, crashConfig(dir))
}

func startWith(t *testing.T, c config.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.SendLocal = true // other systems are stood in for by servers of the test
	a, err := app.Open(ctx, app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, true) }()
	stopped := false
	r := &running{App: a, ctx: a.System(ctx)}
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error("serve:", err)
		}
		if err := a.Close(context.Background()); err != nil {
			t.Error("close:", err)
		}
	}
	t.Cleanup(r.stop)
	if r.key, err = a.NewKey(ctx, auth.NewKey{Name: "test", Source: "crash", Roles: []auth.Role{auth.KeyIngest}}); err != nil {
		t.Fatal(err)
	}
	if r.address = a.WaitAddress(ctx); r.address == "" {
		t.Fatal("it does not serve")
	}
	return r
}
