package imports

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"omote/internal/ingest/files"
	"omote/internal/ingest/mapping"
	"omote/internal/ingest/plan"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Run works imports one after the other until ctx ends. Imports that a killed
// worker left behind are continued.
func (s *Service) Run(ctx context.Context) error {
	poll := time.NewTicker(time.Second)
	defer poll.Stop()
	for {
		if err := s.runWaiting(ctx); err != nil && ctx.Err() == nil {
			s.DB.Logger().Error("imports cannot run", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-poll.C:
		}
	}
}

func (s *Service) runWaiting(ctx context.Context) error {
	var todo []Import
	system := scope.With(ctx, scope.Process(scope.DefaultEntity, "import"))
	err := s.DB.Read(system, func(ctx context.Context, tx store.Tx) (err error) {
		todo, err = waiting(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for i := range todo {
		if ctx.Err() != nil {
			return nil
		}
		s.runOne(ctx, &todo[i])
	}
	return nil
}

// runOne works one import to its end, or to where it was stopped.
func (s *Service) runOne(ctx context.Context, im *Import) {
	ctx = scope.With(ctx, scope.Process(im.Entity, "import"))
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.mu.Lock()
	s.running[im.ID] = stop
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.running, im.ID)
		s.mu.Unlock()
	}()
	err := s.work(work, im)
	switch {
	case err == nil || ctx.Err() != nil:
		return // done, or the process is stopping: another run continues
	case errors.Is(context.Cause(work), errStopped) || errs.KindOf(err) == errs.KindConflict:
		return // a person paused or cancelled it
	}
	s.DB.Logger().Error("import failed", "import", im.ID, "error", err)
	im.State, im.Error = Failed, publicError(err)
	failed := s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return update(ctx, tx, im, []State{Queued, Reading, Settling}, "state", "error")
	})
	if failed != nil {
		s.DB.Logger().Error("the failure of an import was not stored", "import", im.ID, "error", failed)
	}
}

// publicError is the text of a failure that a person may read.
func publicError(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Error()
	}
	return err.Error()
}

func (s *Service) work(ctx context.Context, im *Import) error {
	l, err := s.newLoad(ctx, im)
	if err != nil {
		return err
	}
	defer l.reader.Close()
	if im.State != Settling {
		if err := l.readAll(ctx); err != nil {
			return err
		}
	}
	return l.settle(ctx)
}

// load is the work on one import.
type load struct {
	*Service
	im      *Import
	mapping mapping.Mapping
	reader  files.Reader
	builder *mapping.Builder
	earlier *earlier
	// origin is the file whose hash and rows name the messages: the import's own,
	// or the one that it corrects.
	origin  *Import
	batch   []event.Event
	bad     []quarantine.Row
	dropped map[string]int64
	resent  []int64
	saved   time.Time
}

func (s *Service) newLoad(ctx context.Context, im *Import) (*load, error) {
	l := &load{Service: s, im: im, origin: im, dropped: im.Dropped(), earlier: &earlier{}}
	if l.dropped == nil {
		l.dropped = map[string]int64{}
	}
	var err error
	if l.mapping, err = im.Mapping(); err != nil {
		return nil, fmt.Errorf("decode the mapping: %w", err)
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if im.RetryOf != "" {
			l.origin, err = find(ctx, tx, im.RetryOf)
			return err
		}
		l.earlier, err = sameFile(ctx, tx, im)
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(l.origin.FileHash)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("the hash of %s is damaged", l.origin.FileName)
	}
	l.builder, err = mapping.NewBuilder(&l.mapping, s.Plans.Checker(im.Entity), mapping.Origin{
		Entity: im.Entity, FileHash: [32]byte(raw), Import: im.ID, History: im.History, Received: s.DB.Clock().Now()})
	if err != nil {
		return nil, err
	}
	l.builder.Violations = func(name string, v plan.Violation) {
		s.Counter.Count(im.Entity, "file", name, v)
		if v.Reason == plan.UnknownProperty {
			l.dropped[v.Property]++
		}
	}
	l.reader, err = s.open(ctx, im, files.Options{Encoding: l.mapping.Encoding, Delimiter: delimiter(&l.mapping)})
	return l, err
}

// readAll reads the rest of the file, batch by batch.
func (l *load) readAll(ctx context.Context) error {
	im := l.im
	im.State = Reading
	if im.StartedAt == 0 {
		im.StartedAt = l.DB.Now()
	}
	if err := l.save(ctx, []State{Queued, Reading}); err != nil {
		return err
	}
	from := im.ReadRows
	for {
		row, err := l.reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		bad, isBad := errors.AsType[*files.RowError](err)
		if err != nil && !isBad {
			return errors.Join(l.flush(ctx, true), fmt.Errorf("after row %d: %w", im.ReadRows, err))
		}
		number := int64(0)
		if isBad {
			number = bad.Number
		} else {
			number = row.Number
		}
		if number <= from {
			continue
		}
		im.ReadRows = number
		if isBad {
			l.setAside(nil, bad)
		} else {
			l.take(row)
		}
		if len(l.batch)+len(l.bad) >= batchEvents {
			if err := l.flush(ctx, false); err != nil {
				return err
			}
		}
	}
	if err := l.flush(ctx, true); err != nil {
		return err
	}
	im.State = Settling
	return l.save(ctx, []State{Reading})
}

// take turns a row into events, or sets it aside.
func (l *load) take(row *files.Row) {
	if l.earlier.has(row.Number) {
		l.im.Duplicates++
		return
	}
	if l.im.RetryOf != "" {
		v, _ := row.Get(rowColumn)
		original, err := strconv.ParseInt(v.Text, 10, 64)
		if err != nil || original < 1 {
			l.setAside(row, &files.RowError{Number: row.Number, Reason: plan.MissingProperty, Field: rowColumn, Detail: "the row does not say which row it corrects"})
			return
		}
		row.Number = original
		for i := range row.Values {
			row.Values[i].Text = arm(row.Values[i].Text)
		}
		l.resent = append(l.resent, original)
	}
	events, err := l.builder.Build(row)
	if bad, isBad := errors.AsType[*files.RowError](err); isBad {
		if l.im.RetryOf != "" {
			l.resent = l.resent[:len(l.resent)-1]
		}
		l.setAside(row, bad)
		return
	}
	l.batch = append(l.batch, events...)
}

// Columns of a quarantine download, beside the file's own.
const (
	rowColumn    = "_row"
	reasonColumn = "_reason"
	fieldColumn  = "_field"
	detailColumn = "_detail"
	rawColumn    = "_raw"
)

func (l *load) setAside(row *files.Row, bad *files.RowError) {
	columns := map[string]string{}
	if row != nil {
		for i, name := range row.Columns {
			if i < len(row.Values) && row.Values[i].Kind != files.Null {
				columns[name] = row.Values[i].Text
			}
		}
	} else {
		columns[rawColumn] = string(bad.Raw)
	}
	raw, err := json.Marshal(columns)
	if err != nil {
		raw = []byte("{}")
	}
	l.im.Quarantined++
	l.bad = append(l.bad, quarantine.Row{Entity: l.im.Entity, Source: "file", ImportID: l.origin.ID, RowNumber: bad.Number,
		Reason: bad.Reason, Field: bad.Field, Detail: bad.Detail, Raw: sealed.New(string(raw))})
}

// flush makes the batch durable, then notes how far the file was read.
func (l *load) flush(ctx context.Context, now bool) error {
	if len(l.batch) > 0 {
		if err := l.append(ctx); err != nil {
			return err
		}
		l.im.Sent += int64(len(l.batch))
		l.batch = l.batch[:0]
	}
	l.builder.Reset()
	l.im.ReadBytes = l.reader.Offset()
	if !now && len(l.bad) == 0 && l.DB.Clock().Now().Sub(l.saved) < saveEvery {
		return nil
	}
	return l.save(ctx, []State{Reading})
}

// saveEvery is how often progress is stored. What was sent since is sent again
// after a crash, and told apart as duplicates.
const saveEvery = 300 * time.Millisecond

// append sends the batch, waiting as long as the log asks to.
func (l *load) append(ctx context.Context) error {
	for wait := 50 * time.Millisecond; ; wait = min(wait*2, 2*time.Second) {
		_, err := l.Log.Append(ctx, l.batch)
		if errs.KindOf(err) != errs.KindUnavailable {
			return err
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// save stores progress, the rows set aside and the rows corrected, together.
func (l *load) save(ctx context.Context, states []State) error {
	raw, err := json.Marshal(l.dropped)
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	l.im.DroppedJSON = raw
	err = l.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if len(l.resent) > 0 {
			if _, err := l.Quarantine.Mark(ctx, tx, quarantine.Filter{ImportID: l.origin.ID}, l.resent, quarantine.Resent); err != nil {
				return err
			}
		}
		if err := l.Quarantine.PutIn(ctx, tx, l.bad); err != nil {
			return err
		}
		return update(ctx, tx, l.im, states, "state", "started_at", "read_bytes", "read_rows", "sent", "duplicates", "quarantined", "dropped")
	})
	if err != nil {
		return err
	}
	l.bad, l.resent, l.saved = l.bad[:0], l.resent[:0], l.DB.Clock().Now()
	return nil
}

// settle waits until every projector has taken up what was sent, then counts.
// Events sent again after a crash are no duplicates of the file: Sent counts each
// event once, so what was sent and not accepted had been there before.
func (l *load) settle(ctx context.Context) error {
	ends := map[int]uint64{}
	for p := range l.Log.Partitions() {
		_, last, err := l.Log.Bounds(ctx, p)
		if err != nil {
			return fmt.Errorf("find the end of the log: %w", err)
		}
		ends[p] = last
	}
	for _, name := range l.Projectors {
		if err := l.Log.WaitFor(ctx, name, ends); err != nil {
			return fmt.Errorf("wait for %s: %w", name, err)
		}
	}
	accepted, err := l.Counts.Accepted(ctx, l.im.ID)
	if err != nil {
		return err
	}
	l.im.Accepted, l.im.Duplicates = accepted, l.im.Duplicates+l.im.Sent-accepted
	l.im.State, l.im.FinishedAt, l.im.ReadBytes = Done, l.DB.Now(), l.im.Size
	err = l.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return update(ctx, tx, l.im, []State{Settling}, "state", "accepted", "duplicates", "finished_at", "read_bytes")
	})
	if err != nil {
		return err
	}
	return os.Remove(l.path(l.im.ID))
}
