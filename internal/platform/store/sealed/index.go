package sealed

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
	"sync"

	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the table that remembers which keys an index was written with.
var Migrations = store.Migrations{Module: "sealed", FS: migrations}

// hashSize is how many bytes of a hash an index keeps: 96 bits, at which two of
// a billion values share a hash with a probability of about 1 in 10^11.
const hashSize = 12

// Blind gives the equality-index entry of a value, to be stored in the index
// column c beside the encrypted one. The caller normalises the value first. The
// empty value has the empty entry.
func (b *Box) Blind(ctx context.Context, tx store.Tx, c Column, value string) (string, error) {
	entries, err := b.entries(ctx, tx, keyring.Blind, c, []string{value})
	if err != nil || len(entries) == 0 {
		return "", err
	}
	return entries[0], nil
}

// BlindSearch gives the entries under which a value may be found: one for each
// key that the index was ever written with. Use with "IN (?)", bun.List.
func (b *Box) BlindSearch(ctx context.Context, tx store.Tx, c Column, value string) ([]string, error) {
	all, err := b.search(ctx, tx, keyring.Blind, c, []string{value})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// Tokens gives the entries of a token index for tokens such as NameTokens and
// NumberEndings make; c is the index's token column. Empty and repeated tokens
// are left out.
func (b *Box) Tokens(ctx context.Context, tx store.Tx, c Column, tokens []string) ([]string, error) {
	return b.entries(ctx, tx, keyring.Token, c, tokens)
}

// TokenSearch gives, for each token, the entries under which it may be found. A
// row matches when for every token one of its entries is there.
func (b *Box) TokenSearch(ctx context.Context, tx store.Tx, c Column, tokens []string) ([][]string, error) {
	return b.search(ctx, tx, keyring.Token, c, tokens)
}

type keyUse struct{ column, purpose, key string }

func (b *Box) entries(ctx context.Context, tx store.Tx, purpose string, c Column, values []string) ([]string, error) {
	values = distinct(values)
	if len(values) == 0 {
		return nil, nil
	}
	key, err := b.keys.Current(ctx, purpose)
	if err != nil {
		return nil, fmt.Errorf("sealed: %w", err)
	}
	if err := b.noteUse(ctx, tx, keyUse{c.String(), purpose, key.ID}); err != nil {
		return nil, err
	}
	out := make([]string, len(values))
	for i, v := range values {
		if out[i], err = b.entry(key, purpose, c, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *Box) search(ctx context.Context, tx store.Tx, purpose string, c Column, values []string) ([][]string, error) {
	values = distinct(values)
	ids, err := b.usedKeys(ctx, tx, purpose, c)
	if err != nil {
		return nil, err
	}
	out := make([][]string, len(values))
	var gone error
	for _, id := range ids {
		key, err := b.keys.Lookup(ctx, purpose, id)
		if errors.Is(err, keyring.ErrUnknownKey) {
			gone = err // taken out of the ring after a rotation
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("sealed: %w", err)
		}
		for i, v := range values {
			e, err := b.entry(key, purpose, c, v)
			if err != nil {
				return nil, err
			}
			out[i] = append(out[i], e)
		}
	}
	for i := range out {
		if out[i] == nil && gone != nil {
			return nil, fmt.Errorf("sealed: the ring holds no key of the index %s: %w", c, gone)
		}
		if out[i] == nil {
			out[i] = []string{""} // nothing was ever indexed: an entry that matches no row
		}
	}
	return out, nil
}

func distinct(values []string) []string {
	out := make([]string, 0, len(values))
	seen := make(map[string]struct{}, len(values))
	for _, v := range values {
		if _, twice := seen[v]; v != "" && !twice {
			seen[v] = struct{}{}
			out = append(out, v)
		}
	}
	return out
}

// entry is "key id . hash". The key's id in front finds what must be rotated.
func (b *Box) entry(key keyring.Key, purpose string, c Column, value string) (string, error) {
	pool, err := b.mac(key, purpose, c)
	if err != nil {
		return "", err
	}
	h := pool.Get().(hash.Hash)
	defer pool.Put(h)
	h.Reset()
	h.Write([]byte(value))
	var sum [sha256.Size]byte
	return entryPrefix(key.ID) + base64.RawURLEncoding.EncodeToString(h.Sum(sum[:0])[:hashSize]), nil
}

func entryPrefix(keyID string) string { return strings.ReplaceAll(keyID, ".", "_") + "." }

func (b *Box) mac(key keyring.Key, purpose string, c Column) (*sync.Pool, error) {
	name := derivedKey{purpose, key.ID, c.String()}
	if p, ok := b.macs.Load(name); ok {
		return p.(*sync.Pool), nil
	}
	secret, err := derive(key, name)
	if err != nil {
		return nil, err
	}
	p := &sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}
	b.macs.Store(name, p)
	return p, nil
}

// noteUse writes down, in the transaction of the first entry, that the index
// has entries under the key. The row is never removed, so a process that
// remembers it may skip the write.
func (b *Box) noteUse(ctx context.Context, tx store.Tx, u keyUse) error {
	if _, ok := b.known.Load(u); ok {
		return nil
	}
	_, err := tx.NewRaw("INSERT INTO sealed_key_use (column_name, purpose, key_id, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		u.column, u.purpose, u.key, tx.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("sealed: note use of key: %w", err)
	}
	tx.AfterCommit(func() { b.known.Store(u, struct{}{}) })
	return nil
}

func (b *Box) usedKeys(ctx context.Context, tx store.Tx, purpose string, c Column) ([]string, error) {
	var ids []string
	err := tx.NewSelect().Table("sealed_key_use").Column("key_id").
		Where("column_name = ? AND purpose = ?", c.String(), purpose).Order("key_id").Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("sealed: keys of index: %w", err)
	}
	return ids, nil
}
