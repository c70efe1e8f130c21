package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// Periodic submits a job again and again, once for all nodes. A run whose time
// passed while no node was up is made up for once.
type Periodic struct {
	Name     string // unique
	Entity   string // default scope.DefaultEntity
	Kind     string
	Args     any
	Schedule Schedule
}

// Schedule tells when something is due.
type Schedule interface {
	// Next is the first time after t.
	Next(t time.Time) time.Time
}

// Every is a schedule of equal steps since 1970 in UTC: Every(time.Hour) is
// every full hour.
type Every time.Duration

// Next implements Schedule.
func (e Every) Next(t time.Time) time.Time {
	d := time.Duration(e)
	return t.Truncate(d).Add(d)
}

// Daily is a schedule of one time of day in a zone.
type Daily struct {
	Hour, Minute int
	Zone         *time.Location // nil is UTC
}

// Next implements Schedule.
func (d Daily) Next(t time.Time) time.Time {
	zone := d.Zone
	if zone == nil {
		zone = time.UTC
	}
	l := t.In(zone)
	next := time.Date(l.Year(), l.Month(), l.Day(), d.Hour, d.Minute, 0, 0, zone)
	if !next.After(t) {
		next = time.Date(l.Year(), l.Month(), l.Day()+1, d.Hour, d.Minute, 0, 0, zone)
	}
	return next.UTC()
}

// submitPeriodic submits what is due. The row of a schedule is moved on in the
// transaction that submits, so that of several nodes one does it.
func (j *Jobs) submitPeriodic(ctx context.Context) error {
	var failures []error
	for _, p := range j.o.Periodic {
		if p.Entity == "" {
			p.Entity = scope.DefaultEntity
		}
		ctx := scope.With(ctx, scope.Process(p.Entity, "periodic:"+p.Name))
		if err := j.submitOne(ctx, p); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	return errors.Join(failures...)
}

func (j *Jobs) submitOne(ctx context.Context, p Periodic) error {
	var at store.Micros
	err := j.db.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		at, err = periodicDue(ctx, tx, p.Name)
		return err
	})
	if now := j.db.Now(); err != nil || at > now {
		return err
	}
	return j.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		now := tx.Now()
		next := store.At(p.Schedule.Next(now.Time()))
		if at == 0 {
			return addPeriodic(ctx, tx, p.Name, next)
		}
		moved, err := movePeriodic(ctx, tx, p.Name, at, next)
		if err != nil || !moved {
			return err
		}
		_, err = j.Submit(ctx, tx, p.Kind, p.Args, Submission{Unique: "periodic:" + p.Name})
		if errs.KindOf(err) == errs.KindConflict {
			j.log.Warn("periodic job is still running from the time before", "name", p.Name)
			return nil
		}
		return err
	})
}

// periodicDue is when the schedule is due next; 0 when it has no row yet.
func periodicDue(ctx context.Context, tx store.Tx, name string) (at store.Micros, err error) {
	err = tx.NewSelect().Table("jobs_periodic").Column("due").Where("name = ?", name).Scan(ctx, &at)
	if store.IsNoRows(err) {
		return 0, nil
	}
	return at, err
}

func addPeriodic(ctx context.Context, tx store.Tx, name string, due store.Micros) error {
	_, err := tx.NewRaw("INSERT INTO jobs_periodic (name, due) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, due).Exec(ctx)
	return err
}

func movePeriodic(ctx context.Context, tx store.Tx, name string, from, to store.Micros) (bool, error) {
	n, err := affected(tx.NewRaw("UPDATE jobs_periodic SET due = ?, last = ? WHERE name = ? AND due = ?", to, tx.Now(), name, from).Exec(ctx))
	return n > 0, err
}
