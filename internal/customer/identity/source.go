package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// Graph gives the identity graph to the warehouse; it is a warehouse.LinkSource.
type Graph struct{ db *store.DB }

// NewGraph makes the source.
func NewGraph(db *store.DB) *Graph { return &Graph{db: db} }

// Version implements warehouse.LinkSource.
func (g *Graph) Version(ctx context.Context, entity string) (version uint64, err error) {
	err = g.read(ctx, entity, func(ctx context.Context, tx store.Tx) error {
		version, err = graphVersion(ctx, tx, entity)
		return err
	})
	return version, err
}

// LinksSince implements warehouse.LinkSource.
func (g *Graph) LinksSince(ctx context.Context, entity string, after, upto uint64, yield func(warehouse.Link) error) error {
	return g.read(ctx, entity, func(ctx context.Context, tx store.Tx) error {
		links, err := linksBetween(ctx, tx, entity, after, upto)
		if err != nil {
			return err
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
