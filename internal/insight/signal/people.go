package signal

import (
	"context"

	"omote/internal/insight/metric"
	"omote/internal/platform/auth"
)

// Words gives what customers said where and while the change lasted, masked,
// complaints first.
func (s *Service) Words(ctx context.Context, sig *Signal, limit int) ([]metric.Voice, error) {
	if err := auth.Require(ctx, PermRead, sig.Unit); err != nil {
		return nil, err
	}
	f := &sig.Body.Finding
	return s.metrics.Voices(ctx, f.Metric, f.Version, s.period(f), f.Place.Where(), limit)
}

// People gives the customers the change has reached, latest first, by pseudonym.
func (s *Service) People(ctx context.Context, id string) (*Signal, []metric.Person, error) {
	sig, _, err := s.Get(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	f := &sig.Body.Finding
	people, err := s.metrics.People(ctx, f.Metric, f.Version, s.period(f), f.Place.Where(), metric.MaxPeople)
	return sig, people, err
}
