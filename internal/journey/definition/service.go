package definition

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/uptrace/bun"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// Permissions of journeys.
const (
	PermRead auth.Permission = "journey.journey.read"
	PermEdit auth.Permission = "journey.journey.edit"
)

type row struct {
	bun.BaseModel `bun:"table:journey_definition"`
	Entity        string `bun:",pk"`
	Journey       string `bun:",pk"`
	Body          json.RawMessage
	UpdatedAt     store.Micros
	UpdatedBy     string
}

// Service gives and keeps definitions.
type Service struct {
	db        *store.DB
	templates map[string]Definition
}

// NewService makes the service.
func NewService(db *store.DB) (*Service, error) {
	templates, err := Templates()
	if err != nil {
		return nil, err
	}
	return &Service{db: db, templates: templates}, nil
}

// All gives every definition by journey: the bank's own before the templates.
func (s *Service) All(ctx context.Context) (map[string]Definition, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	all := maps.Clone(s.templates)
	err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []row
		if err := tx.NewSelect().Model(&rows).Where("entity = ?", tx.Scope.Entity).Scan(ctx); err != nil {
			return fmt.Errorf("read journey definitions: %w", err)
		}
		for _, r := range rows {
			var d Definition
			if err := json.Unmarshal(r.Body, &d); err != nil {
				return fmt.Errorf("decode the definition of %s: %w", r.Journey, err)
			}
			all[r.Journey] = d
		}
		return nil
	})
	return all, err
}

// Get gives the definition of a journey. One that nobody has defined is named
// after its id and has no steps.
func (s *Service) Get(ctx context.Context, journey string) (Definition, error) {
	all, err := s.All(ctx)
	if err != nil {
		return Definition{}, err
	}
	if d, ok := all[journey]; ok {
		return d, nil
	}
	return Definition{Journey: journey, Name: Text{EN: journey, VI: journey}, Timeout: DefaultTimeout}, nil
}

// Save keeps the bank's definition of a journey.
func (s *Service) Save(ctx context.Context, d Definition) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	if err := d.Validate(); err != nil {
		return err
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode a journey definition: %w", err)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r := row{Entity: tx.Scope.Entity, Journey: d.Journey, Body: body, UpdatedAt: s.db.Now(), UpdatedBy: tx.Scope.Actor}
		_, err := tx.NewInsert().Model(&r).On("CONFLICT (entity, journey) DO UPDATE").Set("body = EXCLUDED.body").
			Set("updated_at = EXCLUDED.updated_at").Set("updated_by = EXCLUDED.updated_by").Exec(ctx)
		if err != nil {
			return fmt.Errorf("store a journey definition: %w", err)
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.definition.save", Object: "journey/" + d.Journey})
	})
}
