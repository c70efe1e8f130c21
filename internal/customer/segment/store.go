package segment

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/customer/state"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// chunk bounds the ids named in one statement.
const chunk = 1000

type versionRow struct {
	bun.BaseModel `bun:"table:customer_segment_version,alias:v"`
	Entity        string `bun:",pk"`
	SegmentID     string `bun:",pk"`
	Version       int    `bun:",pk"`
	Status        Status
	Origin        string
	Body          json.RawMessage `bun:"definition"`
	Enters        string
	Leaves        string
	FillID        string
	Reason        string
	CreatedAt     store.Micros
	CreatedBy     string
	LiveAt        store.Micros `bun:",nullzero"`
}

func (r *versionRow) definition() (d Definition, err error) {
	if err := json.Unmarshal(r.Body, &d); err != nil {
		return d, fmt.Errorf("decode segment %s: %w", r.SegmentID, err)
	}
	return d, nil
}

func (r *versionRow) version() (*Version, error) {
	d, err := r.definition()
	return &Version{Definition: d, Version: r.Version, Status: r.Status, Origin: r.Origin, Reason: r.Reason, CreatedAt: r.CreatedAt.Time(),
		CreatedBy: r.CreatedBy, LiveAt: r.LiveAt.Time()}, err
}

type setRow struct {
	bun.BaseModel `bun:"table:customer_segment_set"`
	Entity        string `bun:",pk"`
	Version       int64
	Features      json.RawMessage // hex id → version of the set
}

func (r setRow) epochs() map[uint64]int64 {
	out := map[uint64]int64{}
	var named map[string]int64
	if json.Unmarshal(r.Features, &named) == nil {
		for k, v := range named {
			if id, err := parseHexID(k); err == nil {
				out[id] = v
			}
		}
	}
	return out
}

// readSet gives which rules run; version 0 where none ever did.
func readSet(ctx context.Context, tx store.Tx) (r setRow, err error) {
	err = tx.NewSelect().Model(&r).Where("entity = ?", tx.Scope.Entity).Scan(ctx)
	if store.IsNoRows(err) {
		return setRow{Entity: tx.Scope.Entity}, nil
	}
	if err != nil {
		return r, fmt.Errorf("read the set of rules: %w", err)
	}
	return r, nil
}

func writeSet(ctx context.Context, tx store.Tx, version int64, epochs map[uint64]int64) error {
	named := make(map[string]int64, len(epochs))
	for id, v := range epochs {
		named[hexID(id)] = v
	}
	raw, err := json.Marshal(named)
	if err != nil {
		return err
	}
	r := setRow{Entity: tx.Scope.Entity, Version: version, Features: raw}
	if _, err := tx.NewInsert().Model(&r).On("CONFLICT (entity) DO UPDATE").Set("version = EXCLUDED.version").Set("features = EXCLUDED.features").Exec(ctx); err != nil {
		return fmt.Errorf("write the set of rules: %w", err)
	}
	return nil
}

// runningVersions are the live and filling ones, in a fixed order.
func runningVersions(ctx context.Context, tx store.Tx) (rows []versionRow, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND status IN (?)", tx.Scope.Entity, bun.List([]Status{Live, Filling})).
		Order("segment_id", "version").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read running segments: %w", err)
	}
	return rows, nil
}

func versionsOf(ctx context.Context, tx store.Tx, id string) (rows []versionRow, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND segment_id = ?", tx.Scope.Entity, id).Order("version DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read segment %s: %w", id, err)
	}
	if len(rows) == 0 {
		return nil, errs.NotFound("segment.error.not_found", "there is no segment %s", id).With("id", id)
	}
	return rows, nil
}

// allVersions are those of every segment, the newest first.
func allVersions(ctx context.Context, tx store.Tx) (rows []versionRow, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Order("segment_id", "version DESC").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	return rows, nil
}

func insertVersion(ctx context.Context, tx store.Tx, r *versionRow) error {
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return fmt.Errorf("store segment %s: %w", r.SegmentID, err)
	}
	return nil
}

func updateVersion(ctx context.Context, tx store.Tx, r *versionRow, columns ...string) error {
	if _, err := tx.NewUpdate().Model(r).Column(columns...).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("change segment %s: %w", r.SegmentID, err)
	}
	return nil
}

// readRecords gives the rows of records that rules count.
func readRecords(ctx context.Context, tx store.Tx, ids []string) (map[string]*state.Row, error) {
	rows, err := state.Read(ctx, tx, tx.Scope.Entity, ids)
	maps.DeleteFunc(rows, func(_ string, r *state.Row) bool { return r.Holder == "" })
	return rows, err
}

// counted gives the row of a record to change, held by a customer where rules
// count it from now on. The row was read before.
func counted(tx store.Tx, id, holder string) (row *state.Row, fresh bool) {
	row = state.Held(tx, tx.Scope.Entity, id).Or(tx.Scope.Entity, id)
	if fresh = row.Holder == ""; fresh {
		row.Holder = holder
	}
	return row, fresh
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

type customerRow struct {
	bun.BaseModel `bun:"table:customer_segment_customer"`
	CustomerID    string
	Standing      []byte
	Due           *int64
}

func readCustomers(ctx context.Context, tx store.Tx, ids []string) (map[string]*customerRow, error) {
	out := make(map[string]*customerRow, len(ids))
	for part := range slices.Chunk(ids, chunk) {
		var rows []customerRow
		err := tx.NewSelect().Model(&rows).Column("customer_id", "standing", "due").Where("entity = ? AND customer_id IN (?)", tx.Scope.Entity, bun.List(part)).Scan(ctx)
		if err != nil {
			return nil, fmt.Errorf("read standings of customers: %w", err)
		}
		for i := range rows {
			out[rows[i].CustomerID] = &rows[i]
		}
	}
	return out, nil
}

func writeCustomers(ctx context.Context, tx store.Tx, rows []*customerRow) error {
	slices.SortFunc(rows, func(a, b *customerRow) int { return compareText(a.CustomerID, b.CustomerID) })
	n := len(rows)
	entity, id, standing, due := make([]string, n), make([]string, n), make([][]byte, n), make([]*int64, n)
	for i, r := range rows {
		entity[i], id[i], standing[i], due[i] = tx.Scope.Entity, r.CustomerID, r.Standing, r.Due
	}
	_, err := tx.Batch(ctx, "customer_segment_customer", store.Upsert{Key: []string{"entity", "customer_id"}, Set: store.Replace("standing", "due")},
		store.Col("entity", entity), store.Col("customer_id", id), store.Col("standing", standing), store.Col("due", due))
	return err
}

func deleteCustomers(ctx context.Context, tx store.Tx, ids []string) error {
	for part := range slices.Chunk(ids, chunk) {
		if _, err := tx.NewDelete().Table("customer_segment_customer").Where("entity = ? AND customer_id IN (?)", tx.Scope.Entity, bun.List(part)).Exec(ctx); err != nil {
			return fmt.Errorf("forget standings: %w", err)
		}
	}
	return nil
}

// dueCustomers are those whose membership may have changed by time, the longest due first.
func dueCustomers(ctx context.Context, tx store.Tx, now store.Micros, limit int) (ids []string, err error) {
	err = tx.NewSelect().Table("customer_segment_customer").Column("customer_id").Where("entity = ? AND due <= ?", tx.Scope.Entity, now).
		Order("due").Limit(int64(limit)).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("find who is due: %w", err)
	}
	return ids, nil
}

// enter writes memberships that begin, depart those that end.
func enter(ctx context.Context, tx store.Tx, now store.Micros, changes []Change, versions map[string]int) error {
	changes = slices.Clone(changes)
	slices.SortFunc(changes, func(a, b Change) int {
		if c := compareText(a.CustomerID, b.CustomerID); c != 0 {
			return c
		}
		return compareText(a.Segment, b.Segment)
	})
	var entity, customer, segment, cause, none []string
	var entered []store.Micros
	var version []int64
	var departed []*int64
	for _, c := range changes {
		entity, customer, segment = append(entity, tx.Scope.Entity), append(customer, c.CustomerID), append(segment, c.Segment)
		entered, version, cause, none = append(entered, now), append(version, int64(versions[c.Segment])), append(cause, string(c.Cause)), append(none, "")
		departed = append(departed, nil)
	}
	_, err := tx.Batch(ctx, "customer_segment_member",
		store.Upsert{Key: []string{"entity", "customer_id", "segment_id", "entered"}, Set: store.Replace("departed", "version", "cause", "ended_by")},
		store.Col("entity", entity), store.Col("customer_id", customer), store.Col("segment_id", segment), store.Col("entered", entered),
		store.Col("departed", departed), store.Col("version", version), store.Col("cause", cause), store.Col("ended_by", none))
	return err
}

func depart(ctx context.Context, tx store.Tx, now store.Micros, segment string, cause Cause, customers []string) error {
	slices.Sort(customers)
	for part := range slices.Chunk(customers, chunk) {
		_, err := tx.NewRaw("UPDATE customer_segment_member SET departed = ?, ended_by = ? WHERE entity = ? AND segment_id = ? AND customer_id IN (?) AND departed IS NULL",
			now, string(cause), tx.Scope.Entity, segment, bun.List(part)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("end memberships: %w", err)
		}
	}
	return nil
}

// belongSQL gives who belongs to a segment, from the index alone.
const belongSQL = `SELECT customer_id FROM customer_segment_member WHERE entity = ? AND segment_id = ? AND departed IS NULL`

// departAll ends every membership of a segment that is no longer in use.
func departAll(ctx context.Context, tx store.Tx, segment string) error {
	_, err := tx.NewRaw("UPDATE customer_segment_member SET departed = ?, ended_by = ? WHERE entity = ? AND segment_id = ? AND departed IS NULL",
		tx.Now(), string(byRetire), tx.Scope.Entity, segment).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end memberships of %s: %w", segment, err)
	}
	return nil
}

// Identity links: package identity owns the table; here it is only read.

// holders gives the customers of records that belong to another record's.
func holders(ctx context.Context, tx store.Tx, records []string) (map[string]string, error) {
	out := map[string]string{}
	for part := range slices.Chunk(records, chunk) {
		var rows []struct{ RecordID, CustomerID string }
		err := tx.NewRaw("SELECT record_id, customer_id FROM customer_link WHERE entity = ? AND record_id IN (?) AND to_version IS NULL",
			tx.Scope.Entity, bun.List(part)).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("read identity links: %w", err)
		}
		for _, r := range rows {
			out[r.RecordID] = r.CustomerID
		}
	}
	return out, nil
}

// linked gives the records that belong to customers by a link.
func linked(ctx context.Context, tx store.Tx, customers []string) (map[string][]string, error) {
	out := map[string][]string{}
	for part := range slices.Chunk(customers, chunk) {
		var rows []struct{ RecordID, CustomerID string }
		err := tx.NewRaw("SELECT record_id, customer_id FROM customer_link WHERE entity = ? AND customer_id IN (?) AND to_version IS NULL ORDER BY record_id",
			tx.Scope.Entity, bun.List(part)).Scan(ctx, &rows)
		if err != nil {
			return nil, fmt.Errorf("read identity links: %w", err)
		}
		for _, r := range rows {
			out[r.CustomerID] = append(out[r.CustomerID], r.RecordID)
		}
	}
	return out, nil
}

// relinked gives whom the identity graph's changes after a version concern:
// records and the customers they came from and went to.
func relinked(ctx context.Context, tx store.Tx, after, upto int64) (ids []string, err error) {
	var rows []struct{ RecordID, CustomerID string }
	err = tx.NewRaw(`SELECT record_id, customer_id FROM customer_link
WHERE entity = ? AND ((from_version > ? AND from_version <= ?) OR (to_version > ? AND to_version <= ?))`, tx.Scope.Entity, after, upto, after, upto).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read identity links: %w", err)
	}
	for _, r := range rows {
		ids = append(ids, r.RecordID, r.CustomerID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// graphs gives the version of the identity graph and the one that was followed.
func graphs(ctx context.Context, tx store.Tx) (now, followed int64, err error) {
	err = tx.NewRaw(`SELECT COALESCE((SELECT version FROM customer_graph WHERE entity = ?), 0), COALESCE((SELECT version FROM customer_segment_graph WHERE entity = ?), 0)`,
		tx.Scope.Entity, tx.Scope.Entity).Scan(ctx, &now, &followed)
	if err != nil {
		return 0, 0, fmt.Errorf("read the identity graph's version: %w", err)
	}
	return now, followed, nil
}

func setFollowed(ctx context.Context, tx store.Tx, version int64) error {
	_, err := tx.NewRaw("INSERT INTO customer_segment_graph (entity, version) VALUES (?, ?) ON CONFLICT (entity) DO UPDATE SET version = EXCLUDED.version",
		tx.Scope.Entity, version).Exec(ctx)
	if err != nil {
		return fmt.Errorf("note the identity graph's version: %w", err)
	}
	return nil
}
