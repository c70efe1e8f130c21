package app

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	adminweb "omote/internal/admin/web"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/jobs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/outbox"
	"omote/internal/platform/projector"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// health answers what the page of the system's health asks. It reads what each
// part says of itself at that moment and keeps nothing.
type health struct {
	a       *App
	started time.Time
}

var _ adminweb.Health = health{}

// tries are the parts of the process with one piece of work each.
func (h health) tries() []struct {
	key, kind string
	do        func(ctx context.Context) error
} {
	a := h.a
	engine := func(url, inside, outside string) string {
		if url == "" {
			return inside
		}
		return outside
	}
	return []struct {
		key, kind string
		do        func(ctx context.Context) error
	}{
		{"store", engine(a.Config.Store, "SQLite", "PostgreSQL"), func(ctx context.Context) error {
			err := a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
				_, err := tx.ExecContext(ctx, "SELECT 1")
				return err
			})
			return unavailable(err, "app.error.store")
		}},
		{"log", engine(a.Config.Log, "NATS JetStream, in this process", "NATS JetStream"), func(ctx context.Context) error {
			for p := range a.Log.Partitions() {
				if _, _, err := a.Log.Bounds(ctx, p); err != nil {
					return unavailable(err, "app.error.log")
				}
			}
			return nil
		}},
		{"warehouse", engine(a.Config.Warehouse, "DuckDB", "PostgreSQL"), func(ctx context.Context) error {
			_, err := a.Warehouse.Position(ctx, 0)
			return unavailable(err, "app.error.warehouse")
		}},
		{"keys", a.Config.Keys, func(ctx context.Context) error {
			for _, purpose := range []string{keyring.Field, keyring.Log, keyring.Session} {
				if _, err := a.Keys.Current(ctx, purpose); err != nil {
					return unavailable(err, "admin.web.health.error.keys")
				}
			}
			return nil
		}},
	}
}

func unavailable(err error, key string) error {
	if err == nil {
		return nil
	}
	return errs.Unavailable(key, "a part does not answer").Because(err)
}

// Try implements adminweb.Health.
func (h health) Try(ctx context.Context) []adminweb.Part {
	ctx, cancel := context.WithTimeout(scope.With(ctx, scope.Process(h.a.Config.Entity, "check")), checkTimeout)
	defer cancel()
	var out []adminweb.Part
	for _, t := range h.tries() {
		begin := time.Now() // a duration for people, not a time of the domain
		err := t.do(ctx)
		out = append(out, adminweb.Part{Key: t.key, Kind: t.kind, Took: time.Since(begin), Err: err})
	}
	return out
}

// Place implements adminweb.Health.
func (h health) Place() adminweb.Place {
	c, build := h.a.Config, BuildInfo()
	p := adminweb.Place{Version: build.Version, Revision: build.Revision, Go: build.Go, Data: c.Data, Zone: c.Zone, Started: h.started,
		Memory: resident(), Cores: runtime.GOMAXPROCS(0), Roles: c.Roles}
	if len(p.Roles) == 0 {
		for _, r := range config.Roles {
			p.Roles = append(p.Roles, string(r))
		}
	}
	var disk unix.Statfs_t
	if unix.Statfs(c.Data, &disk) == nil {
		p.DiskFree, p.DiskTotal = int64(disk.Bavail)*int64(disk.Bsize), int64(disk.Blocks)*int64(disk.Bsize)
	}
	return p
}

// resident is the memory of this process that is in use, where the system tells.
func resident() int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// Flow implements adminweb.Health.
func (h health) Flow(ctx context.Context) (adminweb.Flow, error) {
	if err := auth.Require(ctx, adminweb.PermSystem, ""); err != nil {
		return adminweb.Flow{}, err
	}
	stats := h.a.Log.Stats()
	f := adminweb.Flow{Events: stats.Events, Bytes: stats.Bytes, Failures: stats.Failures}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	for p := range h.a.Log.Partitions() {
		first, last, err := h.a.Log.Bounds(ctx, p)
		if err != nil {
			return f, unavailable(err, "app.error.log")
		}
		f.Partitions = append(f.Partitions, adminweb.Partition{No: p, First: first, Last: last})
	}
	for _, name := range h.a.projectorNames() {
		for _, l := range h.a.Log.Lag(name) {
			f.Projectors = append(f.Projectors, adminweb.Projector{Name: l.Projector, Partition: l.Partition, Position: l.Position, Last: l.Last,
				Events: l.Events, Behind: l.Behind, Applied: l.Applied, Repeated: l.Duplicates, Retries: l.Retries, Failure: l.Failure})
		}
	}
	return f, nil
}

// Letters implements adminweb.Health.
func (h health) Letters(ctx context.Context, limit int) (out adminweb.Letters, err error) {
	if err := auth.Require(ctx, adminweb.PermSystem, scope.Root); err != nil {
		return out, err
	}
	counts, err := h.a.State.Counts(ctx)
	if err != nil {
		return out, err
	}
	for _, c := range counts {
		out.Failed += c.Failed
		out.Waiting += c.Waiting
	}
	letters, err := h.a.State.DeadLetters(ctx, projector.Query{Limit: limit})
	if err != nil {
		return out, err
	}
	for _, l := range letters {
		out.Items = append(out.Items, adminweb.Letter{Handler: l.Handler, Subject: l.Subject, Partition: l.Partition, Seq: l.Seq, Reason: l.Reason,
			Attempts: l.Attempts, Since: l.Created.Time()})
	}
	return out, nil
}

// Replay implements adminweb.Health.
func (h health) Replay(ctx context.Context, handler, subject string) (applied int, err error) {
	if err := auth.Require(ctx, adminweb.PermSystemEdit, scope.Root); err != nil {
		return 0, err
	}
	if applied, err = h.a.State.Replay(ctx, handler, subject); err != nil {
		return applied, err
	}
	return applied, h.record(ctx, "admin.system.replay", handler)
}

// Discard implements adminweb.Health.
func (h health) Discard(ctx context.Context, handler, subject string) error {
	if err := auth.Require(ctx, adminweb.PermSystemEdit, scope.Root); err != nil {
		return err
	}
	if err := h.a.State.Discard(ctx, handler, subject); err != nil {
		return err
	}
	return h.record(ctx, "admin.system.discard", handler)
}

func (h health) record(ctx context.Context, action, handler string) error {
	return h.a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "handler/" + handler})
	})
}

// Outbox implements adminweb.Health.
func (h health) Outbox(ctx context.Context) (out []adminweb.StateCount, err error) {
	if err := auth.Require(ctx, adminweb.PermOutbox, ""); err != nil {
		return nil, err
	}
	err = h.a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		counts, err := h.a.services.outbox.Counts(ctx, tx)
		out = nil
		for _, s := range outbox.States {
			out = append(out, adminweb.StateCount{State: string(s), N: counts[s]})
		}
		return err
	})
	return out, err
}

// Jobs implements adminweb.Health.
func (h health) Jobs(ctx context.Context, limit int) (out []adminweb.Job, err error) {
	if err := auth.Require(ctx, adminweb.PermJobRead, ""); err != nil {
		return nil, err
	}
	err = h.a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		found, err := h.a.services.jobs.List(ctx, tx, jobs.Filter{Limit: limit})
		out = nil
		for _, j := range found {
			out = append(out, adminweb.Job{ID: j.ID, Kind: j.Kind, State: string(j.State), Stopping: j.Stopping, Done: j.Progress.Done, Total: j.Progress.Total,
				Error: j.ErrorKey, ErrorText: j.ErrorText, Actor: j.Actor, Created: j.Created, Ended: j.Ended})
		}
		return err
	})
	return out, err
}

// CancelJob implements adminweb.Health.
func (h health) CancelJob(ctx context.Context, id string) error {
	return h.steer(ctx, id, "admin.job.cancel", h.a.services.jobs.Cancel)
}

// RestartJob implements adminweb.Health.
func (h health) RestartJob(ctx context.Context, id string) error {
	return h.steer(ctx, id, "admin.job.restart", h.a.services.jobs.Restart)
}

func (h health) steer(ctx context.Context, id, action string, do func(ctx context.Context, tx store.Tx, id string) error) error {
	if err := auth.Require(ctx, adminweb.PermJobEdit, ""); err != nil {
		return err
	}
	return h.a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := do(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: action, Object: "job/" + id})
	})
}
