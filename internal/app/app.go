// Package app puts the program together: it opens the engines, wires the modules
// of modules.go, and runs them until it is told to stop.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"omote/analytics/text/pii"
	"omote/internal/customer/segment"
	"omote/internal/module"
	"omote/internal/platform/clock"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/keyring"
	"omote/internal/platform/projector"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/telemetry"
	"omote/internal/platform/warehouse"
)

// Options are what tests and the demo set beside the configuration.
type Options struct {
	Config config.Config
	Clock  clock.Clock
	Logger *slog.Logger
	// Draw gives the seeds by which campaigns deal their branches; chance when it is nil.
	Draw func() uint64
}

// App is one running process.
type App struct {
	Config    config.Config
	Clock     clock.Clock
	Logger    *slog.Logger
	Keys      *keyring.File
	Box       *sealed.Box
	Names     *pseudonym.Maker
	Store     *store.DB
	Log       *eventlog.Log
	Warehouse *warehouse.Warehouse
	State     *projector.State
	Bundle    *i18n.Bundle

	// OnSetup is told where the first-run set-up awaits its operator. Set it
	// before Run.
	OnSetup func(address string)

	draw     func() uint64
	services *services
	modules  []module.Module
	router   *httpx.Router
	handler  http.Handler
	metrics  *metrics
	tracing  *telemetry.Tracing
	lock     *os.File
	backing  sync.Mutex // held while a back-up is taken
	closers  []func(context.Context) error
	ready    readiness
	ending   chan struct{} // closed when the process begins to end: streams stop
	address  atomic.Value  // string: what is served on
}

// Open opens the engines, brings all tables to their newest form and wires the
// modules. Nothing runs yet.
func Open(ctx context.Context, o Options) (_ *App, err error) {
	a := &App{Config: o.Config, Clock: o.Clock, Logger: o.Logger, draw: o.Draw, metrics: newMetrics(), ending: make(chan struct{})}
	if a.Clock == nil {
		a.Clock = clock.System{}
	}
	if a.Logger == nil {
		a.Logger = slog.Default()
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close(context.WithoutCancel(ctx)))
		}
	}()
	if a.tracing, err = telemetry.Open(ctx, o.Config.OTLP, Version); err != nil {
		return nil, err
	}
	a.onClose(a.tracing.Close)
	if err := a.checkSplit(); err != nil {
		return nil, err
	}
	if err := a.lockData(); err != nil {
		return nil, err
	}
	if err := a.openEngines(ctx); err != nil {
		return nil, err
	}
	if err := a.wire(ctx); err != nil {
		return nil, err
	}
	return a, a.buildHTTP(ctx)
}

// checkSplit refuses to spread roles over processes while an engine lives inside
// one of them.
func (a *App) checkSplit() error {
	c := a.Config
	if len(c.Roles) == 0 {
		return nil
	}
	for name, url := range map[string]string{"store": c.Store, "log": c.Log, "warehouse": c.Warehouse} {
		if url == "" {
			return errs.Invalid("config.error.split", name, "running only some roles needs %s on a server: set --%s", name, name)
		}
	}
	return nil
}

// lockData makes sure that one process owns the data folder.
func (a *App) lockData() error {
	if err := os.MkdirAll(a.Config.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(a.Config.Data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return errs.Conflict("app.error.locked", "another process works in %s", a.Config.Data).Because(err)
	}
	a.lock = f
	return nil
}

func (a *App) openEngines(ctx context.Context) error {
	c := a.Config
	var err error
	if a.Keys, err = keyring.OpenFile(c.Keys); err != nil {
		return err
	}
	if a.Box, err = sealed.NewBox(a.Keys); err != nil {
		return err
	}
	if a.Names, err = pseudonym.New(ctx, a.Keys); err != nil {
		return err
	}
	if a.Store, err = store.Open(ctx, store.Options{URL: c.Store, Dir: c.Data, Keys: a.Keys, Clock: a.Clock, Logger: a.Logger}); err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	a.onClose(func(context.Context) error { return a.Store.Close() })
	zone := c.Location()
	a.Warehouse, err = warehouse.Open(ctx, warehouse.Options{URL: c.Warehouse, Dir: c.Data, Threads: c.WarehouseThreads, MemoryLimit: c.WarehouseMemory,
		Pseudonyms: a.Names, Mask: maskText, Profile: segment.Coarse, Zone: func(string) *time.Location { return zone }, Clock: a.Clock, Logger: a.Logger})
	if err != nil {
		return fmt.Errorf("open the warehouse: %w", err)
	}
	a.onClose(func(context.Context) error { return a.Warehouse.Close() })
	log := eventlog.Options{URL: c.Log, MonitorURLs: c.Monitors, AllowUnsynced: c.Unsynced, Partitions: c.Partitions, Retention: c.Retention,
		Keys: a.Keys, Clock: a.Clock, Logger: a.Logger}
	if c.Log == "" {
		if log.Dir, err = c.Folder("log"); err != nil {
			return err
		}
	}
	if a.Log, err = eventlog.Open(ctx, log); err != nil {
		return fmt.Errorf("open the event log: %w", err)
	}
	a.onClose(a.Log.Close)
	return nil
}

func maskText(s string) string {
	masked, _ := pii.Mask(s)
	return masked
}

func (a *App) onClose(f func(context.Context) error) { a.closers = append(a.closers, f) }

// Handler is what the process serves.
func (a *App) Handler() http.Handler { return a.handler }

// Close ends the use of the engines, the last opened first.
func (a *App) Close(ctx context.Context) error {
	var all []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		all = append(all, a.closers[i](ctx))
	}
	a.closers = nil
	if a.lock != nil {
		all = append(all, a.lock.Close())
		a.lock = nil
	}
	return errors.Join(all...)
}
