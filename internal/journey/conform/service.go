package conform

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/belong"
	"omote/internal/journey/blueprint"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/warehouse"
)

// Logs gives the events of a journey that the context may see.
type Logs interface {
	Log(ctx context.Context, journey string) (*mining.Log, time.Time, error)
}

// Segments tells to which segments the cases of a journey belong: those with the
// ids, or all in use where there are none.
type Segments interface {
	Belonging(ctx context.Context, journey string, ids []string) (*belong.Belonging, error)
}

// Maps gives the designed journeys.
type Maps interface {
	Live(ctx context.Context) ([]blueprint.Version, error)
	Version(ctx context.Context, journey string, number int) (blueprint.Version, error)
}

// Service compares designed journeys with what happens.
type Service struct {
	db    *store.DB
	w     *warehouse.Warehouse
	logs  Logs
	maps  Maps
	clock clock.Clock
	// Segments tells the segments of cases; nil tells none apart. It is set before
	// the service is used.
	Segments Segments

	mu   sync.Mutex
	held map[string]*held
}

// held is what was computed of one map in one place.
type held struct {
	report   *Report
	drift    *Drift
	drifted  bool
	coverage *Coverage
	readAt   time.Time
	used     time.Time
}

// maxHeld bounds how many reports stay in memory.
const maxHeld = 256

// NewService makes the service.
func NewService(db *store.DB, w *warehouse.Warehouse, logs Logs, maps Maps, c clock.Clock) *Service {
	return &Service{db: db, w: w, logs: logs, maps: maps, clock: c, held: map[string]*held{}}
}

// Conformance compares the cases that the reader may see with the version in
// force. It may be as old as the events in memory.
func (s *Service) Conformance(ctx context.Context, journey string, part Part) (*Report, error) {
	if err := auth.Require(ctx, blueprint.PermRead, ""); err != nil {
		return nil, err
	}
	v, err := s.maps.Version(ctx, journey, 0)
	if err != nil {
		return nil, err
	}
	h, err := s.compare(ctx, v.Document, v.Number, part)
	if err != nil {
		return nil, err
	}
	if n := h.report.Cases + h.report.Open; part.Column == BySegment && n > 0 && n < belong.Few {
		return nil, errs.Denied("blueprint.error.few", "fewer than %d cases of a segment show single customers", belong.Few)
	}
	return h.report, nil
}

// Draft compares the cases with a map that is not in force; nothing is kept.
func (s *Service) Draft(ctx context.Context, d *blueprint.Document) (*Report, error) {
	if err := auth.Require(ctx, blueprint.PermRead, ""); err != nil {
		return nil, err
	}
	l, readAt, err := s.logs.Log(ctx, d.Journey)
	if err != nil {
		return nil, err
	}
	r, err := Compare(d, l, Part{}, nil)
	if r != nil {
		r.ReadAt = readAt
	}
	return r, err
}

func (s *Service) key(ctx context.Context, journey string, version int, part Part) string {
	sc, _ := scope.From(ctx)
	return strings.Join([]string{sc.Entity, sc.Unit, journey, fmt.Sprint(version), part.Column, part.Value}, "\x00")
}

func (s *Service) compare(ctx context.Context, d *blueprint.Document, version int, part Part) (*held, error) {
	l, readAt, err := s.logs.Log(ctx, d.Journey)
	if err != nil {
		return nil, err
	}
	key := s.key(ctx, d.Journey, version, part)
	s.mu.Lock()
	h := s.held[key]
	s.mu.Unlock()
	if h != nil && h.readAt.Equal(readAt) {
		return h, nil
	}
	in, err := s.belonging(ctx, d, part)
	if err != nil {
		return nil, err
	}
	r, err := Compare(d, l, part, in)
	if err != nil {
		return nil, err
	}
	r.Version, r.ReadAt = version, readAt
	h = &held{report: r, readAt: readAt, used: s.clock.Now()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.held) >= maxHeld {
		clear(s.held)
	}
	s.held[key] = h
	return h, nil
}

// belonging tells the segments of a map's cases: those that the map is for, or
// all in use where it names none, and always the one that is asked for.
func (s *Service) belonging(ctx context.Context, d *blueprint.Document, part Part) (*belong.Belonging, error) {
	if s.Segments == nil {
		return nil, nil
	}
	ids := d.Segments
	if part.Column == BySegment && len(ids) > 0 && !slices.Contains(ids, part.Value) {
		ids = append(slices.Clone(ids), part.Value)
	}
	b, err := s.Segments.Belonging(ctx, d.Journey, ids)
	if errs.KindOf(err) == errs.KindDenied && part.Column != BySegment {
		return nil, nil // the rest of the report stands without them
	}
	return b, err
}

// Drift tells how the paths of a journey have moved; nil where there are too few
// cases to tell.
func (s *Service) Drift(ctx context.Context, journey string) (*Drift, error) {
	if err := auth.Require(ctx, blueprint.PermRead, ""); err != nil {
		return nil, err
	}
	v, err := s.maps.Version(ctx, journey, 0)
	if err != nil {
		return nil, err
	}
	h, err := s.compare(ctx, v.Document, v.Number, Part{})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known, drift := h.drifted, h.drift
	s.mu.Unlock()
	if known {
		return drift, nil
	}
	l, _, err := s.logs.Log(ctx, journey)
	if err != nil {
		return nil, err
	}
	if drift, err = FindDrift(v.Document, l, driftSeed); err != nil {
		return nil, err
	}
	s.mu.Lock()
	h.drift, h.drifted = drift, true
	s.mu.Unlock()
	return drift, nil
}

// driftSeed makes the random divisions of the drift test the same each time.
const driftSeed = 20260101

// Coverage tells which steps the bank can see, and by which kinds of signal.
func (s *Service) Coverage(ctx context.Context, journey string) (Coverage, error) {
	if err := auth.Require(ctx, blueprint.PermRead, ""); err != nil {
		return Coverage{}, err
	}
	v, err := s.maps.Version(ctx, journey, 0)
	if err != nil {
		return Coverage{}, err
	}
	h, err := s.compare(ctx, v.Document, v.Number, Part{})
	if err != nil {
		return Coverage{}, err
	}
	s.mu.Lock()
	known := h.coverage
	s.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	answers, err := s.answers(ctx)
	if err != nil {
		return Coverage{}, err
	}
	c := Cover(v.Document, h.report, answers)
	s.mu.Lock()
	h.coverage = &c
	s.mu.Unlock()
	return c, nil
}

// answers counts the survey answers and comments by the event that triggered
// them.
func (s *Service) answers(ctx context.Context) (map[string]Answers, error) {
	rows, err := s.w.Query(ctx, `SELECT trigger_event, COUNT(score), SUM(CASE WHEN comment IS NOT NULL AND comment <> '' THEN 1 ELSE 0 END)
FROM {response} WHERE trigger_event <> '' GROUP BY trigger_event`)
	if err != nil {
		return nil, fmt.Errorf("count answers: %w", err)
	}
	defer rows.Close()
	out := map[string]Answers{}
	for rows.Next() {
		var event string
		var a Answers
		if err := rows.Scan(&event, &a.Scores, &a.Words); err != nil {
			return nil, fmt.Errorf("count answers: %w", err)
		}
		out[event] = a
	}
	return out, rows.Err()
}

// Events counts the events that have come in by name, for those who bind them.
func (s *Service) Events(ctx context.Context) (map[string]int64, error) {
	if err := auth.Require(ctx, blueprint.PermRead, ""); err != nil {
		return nil, err
	}
	rows, err := s.w.Query(ctx, `SELECT name, SUM(n) FROM {event_day} GROUP BY name`)
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var name string
		var n float64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, fmt.Errorf("count events: %w", err)
		}
		out[name] = int64(n)
	}
	return out, rows.Err()
}
