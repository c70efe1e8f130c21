package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// Restored says what a restore brought back.
type Restored struct {
	TakenAt time.Time `json:"taken_at"`
	// Events and Responses are in the warehouse as the back-up holds it.
	Events    int64 `json:"events"`
	Responses int64 `json:"responses"`
	// Rows are in the store as the back-up holds it.
	Rows int64 `json:"rows"`
	// CaughtUp are the events in the warehouse after the log was taken up too.
	CaughtUp int64 `json:"caught_up"`
	// Erasures are those of the list that were applied to the restored data again.
	Erasures int     `json:"erasures"`
	Seconds  float64 `json:"seconds"`
}

// Restore makes a data folder of a back-up. The folder of the configuration must
// be absent or empty; it appears only when everything is in it and agrees with
// the manifest. Then the projectors take up what the log holds beyond the
// snapshots; no job, import or message starts before the installation is served
// again.
func Restore(ctx context.Context, c config.Config, logger *slog.Logger, dir string) (r Restored, err error) {
	started := time.Now()
	b, err := readBackup(dir)
	if err != nil {
		return r, err
	}
	keys, err := ringOf(ctx, c, b)
	if err != nil {
		return r, err
	}
	if c.Log != "" {
		return r, errs.Invalid("app.error.restore_engines", "log", "a back-up brings its event log into the data folder: restore it without --log")
	}
	if _, err := os.Stat(storeCopy(dir, c)); err != nil {
		return r, errs.Invalid("app.error.restore_store", "store", "a store goes back into the engine it was backed up from: SQLite without --store, PostgreSQL with the address of an empty database").Because(err)
	}
	if err := emptyFolder(c.Data); err != nil {
		return r, err
	}
	partial := filepath.Clean(c.Data) + ".restoring"
	if err := emptyFolder(partial); err != nil {
		return r, err
	}
	if err := fill(ctx, c, logger, keys, b, dir, partial); err != nil {
		return r, errors.Join(err, os.RemoveAll(partial))
	}
	if err := moveInto(partial, c.Data); err != nil {
		return r, err
	}
	r = Restored{TakenAt: b.TakenAt, Events: b.Warehouse.Events, Responses: b.Warehouse.Responses}
	for _, n := range b.Tables {
		r.Rows += n
	}
	r.CaughtUp, r.Erasures, err = catchUp(ctx, c, logger)
	r.Seconds = time.Since(started).Seconds()
	return r, err
}

// moveInto gives a whole folder the name of an empty one.
func moveInto(partial, data string) error {
	err := syncFolders(partial)
	if err == nil {
		err = os.Remove(data)
	}
	if err == nil {
		err = os.Rename(partial, data)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(filepath.Clean(data)))
	}
	if err != nil {
		return fmt.Errorf("put the restored folder in its place: %w", err)
	}
	return nil
}

// readBackup reads the manifest and checks that every file is as it was written.
func readBackup(dir string) (b Backup, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, backupManifest))
	if errors.Is(err, fs.ErrNotExist) {
		return b, errs.NotFound("app.error.no_backup", "%s holds no complete back-up", dir)
	}
	if err != nil {
		return b, fmt.Errorf("read the manifest: %w", err)
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("read the manifest: %w", err)
	}
	if b.Version != backupVersion {
		return b, errs.Invalid("app.error.backup_version", "", "the back-up has form %d; this program reads form %d", b.Version, backupVersion)
	}
	for _, f := range b.Files {
		if !filepath.IsLocal(f.Path) {
			return b, errs.Invalid("app.error.backup_damaged", "", "the manifest names %q, outside of the back-up", f.Path)
		}
		n, sum, err := hashFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
		if err != nil || n != f.Bytes || sum != f.SHA256 {
			return b, errors.Join(errs.Invalid("app.error.backup_damaged", "", "%s is not as it was written", f.Path), err)
		}
	}
	return b, nil
}

// ringOf opens the key ring, which must exist and be the back-up's own.
func ringOf(ctx context.Context, c config.Config, b Backup) (*keyring.File, error) {
	missing := errs.Invalid("app.error.backup_keys", "keys",
		"%s is not the key ring of this back-up; keys are never in a back-up: bring the ring from where it is kept and name it with --keys", c.Keys)
	if _, err := os.Stat(c.Keys); err != nil {
		return nil, missing.Because(err)
	}
	keys, err := keyring.OpenFile(c.Keys)
	if err != nil {
		return nil, err
	}
	if check, err := keyCheck(ctx, keys); err != nil || check != b.KeyCheck {
		return nil, errors.Join(missing, err)
	}
	return keys, nil
}

// fill brings all parts into a folder and compares them with the manifest.
func fill(ctx context.Context, c config.Config, logger *slog.Logger, keys *keyring.File, b Backup, dir, data string) error {
	names, err := pseudonym.New(ctx, keys)
	if err != nil {
		return err
	}
	zone := c.Location()
	_, err = warehouse.Restore(ctx, filepath.Join(dir, backupHouse), warehouse.Options{URL: c.Warehouse, Dir: data, Threads: c.WarehouseThreads,
		MemoryLimit: c.WarehouseMemory, Pseudonyms: names, Mask: maskText, Zone: func(string) *time.Location { return zone }, Logger: logger})
	if err != nil {
		return err
	}
	open := func(p int) (io.ReadCloser, error) { return os.Open(logFile(dir, p)) }
	if err := eventlog.Restore(ctx, eventlog.Options{Dir: filepath.Join(data, "log"), Keys: keys, Logger: logger}, b.Log, open); err != nil {
		return err
	}
	if err := copyUploads(filepath.Join(dir, backupUploads), filepath.Join(data, backupUploads)); err != nil {
		return err
	}
	// Last, since a database keeps what was restored into it.
	tables, err := store.Restore(ctx, storeCopy(dir, c), store.Options{URL: c.Store, Dir: data, Keys: keys, Logger: logger}, migrations()...)
	if err == nil && !maps.Equal(tables, b.Tables) {
		err = fmt.Errorf("the restored store's tables hold %v rows; the manifest says %v", tables, b.Tables)
	}
	return err
}

// catchUp opens the restored installation, lets the projectors take up the log,
// erases again whoever was erased since the back-up was taken, and counts the
// events.
func catchUp(ctx context.Context, c config.Config, logger *slog.Logger) (events int64, erased int, err error) {
	c.Roles = nil
	a, err := Open(ctx, Options{Config: c, Logger: logger})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, a.Close(context.WithoutCancel(ctx))) }()
	work, stop := context.WithCancel(ctx)
	defer stop()
	group, work := errgroup.WithContext(work)
	a.startProjectors(group, work)
	if err = a.CaughtUp(a.system(work)); err == nil {
		erased, err = a.services.erasures.Again(a.system(work))
	}
	stop()
	if err = errors.Join(group.Wait(), err); err != nil {
		return 0, erased, fmt.Errorf("take up the log: %w", err)
	}
	events, err = a.countEvents(a.system(ctx))
	return events, erased, err
}

func (a *App) countEvents(ctx context.Context) (n int64, err error) {
	rows, err := a.Warehouse.Query(ctx, "SELECT COUNT(*) FROM {event}")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}
