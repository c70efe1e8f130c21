package erasure

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Order is one line of the list of erasures: what a restored back-up must be
// erased by again. It names the person by pseudonyms and keyed hashes alone.
type Order struct {
	ID        string    `json:"id"`
	Entity    string    `json:"entity"`
	At        time.Time `json:"at"`
	RequestID string    `json:"request_id,omitempty"`
	Records   []string  `json:"records"`
	Marks     []string  `json:"marks,omitempty"`
}

// List is the file of erasures. It lies where the key ring lies, outside the data
// folder, because a restored back-up does not know what was erased after it was
// taken. Lines are only added.
type List struct {
	path string
	mu   sync.Mutex
}

// OpenList names the file; it is made with the first line.
func OpenList(path string) *List { return &List{path: path} }

// Path is where the file lies.
func (l *List) Path() string { return l.path }

// Append adds a line and returns when it is on disk. A line that is there already
// is not added again.
func (l *List) Append(o Order) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	have, err := l.read()
	if err != nil {
		return err
	}
	for _, h := range have {
		if h.ID == o.ID && h.Entity == o.Entity {
			return nil
		}
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("list of erasures: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return fmt.Errorf("list of erasures: %w", err)
	}
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("list of erasures: %w", err)
	}
	// A line that a crash cut off is ended, so that the next one stands alone.
	prefix := ""
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		var end [1]byte
		if _, err := f.ReadAt(end[:], info.Size()-1); err == nil && end[0] != '\n' {
			prefix = "\n"
		}
	}
	_, err = f.WriteString(prefix + string(raw) + "\n")
	err = errors.Join(err, f.Sync(), f.Close(), syncDir(filepath.Dir(l.path)))
	if err != nil {
		return fmt.Errorf("list of erasures: %w", err)
	}
	return nil
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Orders reads the list, the oldest first; an absent file is an empty list.
func (l *List) Orders() ([]Order, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.read()
}

func (l *List) read() (out []Order, err error) {
	f, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list of erasures: %w", err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 64<<10), 16<<20)
	for s.Scan() {
		if len(s.Bytes()) == 0 {
			continue
		}
		var o Order
		if json.Unmarshal(s.Bytes(), &o) != nil || o.ID == "" {
			continue // cut off by a crash before anything was erased: its erasure wrote it again
		}
		out = append(out, o)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("list of erasures: %w", err)
	}
	return out, nil
}
