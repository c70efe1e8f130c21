package moment

import (
	"cmp"
	"context"
	"slices"
	"time"

	"omote/internal/journey/blueprint"
	"omote/internal/journey/definition"
)

// Design is a journey as far as it is tested.
type Design struct {
	Journey string
	Name    definition.Text
	Steps   []DesignStep
	// Trouble are the events by which something goes wrong on the way.
	Trouble []string
}

// DesignStep is a designed step.
type DesignStep struct {
	// Event shows the step; any of Also does too.
	Event string
	Also  []string
	// Standard is the longest wait since the step before; zero means none.
	Standard time.Duration
	// Candidate tells that the design claims a moment of truth here.
	Candidate bool
}

// Designs gives the journeys that are designed, in a stable order.
type Designs interface {
	Designs(ctx context.Context) ([]Design, error)
}

// Maps gives designed journeys: those in force, and the built-in templates.
type Maps interface {
	Templates(ctx context.Context) ([]blueprint.Template, error)
	Live(ctx context.Context) ([]blueprint.Version, error)
}

// FromMaps reads designs from the maps in force; where the bank has no map of a
// journey, the built-in template holds.
type FromMaps struct{ Maps Maps }

// Designs implements the interface of the same name.
func (f FromMaps) Designs(ctx context.Context) ([]Design, error) {
	live, err := f.Maps.Live(ctx)
	if err != nil {
		return nil, err
	}
	templates, err := f.Maps.Templates(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]*blueprint.Document{}
	for _, t := range templates {
		byID[t.Document.Journey] = t.Document
	}
	for _, v := range live {
		byID[v.Document.Journey] = v.Document
	}
	var out []Design
	for _, d := range byID {
		out = append(out, designOf(d))
	}
	slices.SortFunc(out, func(a, b Design) int { return cmp.Compare(a.Journey, b.Journey) })
	return out, nil
}

// designOf takes the steps that events can show.
func designOf(d *blueprint.Document) Design {
	out := Design{Journey: d.Journey, Name: d.Name}
	known := map[string]bool{}
	for _, s := range d.Steps() {
		if len(s.Events) == 0 || known[s.Events[0]] {
			continue
		}
		for _, e := range s.Events {
			known[e] = true
		}
		out.Steps = append(out.Steps, DesignStep{Event: s.Events[0], Also: s.Events[1:], Standard: time.Duration(s.MaxWait), Candidate: s.Moment})
	}
	for _, e := range slices.Concat(d.Exceptions, d.Failure) {
		if !known[e] {
			known[e] = true
			out.Trouble = append(out.Trouble, e)
		}
	}
	return out
}
