package imports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/ingest/files"
	"omote/internal/ingest/mapping"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Log is where events go; *eventlog.Log is one.
type Log interface {
	Append(ctx context.Context, events []event.Event) (eventlog.Receipt, error)
	WaitFor(ctx context.Context, projector string, positions map[int]uint64) error
	Partitions() int
	Bounds(ctx context.Context, partition int) (first, last uint64, err error)
}

// Counts tells how many events of an import became facts: the state projector
// counts them in the transaction that takes them up.
type Counts interface {
	Accepted(ctx context.Context, importID string) (int64, error)
}

// Plans gives and extends the tracking plan; *plan.Service is one.
type Plans interface {
	Checker(entity string) *plan.Checker
	Declare(ctx context.Context, declared map[string][]plan.Property, note string) (*plan.Plan, error)
}

// Deps are what the service needs.
type Deps struct {
	DB         *store.DB
	Log        Log
	Counts     Counts
	Plans      Plans
	Counter    *plan.Counter
	Quarantine *quarantine.Service
	Box        *sealed.Box
	// Dir is the folder that keeps uploads, encrypted, until their import ends.
	Dir string
	// Projectors are waited for before an import is done.
	Projectors []string
}

// Service runs imports.
type Service struct {
	Deps
	mu      sync.Mutex
	running map[string]context.CancelCauseFunc
	wake    chan struct{}
}

// NewService makes the service and its upload folder.
func NewService(d Deps) (*Service, error) {
	if err := os.MkdirAll(d.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the upload folder: %w", err)
	}
	return &Service{Deps: d, running: map[string]context.CancelCauseFunc{}, wake: make(chan struct{}, 1)}, nil
}

// Upload keeps a file and makes a draft of its import.
func (s *Service) Upload(ctx context.Context, name string, content io.Reader) (*Import, error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	format, err := files.FormatOf(name)
	if err != nil {
		return nil, err
	}
	sc, _ := scope.From(ctx)
	im := &Import{ID: uuid.Must(uuid.NewV7()).String(), Entity: sc.Entity, FileName: filepath.Base(name), Format: format, State: Draft,
		History: true, MappingJSON: json.RawMessage("{}"), DroppedJSON: json.RawMessage("{}"), CreatedAt: s.DB.Now(), CreatedBy: sc.Actor}
	hash := sha256.New()
	file, err := os.OpenFile(s.path(im.ID), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("keep the upload: %w", err)
	}
	w := s.Box.NewFileWriter(ctx, uploadPlace(im.ID), file)
	im.Size, err = io.Copy(io.MultiWriter(w, hash), io.LimitReader(content, MaxFile+1))
	if err == nil {
		err = w.Close()
	}
	if syncErr := file.Sync(); err == nil {
		err = syncErr
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	switch {
	case err != nil:
		err = fmt.Errorf("keep the upload: %w", err)
	case im.Size > MaxFile:
		err = errs.TooLarge("import.error.size", "a file holds at most %d GB", MaxFile>>30).With("max", MaxFile>>30)
	case im.Size == 0:
		err = errs.Invalid("files.error.empty", "file", "the file is empty")
	}
	im.FileHash = hex.EncodeToString(hash.Sum(nil))
	if err == nil {
		err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error { return insert(ctx, tx, im) })
	}
	if err != nil {
		os.Remove(s.path(im.ID))
		return nil, err
	}
	return im, nil
}

func (s *Service) path(id string) string { return filepath.Join(s.Dir, id) }

// uploadPlace is what an upload is encrypted for: it holds customers as the bank
// wrote them down.
func uploadPlace(id string) sealed.Place {
	return sealed.Place{Table: "ingest_import", Column: "upload", Row: id}
}

// Preview is the beginning of a file with a guess of what its columns mean.
type Preview struct {
	Import  *Import
	Rows    []files.Row
	Bad     int
	Suggest mapping.Mapping
}

// Preview reads the first rows of a draft. kind is what the file is about.
func (s *Service) Preview(ctx context.Context, id string, kind mapping.Kind, zone string) (*Preview, error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	im, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	r, err := s.open(ctx, im, files.Options{})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	rows, bad, err := files.Sample(r, previewRows)
	if err != nil && len(rows) == 0 {
		return nil, errs.Invalid("import.error.unreadable", "file", "the file cannot be read: %v", err).Because(err)
	}
	return &Preview{Import: im, Rows: rows, Bad: bad, Suggest: mapping.Suggest(kind, im.FileName, rows, zone)}, nil
}

// opened closes the file with its reader.
type opened struct {
	files.Reader
	file *os.File
}

func (o opened) Close() error { return errors.Join(o.Reader.Close(), o.file.Close()) }

func (s *Service) open(ctx context.Context, im *Import, o files.Options) (files.Reader, error) {
	file, err := os.Open(s.path(im.ID))
	if err != nil {
		return nil, errs.NotFound("import.error.gone", "the uploaded file is no longer there").Because(err)
	}
	content, err := s.Box.OpenFile(ctx, uploadPlace(im.ID), file, im.Size)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open the upload: %w", err)
	}
	r, err := files.Open(im.Format, content, o)
	if err != nil {
		file.Close()
		return nil, err
	}
	return opened{r, file}, nil
}

// Start gives a draft its mapping and queues it. Columns that the mapping keeps
// are declared in the tracking plan first.
func (s *Service) Start(ctx context.Context, id string, m mapping.Mapping, history bool) (*Import, error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	im, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.declare(ctx, im, &m); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the mapping: %w", err)
	}
	im.MappingJSON, im.History, im.State = raw, history, Queued
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := update(ctx, tx, im, []State{Draft}, "mapping", "history", "state"); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "ingest.import.start", Object: "import/" + im.ID, Reason: im.FileName})
	})
	if err != nil {
		return nil, err
	}
	s.nudge()
	return im, nil
}

// declare puts the columns that the mapping keeps into the tracking plan: for
// answers on their event, otherwise on every event the file may hold.
func (s *Service) declare(ctx context.Context, im *Import, m *mapping.Mapping) error {
	props := m.Declarations()
	if len(props) == 0 || m.Kind == mapping.Customers {
		return nil
	}
	names := map[string][]plan.Property{}
	switch {
	case m.Kind == mapping.Feedback:
		names[mapping.AnsweredEvent] = props
	case m.Constants[mapping.Event] != "":
		names[m.Constants[mapping.Event]] = props
	default:
		found, err := s.eventNames(ctx, im, m)
		if err != nil {
			return err
		}
		for _, name := range found {
			names[name] = props
		}
	}
	_, err := s.Plans.Declare(ctx, names, "import of "+im.FileName)
	return err
}

// maxNames bounds how many event names of a file are declared by themselves.
const maxNames = 500

// eventNames reads the file once for the names of its events.
func (s *Service) eventNames(ctx context.Context, im *Import, m *mapping.Mapping) (names []string, err error) {
	r, err := s.open(ctx, im, files.Options{Encoding: m.Encoding, Delimiter: delimiter(m)})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	seen := map[string]bool{}
	for len(names) < maxNames {
		row, err := r.Next()
		if _, bad := errors.AsType[*files.RowError](err); bad {
			continue
		}
		if err != nil {
			break
		}
		v, ok := row.Get(m.Fields[mapping.Event])
		if ok && v.Text != "" && len(v.Text) <= event.MaxName && !seen[v.Text] {
			seen[v.Text] = true
			names = append(names, v.Text)
		}
	}
	return names, nil
}

func delimiter(m *mapping.Mapping) rune {
	for _, r := range m.Delimiter {
		return r
	}
	return 0
}

// Retry makes and queues an import that corrects quarantined rows of another.
// The file is what was downloaded, corrected: its column _row says which row a
// line replaces.
func (s *Service) Retry(ctx context.Context, of string, name string, content io.Reader) (*Import, error) {
	original, err := s.Get(ctx, of)
	if err != nil {
		return nil, err
	}
	im, err := s.Upload(ctx, name, content)
	if err != nil {
		return nil, err
	}
	im.RetryOf, im.MappingJSON, im.History, im.State = original.ID, original.MappingJSON, original.History, Queued
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := update(ctx, tx, im, []State{Draft}, "retry_of", "mapping", "history", "state"); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "ingest.import.retry", Object: "import/" + im.ID, Reason: "import/" + original.ID})
	})
	if err != nil {
		return nil, err
	}
	s.nudge()
	return im, nil
}

// Pause, Resume and Cancel steer a running import.
func (s *Service) Pause(ctx context.Context, id string) error {
	return s.steer(ctx, id, []State{Queued, Reading}, Paused)
}

// Resume continues a paused or failed import where it stopped.
func (s *Service) Resume(ctx context.Context, id string) error {
	return s.steer(ctx, id, []State{Paused, Failed}, Queued)
}

// Cancel ends an import. What was sent already stays.
func (s *Service) Cancel(ctx context.Context, id string) error {
	return s.steer(ctx, id, []State{Draft, Queued, Reading, Paused, Failed}, Cancelled)
}

func (s *Service) steer(ctx context.Context, id string, from []State, to State) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		im, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		columns := []string{"state", "error"}
		im.State, im.Error = to, ""
		if to == Cancelled {
			im.FinishedAt = s.DB.Now()
			columns = append(columns, "finished_at")
		}
		if err := update(ctx, tx, im, from, columns...); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "ingest.import." + string(to), Object: "import/" + id})
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	if stop := s.running[id]; stop != nil && to != Queued {
		stop(errStopped)
	}
	s.mu.Unlock()
	if to == Cancelled {
		os.Remove(s.path(id))
	}
	s.nudge()
	return nil
}

// errStopped is why a worker leaves an import that a person paused or cancelled.
var errStopped = errors.New("the import was stopped")

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Get gives one import.
func (s *Service) Get(ctx context.Context, id string) (*Import, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	return s.get(ctx, id)
}

func (s *Service) get(ctx context.Context, id string) (im *Import, err error) {
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		im, err = find(ctx, tx, id)
		return err
	})
	return im, err
}

// List gives imports, newest first, after the given id.
func (s *Service) List(ctx context.Context, after string, limit int) (out []Import, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = list(ctx, tx, after, limit)
		return err
	})
	return out, err
}

func inStates(states []State) any { return bun.List(states) }
