package audit

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"time"

	"omote/internal/platform/store"
)

// Fault is what is wrong with the trail.
type Fault string

// The faults that Verify finds.
const (
	Edited      Fault = "edited"       // entries of a batch do not give its root
	Deleted     Fault = "deleted"      // a batch has fewer entries than were sealed
	Added       Fault = "added"        // a batch has more entries than were sealed
	HeadEdited  Fault = "head_edited"  // a head does not agree with its own hash
	HeadMissing Fault = "head_missing" // a number is missing in the chain
	Broken      Fault = "broken"       // a head does not follow the one before
	BadSigner   Fault = "bad_signer"   // a head is not signed by a key of the ring
	Orphans     Fault = "orphans"      // entries were sealed by heads that are gone
	Truncated   Fault = "truncated"    // an exported head is beyond the end of the chain
	Rewritten   Fault = "rewritten"    // an exported head differs from the chain's
	Stale       Fault = "stale"        // entries wait for the sealer for too long
)

// staleAfter is how long an entry may wait for the sealer.
const staleAfter = time.Minute

// Problem is one finding. Batch is 0 where none is concerned.
type Problem struct {
	Fault Fault  `json:"fault"`
	Batch int64  `json:"batch,omitempty"`
	Text  string `json:"text"`
}

// Report is the outcome of a verification. The trail is sound when there are
// no problems.
type Report struct {
	Heads    int64     `json:"heads"`
	Entries  int64     `json:"entries"`
	Unsealed int64     `json:"unsealed"`
	Last     *Head     `json:"last,omitempty"`
	Problems []Problem `json:"problems"`
}

// Sound reports whether nothing was found.
func (r Report) Sound() bool { return len(r.Problems) == 0 }

func (r *Report) find(f Fault, batch int64, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{f, batch, fmt.Sprintf(format, args...)})
}

// Verify reads the whole trail and tells what is wrong with it. exported are
// heads that were kept off the machine. It reads in batches, so entries written
// meanwhile count as unsealed.
func Verify(ctx context.Context, db *store.DB, exported ...Head) (Report, error) {
	v := verifier{db: db, exported: map[int64]Head{}, publics: map[string]ed25519.PublicKey{}}
	for _, h := range exported {
		v.exported[h.No] = h
	}
	v.report.Problems = []Problem{}
	for {
		n := 0
		err := db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			heads, err := headsAfter(ctx, tx, v.last.No, 100)
			if err != nil {
				return err
			}
			n = len(heads)
			for _, h := range heads {
				if err := v.head(ctx, tx, h); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return v.report, err
		}
		if n == 0 {
			return v.report, v.end(ctx)
		}
	}
}

type verifier struct {
	db       *store.DB
	exported map[int64]Head
	publics  map[string]ed25519.PublicKey
	last     Head
	report   Report
}

func (v *verifier) head(ctx context.Context, tx store.Tx, h Head) error {
	r := &v.report
	if h.No != v.last.No+1 {
		r.find(HeadMissing, h.No, "heads %d to %d are missing", v.last.No+1, h.No-1)
	} else if h.Previous != v.last.Hash {
		r.find(Broken, h.No, "head %d does not follow head %d", h.No, v.last.No)
	}
	if h.Hash != h.sum() {
		r.find(HeadEdited, h.No, "head %d does not agree with its own hash", h.No)
	}
	if !h.signedBy(v.public(ctx, h.KeyID)) {
		r.find(BadSigner, h.No, "head %d is not signed by key %q of the ring", h.No, h.KeyID)
	}
	if e, ok := v.exported[h.No]; ok && e.Hash != h.Hash {
		r.find(Rewritten, h.No, "head %d differs from the one that was exported", h.No)
	}
	rows, err := batchRows(ctx, tx, h.No)
	if err != nil {
		return err
	}
	switch n := int64(len(rows)); {
	case n < h.Entries:
		r.find(Deleted, h.No, "batch %d has %d entries of %d", h.No, n, h.Entries)
	case n > h.Entries:
		r.find(Added, h.No, "batch %d has %d entries, %d were sealed", h.No, n, h.Entries)
	case n == 0 || rootOf(rows) != h.Root || rows[0].ID != h.FirstID || rows[n-1].ID != h.LastID:
		r.find(Edited, h.No, "entries of batch %d were changed", h.No)
	}
	r.Heads++
	r.Entries += int64(len(rows))
	r.Last, v.last = &h, h
	return nil
}

// public is the key that checks signatures of key id; nil when the ring lacks it.
func (v *verifier) public(ctx context.Context, id string) ed25519.PublicKey {
	if p, ok := v.publics[id]; ok {
		return p
	}
	k, err := v.db.Keys().Lookup(ctx, keyPurpose, id)
	if err != nil {
		return nil
	}
	v.publics[id] = signingKey(k).Public().(ed25519.PublicKey)
	return v.publics[id]
}

// end looks at what lies beyond the chain.
func (v *verifier) end(ctx context.Context) error {
	r := &v.report
	for no, h := range v.exported {
		if no > v.last.No {
			r.find(Truncated, no, "head %d was exported, the chain ends at %d", no, v.last.No)
		} else if h.Hash != h.sum() {
			r.find(HeadEdited, no, "the exported head %d does not agree with its own hash", no)
		}
	}
	return v.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		orphans, unsealed, oldest, err := stray(ctx, tx)
		if err != nil {
			return err
		}
		if orphans > 0 {
			r.find(Orphans, 0, "%d entries were sealed by heads that are gone", orphans)
		}
		if wait := tx.Now().Sub(oldest); unsealed > 0 && wait > staleAfter {
			r.find(Stale, 0, "%d entries wait to be sealed, the oldest since %s", unsealed, wait.Round(time.Second))
		}
		r.Unsealed = unsealed
		return nil
	})
}
