package eventlog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"omote/internal/platform/clock"
)

// embedded is the JetStream server inside the process. It can be replaced while
// clients stay connected: after a write error JetStream refuses a stream until
// it is opened again, so once there is space the server is restarted.
type embedded struct {
	dir      string
	unsynced bool
	logger   *slog.Logger
	lock     *os.File

	mu  sync.Mutex
	srv *server.Server
}

func startEmbedded(dir string, unsynced bool, logger *slog.Logger) (*embedded, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the event log: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := &embedded{dir: dir, unsynced: unsynced, logger: logger, lock: lock}
	if err := e.start(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return e, nil
}

// lockDir makes sure that one process uses the folder; the lock ends with it.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the event log: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the event log in %s is used by another process: %w", dir, err)
	}
	return f, nil
}

func (e *embedded) start() error {
	if err := syncTails(e.dir); err != nil {
		return fmt.Errorf("flush the event log: %w", err)
	}
	srv, err := server.NewServer(&server.Options{
		ServerName:         "omote",
		DontListen:         true,
		JetStream:          true,
		StoreDir:           e.dir,
		SyncAlways:         !e.unsynced,
		JetStreamMaxStore:  1 << 60, // the disk is the limit; Append watches it
		JetStreamMaxMemory: 256 << 20,
		MaxPayload:         maxMessage,
		NoSigs:             true,
		NoLog:              true,
	})
	if err != nil {
		return fmt.Errorf("set the embedded log up: %w", err)
	}
	srv.SetLoggerV2(natsLogger{e.logger}, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(30*time.Second) || !srv.JetStreamEnabled() {
		srv.Shutdown()
		return errors.New("the embedded log did not start; see the messages of nats above")
	}
	e.mu.Lock()
	e.srv = srv
	e.mu.Unlock()
	return nil
}

// InProcessConn connects a client to the server of the moment.
func (e *embedded) InProcessConn() (net.Conn, error) {
	e.mu.Lock()
	srv := e.srv
	e.mu.Unlock()
	if srv == nil {
		return nil, errors.New("the embedded log is restarting")
	}
	return srv.InProcessConn()
}

func (e *embedded) stop() {
	e.mu.Lock()
	srv := e.srv
	e.srv = nil
	e.mu.Unlock()
	if srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

func (e *embedded) restart() error {
	e.stop()
	return e.start()
}

func (e *embedded) close() {
	e.stop()
	_ = e.lock.Close()
}

// syncTails makes durable whatever survived a crash, before anyone can read it.
// Without it a message could be read from the page cache, applied, and then be
// lost with the machine, and its sequence be given to another message.
func syncTails(dir string) error {
	blocks := map[string][]string{} // by folder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return unlessGone(err)
		}
		if d.IsDir() {
			return syncPath(path)
		}
		if strings.HasSuffix(path, ".blk") {
			blocks[filepath.Dir(path)] = append(blocks[filepath.Dir(path)], path)
		}
		return nil
	})
	for _, paths := range blocks {
		slices.SortFunc(paths, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
		for _, p := range paths[max(0, len(paths)-2):] {
			err = errors.Join(err, syncPath(p))
		}
	}
	return err
}

// unlessGone passes over files that the server deleted meanwhile: it empties a
// purged stream (folder __msgs__) in the background, and what is gone need not
// survive.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return unlessGone(err)
	}
	err = f.Sync()
	return errors.Join(err, f.Close())
}

// freeBytes is the space that remains on the disk of dir.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// heal restarts the embedded server after a failed write, once the disk has
// space again. Appends that fail meanwhile are answered as unavailable.
func (l *Log) heal() {
	for {
		select {
		case <-l.life.Done():
			return
		case <-l.ill:
		}
		for wait := time.Second; l.life.Err() == nil; wait = min(2*wait, 30*time.Second) {
			if err := l.checkDisk(); err != nil {
				l.opts.Logger.Error("the event log waits for disk space", "error", err)
			} else if err := l.embedded.restart(); err != nil {
				l.opts.Logger.Error("the event log could not be restarted", "error", err)
			} else {
				l.opts.Logger.Warn("the embedded event log was restarted after a failed write")
				break
			}
			if clock.Sleep(l.life, wait) != nil {
				return
			}
		}
		for len(l.ill) > 0 { // failures of before the restart
			<-l.ill
		}
	}
}

// checkDisk refuses when the embedded log's disk is nearly full.
func (l *Log) checkDisk() error {
	if l.embedded == nil || l.opts.MinFreeBytes < 0 {
		return nil
	}
	free, err := freeBytes(l.embedded.dir)
	if err != nil {
		return err
	}
	if free < l.opts.MinFreeBytes {
		return fmt.Errorf("%d bytes are free on the disk of the event log, fewer than %d", free, l.opts.MinFreeBytes)
	}
	return nil
}

// natsLogger passes what the server has to say to the log of Omote.
type natsLogger struct{ to *slog.Logger }

func (n natsLogger) Noticef(format string, v ...any) {
	n.to.Debug("nats: " + fmt.Sprintf(format, v...))
}
func (n natsLogger) Warnf(format string, v ...any)  { n.to.Warn("nats: " + fmt.Sprintf(format, v...)) }
func (n natsLogger) Errorf(format string, v ...any) { n.to.Error("nats: " + fmt.Sprintf(format, v...)) }
func (n natsLogger) Fatalf(format string, v ...any) { n.to.Error("nats: " + fmt.Sprintf(format, v...)) }
func (n natsLogger) Debugf(string, ...any)          {}
func (n natsLogger) Tracef(string, ...any)          {}

// writeFailed asks for the embedded server to be healed.
func (l *Log) writeFailed() {
	select {
	case l.ill <- struct{}{}:
	default:
	}
}
