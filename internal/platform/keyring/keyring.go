// Package keyring gives the secrets that encrypt and index data. A key belongs
// to a purpose ("log", "field", "blind", "token", "pseudonym", …) and has an id
// that is stored beside what it protected, so that keys can be rotated while
// old data stays readable.
//
// The file provider is for one machine and the demo; production puts the ring
// behind Vault or an HSM through the same Provider interface. A ring never lies
// in the data folder it protects.
package keyring

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Purposes of keys used by the platform.
const (
	Log       = "log"       // the event log at rest
	Field     = "field"     // marked columns of the store
	Blind     = "blind"     // equality indexes over encrypted columns
	Token     = "token"     // token indexes over encrypted columns
	Pseudonym = "pseudonym" // record ids in the warehouse; never rotated in place
	Session   = "session"   // signed cookies and one-time links
)

// Key is one secret of 32 bytes.
type Key struct {
	ID     string
	Secret [32]byte
}

// Provider hands out keys. Implementations are safe for concurrent use.
type Provider interface {
	// Current is the key that new data of the purpose is protected with.
	Current(ctx context.Context, purpose string) (Key, error)
	// Lookup is an older or the current key by id.
	Lookup(ctx context.Context, purpose, id string) (Key, error)
}

// ErrUnknownKey is returned when data names a key that the ring does not hold.
var ErrUnknownKey = errors.New("keyring: unknown key")

// File is a ring in one JSON file, readable by its owner only.
type File struct {
	path string
	mu   sync.Mutex
	keys map[string][]Key // by purpose, oldest first
}

type fileKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
}

// OpenFile opens or creates the ring at path. A ring that others can read is refused.
func OpenFile(path string) (*File, error) {
	f := &File{path: path, keys: map[string][]Key{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read key ring: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key ring %s can be read by others (mode %o): run chmod 600", path, info.Mode().Perm())
	}
	var stored map[string][]fileKey
	if err := json.Unmarshal(raw, &stored); err != nil {
		return nil, fmt.Errorf("parse key ring %s: %w", path, err)
	}
	for purpose, keys := range stored {
		for _, k := range keys {
			if len(k.Secret) != 32 {
				return nil, fmt.Errorf("key %s/%s has %d bytes, not 32", purpose, k.ID, len(k.Secret))
			}
			f.keys[purpose] = append(f.keys[purpose], Key{ID: k.ID, Secret: [32]byte(k.Secret)})
		}
	}
	return f, nil
}

// Current implements Provider; the first use of a purpose makes its first key.
func (f *File) Current(_ context.Context, purpose string) (Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ring := f.keys[purpose]; len(ring) > 0 {
		return ring[len(ring)-1], nil
	}
	return f.add(purpose)
}

// Lookup implements Provider.
func (f *File) Lookup(_ context.Context, purpose, id string) (Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.keys[purpose] {
		if k.ID == id {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("%w: %s/%s", ErrUnknownKey, purpose, id)
}

// Rotate makes a new current key for the purpose; older keys stay for reading.
func (f *File) Rotate(_ context.Context, purpose string) (Key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.add(purpose)
}

func (f *File) add(purpose string) (Key, error) {
	k := Key{ID: fmt.Sprintf("%s%d", purpose[:1], len(f.keys[purpose])+1)}
	if _, err := rand.Read(k.Secret[:]); err != nil {
		return Key{}, fmt.Errorf("make key: %w", err)
	}
	f.keys[purpose] = append(f.keys[purpose], k)
	if err := f.save(); err != nil {
		f.keys[purpose] = f.keys[purpose][:len(f.keys[purpose])-1]
		return Key{}, err
	}
	return k, nil
}

// save replaces the file so that a crash leaves the old ring or the new one.
func (f *File) save() error {
	stored := map[string][]fileKey{}
	for purpose, keys := range f.keys {
		for _, k := range keys {
			stored[purpose] = append(stored[purpose], fileKey{k.ID, k.Secret[:]})
		}
	}
	raw, err := json.MarshalIndent(stored, "", "  ")
	if err != nil {
		return fmt.Errorf("encode key ring: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return fmt.Errorf("make key ring folder: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(f.path), ".ring-*")
	if err != nil {
		return fmt.Errorf("write key ring: %w", err)
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.Write(raw); err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write key ring: %w", err)
	}
	return os.Rename(tmp.Name(), f.path)
}
