package exchange

import (
	"encoding/json"
	"fmt"

	"omote/internal/journey/blueprint"
)

// The open journey form: phases with touchpoints, as mapping tools exchange
// them. docs/reference/journey.md describes the fields. What the form has no
// field for stands under "x-omote", as this product's own document has it, so
// that a file that comes back unchanged is the same journey.
type ojfFile struct {
	OJF     string     `json:"ojf"`
	Journey ojfJourney `json:"journey"`
}

type ojfJourney struct {
	ID          string              `json:"id"`
	Title       string              `json:"title"`
	Description string              `json:"description,omitempty"`
	Owner       string              `json:"owner,omitempty"`
	Personas    []ojfPersona        `json:"personas,omitempty"`
	Phases      []ojfPhase          `json:"phases"`
	Own         *blueprint.Document `json:"x-omote,omitempty"`
}

type ojfPersona struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type ojfPhase struct {
	ID          string          `json:"id"`
	Title       string          `json:"title"`
	Touchpoints []ojfTouchpoint `json:"touchpoints"`
}

type ojfTouchpoint struct {
	ID          string            `json:"id"`
	Title       string            `json:"title"`
	Actor       string            `json:"actor,omitempty"`
	Channels    []string          `json:"channels,omitempty"`
	Expectation string            `json:"expectation,omitempty"`
	Optional    bool              `json:"optional,omitempty"`
	MaxWait     string            `json:"maxWait,omitempty"`
	Events      []string          `json:"events,omitempty"`
	Lanes       map[string]string `json:"lanes,omitempty"`
}

const ojfVersion = "1.0"

func writeOJF(d *blueprint.Document, locale string) ([]byte, error) {
	j := ojfJourney{ID: d.Journey, Title: say(d.Name, locale), Description: say(d.Promise, locale), Owner: d.Owner, Phases: []ojfPhase{}, Own: d}
	for _, p := range d.Personas {
		j.Personas = append(j.Personas, ojfPersona{p.Name, p.Story})
	}
	for _, st := range d.Stages {
		ph := ojfPhase{ID: st.ID, Title: say(st.Name, locale), Touchpoints: []ojfTouchpoint{}}
		for _, s := range st.Steps {
			t := ojfTouchpoint{ID: s.ID, Title: say(s.Name, locale), Actor: string(s.Actor), Channels: s.Channels, Expectation: s.Expectation, Optional: s.Optional,
				MaxWait: s.MaxWait.String(), Events: s.Events}
			for l, c := range s.Layers {
				if t.Lanes == nil {
					t.Lanes = map[string]string{}
				}
				t.Lanes[string(l)] = c.Text
				if c.None {
					t.Lanes[string(l)] = "-"
				}
			}
			ph.Touchpoints = append(ph.Touchpoints, t)
		}
		j.Phases = append(j.Phases, ph)
	}
	raw, err := json.MarshalIndent(ojfFile{ojfVersion, j}, "", "  ")
	return append(raw, '\n'), err
}

func readOJF(raw []byte) (*blueprint.Document, error) {
	var f ojfFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, wrong("ojf", err)
	}
	d, err := f.Journey.document()
	if err != nil {
		return nil, wrong("ojf", err)
	}
	own := f.Journey.Own
	if own == nil || own.Validate() != nil {
		return d, nil
	}
	// Nothing that the form itself says was changed: our own document holds.
	for _, locale := range []string{"en", "vi"} {
		back, err := writeOJF(own, locale)
		if err != nil {
			return d, nil
		}
		var same ojfFile
		if json.Unmarshal(back, &same) == nil && equalJSON(same.Journey.Phases, f.Journey.Phases) && same.Journey.Title == f.Journey.Title {
			return own, nil
		}
	}
	// Otherwise what was said elsewhere goes into our document, step by step.
	return graft(own, d), nil
}

func equalJSON(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}

// graft keeps of own what the form has no field for.
func graft(own, d *blueprint.Document) *blueprint.Document {
	out := own.Clone()
	out.Stages, out.Groups, out.Owner, out.Personas = d.Stages, nil, d.Owner, d.Personas
	for _, s := range out.Steps() {
		if was := own.Step(s.ID); was != nil {
			name := s.Name
			if name.EN == was.Name.EN || name.VI == was.Name.VI {
				s.Name = was.Name
			}
			s.Kind, s.Unseen, s.Moment, s.Intent, s.Handoffs, s.Owner, s.RACI, s.Shared = was.Kind, was.Unseen, was.Moment, was.Intent, was.Handoffs, was.Owner, was.RACI, was.Shared
		}
	}
	for i := range out.Stages {
		if k := own.StageAt(out.Stages[i].ID); k >= 0 {
			was := own.Stages[k].Name
			if n := out.Stages[i].Name; n.EN == was.EN || n.VI == was.VI {
				out.Stages[i].Name = was
			}
		}
	}
	return out
}

func (j ojfJourney) document() (*blueprint.Document, error) {
	d := &blueprint.Document{Journey: j.ID, Name: both(j.Title), Promise: both(j.Description), Owner: j.Owner}
	if !blueprint.ValidJourney(d.Journey) {
		d.Journey = idOf(j.ID+" "+j.Title, "journey")
	}
	for _, p := range j.Personas {
		d.Personas = append(d.Personas, blueprint.Persona{Name: p.Name, Story: p.Description})
	}
	stages, steps := map[string]bool{}, map[string]bool{}
	for i, ph := range j.Phases {
		st := blueprint.Stage{ID: unique(safeID(ph.ID, ph.Title, fmt.Sprintf("stage_%d", i+1)), stages), Name: both(ph.Title)}
		for k, t := range ph.Touchpoints {
			s := blueprint.Step{ID: unique(safeID(t.ID, t.Title, fmt.Sprintf("step_%d_%d", i+1, k+1)), steps), Name: both(t.Title), Actor: blueprint.Actor(t.Actor), Channels: t.Channels,
				Expectation: t.Expectation, Optional: t.Optional, Events: t.Events}
			if err := s.MaxWait.UnmarshalJSON([]byte(fmt.Sprintf("%q", t.MaxWait))); err != nil {
				return nil, fmt.Errorf("touchpoint %q: %w", t.ID, err)
			}
			for lane, text := range t.Lanes {
				c := blueprint.Cell{Text: text}
				if text == "-" {
					c = blueprint.Cell{None: true}
				}
				if c.Empty() {
					continue
				}
				if s.Layers == nil {
					s.Layers = map[blueprint.Layer]blueprint.Cell{}
				}
				s.Layers[blueprint.Layer(lane)] = c
			}
			st.Steps = append(st.Steps, s)
		}
		d.Stages = append(d.Stages, st)
	}
	return d, nil
}

// safeID takes an id as it is where it may be one, else makes one of a name.
func safeID(id, name, otherwise string) string {
	if blueprint.ValidID(id) {
		return id
	}
	return idOf(name, otherwise)
}
