package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"omote/internal/admin/org"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/warehouse"
)

// SocketName is the Unix socket in the data folder through which the command
// line reaches a running process. Whoever may write to it administers the
// installation.
const SocketName = "omote.sock"

// Time limits of connections. A client that is slow to say what it wants is let
// go, so that many of them cannot hold the door.
const (
	headerTimeout   = 10 * time.Second
	readTimeout     = 10 * time.Minute // uploads of large files
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 20 * time.Second
)

// readiness is true between the start of all parts and the beginning of the end.
type readiness struct{ atomic.Bool }

// Run runs the process until ctx ends, then lets requests finish and stops the
// parts in order. serveTCP false serves the socket alone.
func (a *App) Run(ctx context.Context, serveTCP bool) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, work := errgroup.WithContext(work)
	a.startProjectors(group, work)
	for _, m := range a.modules {
		for _, w := range m.Work {
			if !a.Config.Has(w.Role) {
				continue
			}
			group.Go(func() error {
				if err := w.Run(work); err != nil && work.Err() == nil {
					return fmt.Errorf("%s: %s: %w", m.Name, w.Name, err)
				}
				return nil
			})
		}
	}
	servers, err := a.listen(group, serveTCP)
	if err != nil {
		for _, s := range servers { // the doors that opened before the one that could not
			s.Close()
		}
		stop()
		return errors.Join(err, group.Wait())
	}
	a.ready.Store(true)
	select {
	case <-ctx.Done():
	case <-work.Done():
	}
	a.ready.Store(false)
	close(a.ending)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	for _, s := range servers {
		if err := s.Shutdown(grace); err != nil {
			a.Logger.Warn("requests were cut off at the end", "error", err)
		}
	}
	stop()
	return group.Wait()
}

func (a *App) startProjectors(group *errgroup.Group, ctx context.Context) {
	if a.Config.Has(config.Worker) {
		group.Go(func() error { return a.Log.Run(ctx, a.State, a.State.Feed()) })
	}
	if a.Config.Has(config.Warehouse) {
		group.Go(func() error { return a.Log.Run(ctx, a.Warehouse, warehouse.Feed()) })
	}
}

// listen opens the doors: the address for people and feeds, the socket for the
// command line.
func (a *App) listen(group *errgroup.Group, serveTCP bool) (servers []*http.Server, err error) {
	serve := func(l net.Listener, h http.Handler) {
		s := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: 32 << 10,
			ErrorLog: quietServerLog(a.Logger)}
		servers = append(servers, s)
		group.Go(func() error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	socket := filepath.Join(a.Config.Data, SocketName)
	os.Remove(socket) // the lock on the folder says that nobody listens there
	l, err := listenPrivate(socket)
	if err != nil {
		return nil, fmt.Errorf("open the socket: %w", err)
	}
	serve(l, a.asLocalOperator(a.handler))
	if !serveTCP {
		return servers, nil
	}
	tcp, err := net.Listen("tcp", a.Config.Addr)
	if err != nil {
		return servers, errs.Unavailable("app.error.listen", "cannot serve on %s", a.Config.Addr).Because(err)
	}
	a.address.Store(tcp.Addr().String())
	a.Logger.Info("serving", "address", "http://"+tcp.Addr().String(), "data", a.Config.Data)
	a.announceSetup(tcp.Addr().String())
	serve(tcp, a.handler)
	return servers, nil
}

// syncLinks copies new identity links to the warehouse.
func (a *App) syncLinks(ctx context.Context) error {
	ctx = scope.With(ctx, scope.Process(a.Config.Entity, "identity"))
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if _, err := a.Warehouse.SyncLinks(ctx, a.services.customers.graph); err != nil && ctx.Err() == nil {
				a.Logger.Warn("identity links were not copied to the warehouse", "error", err)
			}
		}
	}
}

// system is the scope of the process's own work in its entity.
func (a *App) system(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Process(a.Config.Entity, "app"))
}

// syncUnits tells the warehouse the organisation whenever it has changed. Feeds
// write unit codes in either case.
func (a *App) syncUnits(ctx context.Context) error {
	ctx = a.system(ctx)
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	var before []org.Unit
	for {
		units, err := a.services.admin.Org.Tree(ctx)
		if err == nil && !slices.Equal(units, before) {
			var known []warehouse.Unit
			for _, u := range units {
				known = append(known, warehouse.Unit{Code: u.Code, Path: u.Path})
				if upper := strings.ToUpper(u.Code); upper != u.Code {
					known = append(known, warehouse.Unit{Code: upper, Path: u.Path})
				}
			}
			if err = a.Warehouse.ReplaceUnits(ctx, known); err == nil {
				before = units
			}
		}
		if err != nil && ctx.Err() == nil {
			a.Logger.Warn("the organisation was not told to the warehouse", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// unitNames are the names of the units that the actor sees, by code.
func (a *App) unitNames(ctx context.Context) (map[string]string, error) {
	names := map[string]string{}
	for after := ""; ; {
		page, err := a.services.admin.Org.List(ctx, org.Query{After: after, Limit: 500})
		if err != nil {
			return nil, err
		}
		for _, u := range page.Items {
			names[u.Code] = u.Name
		}
		if page.Next == "" {
			return names, nil
		}
		after = page.Next
	}
}

// WaitAddress gives the address that is served on, as soon as it is; "" when ctx
// ends before.
func (a *App) WaitAddress(ctx context.Context) string {
	for ctx.Err() == nil {
		if address, ok := a.address.Load().(string); ok {
			return address
		}
		time.Sleep(2 * time.Millisecond)
	}
	return ""
}
