package stream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/bits"

	"omote/analytics/mining"
)

// Options bound the memory of a log of parts.
type Options struct {
	// Memory is how many bytes events, waits and bins may take at a time, at least
	// 16 MiB; 1 GiB when zero. Half goes to the events of one part.
	Memory int64
	// Events is about how many events will come: it decides the number of parts.
	// With more events parts grow larger than they should.
	Events int64
	Order  mining.Order
}

const (
	leastMemory = 16 << 20
	usualMemory = 1 << 30
	// eventCost is the memory of one event of a part while it is mined: columns,
	// the copy that sorting makes, the number and the wait of its transition.
	eventCost = 96
	// eventSize is the size of one event laid aside, waitSize that of one wait.
	eventSize = 8 + 4 + 8
	waitSize  = 4 + 8
	maxParts  = 512
)

// ErrMemory is returned for less memory than anything can be done with.
var ErrMemory = errors.New("stream: at least 16 MiB of memory")

var keySeed = maphash.MakeSeed()

// Key makes a case number of the name of a case: equal names have equal numbers
// within one process. Two of ten million names share one by chance of 3 in a
// million.
func Key(name []byte) uint64 { return maphash.Bytes(keySeed, name) }

// Writer lays events aside. It is not safe for concurrent use.
type Writer struct {
	store      Store
	activities *mining.Dict
	o          Options
	parts      []*partWriter
	events     int64
	last       int64
}

type partWriter struct {
	*bufio.Writer
	file io.Closer
	n    int
}

// NewWriter makes a writer of events whose activities are ids of the dictionary.
func NewWriter(store Store, activities *mining.Dict, o Options) (*Writer, error) {
	if o.Memory == 0 {
		o.Memory = usualMemory
	}
	if o.Memory < leastMemory {
		return nil, ErrMemory
	}
	w := &Writer{store: store, activities: activities, o: o}
	n := int(min(max(1, (o.Events*eventCost+o.Memory/2-1)/(o.Memory/2)), maxParts))
	// Parts are of unequal size: a tenth more of them leaves room.
	for i := range n + n/10 {
		f, err := store.Create(eventsName(i))
		if err != nil {
			return nil, errors.Join(err, w.abandon())
		}
		w.parts = append(w.parts, &partWriter{Writer: bufio.NewWriterSize(f, 1<<16), file: f})
	}
	return w, nil
}

func eventsName(i int) string { return fmt.Sprintf("events-%03d", i) }

// Add lays an event aside. Case numbers may be any, such as those of [Key].
func (w *Writer) Add(caseNumber uint64, activity int32, micros int64) error {
	part, _ := bits.Mul64(caseNumber*0x9E3779B97F4A7C15, uint64(len(w.parts)))
	p := w.parts[part]
	p.n++
	if w.events++; w.events == 1 || micros > w.last {
		w.last = micros
	}
	var b [eventSize]byte
	binary.LittleEndian.PutUint64(b[:], caseNumber)
	binary.LittleEndian.PutUint32(b[8:], uint32(activity))
	binary.LittleEndian.PutUint64(b[12:], uint64(micros))
	_, err := p.Write(b[:])
	return err
}

// Close ends the writing and gives the log.
func (w *Writer) Close() (*Log, error) {
	l := &Log{store: w.store, activities: w.activities, o: w.o, Events: w.events, last: w.last}
	for _, p := range w.parts {
		if err := p.Flush(); err != nil {
			return nil, errors.Join(err, w.abandon())
		}
		l.sizes = append(l.sizes, p.n)
	}
	return l, w.abandon()
}

// abandon closes the files.
func (w *Writer) abandon() (err error) {
	for _, p := range w.parts {
		err = errors.Join(err, p.file.Close())
	}
	w.parts = nil
	return err
}

// Log is a log in parts.
type Log struct {
	store      Store
	activities *mining.Dict
	o          Options
	sizes      []int // events of each part
	last       int64 // instant
	// Events is the number of events.
	Events int64
}

// Remove takes the parts away.
func (l *Log) Remove() (err error) {
	for i := range l.sizes {
		err = errors.Join(err, l.store.Remove(eventsName(i)))
	}
	return err
}

// Each gives the parts one after the other, each a log of whole cases; parts
// without events are passed over. The log must not be kept.
func (l *Log) Each(fn func(part int, log *mining.Log) error) error {
	return l.each(func(i int, part *mining.Log, _ []uint64) error { return fn(i, part) })
}

// each is Each with the number that each case was added under.
func (l *Log) each(fn func(part int, log *mining.Log, ids []uint64) error) error {
	for i, n := range l.sizes {
		if n == 0 {
			continue
		}
		part, ids, err := l.part(i, n)
		if err != nil {
			return fmt.Errorf("stream: part %d: %w", i, err)
		}
		if err := fn(i, part, ids); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) part(i, n int) (*mining.Log, []uint64, error) {
	f, err := l.store.Open(eventsName(i))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	c := mining.Columns{Case: make([]int32, n), Activity: make([]int32, n), Time: make([]int64, n), Activities: l.activities}
	numbers := make(map[uint64]int32, n/16)
	var ids []uint64
	in := bufio.NewReaderSize(f, 1<<20)
	var b [eventSize]byte
	for k := range n {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			return nil, nil, err
		}
		id := binary.LittleEndian.Uint64(b[:])
		number, known := numbers[id]
		if !known {
			number = int32(len(numbers))
			numbers[id] = number
			ids = append(ids, id)
		}
		c.Case[k], c.Activity[k], c.Time[k] = number, int32(binary.LittleEndian.Uint32(b[8:])), int64(binary.LittleEndian.Uint64(b[12:]))
	}
	log, err := mining.FromColumns(c, l.o.Order)
	return log, ids, err
}
