package cases

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"github.com/uptrace/bun"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// File is an attachment.
type File struct {
	bun.BaseModel `bun:"table:cases_file"`

	CaseID  string `bun:",pk"`
	ID      string `bun:",pk"`
	Name    sealed.Text
	Media   string
	Size    int64
	Digest  string
	Scan    string
	Content []byte
	ByActor string
	At      store.Micros
}

// The results of a scan. Nothing but a clean file, or one of an installation
// without a scanner, can be opened.
const (
	ScanClean     = "clean"
	ScanInfected  = "infected"
	ScanWaiting   = "waiting"
	ScanUnscanned = "unscanned"
)

// Attach keeps a file with the case, sealed, after the scanner has looked at it. An
// infected file keeps its name and loses its content.
func (s *Service) Attach(ctx context.Context, id, name, media string, content []byte) (fileID string, err error) {
	name = cleanName(name)
	if name == "" || bad(name, 1, 200) || bad(media, 0, 100) {
		return "", errs.Invalid("feedback.case.error.file_name", "file", "the file needs a name of at most 200 characters")
	}
	if len(content) == 0 || len(content) > MaxFile {
		return "", errs.TooLarge("feedback.case.error.file_size", "a file has 1 to %d bytes", MaxFile).With("max", MaxFile)
	}
	scan := s.scan(ctx, content)
	err = s.act(ctx, id, PermEdit, func(ctx context.Context, tx store.Tx, c *Case) error {
		fileID, err = s.keepFile(ctx, tx, c, name, media, scan, content)
		return err
	})
	return fileID, err
}

// scan gives how a content was found; it leaves the process, so no transaction may be
// open.
func (s *Service) scan(ctx context.Context, content []byte) string {
	if s.Scanner == nil {
		return ScanUnscanned
	}
	switch clean, err := s.Scanner.Scan(ctx, content); {
	case err != nil:
		return ScanWaiting
	case clean:
		return ScanClean
	}
	return ScanInfected
}

// Rescan asks the scanner again about files that wait for it, and about those that came
// before there was one; it gives how many are decided. It ends at the first file the
// scanner cannot tell about, since then it is most likely away.
func (s *Service) Rescan(ctx context.Context) (n int, err error) {
	if err := auth.Require(ctx, PermSetup, ""); err != nil {
		return 0, err
	}
	if s.Scanner == nil {
		return 0, nil
	}
	for {
		var f File
		var found bool
		err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			if f, found, err = fileToScan(ctx, tx); err != nil || !found {
				return err
			}
			f.Content, err = s.box.OpenBytes(ctx, filePlace(f), f.Content)
			return err
		})
		if err != nil || !found {
			return n, err
		}
		scan := s.scan(ctx, f.Content)
		if scan == ScanWaiting {
			return n, errs.Unavailable("feedback.case.error.scanner", "the virus scanner cannot tell about file %s", f.ID)
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			changed, err := setScan(ctx, tx, f, scan)
			if err != nil || !changed {
				return err
			}
			if scan == ScanInfected {
				if err := s.note(ctx, tx, &Case{ID: f.CaseID}, EntryFile, "", map[string]string{"file": f.ID, "scan": scan}); err != nil {
					return err
				}
			}
			return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.file_scan", Object: "case/" + f.CaseID, Before: f.Scan, After: scan, Reason: f.ID})
		})
		if err != nil {
			return n, err
		}
		n++
	}
}

// MayOpen tells whether a file with such a result of its scan can be opened here.
func (s *Service) MayOpen(scan string) bool {
	return scan == ScanClean || scan == ScanUnscanned && s.Scanner == nil
}

func (s *Service) keepFile(ctx context.Context, tx store.Tx, c *Case, name, media, scan string, content []byte) (string, error) {
	n, err := countFiles(ctx, tx, c.ID)
	if err != nil {
		return "", err
	}
	if n >= MaxFiles {
		return "", errs.TooLarge("feedback.case.error.file_count", "a case has at most %d files", MaxFiles).With("max", MaxFiles)
	}
	sum := sha256.Sum256(content)
	f := File{CaseID: c.ID, ID: newID(), Name: sealed.New(name), Media: media, Size: int64(len(content)), Digest: hex.EncodeToString(sum[:]), Scan: scan, ByActor: tx.Scope.Actor, At: tx.Now()}
	if scan != ScanInfected {
		if f.Content, err = s.box.SealBytes(ctx, filePlace(f), content); err != nil {
			return "", err
		}
	}
	if err := s.box.Seal(ctx, tx, &f); err != nil {
		return "", err
	}
	if err := insertFile(ctx, tx, &f); err != nil {
		return "", err
	}
	return f.ID, s.note(ctx, tx, c, EntryFile, name, map[string]string{"file": f.ID, "scan": scan})
}

func filePlace(f File) sealed.Place {
	return sealed.Place{Table: "cases_file", Column: "content", Row: f.CaseID + "\x1f" + f.ID}
}

// cleanName is a file's name without folders and control characters.
func cleanName(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, name))
}

// ReadFile gives a file that may be opened.
func (s *Service) ReadFile(ctx context.Context, id, fileID string) (f File, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return f, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := s.visible(ctx, tx, id)
		if err != nil {
			return err
		}
		if f, err = fileByID(ctx, tx, c.ID, fileID); err != nil {
			return err
		}
		if !s.MayOpen(f.Scan) {
			return errs.Denied("feedback.case.error.file_unsafe", "the file is not cleared by the virus scan")
		}
		if f.Content, err = s.box.OpenBytes(ctx, filePlace(f), f.Content); err != nil {
			return err
		}
		if err := s.box.Open(ctx, tx, &f); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.file", Object: "case/" + c.ID, Reason: "opened " + f.ID})
	})
	return f, err
}
