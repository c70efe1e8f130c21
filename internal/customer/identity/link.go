package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// link gives records to other records' customers. A record that has a link keeps
// it: a device that two people use stays with the first, until a steward or the
// linkage engine decides otherwise.
func link(ctx context.Context, tx store.Tx, pairs []pair) error {
	pairs = distinct(pairs)
	if len(pairs) == 0 {
		return nil
	}
	ids := make([]string, 0, 2*len(pairs))
	for _, p := range pairs {
		ids = append(ids, p.record, p.to)
	}
	standing, err := currentLinks(ctx, tx, ids)
	if err != nil {
		return err
	}
	byEntity := map[string][]Link{}
	for _, p := range pairs {
		if _, linked := standing[p.entity+"\x00"+p.record]; linked {
			continue
		}
		customer := p.to
		if l, ok := standing[p.entity+"\x00"+p.to]; ok {
			customer = l
		}
		if customer == p.record {
			continue // the other is this record's own customer already
		}
		standing[p.entity+"\x00"+p.record] = customer
		byEntity[p.entity] = append(byEntity[p.entity], Link{Entity: p.entity, RecordID: p.record, CustomerID: customer, Reason: p.reason,
			MadeBy: tx.Scope.Actor, At: store.Micros(p.at)})
	}
	for entity, links := range byEntity {
		if err := addLinks(ctx, tx, entity, links); err != nil {
			return err
		}
	}
	return nil
}

func distinct(pairs []pair) []pair {
	type key struct{ entity, record, to string }
	told := map[key]bool{}
	return slices.DeleteFunc(pairs, func(p pair) bool {
		k := key{p.entity, p.record, p.to}
		twice := told[k]
		told[k] = true
		return twice || p.record == p.to
	})
}

func currentLinks(ctx context.Context, tx store.Tx, ids []string) (map[string]string, error) {
	standing := map[string]string{}
	for chunk := range slices.Chunk(ids, 500) {
		var links []Link
		err := tx.NewSelect().Model(&links).Where("record_id IN (?) AND to_version IS NULL", bun.List(chunk)).Scan(ctx)
		if err != nil {
			return nil, fmt.Errorf("read identity links: %w", err)
		}
		for _, l := range links {
			standing[l.Entity+"\x00"+l.RecordID] = l.CustomerID
		}
	}
	return standing, nil
}

// addLinks makes one new version of the graph that holds the links. Customers
// whose record gets a new owner take their own linked records along.
func addLinks(ctx context.Context, tx store.Tx, entity string, links []Link) error {
	version, err := nextVersion(ctx, tx, entity)
	if err != nil {
		return err
	}
	for _, l := range slices.Clone(links) {
		var followers []Link
		err := tx.NewSelect().Model(&followers).Where("entity = ? AND customer_id = ? AND to_version IS NULL", entity, l.RecordID).Scan(ctx)
		if err != nil {
			return fmt.Errorf("read identity links: %w", err)
		}
		for _, f := range followers {
			f.ToVersion = &version
			if _, err := tx.NewUpdate().Model(&f).Column("to_version").WherePK().Exec(ctx); err != nil {
				return fmt.Errorf("end an identity link: %w", err)
			}
			links = append(links, Link{Entity: entity, RecordID: f.RecordID, CustomerID: l.CustomerID, Reason: l.Reason, MadeBy: l.MadeBy, At: l.At})
		}
	}
	for i := range links {
		links[i].FromVersion = version
	}
	if _, err := tx.NewInsert().Model(&links).Exec(ctx); err != nil {
		return fmt.Errorf("store identity links: %w", err)
	}
	return nil
}

func nextVersion(ctx context.Context, tx store.Tx, entity string) (version uint64, err error) {
	err = tx.NewRaw(`INSERT INTO customer_graph (entity, version) VALUES (?, 1)
ON CONFLICT (entity) DO UPDATE SET version = customer_graph.version + 1 RETURNING version`, entity).Scan(ctx, &version)
	if err != nil {
		return 0, fmt.Errorf("advance the identity graph: %w", err)
	}
	return version, nil
}

// Graph gives the identity graph to the warehouse; it is a warehouse.LinkSource.
type Graph struct{ db *store.DB }

// NewGraph makes the source.
func NewGraph(db *store.DB) *Graph { return &Graph{db: db} }

// Version implements warehouse.LinkSource.
func (g *Graph) Version(ctx context.Context, entity string) (version uint64, err error) {
	err = g.read(ctx, entity, func(ctx context.Context, tx store.Tx) error {
		err := tx.NewRaw("SELECT version FROM customer_graph WHERE entity = ?", entity).Scan(ctx, &version)
		if store.IsNoRows(err) {
			return nil
		}
		return err
	})
	return version, err
}

// LinksSince implements warehouse.LinkSource.
func (g *Graph) LinksSince(ctx context.Context, entity string, after, upto uint64, yield func(warehouse.Link) error) error {
	return g.read(ctx, entity, func(ctx context.Context, tx store.Tx) error {
		var links []Link
		err := tx.NewSelect().Model(&links).
			Where("entity = ? AND ((from_version > ? AND from_version <= ?) OR (to_version > ? AND to_version <= ?))", entity, after, upto, after, upto).Scan(ctx)
		if err != nil {
			return fmt.Errorf("read identity links: %w", err)
		}
		for _, l := range links {
			record, err := uuid.Parse(l.RecordID)
			if err != nil {
				return fmt.Errorf("record id %q: %w", l.RecordID, err)
			}
			customer, err := uuid.Parse(l.CustomerID)
			if err != nil {
				return fmt.Errorf("customer id %q: %w", l.CustomerID, err)
			}
			w := warehouse.Link{RecordID: record, CustomerID: customer, From: l.FromVersion, Reason: l.Reason, By: l.MadeBy}
			// An end after upto is not yet to be seen.
			if l.ToVersion != nil && *l.ToVersion <= upto {
				w.To = *l.ToVersion
			}
			if err := yield(w); err != nil {
				return err
			}
		}
		return nil
	})
}

func (g *Graph) read(ctx context.Context, entity string, fn func(context.Context, store.Tx) error) error {
	return g.db.Read(scope.With(ctx, scope.Process(entity, "identity")), fn)
}
