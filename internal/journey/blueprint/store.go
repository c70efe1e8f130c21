package blueprint

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// row is a journey's working copy as it is stored.
type row struct {
	bun.BaseModel `bun:"table:journey_blueprint"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Draft         json.RawMessage
	Rev           int64
	LiveVersion   int
	LiveRev       int64
	Base          json.RawMessage
	Locale        string
	CreatedAt     store.Micros
	CreatedBy     string
	UpdatedAt     store.Micros
	UpdatedBy     string
}

type versionRow struct {
	bun.BaseModel `bun:"table:journey_blueprint_version"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Version       int    `bun:",pk"`
	State         State
	Body          json.RawMessage
	Rev           int64
	Note          string
	Request       string
	ProposedAt    store.Micros
	ProposedBy    string
	DecidedAt     store.Micros `bun:",nullzero"`
	DecidedBy     string
	Decision      string
}

type opRow struct {
	bun.BaseModel `bun:"table:journey_blueprint_op"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Op            string `bun:",pk"`
	Rev           int64
	State         OpState
	Kind          OpKind
	Target        string
	Field         string
	Body          json.RawMessage
	Before        json.RawMessage
	Actor         string
	Client        string
	At            store.Micros
	Undoes        string
	Undone        bool
}

type commentRow struct {
	bun.BaseModel `bun:"table:journey_blueprint_comment"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Comment       string `bun:",pk"`
	Step          string
	Body          string
	Actor         string
	At            store.Micros
	ResolvedAt    store.Micros `bun:",nullzero"`
	ResolvedBy    string
}

type presenceRow struct {
	bun.BaseModel `bun:"table:journey_blueprint_presence"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Client        string `bun:",pk"`
	Actor         string
	Place         string
	SeenAt        store.Micros
}

// decode reads a stored document. The form of the first edition, a definition
// with a list of events as steps, becomes a map of one stage.
func decode(raw json.RawMessage) (*Document, error) {
	var old struct {
		Steps []string `json:"steps"`
	}
	d := &Document{}
	if err := json.Unmarshal(raw, d); err != nil {
		return nil, fmt.Errorf("decode a map: %w", err)
	}
	if err := json.Unmarshal(raw, &old); err != nil || len(old.Steps) == 0 || len(d.Stages) > 0 {
		return d, nil
	}
	stage := Stage{ID: "journey", Name: d.Name}
	seen := map[string]bool{}
	for i, e := range old.Steps {
		id := e
		if !ValidID(id) || seen[id] {
			id = fmt.Sprintf("step_%d", i+1)
		}
		seen[id] = true
		stage.Steps = append(stage.Steps, Step{ID: id, Name: Text{EN: title(e), VI: title(e)}, Events: []string{e}})
	}
	d.Stages = []Stage{stage}
	return d, nil
}

func notFound(journey string) error {
	return errs.NotFound("blueprint.error.not_found", "there is no map of the journey %q", journey).With("id", journey)
}

func get(ctx context.Context, tx store.Tx, journey string) (row, error) {
	var r row
	err := tx.NewSelect().Model(&r).Where("entity = ? AND journey = ?", tx.Scope.Entity, journey).Scan(ctx)
	if store.IsNoRows(err) {
		return r, notFound(journey)
	}
	if err != nil {
		return r, fmt.Errorf("map of %s: %w", journey, err)
	}
	return r, nil
}

func list(ctx context.Context, tx store.Tx) ([]row, error) {
	var rows []row
	if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("journey").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list maps: %w", err)
	}
	return rows, nil
}

// insertRow adds a journey; false when its id is taken.
func insertRow(ctx context.Context, tx store.Tx, r *row) (bool, error) {
	res, err := tx.NewInsert().Model(r).On("CONFLICT (entity, journey) DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("add map of %s: %w", r.Journey, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func updateRow(ctx context.Context, tx store.Tx, r *row) error {
	if _, err := tx.NewUpdate().Model(r).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("save map of %s: %w", r.Journey, err)
	}
	return nil
}

func updateBase(ctx context.Context, tx store.Tx, journey string, base json.RawMessage) error {
	r := row{Entity: tx.Scope.Entity, Journey: journey, Base: base}
	if _, err := tx.NewUpdate().Model(&r).Column("base").WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("save the template of %s: %w", journey, err)
	}
	return nil
}

// deleteAll takes away a journey and everything that belongs to it.
func deleteAll(ctx context.Context, tx store.Tx, journey string) error {
	for _, table := range []string{"journey_blueprint_presence", "journey_blueprint_comment", "journey_blueprint_op", "journey_blueprint_version",
		"journey_conformance", "journey_refresh", "journey_blueprint"} {
		if _, err := tx.NewDelete().Table(table).Where("entity = ? AND journey = ?", tx.Scope.Entity, journey).Exec(ctx); err != nil {
			return fmt.Errorf("delete map of %s: %w", journey, err)
		}
	}
	return nil
}

// versionsOf gives the versions of a journey, newest first.
func versionsOf(ctx context.Context, tx store.Tx, journey string) ([]versionRow, error) {
	var rows []versionRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND journey = ?", tx.Scope.Entity, journey).Order("version DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("versions of the map of %s: %w", journey, err)
	}
	return rows, nil
}

func inState(ctx context.Context, tx store.Tx, s State) ([]versionRow, error) {
	var rows []versionRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND state = ?", tx.Scope.Entity, s).Order("journey").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("maps in state %s: %w", s, err)
	}
	return rows, nil
}

func insertVersion(ctx context.Context, tx store.Tx, v *versionRow) error {
	if _, err := tx.NewInsert().Model(v).Exec(ctx); err != nil {
		return fmt.Errorf("add version %d of %s: %w", v.Version, v.Journey, err)
	}
	return nil
}

func updateVersion(ctx context.Context, tx store.Tx, v *versionRow) error {
	if _, err := tx.NewUpdate().Model(v).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("save version %d of %s: %w", v.Version, v.Journey, err)
	}
	return nil
}

// opsSince gives the operations in force after a revision, oldest first.
func opsSince(ctx context.Context, tx store.Tx, journey string, rev int64) ([]opRow, error) {
	var rows []opRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND journey = ? AND rev > ? AND state = ?", tx.Scope.Entity, journey, rev, OpApplied).
		Order("rev").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("operations on %s: %w", journey, err)
	}
	return rows, nil
}

// opByID finds an operation; nil when it has not come yet.
func opByID(ctx context.Context, tx store.Tx, journey, id string) (*opRow, error) {
	var r opRow
	err := tx.NewSelect().Model(&r).Where("entity = ? AND journey = ? AND op = ?", tx.Scope.Entity, journey, id).Scan(ctx)
	if store.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("operation %s: %w", id, err)
	}
	return &r, nil
}

func insertOp(ctx context.Context, tx store.Tx, r *opRow) error {
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("keep an operation on %s: %w", r.Journey, err)
	}
	return nil
}

func updateOp(ctx context.Context, tx store.Tx, r *opRow) error {
	if _, err := tx.NewUpdate().Model(r).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("mark an operation on %s: %w", r.Journey, err)
	}
	return nil
}

// lastOps gives an actor's newest operations since the draft left the version in
// force, newest first.
func lastOps(ctx context.Context, tx store.Tx, journey, actor string) ([]opRow, error) {
	var rows []opRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND journey = ? AND actor = ? AND state = ?", tx.Scope.Entity, journey, actor, OpApplied).
		Order("rev DESC").Limit(maxUndo).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("operations on %s: %w", journey, err)
	}
	return rows, nil
}

// openConflicts gives the operations that wait for a choice, oldest first.
func openConflicts(ctx context.Context, tx store.Tx, journey string) ([]opRow, error) {
	var rows []opRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND journey = ? AND state = ?", tx.Scope.Entity, journey, OpConflict).Order("at", "op").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("conflicts of %s: %w", journey, err)
	}
	return rows, nil
}

func commentsOf(ctx context.Context, tx store.Tx, journey string) ([]commentRow, error) {
	var rows []commentRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND journey = ?", tx.Scope.Entity, journey).Order("at", "comment").Limit(maxComments).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("comments on %s: %w", journey, err)
	}
	return rows, nil
}

func insertComment(ctx context.Context, tx store.Tx, r *commentRow) error {
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("keep a comment: %w", err)
	}
	return nil
}

// resolveComment marks a comment as done; false when there is none open.
func resolveComment(ctx context.Context, tx store.Tx, journey, id string) (bool, error) {
	res, err := tx.NewUpdate().Table("journey_blueprint_comment").Set("resolved_at = ?", tx.Now()).Set("resolved_by = ?", tx.Scope.Actor).
		Where("entity = ? AND journey = ? AND comment = ? AND resolved_at IS NULL", tx.Scope.Entity, journey, id).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("resolve a comment: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

func putPresence(ctx context.Context, tx store.Tx, r *presenceRow) error {
	_, err := tx.NewInsert().Model(r).On("CONFLICT (entity, journey, client) DO UPDATE").Set("place = EXCLUDED.place").
		Set("seen_at = EXCLUDED.seen_at").Set("actor = EXCLUDED.actor").Exec(ctx)
	if err != nil {
		return fmt.Errorf("note presence: %w", err)
	}
	return nil
}

func dropPresence(ctx context.Context, tx store.Tx, journey, client string, before store.Micros) error {
	_, err := tx.NewDelete().Model((*presenceRow)(nil)).Where("entity = ? AND journey = ? AND (client = ? OR seen_at < ?)", tx.Scope.Entity, journey, client, before).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget presence: %w", err)
	}
	return nil
}

func presences(ctx context.Context, tx store.Tx, journey string, since time.Time) ([]presenceRow, error) {
	var rows []presenceRow
	err := tx.NewSelect().Model(&rows).Where("entity = ? AND journey = ? AND seen_at >= ?", tx.Scope.Entity, journey, store.At(since)).Order("client").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("who is here: %w", err)
	}
	return rows, nil
}

func revision(ctx context.Context, tx store.Tx, journey string) (rev int64, by string, err error) {
	var r row
	err = tx.NewSelect().Model(&r).Column("rev", "updated_by").Where("entity = ? AND journey = ?", tx.Scope.Entity, journey).Scan(ctx)
	if store.IsNoRows(err) {
		return 0, "", notFound(journey)
	}
	return r.Rev, r.UpdatedBy, err
}

func stampOf(ctx context.Context, tx store.Tx, journey string) (string, error) {
	var comments, resolved, choices int
	err := tx.NewSelect().TableExpr("journey_blueprint_comment").ColumnExpr("COUNT(*)").ColumnExpr("COUNT(resolved_at)").
		Where("entity = ? AND journey = ?", tx.Scope.Entity, journey).Scan(ctx, &comments, &resolved)
	if err == nil {
		err = tx.NewSelect().TableExpr("journey_blueprint_op").ColumnExpr("COUNT(*)").
			Where("entity = ? AND journey = ? AND state = ?", tx.Scope.Entity, journey, OpConflict).Scan(ctx, &choices)
	}
	if err != nil {
		return "", fmt.Errorf("stamp of %s: %w", journey, err)
	}
	return fmt.Sprintf("%d.%d.%d", comments, resolved, choices), nil
}
