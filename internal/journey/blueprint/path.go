package blueprint

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"omote/analytics/mining"
	"omote/analytics/mining/align"
	"omote/internal/platform/errs"
)

// ErrUnbound says that no step of the map is bound to an event, so that nothing
// can be compared with it.
var ErrUnbound = errs.Invalid("blueprint.error.unbound", "events", "no step of the map is bound to an event")

// Compile makes the map for the alignment of a log's cases. Steps that no event
// can show are left out; events that the log does not have belong to no
// activity, so their steps count as skipped.
func (d *Document) Compile(activities *mining.Dict) (*align.Model, error) {
	var parts []align.Node
	for i := range d.Stages {
		parts = append(parts, d.nodes(d.Stages[i].Steps, activities)...)
	}
	if len(parts) == 0 {
		return nil, ErrUnbound
	}
	o := align.Options{Activities: activities.Len(), Exceptions: lookup(activities, d.Exceptions)}
	// An exception that is also a step is a step: the map says where it belongs.
	bound := map[string]bool{}
	for _, s := range d.Steps() {
		for _, e := range s.Events {
			bound[e] = true
		}
	}
	o.Exceptions = slices.DeleteFunc(o.Exceptions, func(id int32) bool { return bound[activities.Name(id)] })
	m, err := align.Compile(align.Sequence(parts...), o)
	switch {
	case errors.Is(err, align.ErrTooWide):
		return nil, errs.TooLarge("blueprint.error.wide", "the parallel parts of the map are too wide to compare").Because(err)
	case errors.Is(err, align.ErrTooLong):
		return nil, errs.TooLarge("blueprint.error.steps", "the map has too many steps to compare").With("max", MaxSteps).Because(err)
	case err != nil:
		return nil, fmt.Errorf("compile the map of %s: %w", d.Journey, err)
	}
	return m, nil
}

func lookup(activities *mining.Dict, names []string) []int32 {
	var out []int32
	for _, n := range names {
		if id, ok := activities.Lookup(n); ok && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// nodes makes the parts of a stage: single steps, and groups as one.
func (d *Document) nodes(steps []Step, activities *mining.Dict) (out []align.Node) {
	for i := 0; i < len(steps); {
		s := &steps[i]
		if s.Group == "" {
			if n, ok := node(s, activities); ok {
				out = append(out, n)
			}
			i++
			continue
		}
		end := i
		for end < len(steps) && steps[end].Group == s.Group {
			end++
		}
		if n, ok := d.group(d.GroupOf(s), steps[i:end], activities); ok {
			out = append(out, n)
		}
		i = end
	}
	return out
}

func (d *Document) group(g Group, steps []Step, activities *mining.Dict) (align.Node, bool) {
	var order []string
	branches := map[string][]align.Node{}
	for i := range steps {
		n, ok := node(&steps[i], activities)
		if !ok {
			continue
		}
		name := branchOf(&steps[i])
		if g.Mode == Loop {
			name = ""
		}
		if _, known := branches[name]; !known {
			order = append(order, name)
		}
		branches[name] = append(branches[name], n)
	}
	if len(order) == 0 {
		return align.Node{}, false
	}
	parts := make([]align.Node, len(order))
	for i, name := range order {
		parts[i] = align.Sequence(branches[name]...)
	}
	var n align.Node
	switch g.Mode {
	case Alternative:
		n = align.Choice(parts...)
	case Parallel:
		n = align.Parallel(parts...)
	default:
		n = align.Repeat(align.Sequence(parts...))
	}
	if g.Optional {
		n = align.Optional(n)
	}
	return n, true
}

func node(s *Step, activities *mining.Dict) (align.Node, bool) {
	if len(s.Events) == 0 || s.Unseen {
		return align.Node{}, false
	}
	n := align.Task(align.Step{ID: s.ID, Activities: lookup(activities, s.Events), MaxWait: time.Duration(s.MaxWait)})
	if s.Optional {
		n = align.Optional(n)
	}
	return n, true
}
