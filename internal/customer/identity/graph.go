package identity

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"omote/internal/platform/store"
)

// rank orders the records of a customer: known ones before anonymous ones, then
// by when they were first heard of, then by id. The first is the anchor, whose id
// is the customer's.
type rank struct {
	anonymous bool
	since     store.Micros
	id        string
}

func (r rank) compare(o rank) int {
	if r.anonymous != o.anonymous {
		if r.anonymous {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(r.since, o.since), cmp.Compare(r.id, o.id))
}

// edgeKey tells edges apart while they stand.
type edgeKey struct {
	Pair
	reason, evidence string
}

func (e *Edge) key() edgeKey { return edgeKey{Pair{e.RecordA, e.RecordB}, e.Reason, e.Evidence} }

// region is a part of the graph in memory. It holds whole customers: all their
// records and all the edges between these.
type region struct {
	entity string
	owner  map[string]string // record → customer, for every record of the region
	ranks  map[string]rank
	edges  map[edgeKey]*Edge
}

// loadRegion reads the customers that the records belong to.
func loadRegion(ctx context.Context, tx store.Tx, entity string, records []string) (*region, error) {
	r := &region{entity: entity, owner: map[string]string{}, edges: map[edgeKey]*Edge{}}
	records = unique(records)
	owners, err := ownersOf(ctx, tx, entity, records)
	if err != nil {
		return nil, err
	}
	customers := make([]string, 0, len(records))
	for _, id := range records {
		customers = append(customers, owners[id])
	}
	customers = unique(customers)
	members, err := membersOf(ctx, tx, entity, customers)
	if err != nil {
		return nil, err
	}
	for _, c := range customers {
		r.owner[c] = c
	}
	maps.Copy(r.owner, members)
	all := r.records()
	if r.ranks, err = ranksOf(ctx, tx, entity, all); err != nil {
		return nil, err
	}
	edges, err := standingEdges(ctx, tx, entity, all)
	if err != nil {
		return nil, err
	}
	for i := range edges {
		r.edges[edges[i].key()] = &edges[i]
	}
	return r, nil
}

// records lists the region's records in the order of their ids.
func (r *region) records() []string { return slices.Sorted(maps.Keys(r.owner)) }

// groups are the connected groups of records over the edges, by any of their
// records' root; customers are named by their anchors.
func (r *region) groups() map[string]string {
	u := newUnion(r.records())
	for k := range r.edges {
		u.join(k.A, k.B)
	}
	anchors := map[string]string{}
	for id := range r.owner {
		root := u.find(id)
		if a, ok := anchors[root]; !ok || r.ranks[id].compare(r.ranks[a]) < 0 {
			anchors[root] = id
		}
	}
	out := make(map[string]string, len(r.owner))
	for id := range r.owner {
		out[id] = anchors[u.find(id)]
	}
	return out
}

// settle writes the links that the edges come to, as version. reason says why a
// record has come to its customer.
func (r *region) settle(ctx context.Context, tx store.Tx, version uint64, by string, at store.Micros, reason func(record string) string) error {
	next := r.groups()
	var ended []string
	var made []Link
	for _, id := range r.records() {
		if next[id] == r.owner[id] {
			continue
		}
		if r.owner[id] != id {
			ended = append(ended, id)
		}
		if next[id] != id {
			made = append(made, Link{Entity: r.entity, RecordID: id, CustomerID: next[id], FromVersion: version, Reason: reason(id), MadeBy: by, At: at})
		}
	}
	if err := endLinks(ctx, tx, r.entity, ended, version); err != nil {
		return err
	}
	if err := insertLinks(ctx, tx, made); err != nil {
		return err
	}
	r.owner = next
	return nil
}

// union is a union–find over names.
type union struct{ parent map[string]string }

func newUnion(names []string) *union {
	u := &union{make(map[string]string, len(names))}
	for _, n := range names {
		u.parent[n] = n
	}
	return u
}

func (u *union) find(n string) string {
	p, ok := u.parent[n]
	if !ok {
		u.parent[n] = n
		return n
	}
	for p != n {
		u.parent[n] = u.parent[p] // halve the way
		n, p = p, u.parent[p]
	}
	return n
}

// join puts two groups together and gives the root that remains.
func (u *union) join(a, b string) string {
	a, b = u.find(a), u.find(b)
	if a > b {
		a, b = b, a
	}
	u.parent[b] = a
	return a
}

func unique(names []string) []string {
	out := slices.Clone(names)
	slices.Sort(out)
	return slices.Compact(out)
}
