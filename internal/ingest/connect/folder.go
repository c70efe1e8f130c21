package connect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/ingest/imports"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// fileRow is a file that a folder connector has taken.
type fileRow struct {
	bun.BaseModel `bun:"table:ingest_connector_file"`
	Entity        string `bun:",pk"`
	ConnectorID   string `bun:",pk"`
	Hash          string `bun:",pk"`
	Name          string
	ImportID      string
	Done          bool
	At            store.Micros
}

// Folders beside the files, into which they are moved when they are over.
const (
	doneDir      = "done"
	failedDir    = "failed"
	duplicateDir = "duplicate"
)

// sweep runs a folder connector: it moves away the files whose import is over and
// takes the ones that have stopped growing.
func (s *Service) sweep(ctx context.Context, c *Connector) error {
	d := c.Config.Drop
	c.LastRows = 0
	if err := s.finish(ctx, c); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(d.Dir, d.Pattern))
	if err != nil {
		return err
	}
	if _, err := os.Stat(d.Dir); err != nil {
		return errs.Unavailable("connect.error.folder", "the folder %s cannot be read", d.Dir).With("dir", d.Dir).Because(err)
	}
	slices.Sort(found)
	for _, path := range found {
		info, err := os.Lstat(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look at %s: %w", filepath.Base(path), err)
		}
		// A link could lead out of the folder; a file that still grows is half-written.
		if !info.Mode().IsRegular() || s.DB.Now().Time().Sub(info.ModTime()) < d.Settle {
			continue
		}
		if err := s.take(ctx, c, path, info.Size()); err != nil {
			return err
		}
	}
	return nil
}

// take hands a file to the imports, unless its content was taken before.
func (s *Service) take(ctx context.Context, c *Connector, path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", filepath.Base(path), err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	if n != size {
		return nil // it grew while it was read: the next run looks again
	}
	hash := hex.EncodeToString(h.Sum(nil))
	known, err := s.taken(ctx, c, hash)
	if err != nil {
		return err
	}
	if known != nil {
		if known.Done || known.Name != filepath.Base(path) {
			return moveAway(path, duplicateDir)
		}
		return nil // its import is under way
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	im, err := s.Imports.Upload(ctx, filepath.Base(path), f)
	if err != nil {
		return err
	}
	m := c.Config.Mapping
	m.System = c.Config.System
	if im, err = s.Imports.Start(ctx, im.ID, m, c.Config.History); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		row := &fileRow{Entity: c.Entity, ConnectorID: c.ID, Hash: hash, Name: filepath.Base(path), ImportID: im.ID, At: tx.Now()}
		if _, err := tx.NewInsert().Model(row).On("CONFLICT (entity, connector_id, hash) DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("note a file: %w", err)
		}
		return nil
	})
}

func (s *Service) taken(ctx context.Context, c *Connector, hash string) (row *fileRow, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var r fileRow
		err := tx.NewSelect().Model(&r).Where("entity = ? AND connector_id = ? AND hash = ?", c.Entity, c.ID, hash).Scan(ctx)
		if store.IsNoRows(err) {
			return nil
		}
		row = &r
		return err
	})
	return row, err
}

// finish moves the files whose import is over.
func (s *Service) finish(ctx context.Context, c *Connector) error {
	var open []fileRow
	err := s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewSelect().Model(&open).Where("entity = ? AND connector_id = ? AND NOT done", c.Entity, c.ID).Order("at").Scan(ctx)
	})
	if err != nil {
		return fmt.Errorf("read files under way: %w", err)
	}
	for i := range open {
		im, err := s.Imports.Get(ctx, open[i].ImportID)
		if err != nil {
			return err
		}
		if !im.State.Over() {
			continue
		}
		to := doneDir
		if im.State != imports.Done {
			to = failedDir
		}
		if err := moveAway(filepath.Join(c.Config.Drop.Dir, open[i].Name), to); err != nil {
			return err
		}
		c.Rows, c.Sent, c.Quarantined, c.LastRows = c.Rows+im.ReadRows, c.Sent+im.Sent, c.Quarantined+im.Quarantined, c.LastRows+im.ReadRows
		err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewUpdate().Model(&open[i]).Set("done = ?", true).WherePK().Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("note a file: %w", err)
		}
		if im.State != imports.Done {
			return errs.Invalid("connect.error.file", "", "%s could not be imported: %s", open[i].Name, im.Error).With("name", open[i].Name)
		}
	}
	return nil
}

// moveAway puts a file into a folder beside it; a file of the same name there
// keeps its name and the new one gets a number.
func moveAway(path, dir string) error {
	to := filepath.Join(filepath.Dir(path), dir)
	if err := os.MkdirAll(to, 0o750); err != nil {
		return fmt.Errorf("make the folder %s: %w", dir, err)
	}
	name := filepath.Join(to, filepath.Base(path))
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
			break
		}
		name = filepath.Join(to, fmt.Sprintf("%d-%s", n, filepath.Base(path)))
	}
	if err := os.Rename(path, name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("move %s away: %w", filepath.Base(path), err)
	}
	return nil
}
