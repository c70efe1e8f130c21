package model

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// The stored form, little-endian: magic, counts, labels, calibration, biases,
// rows, entries, then a CRC-32C of all before it.
const magic = "OMTXT1\n"

// Limits that a stored model must keep; they guard the reader.
const (
	maxLabels   = 1 << 14
	maxFeatures = 1 << 24
	maxLabel    = 1 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteTo stores the model.
func (m *Model) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	b.WriteString(magic)
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // a bytes.Buffer never fails
		}
	}
	put(uint32(len(m.labels)), uint32(len(m.rows)), m.blockWeight, m.calibration)
	for _, l := range m.labels {
		put(uint16(len(l)))
		b.WriteString(l)
	}
	put(m.bias)
	for _, s := range m.rows {
		put(storedRow{s.key, s.scale, s.idf, s.count})
	}
	put(m.narrow, m.wide)
	put(crc32.Checksum(b.Bytes(), castagnoli))
	n, err := w.Write(b.Bytes())
	return int64(n), err
}

// Bytes returns the stored size of the model.
func (m *Model) Bytes() int {
	n := len(magic) + 8 + binary.Size(m.blockWeight) + binary.Size(m.calibration) + 4
	for _, l := range m.labels {
		n += 2 + len(l)
	}
	return n + 4*len(m.bias) + binary.Size(storedRow{})*len(m.rows) + 2*len(m.narrow) + 4*len(m.wide)
}

// storedRow is a slot as stored; where its entries start follows from the
// counts.
type storedRow struct {
	Key   uint32
	Scale float32
	IDF   uint16
	Count uint16
}

// Read loads a stored model. A damaged or foreign file gives an error.
func Read(r io.Reader) (*Model, error) {
	sum := crc32.New(castagnoli)
	in := &reader{r: io.TeeReader(bufio.NewReader(r), sum)}
	head := make([]byte, len(magic))
	in.read(head)
	if in.err == nil && string(head) != magic {
		return nil, errors.New("not a text model")
	}
	m := new(Model)
	var labels, features uint32
	in.read(&labels)
	in.read(&features)
	in.read(&m.blockWeight)
	in.read(&m.calibration)
	if in.err != nil {
		return nil, fmt.Errorf("reading the head: %w", in.err)
	}
	if labels < 2 || labels > maxLabels || features > maxFeatures {
		return nil, fmt.Errorf("a model of %d labels and %d features is out of range", labels, features)
	}
	m.readLabels(in, int(labels))
	m.readRows(in, int(labels), int(features))
	want := sum.Sum32()
	var have uint32
	in.read(&have)
	switch {
	case in.err != nil:
		return nil, fmt.Errorf("reading the model: %w", in.err)
	case have != want:
		return nil, errors.New("the model is damaged: its checksum differs")
	}
	return m, m.check()
}

func (m *Model) readLabels(in *reader, n int) {
	for range n {
		var size uint16
		in.read(&size)
		if in.err == nil && size > maxLabel {
			in.err = fmt.Errorf("a label of %d bytes", size)
		}
		if in.err != nil {
			return
		}
		label := make([]byte, size)
		in.read(label)
		m.labels = append(m.labels, string(label))
	}
	m.bias = make([]float32, n)
	in.read(m.bias)
}

// readRows reads in steps, so that a short file that promises much costs
// little memory.
func (m *Model) readRows(in *reader, labels, features int) {
	total := 0
	for _, r := range readSlice[storedRow](in, features) {
		if int(r.Count) > labels {
			in.fail(fmt.Errorf("a feature with %d weights for %d labels", r.Count, labels))
		}
		m.rows = append(m.rows, slot{key: r.Key, start: uint32(total), scale: r.Scale, idf: r.IDF, count: r.Count})
		total += int(r.Count)
	}
	if m.isNarrow() {
		m.narrow = readSlice[uint16](in, total)
	} else {
		m.wide = readSlice[uint32](in, total)
	}
	if in.err == nil {
		m.index()
	}
}

func readSlice[T storedRow | uint16 | uint32](in *reader, n int) []T {
	const step = 1 << 14
	all := []T{}
	for n > 0 && in.err == nil {
		part := make([]T, min(n, step))
		in.read(part)
		all = append(all, part...)
		n -= len(part)
	}
	return all
}

// check refuses figures that would break scoring.
func (m *Model) check() error {
	finite := func(values ...float32) bool {
		for _, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return false
			}
		}
		return true
	}
	c := m.calibration
	if !finite(m.bias...) || !finite(m.blockWeight[:]...) || !finite(c.Sharpness, c.Offset, c.Slope) || c.Sharpness < 0 {
		return errors.New("the model holds figures that are not finite")
	}
	for i, s := range m.rows {
		switch {
		case !finite(s.scale):
			return errors.New("the model holds weights that are not finite")
		case feature(s.key).block() >= blocks:
			return errors.New("the model holds a feature of an unknown block")
		case s.key == 0 || i > 0 && s.key <= m.rows[i-1].key:
			return errors.New("the model's features are out of order")
		}
	}
	for _, e := range m.narrow {
		if int(e>>8) >= len(m.labels) {
			return errors.New("the model holds a weight of an unknown label")
		}
	}
	for _, e := range m.wide {
		if int(e>>8) >= len(m.labels) {
			return errors.New("the model holds a weight of an unknown label")
		}
	}
	return nil
}

// reader keeps the first error.
type reader struct {
	r   io.Reader
	err error
}

func (in *reader) read(v any) {
	if in.err == nil {
		in.err = binary.Read(in.r, binary.LittleEndian, v)
	}
}

func (in *reader) fail(err error) {
	if in.err == nil {
		in.err = err
	}
}
