package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// A back-up is a folder:
//
//	backup.json      the manifest, written last: a folder without it is no back-up
//	warehouse/       a snapshot of the warehouse, taken first
//	store.db         a snapshot of the store, taken second
//	                 (on PostgreSQL store/, a file a table)
//	log/0, log/1 …   the event log, partition by partition, copied third
//	uploads/         files whose import has not ended
//
// The order makes the positions fit: whatever the warehouse and the store have
// taken up stands in the log that was copied after them, and identity links that
// the warehouse knows stand in the store. After a restore both go on from their
// own positions and take up what the log holds beyond. Nothing is stopped
// meanwhile.
//
// Keys are not in it. Sealed columns and the log stay sealed in the back-up, so
// the key ring is kept apart and is needed to restore.
const (
	backupManifest = "backup.json"
	backupStore    = store.FileName // on PostgreSQL a folder: backupTables
	backupTables   = "store"
	backupLog      = "log"
	backupHouse    = "warehouse"
	backupUploads  = "uploads"
	backupVersion  = 1
)

// Backup is the manifest of a back-up.
type Backup struct {
	Version int       `json:"version"`
	TakenAt time.Time `json:"taken_at"`
	Omote   string    `json:"omote" doc:"version of the program that took it"`
	Entity  string    `json:"entity"`
	// KeyCheck tells whether a key ring is the one that the back-up needs,
	// without telling anything of the keys.
	KeyCheck string `json:"key_check"`
	// Tables counts the rows of the store's tables.
	Tables map[string]int64 `json:"tables"`
	// State is the position of the store by partition of the log.
	State     map[int]uint64     `json:"state"`
	Warehouse warehouse.Manifest `json:"warehouse"`
	Log       []eventlog.Span    `json:"log"`
	Files     []BackupFile       `json:"files"`
	Seconds   float64            `json:"seconds" doc:"how long it took"`
}

// BackupFile is a file of a back-up.
type BackupFile struct {
	Path   string `json:"path" doc:"below the back-up's folder"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Backup takes a back-up into dir, an empty or new folder of this machine, while
// everything goes on.
func (a *App) Backup(ctx context.Context, dir string) (Backup, error) {
	started := time.Now()
	b := Backup{Version: backupVersion, TakenAt: a.Clock.Now().UTC(), Omote: BuildInfo().Version, Entity: a.Config.Entity, State: map[int]uint64{}}
	if !filepath.IsAbs(dir) {
		return b, errs.Invalid("app.error.backup_dir", "dir", "the folder of a back-up needs an absolute path")
	}
	if !a.backing.TryLock() {
		return b, errs.Conflict("app.error.backup_running", "a back-up is being taken")
	}
	defer a.backing.Unlock()
	if err := emptyFolder(dir); err != nil {
		return b, err
	}
	var err error
	if b.KeyCheck, err = keyCheck(ctx, a.Keys); err != nil {
		return b, err
	}
	if err := a.copyEngines(ctx, dir, &b); err != nil {
		return b, err
	}
	if err := copyUploads(filepath.Join(a.Config.Data, backupUploads), filepath.Join(dir, backupUploads)); err != nil {
		return b, err
	}
	if b.Files, err = hashFiles(dir); err != nil {
		return b, err
	}
	b.Seconds = time.Since(started).Seconds()
	if err := writeManifest(dir, b); err != nil {
		return b, err
	}
	a.Logger.Info("backed up", "dir", dir, "seconds", b.Seconds, "events", b.Warehouse.Events)
	return b, a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return audit.Record(ctx, tx, audit.Entry{Action: "admin.system.backup", Object: "backup/" + b.TakenAt.Format("2006-01-02T15:04:05Z"), After: b})
	})
}

// copyEngines takes the warehouse, the store and the log, in this order.
func (a *App) copyEngines(ctx context.Context, dir string, b *Backup) (err error) {
	if b.Warehouse, err = a.Warehouse.Snapshot(ctx, filepath.Join(dir, backupHouse)); err != nil {
		return err
	}
	for p := range a.Log.Partitions() {
		// Read before the snapshot, so it is at or before what the snapshot holds.
		if b.State[p], err = a.State.Position(ctx, p); err != nil {
			return err
		}
	}
	if b.Tables, err = a.Store.Snapshot(ctx, storeCopy(dir, a.Config)); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, backupLog), 0o700); err != nil {
		return fmt.Errorf("back up the log: %w", err)
	}
	for p := range a.Log.Partitions() {
		span, err := a.copyPartition(ctx, p, logFile(dir, p))
		if err != nil {
			return fmt.Errorf("back up partition %d of the log: %w", p, err)
		}
		b.Log = append(b.Log, span)
	}
	return nil
}

// storeCopy is where the store of a configuration lies in a back-up.
func storeCopy(dir string, c config.Config) string {
	if c.Store == "" {
		return filepath.Join(dir, backupStore)
	}
	return filepath.Join(dir, backupTables)
}

func logFile(dir string, partition int) string {
	return filepath.Join(dir, backupLog, fmt.Sprint(partition))
}

func (a *App) copyPartition(ctx context.Context, p int, path string) (eventlog.Span, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return eventlog.Span{}, err
	}
	span, err := a.Log.Copy(ctx, p, f)
	return span, errors.Join(err, f.Sync(), f.Close())
}

// copyUploads copies the files of imports that have not ended. One that ends
// meanwhile takes its file away; nothing needs it any more.
func copyUploads(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy uploads: %w", err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fmt.Errorf("copy uploads: %w", err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if err := copyFile(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("copy upload %s: %w", e.Name(), err)
		}
	}
	return nil
}

// copyFile copies into a new file that is whole and on disk when it returns nil.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// keyCheck is a value that only the same key ring gives.
func keyCheck(ctx context.Context, keys keyring.Provider) (string, error) {
	k, err := keys.Current(ctx, keyring.Pseudonym) // never rotated
	if err != nil {
		return "", fmt.Errorf("read the key ring: %w", err)
	}
	mac := hmac.New(sha256.New, k.Secret[:])
	mac.Write([]byte("omote back-up"))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

func emptyFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.Invalid("app.error.backup_dir", "dir", "the folder %s cannot be made", dir).Because(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read %s: %w", dir, err)
	}
	if len(entries) > 0 {
		return errs.Conflict("app.error.not_empty", "the folder %s is not empty", dir)
	}
	return nil
}

// hashFiles lists every file of the folder with its hash, in order of the path.
func hashFiles(dir string) (files []BackupFile, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f := BackupFile{Path: filepath.ToSlash(rel)}
		if f.Bytes, f.SHA256, err = hashFile(path); err != nil {
			return err
		}
		if f.Path != backupManifest {
			files = append(files, f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("hash the back-up: %w", err)
	}
	return files, nil
}

func hashFile(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return n, hex.EncodeToString(sum.Sum(nil)), err
}

// writeManifest makes the back-up whole: what it lists, and the folders, are on
// disk before it.
func writeManifest(dir string, b Backup) error {
	raw, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := syncFolders(dir); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, backupManifest), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close(), syncFolders(dir)); err != nil {
		return fmt.Errorf("write the manifest: %w", err)
	}
	return nil
}

// syncFolders makes the names in a folder and below it durable.
func syncFolders(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncFolder(path)
	})
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
