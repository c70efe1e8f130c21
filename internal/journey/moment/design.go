package moment

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/internal/journey/definition"
	"omote/internal/journey/packs"
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
	Event string
	// Standard is the longest wait since the step before; zero means none.
	Standard time.Duration
	// Candidate tells that the design claims a moment of truth here.
	Candidate bool
}

// Designs gives the journeys that are designed, in a stable order.
type Designs interface {
	Designs(ctx context.Context) ([]Design, error)
}

// Templates gives the journeys of the built-in pack, with the bank's own
// definitions in their place where it has any.
type Templates struct{ Definitions *definition.Service }

// Designs implements the interface of the same name.
func (t Templates) Designs(ctx context.Context) ([]Design, error) {
	designs, err := packDesigns()
	if err != nil {
		return nil, err
	}
	own, err := t.Definitions.All(ctx)
	if err != nil {
		return nil, err
	}
	for i := range designs {
		d := own[designs[i].Journey]
		delete(own, designs[i].Journey)
		if !d.Template && len(d.Steps) > 1 {
			designs[i] = fromDefinition(d, &designs[i])
		}
	}
	for _, id := range sortedKeys(own) {
		if d := own[id]; len(d.Steps) > 1 {
			designs = append(designs, fromDefinition(d, &Design{}))
		}
	}
	return designs, nil
}

func sortedKeys(m map[string]definition.Definition) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fromDefinition takes steps and ends from a definition and standards and further
// trouble from a design of the same journey.
func fromDefinition(d definition.Definition, like *Design) Design {
	out := Design{Journey: d.Journey, Name: d.Name, Trouble: slices.Clone(d.Failure)}
	for _, event := range d.Steps {
		s := DesignStep{Event: event}
		if i := slices.IndexFunc(like.Steps, func(s DesignStep) bool { return s.Event == event }); i >= 0 {
			s = like.Steps[i]
		}
		out.Steps = append(out.Steps, s)
	}
	for _, event := range like.Trouble {
		if !slices.Contains(out.Trouble, event) && !slices.Contains(d.Steps, event) {
			out.Trouble = append(out.Trouble, event)
		}
	}
	return out
}

func packDesigns() ([]Design, error) {
	var pack struct {
		Journeys []struct {
			ID         string   `yaml:"id"`
			Name       string   `yaml:"name"`
			LabelVI    string   `yaml:"label_vi"`
			Exceptions []string `yaml:"exceptions"`
			Stages     []struct {
				Steps []struct {
					Event  string `yaml:"e"`
					Max    string `yaml:"max"`
					Moment bool   `yaml:"mot"`
				} `yaml:"steps"`
			} `yaml:"stages"`
		} `yaml:"journeys"`
	}
	if err := yaml.Unmarshal(packs.JourneyTemplates, &pack); err != nil {
		return nil, fmt.Errorf("journey templates: %w", err)
	}
	var out []Design
	for _, j := range pack.Journeys {
		d := Design{Journey: j.ID, Name: definition.Text{EN: j.Name, VI: j.LabelVI}, Trouble: j.Exceptions}
		for _, stage := range j.Stages {
			for _, s := range stage.Steps {
				step := DesignStep{Event: s.Event, Candidate: s.Moment}
				if s.Max != "" {
					var err error
					if step.Standard, err = definition.ParseDuration(s.Max); err != nil {
						return nil, fmt.Errorf("journey template %s: %w", j.ID, err)
					}
				}
				d.Steps = append(d.Steps, step)
			}
		}
		out = append(out, d)
	}
	return out, nil
}
