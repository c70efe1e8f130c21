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
// keys, inverse document frequencies and scales as half-width figures, weights,
// then a CRC-32C of all before it.
const magic = "OMTXT1\n"

// Limits that a stored model must keep; they guard the reader.
const (
	maxLabels   = 1 << 14
	maxFeatures = 1 << 24
	maxLabel    = 1 << 10
	maxWeights  = 1 << 30
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
	put(uint32(len(m.labels)), uint32(len(m.keys)), m.blockWeight, m.calibration)
	for _, l := range m.labels {
		put(uint16(len(l)))
		b.WriteString(l)
	}
	put(m.bias, m.keys, m.idf, m.scale)
	k := len(m.labels)
	for row := range m.keys {
		put(m.weights[row*m.stride : row*m.stride+k])
	}
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
	return n + 4*len(m.bias) + (4+4+4)*len(m.keys) + len(m.keys)*len(m.labels)
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
	if labels < 2 || labels > maxLabels || features > maxFeatures || uint64(labels+8)*uint64(features) > maxWeights {
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
	m.stride = (labels + 7) &^ 7
	m.keys = readSlice[uint32](in, features)
	m.idf = readSlice[float32](in, features)
	m.scale = readSlice[float32](in, features)
	line := make([]int8, m.stride)
	for range features {
		in.read(line[:labels])
		if in.err != nil {
			return
		}
		m.weights = append(m.weights, line...)
	}
	m.blockOf = make([]block, len(m.keys))
	for row, key := range m.keys {
		m.blockOf[row] = feature(key).block()
	}
	if in.err == nil {
		m.index()
	}
}

func readSlice[T uint32 | float32](in *reader, n int) []T {
	const step = 1 << 14
	var all []T
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
	if !finite(m.bias...) || !finite(m.idf...) || !finite(m.scale...) || !finite(m.blockWeight[:]...) ||
		!finite(c.Sharpness, c.Offset, c.Slope) || c.Sharpness < 0 {
		return errors.New("the model holds figures that are not finite")
	}
	for i, key := range m.keys {
		if key == 0 || i > 0 && key <= m.keys[i-1] {
			return errors.New("the model's features are out of order")
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
