package segment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"omote/analytics/rule"
	"omote/internal/platform/store"
)

// running is the set of rules in use, compiled.
type running struct {
	version  int64
	set      *rule.Set
	segments []runningSegment // live ones
	byID     map[string]int
	groups   [][]int // ranked groups: segments in the order of their ranks
	features map[uint64]int64
}

type runningSegment struct {
	id      string
	version int
	enter   int // rule of the set
	leave   int // -1: none
	hold    int64
	group   int // index of its ranked group, -1
}

// compiled is what a version's rules need to run.
type compiled struct {
	enter *rule.Program
	leave *rule.Program // nil: none
}

func compileVersion(enters, leaves string) (c compiled, err error) {
	if c.enter, err = compileText(enters); err != nil || leaves == "" {
		return c, err
	}
	c.leave, err = compileText(leaves)
	return c, err
}

func compileText(text string) (*rule.Program, error) {
	r, err := rule.Parse(text)
	if err != nil {
		return nil, err
	}
	return rule.Compile(r)
}

func (c compiled) features() (ids []uint64) {
	for _, p := range []*rule.Program{c.enter, c.leave} {
		if p != nil {
			for i := range p.Features {
				ids = append(ids, p.Features[i].ID)
			}
		}
	}
	return ids
}

// newRunning compiles the versions that are live or filling.
func newRunning(set setRow, versions []versionRow) (*running, error) {
	r := &running{version: set.Version, byID: map[string]int{}, features: set.epochs()}
	var programs []*rule.Program
	type ranked struct{ rank, at int }
	groups := map[string][]ranked{}
	for _, v := range versions {
		c, err := compileVersion(v.Enters, v.Leaves)
		if err != nil {
			return nil, fmt.Errorf("segment %s version %d: %w", v.SegmentID, v.Version, err)
		}
		s := runningSegment{id: v.SegmentID, version: v.Version, enter: len(programs), leave: -1, group: -1}
		programs = append(programs, c.enter)
		if c.leave != nil {
			s.leave = len(programs)
			programs = append(programs, c.leave)
		}
		if v.Status != Live {
			continue
		}
		d, err := v.definition()
		if err != nil {
			return nil, err
		}
		s.hold = int64(d.Hold)
		if d.Rank > 0 {
			groups[d.Group] = append(groups[d.Group], ranked{d.Rank, len(r.segments)})
		}
		r.byID[s.id] = len(r.segments)
		r.segments = append(r.segments, s)
	}
	r.set = rule.NewSet(programs...)
	r.set.Renumber(func(id uint64) uint64 { return epochID(id, r.features[id]) })
	for _, members := range groups {
		slices.SortFunc(members, func(a, b ranked) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.at, b.at)) })
		var g []int
		for _, m := range members {
			r.segments[m.at].group = len(r.groups)
			g = append(g, m.at)
		}
		r.groups = append(r.groups, g)
	}
	return r, nil
}

// epochID is the id under which a feature is kept since a version of the set.
func epochID(id uint64, epoch int64) uint64 { return id ^ uint64(epoch)*0x9e3779b97f4a7c15 }

// rules keeps the compiled set of each entity; it is compiled again when its
// version has changed. It is safe for concurrent use.
type rules struct {
	mu       sync.Mutex
	byEntity map[string]*running
}

// load gives the set as the transaction sees it.
func (c *rules) load(ctx context.Context, tx store.Tx) (*running, error) {
	set, err := readSet(ctx, tx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	r := c.byEntity[tx.Scope.Entity]
	c.mu.Unlock()
	if r != nil && r.version == set.Version {
		return r, nil
	}
	versions, err := runningVersions(ctx, tx)
	if err != nil {
		return nil, err
	}
	if r, err = newRunning(set, versions); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byEntity == nil {
		c.byEntity = map[string]*running{}
	}
	c.byEntity[tx.Scope.Entity] = r
	return r, nil
}

func hexID(id uint64) string { return strconv.FormatUint(id, 16) }

func parseHexID(s string) (uint64, error) { return strconv.ParseUint(s, 16, 64) }
