package definition

import (
	"context"

	"omote/internal/platform/auth"
)

// PermRead is the permission to see journeys.
const PermRead auth.Permission = "journey.journey.read"

// Source gives what is designed: by journey, the definition that follows from
// the map in force, or from the built-in template where the bank has none.
type Source interface {
	Definitions(ctx context.Context) (map[string]Definition, error)
}

// Service gives definitions.
type Service struct{ source Source }

// NewService makes the service over the designed journeys.
func NewService(source Source) *Service { return &Service{source: source} }

// All gives every definition by journey.
func (s *Service) All(ctx context.Context) (map[string]Definition, error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	return s.source.Definitions(ctx)
}

// Get gives the definition of a journey. One that nobody has designed is named
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
