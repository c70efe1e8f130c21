package contact

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// State is what became of a contact.
type State string

// The states. A reserved contact counts; a released one gave its place back.
const (
	Reserved State = "reserved"
	Released State = "released"
	Refused  State = "refused"
)

// Entry is a decision as it was kept.
type Entry struct {
	bun.BaseModel `bun:"table:customer_contact"`

	Entity        string `bun:",pk"`
	RecordID      string `bun:",pk"` // the record that was asked for; caps follow it through merge and unmerge
	Ref           string `bun:",pk"`
	Kind          string
	Channel       string
	Purpose       string
	Priority      int
	At            store.Micros
	State         State
	Reasons       json.RawMessage `bun:"type:jsonb"`
	PolicyVersion int
	DecidedAt     store.Micros
	MadeBy        string
}

// Findings are the words of the rules.
func (e Entry) Findings() (out []Finding, err error) {
	if err := json.Unmarshal(e.Reasons, &out); err != nil {
		return nil, fmt.Errorf("reasons of contact %s: %w", e.Ref, err)
	}
	return out, nil
}

type policyRow struct {
	bun.BaseModel `bun:"table:customer_policy"`

	Entity    string          `bun:",pk"`
	Version   int             `bun:",pk"`
	Body      json.RawMessage `bun:"type:jsonb"`
	Note      string
	CreatedAt store.Micros
	CreatedBy string
}

func (r policyRow) policy() (*Policy, error) {
	p := &Policy{}
	if err := json.Unmarshal(r.Body, p); err != nil {
		return nil, fmt.Errorf("contact policy version %d: %w", r.Version, err)
	}
	p.Version, p.Note, p.Created, p.MadeBy = r.Version, r.Note, r.CreatedAt, r.CreatedBy
	return p, nil
}

// policyVersion is the newest version, 0 where there is none.
func policyVersion(ctx context.Context, tx store.Tx) (version int, err error) {
	err = tx.NewRaw("SELECT COALESCE(MAX(version), 0) FROM customer_policy WHERE entity = ?", tx.Scope.Entity).Scan(ctx, &version)
	if err != nil {
		return 0, fmt.Errorf("contact policy: %w", err)
	}
	return version, nil
}

func policyAt(ctx context.Context, tx store.Tx, version int) (*Policy, error) {
	var r policyRow
	err := tx.NewSelect().Model(&r).Where("entity = ? AND version = ?", tx.Scope.Entity, version).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, errs.NotFound("customer.contact.error.no_policy", "there is no contact policy of version %d", version)
	}
	if err != nil {
		return nil, fmt.Errorf("contact policy: %w", err)
	}
	return r.policy()
}

func policyVersions(ctx context.Context, tx store.Tx) (out []*Policy, err error) {
	var rows []policyRow
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("version DESC").Limit(50).Scan(ctx); err != nil {
		return nil, fmt.Errorf("contact policies: %w", err)
	}
	for _, r := range rows {
		p, err := r.policy()
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func insertPolicy(ctx context.Context, tx store.Tx, p *Policy) error {
	body, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("contact policy: %w", err)
	}
	r := policyRow{Entity: tx.Scope.Entity, Version: p.Version, Body: body, Note: p.Note, CreatedAt: tx.Now(), CreatedBy: cmp.Or(p.MadeBy, tx.Scope.Actor)}
	_, err = tx.NewInsert().Model(&r).Exec(ctx)
	if store.IsDuplicate(err) {
		return errs.Conflict("customer.contact.error.version", "somebody saved another version meanwhile")
	}
	if err != nil {
		return fmt.Errorf("save the contact policy: %w", err)
	}
	return nil
}

// reservedAround reads the reserved contacts of the records within reach of t.
func reservedAround(ctx context.Context, tx store.Tx, records []string, t time.Time, reach time.Duration) (out []Contact, err error) {
	var rows []Entry
	err = tx.NewSelect().Model(&rows).Column("ref", "kind", "channel", "priority", "at").
		Where("entity = ? AND record_id IN (?) AND state = 'reserved' AND at > ? AND at < ?", tx.Scope.Entity, bun.List(records),
			store.At(t.Add(-reach)), store.At(t.Add(reach))).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("contacts: %w", err)
	}
	for _, r := range rows {
		out = append(out, Contact{Ref: r.Ref, Kind: r.Kind, Channel: r.Channel, Priority: r.Priority, At: r.At.Time()})
	}
	return out, nil
}

// keep writes a decision; one with the same record and ref is replaced.
func keep(ctx context.Context, tx store.Tx, e *Entry) error {
	_, err := tx.NewInsert().Model(e).On("CONFLICT (entity, record_id, ref) DO UPDATE").
		Set("kind = EXCLUDED.kind, channel = EXCLUDED.channel, purpose = EXCLUDED.purpose, priority = EXCLUDED.priority, at = EXCLUDED.at, state = EXCLUDED.state, " +
			"reasons = EXCLUDED.reasons, policy_version = EXCLUDED.policy_version, decided_at = EXCLUDED.decided_at, made_by = EXCLUDED.made_by").Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep a contact decision: %w", err)
	}
	return nil
}

// release gives places back.
func release(ctx context.Context, tx store.Tx, records []string, where string, args ...any) error {
	q := tx.NewUpdate().Model((*Entry)(nil)).Set("state = ?", Released).Where("entity = ? AND record_id IN (?) AND state = 'reserved'", tx.Scope.Entity, bun.List(records)).Where(where, args...)
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("release contacts: %w", err)
	}
	return nil
}

func entries(ctx context.Context, tx store.Tx, records []string, limit int) (out []Entry, err error) {
	err = tx.NewSelect().Model(&out).Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(records)).
		Order("decided_at DESC", "ref DESC").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("contact decisions: %w", err)
	}
	return out, nil
}

// Tally counts decisions of a kind.
type Tally struct {
	Kind  string
	State State
	N     int64
}

func tallies(ctx context.Context, tx store.Tx, since store.Micros) (out []Tally, err error) {
	err = tx.NewSelect().Model((*Entry)(nil)).ColumnExpr("kind, state, COUNT(*) AS n").Where("entity = ? AND decided_at >= ?", tx.Scope.Entity, since).
		GroupExpr("kind, state").OrderExpr("kind, state").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("count contact decisions: %w", err)
	}
	return out, nil
}

type exclusionRow struct {
	bun.BaseModel `bun:"table:customer_exclusion"`

	Entity   string `bun:",pk"`
	RecordID string `bun:",pk"`
	Kind     string `bun:",pk"`
	Ref      string `bun:",pk"`
	Since    store.Micros
	Until    store.Micros `bun:",nullzero"`
	MadeBy   string
}

func exclude(ctx context.Context, tx store.Tx, r *exclusionRow) error {
	_, err := tx.NewInsert().Model(r).On("CONFLICT (entity, record_id, kind, ref) DO UPDATE").Set("until = EXCLUDED.until").Exec(ctx)
	if err != nil {
		return fmt.Errorf("exclude a customer: %w", err)
	}
	return nil
}

// circumstances reads what holds for the records at t.
func circumstances(ctx context.Context, tx store.Tx, records []string, t time.Time) (out []string, err error) {
	at := store.At(t)
	err = tx.NewSelect().Model((*exclusionRow)(nil)).ColumnExpr("DISTINCT kind").
		Where("entity = ? AND record_id IN (?) AND since <= ? AND (until IS NULL OR until > ?)", tx.Scope.Entity, bun.List(records), at, at).Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("exclusions: %w", err)
	}
	return out, nil
}
