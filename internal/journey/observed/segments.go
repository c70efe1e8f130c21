package observed

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"omote/analytics/mining"
	"omote/internal/journey/belong"
	"omote/internal/journey/definition"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// permMember lets people see who the members of a segment are. Others see parts
// of a journey by segment as counts only, and none of few cases.
const permMember auth.Permission = "customer.segment.member"

// membership is what was found of the segments of a journey's cases.
type membership struct {
	belonging *belong.Belonging
	readAt    time.Time
}

// maxMemberships bounds how many are kept in memory.
const maxMemberships = 32

// Segments lists the segments that cases can be told apart by; none where no
// source is wired.
func (s *Service) Segments(ctx context.Context) ([]belong.Segment, error) {
	if err := auth.Require(ctx, definition.PermRead, ""); err != nil {
		return nil, err
	}
	if s.Source == nil {
		return nil, nil
	}
	return s.Source.Segments(ctx)
}

// Belonging tells the segments of the cases of a journey: of those with the ids,
// or of all in use where there are none.
func (s *Service) Belonging(ctx context.Context, journey string, ids []string) (*belong.Belonging, error) {
	return s.belonging(ctx, Query{Journey: journey}, ids)
}

func (s *Service) belonging(ctx context.Context, q Query, ids []string) (*belong.Belonging, error) {
	all, err := s.Segments(ctx)
	if err != nil {
		return nil, err
	}
	chosen := all
	if len(ids) > 0 {
		chosen = nil
		for _, x := range all {
			if slices.Contains(ids, x.ID) {
				chosen = append(chosen, x)
			}
		}
	}
	if len(chosen) == 0 {
		return &belong.Belonging{}, nil
	}
	_, readAt, err := s.load(ctx, q)
	if err != nil {
		return nil, err
	}
	sc, _ := scope.From(ctx)
	key := strings.Join(append([]string{sc.Entity, sc.Unit, q.Journey, q.By}, ids...), "\x00")
	s.mu.Lock()
	held, ok := s.members[key]
	s.mu.Unlock()
	if ok && held.readAt.Equal(readAt) {
		return held.belonging, nil
	}
	customers, err := s.customerOf(ctx, q)
	if err != nil {
		return nil, err
	}
	b, err := belong.New(ctx, s.Source, chosen, customers)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.members) >= maxMemberships {
		clear(s.members)
	}
	s.members[key] = membership{b, readAt}
	return b, nil
}

// InSegment tells whether the customer of a case is a member of a segment.
func (s *Service) InSegment(ctx context.Context, q Query, segment string) (func(caseID string) bool, error) {
	b, err := s.belonging(ctx, q, []string{segment})
	if err != nil {
		return nil, err
	}
	if len(b.Segments) == 0 {
		return nil, errs.Invalid("observed.error.segment", "segment", "there is no segment %q in use", segment).With("segment", segment)
	}
	return b.In(segment), nil
}

// segmentFilter keeps the cases of customers who are members of the segment.
func (s *Service) segmentFilter(ctx context.Context, q Query) (mining.Filter, error) {
	in, err := s.InSegment(ctx, q, q.Segment)
	if err != nil {
		return mining.Filter{}, err
	}
	return mining.Filter{Name: "segment", Cases: func(l *mining.Log) func(c int) bool {
		return func(c int) bool { return in(l.CaseID(c)) }
	}}, nil
}

// guardFew holds back a part by segment that is so small that it tells of
// single customers.
func guardFew(ctx context.Context, q Query, l *mining.Log) error {
	if q.Segment != "" && l.Cases() > 0 && l.Cases() < belong.Few && !auth.Can(ctx, permMember) {
		return errs.Denied("observed.error.few", "fewer than %d cases of a segment show single customers", belong.Few)
	}
	return nil
}

// MayList tells whether the reader may see the single cases of a query: those of
// a segment only with the right to see its members.
func MayList(ctx context.Context, q Query) error {
	if q.Segment == "" || auth.Can(ctx, permMember) {
		return nil
	}
	return errs.Denied("observed.error.member", "the list of cases would tell who is a member of the segment")
}

// customerOf gives the customer of every case of a journey.
func (s *Service) customerOf(ctx context.Context, q Query) (map[string]string, error) {
	key, where, args := "case_key", " WHERE case_key <> ''", []any{}
	if q.By == ByCustomer {
		key, where = "CAST(customer_id AS VARCHAR)", " WHERE customer_id IS NOT NULL"
	}
	if q.Journey != AllJourneys {
		where, args = where+" AND journey = $1", append(args, q.Journey)
	}
	rows, err := s.w.Query(ctx, `SELECT `+key+`, MIN(CAST(customer_id AS VARCHAR)) FROM {event_customer}`+where+` GROUP BY 1`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the customers of the journey %q: %w", q.Journey, err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var id string
		var customer *string
		if err := rows.Scan(&id, &customer); err != nil {
			return nil, fmt.Errorf("read the customers of the journey %q: %w", q.Journey, err)
		}
		if customer != nil {
			out[id] = *customer
		}
	}
	return out, rows.Err()
}
