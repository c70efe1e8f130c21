package warehouse

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"omote/internal/platform/errs"
)

// Manifest says what a snapshot holds.
type Manifest struct {
	Engine    string    `json:"engine"` // "duckdb" or "postgres"
	TakenAt   time.Time `json:"taken_at"`
	Events    int64     `json:"events"`
	Responses int64     `json:"responses"`
	// Watermarks are the log positions inside, by partition. Whoever backs up
	// the log as well takes it after the warehouse, so that they are at or
	// before the log's.
	Watermarks map[int]uint64 `json:"watermarks"`
}

const manifestFile = "manifest.json"

// tablesToCopy are all tables of the schema that hold data.
var tablesToCopy = []table{
	eventTable, responseTable, linkTable, unitTable, eventDayTable, responseDayTable, feedTable,
	{"watermark", []string{"log_partition", "position"}},
	{"setting", []string{"name", "value"}},
}

// Snapshot copies the warehouse, as of one moment, into an empty folder, while
// facts go on coming in. The manifest is written last: a folder without one is
// no snapshot.
func (w *Warehouse) Snapshot(ctx context.Context, dir string) (Manifest, error) {
	m := Manifest{TakenAt: w.opt.Clock.Now(), Watermarks: map[int]uint64{}}
	if err := emptyDir(dir); err != nil {
		return m, err
	}
	if err := w.engine.Snapshot(ctx, dir, &m); err != nil {
		return m, fmt.Errorf("snapshot of the warehouse: %w", queryError(ctx, err))
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	return m, writeSynced(filepath.Join(dir, manifestFile), raw)
}

// Restore puts a snapshot into an empty place: a folder without a warehouse, or
// a PostgreSQL database whose schema has no facts.
func Restore(ctx context.Context, dir string, opt Options) (Manifest, error) {
	var m Manifest
	raw, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, errs.NotFound("warehouse.error.snapshot", "%s holds no complete warehouse snapshot", dir)
	}
	if err != nil {
		return m, fmt.Errorf("read snapshot: %w", err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("read snapshot manifest: %w", err)
	}
	if err := restoreEngine(ctx, dir, opt, m.Engine); err != nil {
		return m, fmt.Errorf("restore the warehouse: %w", err)
	}
	w, err := Open(ctx, opt)
	if err != nil {
		return m, err
	}
	return m, errors.Join(w.confirm(ctx, m), w.Close())
}

// confirm compares what is inside with what the manifest says.
func (w *Warehouse) confirm(ctx context.Context, m Manifest) error {
	got := Manifest{Watermarks: map[int]uint64{}}
	err := w.engine.Session(ctx, func(s session) error { return describe(ctx, s, schemaName, &got) })
	if err != nil {
		return fmt.Errorf("confirm restored warehouse: %w", err)
	}
	same := got.Events == m.Events && got.Responses == m.Responses && len(got.Watermarks) == len(m.Watermarks)
	for p, pos := range m.Watermarks {
		same = same && got.Watermarks[p] == pos
	}
	if !same {
		return fmt.Errorf("the restored warehouse holds %d events, %d responses and positions %v; the manifest says %d, %d and %v",
			got.Events, got.Responses, got.Watermarks, m.Events, m.Responses, m.Watermarks)
	}
	return nil
}

type querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// describe fills in counts and positions from the tables of a schema.
func describe(ctx context.Context, s querier, schema string, m *Manifest) error {
	for _, c := range []struct {
		table string
		n     *int64
	}{{"event", &m.Events}, {"response", &m.Responses}} {
		if err := eachRow(ctx, s, "SELECT count(*) FROM "+schema+"."+c.table, c.n); err != nil {
			return err
		}
	}
	rows, err := s.Query(ctx, "SELECT log_partition, position FROM "+schema+".watermark")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var p int
		var pos uint64
		if err := rows.Scan(&p, &pos); err != nil {
			return err
		}
		m.Watermarks[p] = pos
	}
	return rows.Err()
}

// eachRow scans every row of a query into the same variables.
func eachRow(ctx context.Context, s querier, query string, into ...any) error {
	rows, err := s.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
	}
	return rows.Err()
}

func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make snapshot folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read snapshot folder: %w", err)
	}
	if len(entries) > 0 {
		return errs.Conflict("warehouse.error.not_empty", "the folder %s is not empty", dir)
	}
	return nil
}

// writeSynced writes a file so that it is on disk when the call returns.
func writeSynced(path string, content []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
