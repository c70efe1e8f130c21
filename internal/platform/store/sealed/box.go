package sealed

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"omote/internal/platform/keyring"
)

// ErrForeign is returned when a value does not open: it was changed, moved from
// another row or column, or encrypted under a key with the same name.
var ErrForeign = errors.New("sealed: the value does not belong here or was changed")

// Place is where a value lives; it is authenticated with the value.
type Place struct {
	Table, Column string
	Row           string // primary key; parts of a composite one joined by "\x1f"
}

// Column names a column of a table.
type Column struct{ Table, Name string }

// String gives "table.column".
func (c Column) String() string { return c.Table + "." + c.Name }

// Box encrypts, decrypts and indexes values of one store with the keys of one
// ring. It is safe for concurrent use.
type Box struct {
	keys  keyring.Provider
	aeads sync.Map // derivedKey → cipher.AEAD
	macs  sync.Map // derivedKey → *macPool
	known sync.Map // keyUse → struct{}: rows of sealed_key_use seen committed
}

type derivedKey struct{ purpose, id, column string }

// NewBox makes a box over the ring.
func NewBox(keys keyring.Provider) (*Box, error) {
	if keys == nil {
		return nil, errors.New("sealed: a key ring is required")
	}
	return &Box{keys: keys}, nil
}

// The form of an encrypted value: version, length of the key's id, the id,
// nonce, ciphertext with tag.
const (
	formatVersion = 1
	nonceSize     = 12
	tagSize       = 16
)

// SealBytes encrypts plain for its place under the ring's current key.
func (b *Box) SealBytes(ctx context.Context, p Place, plain []byte) ([]byte, error) {
	key, err := b.keys.Current(ctx, keyring.Field)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	aead, err := b.aead(key, Column{p.Table, p.Column})
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, 2+len(key.ID)+nonceSize+len(plain)+tagSize)
	out = append(out, keyPrefix(key.ID)...)
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	out = append(out, nonce...)
	return aead.Seal(out, nonce, plain, p.associated()), nil
}

// OpenBytes decrypts what SealBytes made for the same place. It returns
// ErrForeign, or keyring.ErrUnknownKey when the ring lacks the key.
func (b *Box) OpenBytes(ctx context.Context, p Place, sealed []byte) ([]byte, error) {
	id, rest, err := splitKeyID(sealed)
	if err != nil {
		return nil, err
	}
	key, err := b.keys.Lookup(ctx, keyring.Field, id)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	aead, err := b.aead(key, Column{p.Table, p.Column})
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, rest[:nonceSize], rest[nonceSize:], p.associated())
	if err != nil {
		return nil, ErrForeign
	}
	return plain, nil
}

// keyPrefix is how every value under the key begins.
func keyPrefix(id string) []byte { return append([]byte{formatVersion, byte(len(id))}, id...) }

func splitKeyID(sealed []byte) (id string, rest []byte, err error) {
	if len(sealed) < 2 || sealed[0] != formatVersion {
		return "", nil, ErrForeign
	}
	n := int(sealed[1])
	if len(sealed) < 2+n+nonceSize+tagSize {
		return "", nil, ErrForeign
	}
	return string(sealed[2 : 2+n]), sealed[2+n:], nil
}

// associated spells the place so that no two places share a spelling.
func (p Place) associated() []byte {
	return fmt.Appendf(nil, "%d:%s%d:%s%d:%s", len(p.Table), p.Table, len(p.Column), p.Column, len(p.Row), p.Row)
}

func (b *Box) aead(key keyring.Key, c Column) (cipher.AEAD, error) {
	name := derivedKey{keyring.Field, key.ID, c.String()}
	if a, ok := b.aeads.Load(name); ok {
		return a.(cipher.AEAD), nil
	}
	secret, err := derive(key, name)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	b.aeads.Store(name, aead)
	return aead, nil
}

// derive makes the key of one column from a key of the ring.
func derive(key keyring.Key, name derivedKey) ([]byte, error) {
	secret, err := hkdf.Key(sha256.New, key.Secret[:], nil, "omote/"+name.purpose+"/"+name.column, 32)
	if err != nil {
		return nil, fmt.Errorf("sealed: derive key: %w", err)
	}
	return secret, nil
}

// Seal encrypts every Text of the models: pointers to structs, or to slices of
// structs or of struct pointers. Primary keys must be set before.
func (b *Box) Seal(ctx context.Context, db bun.IDB, models ...any) error {
	return b.each(db, models, func(p Place, t *Text) error {
		if t.Plain == "" {
			t.box = nil
			return nil
		}
		var err error
		t.box, err = b.SealBytes(ctx, p, []byte(t.Plain))
		return err
	})
}

// Open decrypts every Text of the models (see Seal).
func (b *Box) Open(ctx context.Context, db bun.IDB, models ...any) error {
	return b.each(db, models, func(p Place, t *Text) error {
		if t.box == nil {
			t.Plain = ""
			return nil
		}
		plain, err := b.OpenBytes(ctx, p, t.box)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", p.Table, p.Column, err)
		}
		t.Plain = string(plain)
		return nil
	})
}

var textType = reflect.TypeFor[Text]()

func (b *Box) each(db bun.IDB, models []any, fn func(Place, *Text) error) error {
	for _, m := range models {
		v := reflect.ValueOf(m)
		if v.Kind() != reflect.Pointer || v.IsNil() {
			return fmt.Errorf("sealed: %T is not a pointer to a model", m)
		}
		if err := eachStruct(db, v.Elem(), fn); err != nil {
			return err
		}
	}
	return nil
}

func eachStruct(db bun.IDB, v reflect.Value, fn func(Place, *Text) error) error {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			if err := eachStruct(db, reflect.Indirect(v.Index(i)), fn); err != nil {
				return err
			}
		}
		return nil
	case reflect.Struct:
		return eachText(db.Dialect().Tables().Get(v.Type()), v, fn)
	default:
		return fmt.Errorf("sealed: %s is not a model", v.Type())
	}
}

func eachText(table *schema.Table, v reflect.Value, fn func(Place, *Text) error) error {
	row := ""
	for i, pk := range table.PKs {
		if i > 0 {
			row += "\x1f"
		}
		row += fmt.Sprint(pk.Value(v).Interface())
	}
	if row == "" {
		return fmt.Errorf("sealed: a row of %s has no primary key yet", table.Name)
	}
	for _, f := range table.Fields {
		if f.IndirectType != textType || f.IsPtr {
			continue
		}
		if err := fn(Place{table.Name, f.Name, row}, f.Value(v).Addr().Interface().(*Text)); err != nil {
			return err
		}
	}
	return nil
}
