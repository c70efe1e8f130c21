package blueprint

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"omote/internal/journey/definition"
	"omote/internal/journey/packs"
)

// Template is a built-in journey of the gallery.
type Template struct {
	// Document is the journey as the pack describes it.
	Document *Document
	// Area is the outcome area that the pack assigns it to.
	Area string

	cells map[string]map[Layer]packCell // by step
}

// packCell is a cell in both languages, or "-" for none.
type packCell struct {
	VI string `yaml:"vi"`
	EN string `yaml:"en"`
}

// UnmarshalYAML reads a cell: "-" or a text in both languages.
func (c *packCell) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*c = packCell{n.Value, n.Value}
		return nil
	}
	type plain packCell
	return n.Decode((*plain)(c))
}

// In gives the document with its cells in a language: cells are written in the
// language that a bank works in.
func (t Template) In(locale string) *Document {
	d := t.Document.Clone()
	for _, s := range d.Steps() {
		for layer, c := range t.cells[s.ID] {
			if s.Layers == nil {
				s.Layers = map[Layer]Cell{}
			}
			switch text := (Text{EN: c.EN, VI: c.VI}).In(locale); text {
			case "-":
				s.Layers[layer] = Cell{None: true}
			default:
				s.Layers[layer] = Cell{Text: text}
			}
		}
	}
	return d
}

// packFile is the form of the pack of templates; its head explains the fields.
type packFile struct {
	Edition  int `yaml:"edition"`
	Journeys []struct {
		ID          string   `yaml:"id"`
		Edition     int      `yaml:"edition"`
		Name        string   `yaml:"name"`
		LabelVI     string   `yaml:"label_vi"`
		Job         string   `yaml:"job"`
		JobVI       string   `yaml:"job_vi"`
		OutcomeArea string   `yaml:"outcome_area"`
		Owner       string   `yaml:"owner"`
		Parent      string   `yaml:"parent"`
		Start       any      `yaml:"start"`
		Success     []string `yaml:"success"`
		Failure     []string `yaml:"failure"`
		Timeout     string   `yaml:"timeout"`
		Measures    []string `yaml:"measures"`
		Stages      []struct {
			ID      string     `yaml:"id"`
			Label   string     `yaml:"label"`
			LabelVI string     `yaml:"label_vi"`
			Steps   []packStep `yaml:"steps"`
		} `yaml:"stages"`
		Exceptions []string `yaml:"exceptions"`
	} `yaml:"journeys"`
}

type packStep struct {
	Event    string   `yaml:"e"`
	Actor    string   `yaml:"a"`
	Kind     string   `yaml:"k"`
	Channels []string `yaml:"ch"`
	Moment   bool     `yaml:"mot"`
	Max      string   `yaml:"max"`
	Optional bool     `yaml:"optional"`
	Owner    string   `yaml:"owner"`
}

// LoadTemplates reads the pack. names gives what people call an event.
func LoadTemplates(names func(event string) Text) ([]Template, error) {
	return parseTemplates(packs.JourneyTemplates, packs.JourneyLayers, names)
}

func parseTemplates(raw, layers []byte, names func(event string) Text) ([]Template, error) {
	var cells map[string]map[string]map[Layer]packCell
	if err := yaml.Unmarshal(layers, &cells); err != nil {
		return nil, fmt.Errorf("layers of journey templates: %w", err)
	}
	var pack packFile
	if err := yaml.Unmarshal(raw, &pack); err != nil {
		return nil, fmt.Errorf("journey templates: %w", err)
	}
	var out []Template
	for _, j := range pack.Journeys {
		d := &Document{Journey: j.ID, Name: Text{EN: j.Name, VI: j.LabelVI}, Promise: Text{EN: j.Job, VI: j.JobVI}, Owner: j.Owner, Parent: j.Parent,
			Template: j.ID, Edition: max(1, j.Edition, pack.Edition), Metrics: j.Measures, Success: j.Success, Failure: j.Failure,
			Exceptions: j.Exceptions, Start: oneOrMany(j.Start)}
		timeout, err := definition.ParseDuration(j.Timeout)
		if err != nil {
			return nil, fmt.Errorf("journey template %s: %w", j.ID, err)
		}
		d.Timeout = Duration(timeout)
		// Steps before the start belong to another time and are never required; nor
		// are those after the end, when the case is closed.
		begun, over := false, false
		for _, st := range j.Stages {
			stage := Stage{ID: st.ID, Name: Text{EN: st.Label, VI: st.LabelVI}}
			if stage.Name.EN == "" {
				stage.Name.EN = title(st.ID)
			}
			for _, ps := range st.Steps {
				begun = begun || slices.Contains(d.Start, ps.Event)
				s, err := ps.step(names)
				if err != nil {
					return nil, fmt.Errorf("journey template %s: %w", j.ID, err)
				}
				s.Optional = s.Optional || !begun || over && !slices.Contains(d.Success, ps.Event)
				over = over || slices.Contains(d.Success, ps.Event)
				stage.Steps = append(stage.Steps, s)
			}
			d.Stages = append(d.Stages, stage)
		}
		d.alternativeEnds()
		if err := d.Validate(); err != nil {
			return nil, fmt.Errorf("journey template %s: %w", j.ID, err)
		}
		t := Template{Document: d, Area: j.OutcomeArea, cells: cells[j.ID]}
		if err := t.In("vi").Validate(); err != nil {
			return nil, fmt.Errorf("layers of journey template %s: %w", j.ID, err)
		}
		out = append(out, t)
	}
	return out, nil
}

var packActors = map[string]Actor{"c": Customer, "s": Staff, "y": System, "p": Partner}
var packKinds = map[string]Kind{"act": Action, "com": Communication}

func (p packStep) step(names func(string) Text) (Step, error) {
	s := Step{ID: p.Event, Name: names(p.Event), Actor: packActors[p.Actor], Kind: packKinds[p.Kind], Channels: p.Channels, Events: []string{p.Event},
		Moment: p.Moment, Optional: p.Optional, Owner: p.Owner}
	if s.Name.EN == "" {
		s.Name.EN = title(p.Event)
	}
	if p.Max != "" {
		wait, err := definition.ParseDuration(p.Max)
		if err != nil {
			return s, fmt.Errorf("step %s: %w", p.Event, err)
		}
		s.MaxWait = Duration(wait)
	}
	return s, nil
}

// alternativeEnds makes neighbouring steps that both end the journey well
// alternatives: a case needs one of them.
func (d *Document) alternativeEnds() {
	for i := range d.Stages {
		steps := d.Stages[i].Steps
		for j := 0; j+1 < len(steps); j++ {
			a, b := &steps[j], &steps[j+1]
			if slices.Contains(d.Success, a.ID) && slices.Contains(d.Success, b.ID) {
				g := Group{ID: "ends", Mode: Alternative}
				d.join(a, g)
				d.join(b, g)
			}
		}
	}
}

func oneOrMany(v any) (out []string) {
	switch x := v.(type) {
	case string:
		return []string{x}
	case []any:
		for _, e := range x {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// title makes words of an id: "id_chip_read" is "Id chip read".
func title(id string) string {
	words := strings.TrimSpace(strings.ReplaceAll(id, "_", " "))
	if words == "" {
		return id
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
