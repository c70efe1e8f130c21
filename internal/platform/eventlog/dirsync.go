package eventlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// JetStream flushes the block file that a message was written to, but not the
// folder in which a new block file was made; POSIX allows such a file to be
// missing after a power failure, flushed bytes and all. blockDir closes the
// gap: it flushes the folder of a partition's blocks when it changed.
type blockDir struct {
	dir     *os.File
	settled time.Time // modification time that was flushed and cannot hide a later change
}

// settling is how long the folder must have been left alone before its
// modification time tells all: it moves in steps of a few milliseconds.
const settling = 50 * time.Millisecond

func (e *embedded) openBlockDir(stream string) (*blockDir, error) {
	dir, err := os.Open(filepath.Join(e.dir, "jetstream", "$G", "streams", stream, "msgs"))
	if err != nil {
		return nil, fmt.Errorf("folder of the blocks of %s: %w", stream, err)
	}
	return &blockDir{dir: dir}, nil
}

// flush returns when every file of the folder will be found again.
func (b *blockDir) flush() error {
	info, err := b.dir.Stat()
	if err != nil {
		return fmt.Errorf("flush the folder of an event log: %w", err)
	}
	changed := info.ModTime()
	if changed.Equal(b.settled) {
		return nil
	}
	looked := time.Now()
	if err := b.dir.Sync(); err != nil {
		return fmt.Errorf("flush the folder of an event log: %w", err)
	}
	if looked.Sub(changed) > settling {
		b.settled = changed
	}
	return nil
}

// openBlockDirs opens the folders of the embedded log's partitions and makes
// the folders above them durable.
func (l *Log) openBlockDirs() error {
	if l.embedded == nil || l.opts.unsynced {
		return nil
	}
	for p := range l.streams {
		b, err := l.embedded.openBlockDir(l.streamName(p))
		if err != nil {
			return err
		}
		l.blockDirs = append(l.blockDirs, b)
	}
	return syncTails(l.embedded.dir)
}

// flushBlockDir makes the folder of a partition durable; nothing is to be done
// for an external cluster, whose folders are its own.
func (l *Log) flushBlockDir(partition int) error {
	if len(l.blockDirs) == 0 {
		return nil
	}
	return l.blockDirs[partition].flush()
}

func (l *Log) closeBlockDirs() (err error) {
	for _, b := range l.blockDirs {
		err = errors.Join(err, b.dir.Close())
	}
	return err
}
