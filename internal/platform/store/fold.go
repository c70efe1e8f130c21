package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"omote/internal/platform/clock"
)

// folder folds SQLite's write-ahead log into the file beside the writer, so that
// no transaction waits while many pages are moved. SQLite itself does it inside
// the commit that finds the log long; that stays as the last resort (autoFold).
//
// A pass moves the pages that were committed when it began. Passes follow each
// other until one finds little; where the log is long, a last one holds the
// writer, so that it is folded whole and the next transaction begins it anew:
// otherwise it would grow for as long as the load lasts.
type folder struct {
	path   string
	writer *sql.DB
	pace   pace
	log    *slog.Logger
	due    chan struct{}
	stop   context.CancelFunc
	done   sync.WaitGroup
}

// pace is when the log is folded. Frames are pages of 4 KiB in it.
type pace struct {
	every  time.Duration
	long   int // frames of a log that is worth holding the writer for
	rest   int // frames that may be left to move then
	passes int // at most, before that
}

var usualPace = pace{every: time.Second, long: 16_384, rest: 2_048, passes: 8}

// autoFold is at how many frames a commit folds the log itself.
const autoFold = 262_144

func newFolder(path string, writer *sql.DB, log *slog.Logger, p pace) *folder {
	ctx, stop := context.WithCancel(context.Background())
	f := &folder{path: path, writer: writer, pace: p, log: log, due: make(chan struct{}, 1), stop: stop}
	f.done.Go(func() { f.run(ctx) })
	return f
}

// committed says that the log may have grown.
func (f *folder) committed() {
	select {
	case f.due <- struct{}{}:
	default:
	}
}

func (f *folder) close() {
	f.stop()
	f.done.Wait()
}

func (f *folder) run(ctx context.Context) {
	beside := sql.OpenDB(sqliteConnector(f.path, true)) // connects when it is first used
	beside.SetMaxOpenConns(1)
	defer beside.Close()
	for {
		select {
		case <-f.due:
		case <-ctx.Done():
			return
		}
		if clock.Sleep(ctx, f.pace.every) != nil {
			return
		}
		if err := f.fold(ctx, beside); err != nil && ctx.Err() == nil {
			f.log.Warn("the write-ahead log was not folded; a later pass or a commit does it", "error", err)
		}
	}
}

func (f *folder) fold(ctx context.Context, beside *sql.DB) error {
	frames, before := 0, 0
	for range f.pace.passes {
		var moved int
		var err error
		if frames, moved, err = pass(ctx, beside); err != nil {
			return err
		}
		if moved-before <= f.pace.rest {
			break
		}
		before = moved
	}
	if frames < f.pace.long {
		return nil
	}
	_, _, err := pass(ctx, f.writer)
	return err
}

// pass folds what is committed now, without waiting for anybody: of the frames in
// the log, how many are moved.
func pass(ctx context.Context, db *sql.DB) (frames, moved int, err error) {
	var busy int
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &moved); err != nil {
		return 0, 0, fmt.Errorf("fold the write-ahead log: %w", err)
	}
	return frames, moved, nil
}
