package cli

import (
	"errors"
	"os"

	"omote/analytics/mining"
	"omote/analytics/mining/stream"
)

// Files of more bytes than largeFile are mined in parts of usualParts megabytes unless
// the flag says otherwise.
const (
	largeFile  = 1 << 30
	usualParts = 2048
)

// eventBytes is about how long an event is in a file, so that the number of parts can
// be reckoned before they are read. Where events are shorter the parts are larger.
const eventBytes = 40

// eventSink takes the events of a file: a log in memory, or parts on disk.
type eventSink interface {
	add(id, activity string, micros int64) error
	count() int
}

// inMemory builds a log.
type inMemory struct{ *mining.Builder }

func (b inMemory) add(id, activity string, micros int64) error {
	b.Add(b.Case(id), b.Activity(activity), micros)
	return nil
}

func (b inMemory) count() int { return b.Len() }

// parts lays events aside in files of a temporary folder. Names of cases are kept, to
// number them as they come.
type parts struct {
	dir        string
	writer     *stream.Writer
	activities *mining.Dict
	cases      mining.Dict
	n          int
}

// newParts opens the parts of a log of about so many bytes of text.
func newParts(bytes int64, memory int, order mining.Order) (*parts, error) {
	dir, err := os.MkdirTemp("", "omote-mine-")
	if err != nil {
		return nil, err
	}
	p := &parts{dir: dir, activities: &mining.Dict{}}
	p.writer, err = stream.NewWriter(folder(dir), p.activities, stream.Options{Memory: int64(memory) << 20, Events: max(bytes/eventBytes, 1), Order: order})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

func (p *parts) add(id, activity string, micros int64) error {
	p.n++
	return p.writer.Add(uint64(p.cases.ID(id)), p.activities.ID(activity), micros)
}

func (p *parts) addTrace(trace uint64, activity []byte, micros int64) error {
	p.n++
	return p.writer.Add(trace, p.activities.IDBytes(activity), micros)
}

func (p *parts) count() int { return p.n }

// remove takes the folder away.
func (p *parts) remove() error { return os.RemoveAll(p.dir) }
