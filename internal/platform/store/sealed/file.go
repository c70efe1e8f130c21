package sealed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// A sealed file is a row of chunks, each encrypted for its place: the file and
// the chunk's number. Every chunk but the last holds chunkSize bytes of the
// content, so any part can be read without what comes before it.
const chunkSize = 64 << 10

// FileWriter encrypts what is written to it. Close writes the last chunk and
// leaves the underlying writer open.
type FileWriter struct {
	ctx     context.Context
	box     *Box
	to      io.Writer
	place   Place
	buffer  []byte
	written int64 // chunks
	sealed  int   // length of a full chunk, encrypted
}

// NewFileWriter writes a sealed file to w. p names the file.
func (b *Box) NewFileWriter(ctx context.Context, p Place, w io.Writer) *FileWriter {
	return &FileWriter{ctx: ctx, box: b, to: w, place: p, buffer: make([]byte, 0, chunkSize)}
}

// Write implements io.Writer.
func (w *FileWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		take := min(len(p), chunkSize-len(w.buffer))
		w.buffer = append(w.buffer, p[:take]...)
		p, n = p[take:], n+take
		if len(w.buffer) == chunkSize {
			if err := w.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Close writes what is left.
func (w *FileWriter) Close() error {
	if len(w.buffer) == 0 {
		return nil
	}
	return w.flush()
}

func (w *FileWriter) flush() error {
	out, err := w.box.SealBytes(w.ctx, chunkPlace(w.place, w.written), w.buffer)
	if err != nil {
		return err
	}
	overhead := len(out) - len(w.buffer)
	if w.sealed == 0 {
		w.sealed = chunkSize + overhead
	}
	if w.sealed != chunkSize+overhead {
		return errors.New("sealed: the key changed to one with an id of another length while the file was written")
	}
	w.written++
	w.buffer = w.buffer[:0]
	_, err = w.to.Write(out)
	return err
}

func chunkPlace(p Place, n int64) Place {
	p.Row += "/" + strconv.FormatInt(n, 10)
	return p
}

// fileReader decrypts chunks as they are asked for and keeps the last one.
type fileReader struct {
	ctx    context.Context
	box    *Box
	from   io.ReaderAt
	place  Place
	size   int64
	sealed int64

	mu    sync.Mutex
	n     int64 // the chunk that is kept; -1 none
	plain []byte
}

// OpenFile reads a sealed file whose content has size bytes. A chunk that was
// changed, moved, cut off or sealed for another place is ErrForeign when it is
// read. The reader holds ctx for its key look-ups.
func (b *Box) OpenFile(ctx context.Context, p Place, from io.ReaderAt, size int64) (*io.SectionReader, error) {
	r := &fileReader{ctx: ctx, box: b, from: from, place: p, size: size, n: -1}
	if size > 0 {
		var head [2]byte
		if _, err := from.ReadAt(head[:], 0); err != nil {
			return nil, fmt.Errorf("sealed: read the file's head: %w", err)
		}
		if head[0] != formatVersion {
			return nil, ErrForeign
		}
		r.sealed = chunkSize + int64(len(keyPrefix(string(make([]byte, head[1]))))+nonceSize+tagSize)
	}
	return io.NewSectionReader(r, 0, size), nil
}

// ReadAt implements io.ReaderAt.
func (r *fileReader) ReadAt(p []byte, at int64) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) {
		if at+int64(n) >= r.size {
			return n, io.EOF
		}
		chunk := (at + int64(n)) / chunkSize
		if err := r.load(chunk); err != nil {
			return n, err
		}
		n += copy(p[n:], r.plain[at+int64(n)-chunk*chunkSize:])
	}
	return n, nil
}

func (r *fileReader) load(n int64) error {
	if n == r.n {
		return nil
	}
	length := r.sealed
	want := min(chunkSize, r.size-n*chunkSize)
	length -= chunkSize - want
	sealed := make([]byte, length)
	if got, err := r.from.ReadAt(sealed, n*r.sealed); got < len(sealed) {
		if errors.Is(err, io.EOF) {
			return ErrForeign
		}
		return fmt.Errorf("sealed: read: %w", err)
	}
	plain, err := r.box.OpenBytes(r.ctx, chunkPlace(r.place, n), sealed)
	if err != nil {
		return err
	}
	if int64(len(plain)) != want {
		return ErrForeign
	}
	r.n, r.plain = n, plain
	return nil
}
