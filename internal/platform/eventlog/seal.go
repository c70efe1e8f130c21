package eventlog

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"

	"omote/internal/platform/keyring"
)

// Messages are sealed with XAES-256-GCM (C2SP specification v1.0): a fresh
// AES-256-GCM key is derived from the ring's key and the first half of a random
// 24-byte nonce, so that one ring key may protect 2^80 messages. Plain AES-GCM
// with random nonces is limited to 2^32 messages a key, which a busy log passes
// within weeks.

const nonceSize = 24

// ErrSealed is returned when a message cannot be opened: it was changed, moved
// to another partition, or sealed under another key.
var ErrSealed = errors.New("eventlog: message cannot be opened")

// xaes derives the per-message keys of one ring key.
type xaes struct {
	block cipher.Block
	k1    [aes.BlockSize]byte
}

func newXAES(secret [32]byte) *xaes {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		panic("eventlog: a 32-byte AES key was refused: " + err.Error())
	}
	x := &xaes{block: block}
	block.Encrypt(x.k1[:], x.k1[:])
	msb := 0
	for i := len(x.k1) - 1; i >= 0; i-- {
		msb, x.k1[i] = int(x.k1[i]>>7), x.k1[i]<<1|byte(msb)
	}
	x.k1[len(x.k1)-1] ^= byte(msb) * 0x87
	return x
}

// aead is the cipher of the messages whose nonce begins with these 12 bytes.
func (x *xaes) aead(nonce []byte) cipher.AEAD {
	var key [32]byte
	for i := range 2 {
		m := key[i*aes.BlockSize : (i+1)*aes.BlockSize]
		copy(m, []byte{0, byte(i + 1), 'X', 0})
		copy(m[4:], nonce[:12])
		subtle.XORBytes(m, m, x.k1[:])
		x.block.Encrypt(m, m)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("eventlog: a derived AES key was refused: " + err.Error())
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("eventlog: AES-GCM was refused: " + err.Error())
	}
	return gcm
}

// sealer seals and opens messages with the keys of a ring.
type sealer struct {
	keys keyring.Provider
	mu   sync.RWMutex
	byID map[string]*xaes
}

func newSealer(keys keyring.Provider) *sealer {
	return &sealer{keys: keys, byID: map[string]*xaes{}}
}

// current is the key for new messages.
func (s *sealer) current(ctx context.Context) (id string, x *xaes, err error) {
	k, err := s.keys.Current(ctx, keyring.Log)
	if err != nil {
		return "", nil, fmt.Errorf("current log key: %w", err)
	}
	return k.ID, s.remember(k), nil
}

func (s *sealer) remember(k keyring.Key) *xaes {
	s.mu.RLock()
	x := s.byID[k.ID]
	s.mu.RUnlock()
	if x != nil {
		return x
	}
	x = newXAES(k.Secret)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID[k.ID] = x
	return x
}

// lookup is the key that an older message was sealed with.
func (s *sealer) lookup(ctx context.Context, id string) (*xaes, error) {
	s.mu.RLock()
	x := s.byID[id]
	s.mu.RUnlock()
	if x != nil {
		return x, nil
	}
	k, err := s.keys.Lookup(ctx, keyring.Log, id)
	if err != nil {
		return nil, fmt.Errorf("log key %q: %w", id, err)
	}
	return s.remember(k), nil
}

// seal adds a random nonce and the sealed plain bytes to dst.
func (x *xaes) seal(dst, plain, additional []byte) []byte {
	var nonce [nonceSize]byte
	_, _ = rand.Read(nonce[:]) // never fails: crypto/rand aborts the program instead
	dst = append(dst, nonce[:]...)
	return x.aead(nonce[:]).Seal(dst, nonce[12:], plain, additional)
}

// open reverses seal: sealed begins with the nonce.
func (x *xaes) open(dst, sealed, additional []byte) ([]byte, error) {
	if len(sealed) < nonceSize {
		return nil, ErrSealed
	}
	nonce, sealed := sealed[:nonceSize], sealed[nonceSize:]
	plain, err := x.aead(nonce).Open(dst, nonce[12:], sealed, additional)
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}
