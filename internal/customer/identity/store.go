package identity

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/uptrace/bun"

	"omote/internal/platform/store"
)

// inChunk is how many names one IN list holds.
const inChunk = 800

// each reads rows for names, chunk by chunk.
func each[T any](names []string, read func(chunk []string) ([]T, error)) (all []T, err error) {
	for chunk := range slices.Chunk(names, inChunk) {
		some, err := read(chunk)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// ownersOf gives the customer of each record; a record without a link is its own.
func ownersOf(ctx context.Context, tx store.Tx, entity string, records []string) (map[string]string, error) {
	owners := make(map[string]string, len(records))
	for _, id := range records {
		owners[id] = id
	}
	links, err := each(records, func(ids []string) (links []Link, err error) {
		err = tx.NewSelect().Model(&links).Column("record_id", "customer_id").Where("entity = ? AND record_id IN (?) AND to_version IS NULL", entity, bun.List(ids)).Scan(ctx)
		return links, err
	})
	if err != nil {
		return nil, fmt.Errorf("read identity links: %w", err)
	}
	for _, l := range links {
		owners[l.RecordID] = l.CustomerID
	}
	return owners, nil
}

// membersOf gives the records that have a link to one of the customers, with the
// customer; the customer's own record is not among them.
func membersOf(ctx context.Context, tx store.Tx, entity string, customers []string) (map[string]string, error) {
	links, err := each(customers, func(ids []string) (links []Link, err error) {
		err = tx.NewSelect().Model(&links).Column("record_id", "customer_id").Where("entity = ? AND customer_id IN (?) AND to_version IS NULL", entity, bun.List(ids)).Scan(ctx)
		return links, err
	})
	if err != nil {
		return nil, fmt.Errorf("read identity links: %w", err)
	}
	members := make(map[string]string, len(links))
	for _, l := range links {
		members[l.RecordID] = l.CustomerID
	}
	return members, nil
}

// ranksOf gives the rank of each record; one that was never heard of ranks last.
func ranksOf(ctx context.Context, tx store.Tx, entity string, records []string) (map[string]rank, error) {
	ranks := make(map[string]rank, len(records))
	for _, id := range records {
		ranks[id] = rank{anonymous: true, since: 1<<63 - 1, id: id}
	}
	rows, err := each(records, func(ids []string) (rows []Record, err error) {
		err = tx.NewSelect().Model(&rows).Column("record_id", "anonymous", "since").Where("entity = ? AND record_id IN (?)", entity, bun.List(ids)).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read ranks of records: %w", err)
	}
	for _, r := range rows {
		ranks[r.RecordID] = rank{r.Anonymous, r.Since, r.RecordID}
	}
	return ranks, nil
}

// edgesFrom gives the standing edges whose lesser record is one of the records.
func edgesFrom(ctx context.Context, tx store.Tx, entity string, records []string) ([]Edge, error) {
	edges, err := each(records, func(ids []string) (edges []Edge, err error) {
		err = tx.NewSelect().Model(&edges).Where("entity = ? AND record_a IN (?) AND to_version IS NULL", entity, bun.List(ids)).Scan(ctx)
		return edges, err
	})
	if err != nil {
		return nil, fmt.Errorf("read identity edges: %w", err)
	}
	return edges, nil
}

// standingEdges gives the edges between the records of whole customers.
func standingEdges(ctx context.Context, tx store.Tx, entity string, records []string) ([]Edge, error) {
	return edgesFrom(ctx, tx, entity, records) // an edge never leaves a customer
}

// standingRejections gives the rejections that touch one of the records.
func standingRejections(ctx context.Context, tx store.Tx, entity string, records []string) ([]Rejection, error) {
	var all []Rejection
	for _, column := range []string{"record_a", "record_b"} {
		rows, err := each(records, func(ids []string) (rows []Rejection, err error) {
			err = tx.NewSelect().Model(&rows).Where("entity = ? AND ? IN (?) AND to_version IS NULL", entity, bun.Ident(column), bun.List(ids)).Scan(ctx)
			return rows, err
		})
		if err != nil {
			return nil, fmt.Errorf("read rejections: %w", err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

// endLinks ends the standing links of the records.
func endLinks(ctx context.Context, tx store.Tx, entity string, records []string, version uint64) error {
	for ids := range slices.Chunk(records, inChunk) {
		_, err := tx.NewUpdate().Model((*Link)(nil)).Set("to_version = ?", version).
			Where("entity = ? AND record_id IN (?) AND to_version IS NULL", entity, bun.List(ids)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("end identity links: %w", err)
		}
	}
	return nil
}

func insertLinks(ctx context.Context, tx store.Tx, links []Link) error {
	return insertAll(ctx, tx, links, "identity links")
}

func insertEdges(ctx context.Context, tx store.Tx, edges []Edge) error {
	return insertAll(ctx, tx, edges, "identity edges")
}

func insertAll[T any](ctx context.Context, tx store.Tx, rows []T, what string) error {
	for chunk := range slices.Chunk(rows, 500) {
		if _, err := tx.NewInsert().Model(&chunk).Exec(ctx); err != nil {
			return fmt.Errorf("store %s: %w", what, err)
		}
	}
	return nil
}

func insertRefused(ctx context.Context, tx store.Tx, rows []Refused) error {
	for chunk := range slices.Chunk(rows, 500) {
		_, err := tx.NewInsert().Model(&chunk).On("CONFLICT (entity, record_a, record_b, reason, evidence) DO UPDATE").Set("why = EXCLUDED.why").Exec(ctx)
		if err != nil {
			return fmt.Errorf("store refused pairs: %w", err)
		}
	}
	return nil
}

// refusedOf gives the refused pairs that touch one of the records.
func refusedOf(ctx context.Context, tx store.Tx, entity string, records []string) ([]Refused, error) {
	var all []Refused
	for _, column := range []string{"record_a", "record_b"} {
		rows, err := each(records, func(ids []string) (rows []Refused, err error) {
			err = tx.NewSelect().Model(&rows).Where("entity = ? AND ? IN (?)", entity, bun.Ident(column), bun.List(ids)).Scan(ctx)
			return rows, err
		})
		if err != nil {
			return nil, fmt.Errorf("read refused pairs: %w", err)
		}
		all = append(all, rows...)
	}
	return all, nil
}

func deleteRefused(ctx context.Context, tx store.Tx, rows []Refused) error {
	for i := range rows {
		if _, err := tx.NewDelete().Model(&rows[i]).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("forget a refused pair: %w", err)
		}
	}
	return nil
}

// endEdges ends edges that stand, for a decision or, with act "", for evidence
// that no longer counts.
func endEdges(ctx context.Context, tx store.Tx, edges []*Edge, version uint64, act string) error {
	now := tx.Now()
	for _, e := range edges {
		e.ToVersion, e.EndedAct, e.EndedAt = &version, act, &now
		if _, err := tx.NewUpdate().Model(e).Column("to_version", "ended_act", "ended_at").WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("end an identity edge: %w", err)
		}
	}
	return nil
}

// edgesOfEvidence gives the standing edges that rest on one of the identifiers.
func edgesOfEvidence(ctx context.Context, tx store.Tx, entity string, evidence []string) ([]Edge, error) {
	edges, err := each(evidence, func(ix []string) (edges []Edge, err error) {
		err = tx.NewSelect().Model(&edges).Where("entity = ? AND evidence IN (?) AND to_version IS NULL", entity, bun.List(ix)).Scan(ctx)
		return edges, err
	})
	if err != nil {
		return nil, fmt.Errorf("read edges of an identifier: %w", err)
	}
	return edges, nil
}

func nextVersion(ctx context.Context, tx store.Tx, entity string) (version uint64, err error) {
	err = tx.NewRaw(`INSERT INTO customer_graph (entity, version) VALUES (?, 1)
ON CONFLICT (entity) DO UPDATE SET version = customer_graph.version + 1 RETURNING version`, entity).Scan(ctx, &version)
	if err != nil {
		return 0, fmt.Errorf("advance the identity graph: %w", err)
	}
	return version, nil
}

func graphVersion(ctx context.Context, tx store.Tx, entity string) (version uint64, err error) {
	err = tx.NewRaw("SELECT version FROM customer_graph WHERE entity = ?", entity).Scan(ctx, &version)
	if store.IsNoRows(err) {
		return 0, nil
	}
	return version, err
}

// linksBetween reads links that began or ended within (after, upto].
func linksBetween(ctx context.Context, tx store.Tx, entity string, after, upto uint64) (links []Link, err error) {
	err = tx.NewSelect().Model(&links).
		Where("entity = ? AND ((from_version > ? AND from_version <= ?) OR (to_version > ? AND to_version <= ?))", entity, after, upto, after, upto).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("read identity links: %w", err)
	}
	return links, nil
}

// actOf reads an act of the entity.
func actOf(ctx context.Context, tx store.Tx, id string) (a Act, err error) {
	err = tx.NewSelect().Model(&a).Where("entity = ? AND id = ?", tx.Scope.Entity, id).Scan(ctx)
	return a, err
}

// actRecord says that an act spoke of a record, on one side or the other.
type actRecord struct {
	bun.BaseModel `bun:"table:customer_act_record"`
	Entity        string `bun:",pk"`
	Act           string `bun:",pk"`
	RecordID      string `bun:",pk"`
	Side          int64
}

func insertAct(ctx context.Context, tx store.Tx, a *Act, sides ...[]string) error {
	if _, err := tx.NewInsert().Model(a).Exec(ctx); err != nil {
		return fmt.Errorf("store a decision: %w", err)
	}
	var rows []actRecord
	for i, ids := range sides {
		for _, id := range ids {
			rows = append(rows, actRecord{Entity: a.Entity, Act: a.ID, RecordID: id, Side: int64(i)})
		}
	}
	return insertAll(ctx, tx, rows, "a decision's records")
}

// recordsOfAct gives the records that an act spoke of.
func recordsOfAct(ctx context.Context, tx store.Tx, entity, act string) (rows []actRecord, err error) {
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND act = ?", entity, act).Order("record_id").Scan(ctx)
	return rows, err
}

// actsOn gives the decisions that spoke of one of the records, oldest first.
func actsOn(ctx context.Context, tx store.Tx, entity string, records []string) ([]Act, error) {
	found := map[string]bool{}
	acts, err := each(records, func(ids []string) (acts []Act, err error) {
		err = tx.NewSelect().Model(&acts).Where("entity = ? AND id IN (SELECT act FROM customer_act_record WHERE entity = ? AND record_id IN (?))",
			entity, entity, bun.List(ids)).Order("version").Scan(ctx)
		return acts, err
	})
	if err != nil {
		return nil, fmt.Errorf("read decisions: %w", err)
	}
	acts = slices.DeleteFunc(acts, func(a Act) bool { twice := found[a.ID]; found[a.ID] = true; return twice })
	slices.SortStableFunc(acts, func(a, b Act) int { return int(int64(a.Version) - int64(b.Version)) })
	return acts, nil
}

// edgesOfAct gives the edges that an act made and that stand, and those it ended.
func edgesOfAct(ctx context.Context, tx store.Tx, a *Act) (made, ended []*Edge, err error) {
	if err := tx.NewSelect().Model(&made).Where("entity = ? AND act = ? AND to_version IS NULL", a.Entity, a.ID).Scan(ctx); err != nil {
		return nil, nil, fmt.Errorf("read a decision's edges: %w", err)
	}
	if err := tx.NewSelect().Model(&ended).Where("entity = ? AND ended_act = ? AND to_version = ?", a.Entity, a.ID, a.Version).Scan(ctx); err != nil {
		return nil, nil, fmt.Errorf("read a decision's edges: %w", err)
	}
	return made, ended, nil
}

// between gives the standing rejections between two sets of records.
func between(ctx context.Context, tx store.Tx, entity string, left, right []string) ([]Rejection, error) {
	all, err := standingRejections(ctx, tx, entity, left)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(x Rejection) bool {
		return !slices.Contains(right, x.RecordA) && !slices.Contains(right, x.RecordB)
	}), nil
}

func endRejections(ctx context.Context, tx store.Tx, rows []Rejection, version uint64, act string) error {
	for i := range rows {
		rows[i].ToVersion, rows[i].EndedAct = &version, act
		if _, err := tx.NewUpdate().Model(&rows[i]).Column("to_version", "ended_act").WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("end a rejection: %w", err)
		}
	}
	return nil
}

// rejectAll remembers that no record of one side is one person with any of the
// other. Pairs that are rejected already stay as they are.
func (d *decision) rejectAll(ctx context.Context, tx store.Tx, left, right []string) error {
	standing, err := between(ctx, tx, d.Entity, left, right)
	if err != nil {
		return err
	}
	known := map[Pair]bool{}
	for _, x := range standing {
		known[Pair{x.RecordA, x.RecordB}] = true
	}
	var rows []Rejection
	for _, a := range left {
		for _, b := range right {
			if p := (Pair{a, b}).ordered(); !known[p] {
				rows = append(rows, Rejection{Entity: d.Entity, RecordA: p.A, RecordB: p.B, FromVersion: d.Version, Act: d.ID})
			}
		}
	}
	return insertAll(ctx, tx, rows, "rejections")
}

// takeBackRejections ends the rejections that an act made and makes again those
// that it ended.
func takeBackRejections(ctx context.Context, tx store.Tx, a *Act, version uint64) error {
	var made, ended []Rejection
	if err := tx.NewSelect().Model(&made).Where("entity = ? AND act = ? AND to_version IS NULL", a.Entity, a.ID).Scan(ctx); err != nil {
		return fmt.Errorf("read a decision's rejections: %w", err)
	}
	if err := tx.NewSelect().Model(&ended).Where("entity = ? AND ended_act = ? AND to_version = ?", a.Entity, a.ID, a.Version).Scan(ctx); err != nil {
		return fmt.Errorf("read a decision's rejections: %w", err)
	}
	if err := endRejections(ctx, tx, made, version, a.ID); err != nil {
		return err
	}
	for i := range ended {
		ended[i].FromVersion, ended[i].ToVersion, ended[i].EndedAct = version, nil, ""
	}
	return insertAll(ctx, tx, ended, "rejections")
}

// marksOf says why identifiers do not link; those that do are absent.
func marksOf(ctx context.Context, tx store.Tx, entity string, ix []string) (map[string]string, error) {
	rows, err := each(ix, func(ix []string) (rows []shared, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND key_ix IN (?)", entity, bun.List(ix)).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read shared identifiers: %w", err)
	}
	marks := map[string]string{}
	for _, r := range rows {
		if marks[r.KeyIx] != SharedMany {
			marks[r.KeyIx] = r.Why
		}
	}
	return marks, nil
}

// sharedAmong tells which pieces of evidence are identifiers that do not link.
func sharedAmong(ctx context.Context, tx store.Tx, entity string, evidence []string) (map[string]bool, error) {
	spoilt := map[string]bool{}
	marks, err := marksOf(ctx, tx, entity, unique(evidence))
	for ix := range marks {
		spoilt[ix] = true
	}
	return spoilt, err
}

// countShared counts the holders of an identifier that is known to be shared.
func countShared(ctx context.Context, tx store.Tx, entity string, g group) error {
	_, err := tx.NewRaw(`UPDATE customer_shared SET holders = (SELECT count(*) FROM customer_key k WHERE k.entity = ? AND k.rule = ? AND k.key_ix IN (?))
WHERE entity = ? AND rule = ? AND key_ix IN (?)`, entity, g.rule.Name, bun.List(g.ix), entity, g.rule.Name, bun.List(g.ix)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count the holders of an identifier: %w", err)
	}
	return nil
}

func unmark(ctx context.Context, tx store.Tx, entity string, g group) error {
	_, err := tx.NewDelete().Model((*shared)(nil)).Where("entity = ? AND rule = ? AND key_ix IN (?)", entity, g.rule.Name, bun.List(g.ix)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("unmark an identifier: %w", err)
	}
	return nil
}

// holdersOf gives the records that state each identifier, by rule and entry.
func holdersOf(ctx context.Context, tx store.Tx, entity string, groups []group) (map[string][]string, error) {
	byRule := map[string][]string{}
	for _, g := range groups {
		byRule[g.rule.Name] = append(byRule[g.rule.Name], g.ix...)
	}
	holders := map[string][]string{}
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		rows, err := each(unique(byRule[rule]), func(ix []string) (rows []key, err error) {
			err = tx.NewSelect().Model(&rows).Column("key_ix", "record_id").Where("entity = ? AND rule = ? AND key_ix IN (?)", entity, rule, bun.List(ix)).Scan(ctx)
			return rows, err
		})
		if err != nil {
			return nil, fmt.Errorf("read holders of identifiers: %w", err)
		}
		for _, r := range rows {
			name := rule + "\x00" + r.KeyIx
			holders[name] = append(holders[name], r.RecordID)
		}
	}
	return holders, nil
}

// exclusiveKeys gives the values of exclusive rules that each record has stated.
func exclusiveKeys(ctx context.Context, tx store.Tx, entity string, records []string) (map[string][]key, error) {
	rows, err := each(records, func(ids []string) (rows []key, err error) {
		err = tx.NewSelect().Model(&rows).Where("entity = ? AND record_id IN (?) AND rule IN (?)", entity, bun.List(ids), bun.List(exclusive)).Scan(ctx)
		return rows, err
	})
	if err != nil {
		return nil, fmt.Errorf("read identifiers: %w", err)
	}
	out := map[string][]key{}
	for _, r := range rows {
		out[r.RecordID] = append(out[r.RecordID], r)
	}
	return out, nil
}

// dependents gives the identifiers that rest on one of the given ones.
func dependents(ctx context.Context, tx store.Tx, base []string) (ix []string, err error) {
	err = tx.NewSelect().Model((*key)(nil)).Distinct().Column("key_ix").Where("base_ix IN (?)", bun.List(base)).Scan(ctx, &ix)
	if err != nil {
		return nil, fmt.Errorf("read dependent identifiers: %w", err)
	}
	return ix, nil
}
