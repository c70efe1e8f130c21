package blueprint

import (
	"cmp"
	"slices"
)

// Branch is a journey with those that are parts of it.
type Branch struct {
	Document *Document
	Parts    []*Branch
	Depth    int
}

// Tree orders journeys into a tree, by name. A journey whose parent is unknown
// stands at the top; so does one of each circle, which [Circles] tells.
func Tree(docs []*Document) []*Branch {
	nodes := map[string]*Branch{}
	for _, d := range docs {
		nodes[d.Journey] = &Branch{Document: d}
	}
	cut := map[string]bool{}
	for _, circle := range Circles(docs) {
		cut[circle[0]] = true
	}
	var top []*Branch
	for _, d := range docs {
		if p := nodes[d.Parent]; p != nil && !cut[d.Journey] {
			p.Parts = append(p.Parts, nodes[d.Journey])
		} else {
			top = append(top, nodes[d.Journey])
		}
	}
	var settle func(list []*Branch, depth int)
	settle = func(list []*Branch, depth int) {
		slices.SortStableFunc(list, func(a, b *Branch) int {
			return cmp.Or(cmp.Compare(cmp.Or(a.Document.Name.VI, a.Document.Name.EN), cmp.Or(b.Document.Name.VI, b.Document.Name.EN)),
				cmp.Compare(a.Document.Journey, b.Document.Journey))
		})
		for _, b := range list {
			b.Depth = depth
			settle(b.Parts, depth+1)
		}
	}
	settle(top, 0)
	return top
}

// Flat lists a tree from the top, each journey before its parts.
func Flat(tree []*Branch) (out []*Branch) {
	for _, b := range tree {
		out = append(append(out, b), Flat(b.Parts)...)
	}
	return out
}

// Circles finds journeys that are parts of themselves, each circle beginning
// with its first id.
func Circles(docs []*Document) (out [][]string) {
	parent := map[string]string{}
	for _, d := range docs {
		parent[d.Journey] = d.Parent
	}
	told := map[string]bool{}
	for _, d := range docs {
		var path []string
		for id := d.Journey; id != "" && !told[id]; id = parent[id] {
			if i := slices.Index(path, id); i >= 0 {
				circle := slices.Clone(path[i:])
				slices.Sort(circle)
				out = append(out, circle)
				for _, x := range circle {
					told[x] = true
				}
				break
			}
			path = append(path, id)
		}
	}
	return out
}

// Overlap is what two journeys have in common.
type Overlap struct {
	A, B string // journeys
	// Events are bound by steps of both.
	Events []string
	// Shared are the events among them that both mark as the same shared step.
	Shared []string
	// Share is the common part of all events of the smaller journey, 0 to 1.
	Share float64
	// SameStart is true when the same event begins both: a customer who does it
	// is in two journeys at once.
	SameStart bool
}

// Overlaps finds pairs of journeys that bind the same events, largest share
// first. A journey and its own part always have much in common and are left out.
func Overlaps(docs []*Document) (out []Overlap) {
	bound := make([]map[string]string, len(docs))
	for i, d := range docs {
		bound[i] = map[string]string{}
		for _, s := range d.Steps() {
			for _, e := range s.Events {
				bound[i][e] = s.Shared
			}
		}
	}
	for i, a := range docs {
		for j := i + 1; j < len(docs); j++ {
			b := docs[j]
			if a.Parent == b.Journey || b.Parent == a.Journey {
				continue
			}
			o := Overlap{A: a.Journey, B: b.Journey}
			for e, name := range bound[i] {
				other, both := bound[j][e]
				if !both {
					continue
				}
				o.Events = append(o.Events, e)
				if name != "" && name == other {
					o.Shared = append(o.Shared, e)
				}
			}
			if len(o.Events) == 0 {
				continue
			}
			slices.Sort(o.Events)
			slices.Sort(o.Shared)
			o.Share = float64(len(o.Events)) / float64(min(len(bound[i]), len(bound[j])))
			for _, e := range a.Start {
				o.SameStart = o.SameStart || slices.Contains(b.Start, e)
			}
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b Overlap) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	return out
}

// GapKind says what a gap is.
type GapKind string

// The kinds of gaps.
const (
	// GapNoMap is a journey that events carry and nobody has designed.
	GapNoMap GapKind = "no_map"
	// GapEvent is an event of customers that no journey names.
	GapEvent GapKind = "event"
	// GapHollow is a journey with neither steps nor parts.
	GapHollow GapKind = "hollow"
)

// Gap is something that customers go through and no map tells.
type Gap struct {
	Kind GapKind
	Name string // of the journey or event
	N    int64  // cases of a journey, or events
}

// Gaps finds what the maps leave out: journeys and events that come in and stand
// in no map, most frequent first, and journeys without content. own are events
// that are no part of any journey by their nature, such as survey answers.
func Gaps(docs []*Document, journeys map[string]int64, events map[string]int64, own func(event string) bool) (out []Gap) {
	known, parts, named := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, d := range docs {
		known[d.Journey] = true
		parts[d.Parent] = true
		for _, e := range d.Events() {
			named[e] = true
		}
	}
	for id, n := range journeys {
		if !known[id] {
			out = append(out, Gap{GapNoMap, id, n})
		}
	}
	for e, n := range events {
		if !named[e] && !own(e) && n > 0 {
			out = append(out, Gap{GapEvent, e, n})
		}
	}
	for _, d := range docs {
		if len(d.Steps()) == 0 && !parts[d.Journey] {
			out = append(out, Gap{GapHollow, d.Journey, 0})
		}
	}
	rank := map[GapKind]int{GapNoMap: 0, GapHollow: 1, GapEvent: 2}
	slices.SortFunc(out, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
	})
	return out
}
