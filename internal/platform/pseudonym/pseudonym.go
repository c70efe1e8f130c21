// Package pseudonym turns a record id ("core:4711") into the id that leaves the
// store: a keyed hash in the form of a UUID (version 8, RFC 9562). Whoever lacks
// the key cannot go back or test a guess.
//
// The pseudonym of a record is also the customer id of a customer with only
// that record. Identity links exist only where records were merged, so a fact
// has a customer from its first moment without asking anyone.
package pseudonym

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"

	"github.com/google/uuid"

	"omote/internal/platform/keyring"
)

// Maker derives pseudonyms under one key. It is safe for concurrent use.
type Maker struct {
	pool sync.Pool
}

// New takes the pseudonym key of the ring.
func New(ctx context.Context, keys keyring.Provider) (*Maker, error) {
	k, err := keys.Current(ctx, keyring.Pseudonym)
	if err != nil {
		return nil, fmt.Errorf("pseudonym key: %w", err)
	}
	m := &Maker{}
	m.pool.New = func() any { return hmac.New(sha256.New, k.Secret[:]) }
	return m, nil
}

// Record gives the pseudonym of a record within a bank entity.
func (m *Maker) Record(entity, recordID string) uuid.UUID {
	h := m.pool.Get().(hash.Hash)
	defer m.pool.Put(h)
	h.Reset()
	h.Write([]byte(entity))
	h.Write([]byte{0})
	h.Write([]byte(recordID))
	var sum [sha256.Size]byte
	id := uuid.UUID(h.Sum(sum[:0])[:16])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}
