package identity

import (
	"context"
	"slices"

	"omote/internal/platform/store"
)

// Candidate is a pair of records that evidence calls one person.
type Candidate struct {
	Pair
	// Reason is SameCall, Aliased, the name of a Rule, or another part's word.
	Reason string
	// Evidence tells several of one reason apart; Detail explains. Neither holds
	// personal data.
	Evidence, Detail string
	At               store.Micros // when the evidence was given
}

// trusted reports whether a source has said outright that the pair is one, so
// that what the records state cannot speak against it.
func (c *Candidate) trusted() bool { return c.Reason == Aliased || c.Reason == SameCall }

// Outcome is what became of candidates.
type Outcome struct {
	Made    int // customers that came together
	Known   int // pairs that belonged together already
	Refused []Refused
	Version uint64 // of the graph after it; 0 when nothing changed
}

// Join merges the customers of pairs that evidence calls one person, in the order
// given, unless a person rejected the pair, the two contradict each other, or the
// customer would grow beyond MaxAutomatic records. What was refused is kept with
// its reason. It runs in the caller's transaction and within its entity.
func Join(ctx context.Context, tx store.Tx, candidates []Candidate) (Outcome, error) {
	return join(ctx, tx, tx.Scope.Entity, candidates)
}

func join(ctx context.Context, tx store.Tx, entity string, candidates []Candidate) (out Outcome, err error) {
	candidates = distinct(candidates)
	if candidates, err = unknown(ctx, tx, entity, candidates); err != nil || len(candidates) == 0 {
		return out, err
	}
	ids := make([]string, 0, 2*len(candidates))
	for _, c := range candidates {
		ids = append(ids, c.A, c.B)
	}
	r, err := loadRegion(ctx, tx, entity, ids)
	if err != nil {
		return out, err
	}
	j, err := newJoiner(ctx, tx, r)
	if err != nil {
		return out, err
	}
	var accepted []Edge
	by := tx.Scope.Actor
	for _, c := range candidates {
		e := Edge{Entity: entity, RecordA: c.A, RecordB: c.B, Reason: c.Reason, Evidence: c.Evidence, Detail: c.Detail, MadeBy: by, At: c.At}
		if _, known := r.edges[e.key()]; known {
			continue
		}
		if j.together(c.Pair) {
			out.Known++
		} else if why := j.veto(&c); why != "" {
			out.Refused = append(out.Refused, Refused{Entity: entity, RecordA: c.A, RecordB: c.B, Reason: c.Reason, Evidence: c.Evidence, Detail: c.Detail, Why: why, MadeBy: by, At: c.At})
			continue
		} else {
			j.accept(c)
			out.Made++
		}
		accepted = append(accepted, e)
		r.edges[e.key()] = &accepted[len(accepted)-1]
	}
	if err := insertRefused(ctx, tx, out.Refused); err != nil || len(accepted) == 0 {
		return out, err
	}
	if out.Version, err = nextVersion(ctx, tx, entity); err != nil {
		return out, err
	}
	for i := range accepted {
		accepted[i].FromVersion = out.Version
	}
	if err := insertEdges(ctx, tx, accepted); err != nil {
		return out, err
	}
	return out, r.settle(ctx, tx, out.Version, by, tx.Now(), j.reason)
}

// distinct orders the pairs and drops repeated ones and loops; the first stays.
func distinct(candidates []Candidate) []Candidate {
	told := map[edgeKey]bool{}
	var out []Candidate
	for _, c := range candidates {
		c.Pair = c.ordered()
		k := edgeKey{c.Pair, c.Reason, c.Evidence}
		if c.A == c.B || told[k] {
			continue
		}
		told[k] = true
		out = append(out, c)
	}
	return out
}

// unknown drops candidates whose edge stands already: a device that signs in
// says so with every call.
func unknown(ctx context.Context, tx store.Tx, entity string, candidates []Candidate) ([]Candidate, error) {
	first := make([]string, 0, len(candidates))
	for _, c := range candidates {
		first = append(first, c.A)
	}
	edges, err := edgesFrom(ctx, tx, entity, unique(first))
	if err != nil || len(edges) == 0 {
		return candidates, err
	}
	standing := make(map[edgeKey]bool, len(edges))
	for i := range edges {
		standing[edges[i].key()] = true
	}
	return slices.DeleteFunc(candidates, func(c Candidate) bool { return standing[edgeKey{c.Pair, c.Reason, c.Evidence}] }), nil
}

// joiner decides over candidates, one after the other.
type joiner struct {
	region *region
	union  *union
	sides  map[string]*side // by root
	why    map[string]string
}

// side is what a growing customer holds.
type side struct {
	records  int
	known    bool                // a record of a known person is in it
	states   map[string][]string // exclusive rule → values stated
	rejected map[string]bool     // records that must not join
	ids      []string
}

func newJoiner(ctx context.Context, tx store.Tx, r *region) (*joiner, error) {
	all := r.records()
	rejections, err := standingRejections(ctx, tx, r.entity, all)
	if err != nil {
		return nil, err
	}
	states, err := exclusiveKeys(ctx, tx, r.entity, all)
	if err != nil {
		return nil, err
	}
	j := &joiner{region: r, union: newUnion(nil), sides: map[string]*side{}, why: map[string]string{}}
	for _, id := range all {
		root := j.union.find(r.owner[id])
		s := j.sides[root]
		if s == nil {
			s = &side{states: map[string][]string{}, rejected: map[string]bool{}}
			j.sides[root] = s
		}
		s.records++
		s.ids = append(s.ids, id)
		s.known = s.known || !r.ranks[id].anonymous
		for _, k := range states[id] {
			s.states[k.Rule] = append(s.states[k.Rule], k.KeyIx)
		}
	}
	for _, x := range rejections {
		for id, other := range map[string]string{x.RecordA: x.RecordB, x.RecordB: x.RecordA} {
			if owner, here := r.owner[id]; here {
				j.sides[j.union.find(owner)].rejected[other] = true
			}
		}
	}
	return j, nil
}

func (j *joiner) side(record string) *side { return j.sides[j.union.find(j.region.owner[record])] }

func (j *joiner) together(p Pair) bool { return j.side(p.A) == j.side(p.B) }

// veto says why two sides must not come together, "" when they may.
func (j *joiner) veto(c *Candidate) Refusal {
	a, b := j.side(c.A), j.side(c.B)
	if len(b.rejected) < len(a.rejected) {
		a, b = b, a
	}
	for _, id := range b.ids {
		if a.rejected[id] {
			return RefusedRejected
		}
	}
	if a.records+b.records > MaxAutomatic {
		return RefusedSize
	}
	if c.Reason == SameCall && j.otherPersonsDevice(c) {
		return RefusedDevice
	}
	if !c.trusted() && contradict(a.states, b.states) {
		return RefusedConflict
	}
	return ""
}

// otherPersonsDevice reports whether the anonymous record of a call belongs to a
// known person already; a device that two people use stays with the first.
func (j *joiner) otherPersonsDevice(c *Candidate) bool {
	for _, id := range []string{c.A, c.B} {
		if j.region.ranks[id].anonymous && j.side(id).known {
			return true
		}
	}
	return false
}

// contradict reports whether both state values of an exclusive rule and share none.
func contradict(a, b map[string][]string) bool {
	for _, rule := range exclusive {
		if len(a[rule]) > 0 && len(b[rule]) > 0 && !slices.ContainsFunc(a[rule], func(v string) bool { return slices.Contains(b[rule], v) }) {
			return true
		}
	}
	return false
}

func (j *joiner) accept(c Candidate) {
	a, b := j.side(c.A), j.side(c.B)
	for _, s := range []*side{a, b} {
		for _, id := range s.ids {
			j.why[id] = c.Reason
		}
	}
	root := j.union.join(j.region.owner[c.A], j.region.owner[c.B])
	if len(a.ids) < len(b.ids) {
		a, b = b, a
	}
	a.records += b.records
	a.known = a.known || b.known
	a.ids = append(a.ids, b.ids...)
	for rule, v := range b.states {
		a.states[rule] = append(a.states[rule], v...)
	}
	for id := range b.rejected {
		a.rejected[id] = true
	}
	j.sides[root] = a
}

func (j *joiner) reason(record string) string { return j.why[record] }
