package warehouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// Erased counts what Erase did, by table.
type Erased struct{ Events, Responses, Links int64 }

// Erase takes a person out of the facts that arrived until at: their facts stay as
// statistics under an id that was drawn at random and is written nowhere, case
// keys and event ids become random too, and properties and comments, which may
// hold words of the person, are removed. Identity links of the records are
// deleted. The daily aggregates hold no person and stay. It may be repeated.
func (w *Warehouse) Erase(ctx context.Context, records []uuid.UUID, at time.Time) (out Erased, err error) {
	s, ok := scope.From(ctx)
	if !ok {
		return out, errs.Denied("warehouse.error.scope", "erasing needs a scope")
	}
	if len(records) == 0 {
		return out, nil
	}
	var salt [16]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return out, fmt.Errorf("erase from the warehouse: %w", err)
	}
	stranger, err := uuid.NewRandom()
	if err != nil {
		return out, fmt.Errorf("erase from the warehouse: %w", err)
	}
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = "'" + r.String() + "'::uuid"
	}
	list := strings.Join(ids, ", ")
	facts := "entity = $1 AND received_at <= $2 AND record_id IN (" + list + ")"
	links := "entity = $1 AND (record_id IN (" + list + ") OR customer_id IN (" + list + "))"
	// Equal case keys stay equal, so journeys keep their shape; the salt is forgotten.
	set := fmt.Sprintf(`record_id = '%s'::uuid, event_id = gen_random_uuid(),
case_key = CASE WHEN case_key = '' THEN '' ELSE 'erased-' || md5('%s' || case_key) END, `, stranger, hex.EncodeToString(salt[:]))
	until := instant(at.UnixMicro())
	err = w.inTx(ctx, func(tx writeTx) error {
		out = Erased{}
		for _, t := range []struct {
			n             *int64
			count, change string
			args          []any
		}{
			{&out.Events, "event WHERE " + facts, "UPDATE warehouse.event SET " + set + "props = NULL WHERE " + facts, []any{s.Entity, until}},
			{&out.Responses, "response WHERE " + facts, "UPDATE warehouse.response SET " + set + "comment = NULL WHERE " + facts, []any{s.Entity, until}},
			{&out.Links, "identity_link WHERE " + links, "DELETE FROM warehouse.identity_link WHERE " + links, []any{s.Entity}},
		} {
			n, err := tx.Int(ctx, "SELECT count(*) FROM warehouse."+t.count, t.args...)
			if err != nil {
				return err
			}
			*t.n = n
			if n == 0 {
				continue
			}
			if err := tx.Exec(ctx, t.change, t.args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("erase from the warehouse: %w", err)
	}
	return out, nil
}
