// Package belong says to which segments of customers the cases of a journey
// belong, so that what happened can be looked at segment by segment.
//
// A case belongs to a segment when its customer is a member today. Today, and not
// when the case began: that is what people mean by "our salaried customers", and
// it is known for every customer. A segment that a journey itself makes ("did not
// activate the card") therefore explains nothing about that journey.
package belong

import (
	"context"
	"slices"

	"omote/internal/journey/definition"
)

// Segment is a group of customers.
type Segment struct {
	ID   string          `json:"id"`
	Name definition.Text `json:"name"`
}

// Source gives the segments that are in use. Whoever fills it decides who may
// know of them.
type Source interface {
	// Segments lists them by id.
	Segments(ctx context.Context) ([]Segment, error)
	// Members yields the customers who are members now, by pseudonym.
	Members(ctx context.Context, segment string, yield func(customer string)) error
}

// MaxSegments bounds how many segments are told apart at a time.
const MaxSegments = 24

// Few is the number of cases below which a part by segment shows nothing to
// whoever may not see who its members are.
const Few = 5

// Belonging tells the segments of cases. It is immutable.
type Belonging struct {
	Segments []Segment
	of       map[string]uint32 // by case id: a bit for each segment
}

// New finds the segments of cases from the customer of each case.
func New(ctx context.Context, source Source, segments []Segment, customerOf map[string]string) (*Belonging, error) {
	segments = segments[:min(len(segments), MaxSegments)]
	b := &Belonging{Segments: segments, of: make(map[string]uint32, len(customerOf))}
	cases := make(map[string][]string, len(customerOf)) // by customer
	for id, customer := range customerOf {
		cases[customer] = append(cases[customer], id)
	}
	for i, s := range segments {
		err := source.Members(ctx, s.ID, func(customer string) {
			for _, id := range cases[customer] {
				b.of[id] |= 1 << i
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Of gives the places in Segments of the segments that a case belongs to.
func (b *Belonging) Of(caseID string) (places []int) {
	bits := b.of[caseID]
	for i := range b.Segments {
		if bits&(1<<i) != 0 {
			places = append(places, i)
		}
	}
	return places
}

// In tells whether a case belongs to a segment; none belongs to one that is not
// among Segments.
func (b *Belonging) In(segment string) func(caseID string) bool {
	i := slices.IndexFunc(b.Segments, func(s Segment) bool { return s.ID == segment })
	if i < 0 {
		return func(string) bool { return false }
	}
	return func(caseID string) bool { return b.of[caseID]&(1<<i) != 0 }
}

// Name is what a segment is called; its id where it is not among Segments.
func (b *Belonging) Name(segment, locale string) string {
	for _, s := range b.Segments {
		if s.ID == segment {
			return s.Name.In(locale)
		}
	}
	return segment
}
