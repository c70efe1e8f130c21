package audit

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// maxBatch bounds the entries of one batch.
const maxBatch = 10_000

// Head is the seal of one batch, as it is kept and as it is exported. Hashes,
// keys and signatures are in unpadded base64url.
type Head struct {
	bun.BaseModel `bun:"table:audit_head" json:"-"`

	No        int64        `bun:",pk" json:"no"`
	At        store.Micros `json:"at"`
	FirstID   string       `json:"first_id"`
	LastID    string       `json:"last_id"`
	Entries   int64        `json:"entries"`
	Root      string       `json:"root"`
	Previous  string       `json:"previous"` // hash of the head before; "" for the first
	Hash      string       `json:"hash"`
	KeyID     string       `json:"key_id"`
	Signature string       `json:"signature"`
}

var b64 = base64.RawURLEncoding

// frame appends parts so that no two lists of parts give the same bytes.
func frame(dst []byte, parts ...string) []byte {
	for _, p := range parts {
		dst = binary.AppendUvarint(dst, uint64(len(p)))
		dst = append(dst, p...)
	}
	return dst
}

// leaf is the hash of one entry (RFC 6962: the byte 0 in front).
func (r entryRow) leaf() [32]byte {
	b := append(make([]byte, 0, 256), 0)
	b = frame(b, "omote-audit-entry-1", r.ID)
	b = binary.AppendVarint(b, int64(r.At))
	return sha256.Sum256(frame(b, r.Entity, r.Unit, r.Actor, r.Purpose, r.Action, r.Object, r.Reason, r.Changed, r.Before, r.After))
}

// merkle is the Merkle tree hash of RFC 6962, section 2.1, over at least one leaf.
func merkle(leaves [][32]byte) [32]byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := merkle(leaves[:k]), merkle(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func rootOf(rows []entryRow) string {
	leaves := make([][32]byte, len(rows))
	for i, r := range rows {
		leaves[i] = r.leaf()
	}
	root := merkle(leaves)
	return b64.EncodeToString(root[:])
}

// sum computes the head's hash from its other fields.
func (h Head) sum() string {
	b := frame(nil, "omote-audit-head-1")
	b = binary.AppendVarint(b, h.No)
	b = binary.AppendVarint(b, int64(h.At))
	b = binary.AppendVarint(b, h.Entries)
	s := sha256.Sum256(frame(b, h.FirstID, h.LastID, h.Root, h.Previous))
	return b64.EncodeToString(s[:])
}

func signingKey(k keyring.Key) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(k.Secret[:]) }

// signedBy reports whether the head's signature is by the key.
func (h Head) signedBy(public ed25519.PublicKey) bool {
	sig, err := b64.DecodeString(h.Signature)
	return err == nil && len(public) == ed25519.PublicKeySize && ed25519.Verify(public, []byte(h.Hash), sig)
}

// PublicKey gives the key that checks the signatures of heads with this key id,
// for whoever keeps exported heads.
func PublicKey(ctx context.Context, keys keyring.Provider, keyID string) (string, error) {
	k, err := keys.Lookup(ctx, keyPurpose, keyID)
	if err != nil {
		return "", fmt.Errorf("audit: %w", err)
	}
	return b64.EncodeToString(signingKey(k).Public().(ed25519.PublicKey)), nil
}

// Sink receives heads after they were committed, to keep them off the machine.
type Sink interface {
	Put(ctx context.Context, h Head) error
}

// Sealer seals entries and hands heads to a sink.
type Sealer struct {
	DB *store.DB
	// Sink may be nil. A head that it refuses is only logged; WriteHeads makes up
	// for it.
	Sink Sink
}

// Run seals once a second until ctx ends, and once more then.
func (s *Sealer) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_, err := s.Seal(last)
			return err
		case <-tick.C:
			if _, err := s.Seal(ctx); err != nil && ctx.Err() == nil {
				s.DB.Logger().Error("audit entries were not sealed", "error", err)
			}
		}
	}
}

// Seal seals what is not sealed yet and gives the number of entries. Another
// process that seals at the same time makes it give 0.
func (s *Sealer) Seal(ctx context.Context) (int64, error) {
	ctx = scope.With(ctx, scope.Process(scope.DefaultEntity, "audit"))
	key, err := s.DB.Keys().Current(ctx, keyPurpose)
	if err != nil {
		return 0, fmt.Errorf("audit: %w", err)
	}
	var h *Head
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		h, err = sealBatch(ctx, tx, key)
		return err
	})
	if store.IsDuplicate(err) {
		return 0, nil // another sealer took the number
	}
	if err != nil || h == nil {
		return 0, err
	}
	if s.Sink != nil {
		if err := s.Sink.Put(ctx, *h); err != nil {
			s.DB.Logger().Error("audit head was not exported", "head", h.No, "error", err)
		}
	}
	return h.Entries, nil
}

func sealBatch(ctx context.Context, tx store.Tx, key keyring.Key) (*Head, error) {
	last, err := lastHead(ctx, tx)
	if err != nil {
		return nil, err
	}
	h := Head{No: last.No + 1, Previous: last.Hash, At: tx.Now(), KeyID: key.ID}
	rows, err := takeUnsealed(ctx, tx, h.No, maxBatch)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	h.Entries, h.FirstID, h.LastID, h.Root = int64(len(rows)), rows[0].ID, rows[len(rows)-1].ID, rootOf(rows)
	h.Hash = h.sum()
	h.Signature = b64.EncodeToString(ed25519.Sign(signingKey(key), []byte(h.Hash)))
	return &h, insertHead(ctx, tx, &h)
}

// Writer is a sink that writes each head as a line of JSON, such as to a file on
// a mounted share or to a forwarder's pipe.
type Writer struct{ W io.Writer }

// Put implements Sink.
func (w Writer) Put(_ context.Context, h Head) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	_, err = w.W.Write(append(raw, '\n'))
	return err
}

// WriteHeads writes the heads after number no to w, as lines of JSON.
func WriteHeads(ctx context.Context, db *store.DB, w io.Writer, no int64) error {
	for {
		var heads []Head
		err := db.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
			heads, err = headsAfter(ctx, tx, no, 1000)
			return err
		})
		if err != nil || len(heads) == 0 {
			return err
		}
		for _, h := range heads {
			if err := (Writer{w}).Put(ctx, h); err != nil {
				return err
			}
			no = h.No
		}
	}
}

// ReadHead reads one exported head.
func ReadHead(raw []byte) (Head, error) {
	var h Head
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&h); err != nil {
		return Head{}, fmt.Errorf("audit: exported head: %w", err)
	}
	if h.No < 1 || h.Hash != h.sum() {
		return Head{}, fmt.Errorf("audit: exported head %d does not agree with its own hash", h.No)
	}
	return h, nil
}
