package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"omote/internal/ingest/files"
	"omote/internal/platform/audit"
	"omote/internal/platform/erasure"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Eraser looks through the uploads that still lie here. A file that holds the
// person and is not being read is deleted and its import cancelled: rows cannot be
// cut out of every format, and the bank has the file's source. One that is being
// read goes by itself when its import ends; the erasure comes back for it.
func (s *Service) Eraser() erasure.Eraser {
	return erasure.Eraser{Name: "uploads", Outside: s.erase}
}

func (s *Service) erase(ctx context.Context, subject *erasure.Subject) ([]erasure.Line, error) {
	if err := s.forgetNames(ctx, subject); err != nil {
		return nil, err
	}
	var open []Import
	err := s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewSelect().Model(&open).Where("entity = ? AND state IN (?)", subject.Entity, inStates([]State{Draft, Queued, Reading, Paused, Settling, Failed})).Scan(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("open imports: %w", err)
	}
	gone := erasure.Line{Place: "uploads", Action: erasure.Deleted}
	wait := erasure.Line{Place: "uploads", Action: erasure.Pending, Why: "customer.erasure.why.import_running"}
	for i := range open {
		im := &open[i]
		holds, err := s.holds(ctx, im, subject)
		switch {
		case err != nil:
			return nil, err
		case !holds:
		case im.State.Running():
			wait.Count++
		default:
			if err := s.drop(ctx, im); err != nil {
				return nil, err
			}
			gone.Count++
		}
	}
	if wait.Count > 0 {
		return []erasure.Line{gone, wait}, nil
	}
	return []erasure.Line{gone}, nil
}

// forgetNames takes the names of files away that name the person.
func (s *Service) forgetNames(ctx context.Context, subject *erasure.Subject) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		var all []Import
		if err := tx.NewSelect().Model(&all).Column("id", "file_name").Where("entity = ?", subject.Entity).Scan(ctx); err != nil {
			return fmt.Errorf("names of imports: %w", err)
		}
		for i := range all {
			name := all[i].FileName
			base := strings.TrimSuffix(name, filepath.Ext(name))
			parts := append(strings.FieldsFunc(base, func(r rune) bool { return strings.ContainsRune(" _.,;()", r) }), base)
			if !slices.ContainsFunc(parts, subject.Names) {
				continue
			}
			all[i].FileName = "erased" + filepath.Ext(name)
			if _, err := tx.NewUpdate().Model(&all[i]).Column("file_name").WherePK().Exec(ctx); err != nil {
				return fmt.Errorf("forget the name of an import: %w", err)
			}
		}
		return nil
	})
}

// holds reads the file and tells whether the person stands in it. A file that is
// gone holds nobody; of one that cannot be read to its end what was read counts,
// and it is taken to hold them: better a file too many.
func (s *Service) holds(ctx context.Context, im *Import, subject *erasure.Subject) (bool, error) {
	r, err := s.open(ctx, im, files.Options{})
	if errs.KindOf(err) == errs.KindNotFound {
		return false, nil
	}
	if err != nil {
		return true, nil
	}
	defer r.Close()
	for {
		row, err := r.Next()
		var bad *files.RowError
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case errors.As(err, &bad):
			if subject.InJSON(string(bad.Raw)) {
				return true, nil
			}
			continue
		case err != nil:
			return true, nil
		}
		for _, v := range row.Values {
			if subject.InJSON(v.Text) {
				return true, nil
			}
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
}

// drop cancels an import that nobody is reading and takes its file away.
func (s *Service) drop(ctx context.Context, im *Import) error {
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		from := im.State
		dropped := *im
		dropped.State, dropped.FinishedAt = Cancelled, s.DB.Now()
		if err := update(ctx, tx, &dropped, []State{from}, "state", "finished_at"); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "ingest.import.cancelled", Object: "import/" + im.ID, Reason: "holds a person whose data is erased"})
	})
	if err != nil {
		return err
	}
	return removeUpload(s.path(im.ID))
}

func removeUpload(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete an upload: %w", err)
	}
	return nil
}
