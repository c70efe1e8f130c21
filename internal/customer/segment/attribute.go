package segment

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"omote/analytics/rule"
)

// Attribute is a named value of a customer, or a named truth, in the rule
// language. Rules are written in terms of attributes and events.
type Attribute struct {
	ID        string `yaml:"id" json:"id"`
	Label     Text   `yaml:"label" json:"label"`
	Value     string `yaml:"value" json:"value,omitempty"`
	Rule      string `yaml:"rule" json:"rule,omitempty"`
	Sensitive bool   `yaml:"sensitive" json:"sensitive,omitempty"`

	compiled rule.Attribute
}

// Boolean reports whether the attribute is true or false.
func (a *Attribute) Boolean() bool { return a.Rule != "" }

// Attributes is the catalogue, in the order of the pack.
type Attributes struct {
	List []Attribute
	byID map[string]int
}

// Get gives an attribute.
func (a *Attributes) Get(id string) (*Attribute, bool) {
	i, known := a.byID[id]
	if !known {
		return nil, false
	}
	return &a.List[i], true
}

// ParseAttributes reads and checks a pack of attributes.
func ParseAttributes(raw []byte) (*Attributes, error) {
	var pack struct {
		Version    int         `yaml:"version"`
		Attributes []Attribute `yaml:"attributes"`
	}
	if err := decode(raw, &pack); err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	out := &Attributes{List: pack.Attributes, byID: map[string]int{}}
	for i := range out.List {
		a := &out.List[i]
		if _, twice := out.byID[a.ID]; twice || !rule.ValidID(a.ID) || a.Label.En == "" || a.Label.Vi == "" || (a.Value == "") == (a.Rule == "") {
			return nil, fmt.Errorf("attribute %q is named twice, or lacks an id, a label, or exactly one of value and rule", a.ID)
		}
		if a.Value != "" {
			v, err := rule.ParseValue(a.Value)
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", a.ID, err)
			}
			a.compiled.Value = &v
		} else {
			r, err := rule.Parse(a.Rule)
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", a.ID, err)
			}
			a.compiled.Rule = &r
		}
		out.byID[a.ID] = i
	}
	return out, nil
}

// ParsePack reads and checks a pack of segments.
func ParsePack(raw []byte) ([]Definition, error) {
	var pack struct {
		Version  int          `yaml:"version"`
		Segments []Definition `yaml:"segments"`
	}
	if err := decode(raw, &pack); err != nil {
		return nil, fmt.Errorf("segments: %w", err)
	}
	for i := range pack.Segments {
		if err := pack.Segments[i].Validate(); err != nil {
			return nil, fmt.Errorf("segment %s: %w", pack.Segments[i].ID, err)
		}
	}
	return pack.Segments, nil
}

func decode(raw []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	return dec.Decode(into)
}

// shippedAttributes and shippedSegments are the built-in content.
func shippedAttributes() (*Attributes, error) {
	raw, err := packs.ReadFile("packs/attributes.yaml")
	if err != nil {
		return nil, err
	}
	return ParseAttributes(raw)
}

func shippedSegments() ([]Definition, error) {
	raw, err := packs.ReadFile("packs/segments.yaml")
	if err != nil {
		return nil, err
	}
	return ParsePack(raw)
}

// catalogue is what a rule may refer to: attributes, and the segments in use.
type catalogue struct {
	attributes *Attributes
	segments   map[string]Definition
}

// Attribute implements rule.Catalogue.
func (c catalogue) Attribute(id string) (rule.Attribute, bool) {
	a, known := c.attributes.Get(id)
	if !known {
		return rule.Attribute{}, false
	}
	return a.compiled, true
}

// Segment implements rule.Catalogue.
func (c catalogue) Segment(id string) (rule.Rule, bool) {
	d, known := c.segments[id]
	if !known {
		return rule.Rule{}, false
	}
	r, err := rule.Parse(d.Rule)
	return r, err == nil
}

// order puts definitions so that those that others refer to come first.
func order(all []Definition) []Definition {
	byID := map[string]Definition{}
	for _, d := range all {
		byID[d.ID] = d
	}
	var out []Definition
	seen := map[string]bool{}
	var visit func(d Definition)
	visit = func(d Definition) {
		if seen[d.ID] {
			return
		}
		seen[d.ID] = true
		for _, text := range []string{d.Rule, d.Exit} {
			if r, err := rule.Parse(text); err == nil {
				refs, _ := r.References()
				for _, id := range refs {
					if other, known := byID[id]; known {
						visit(other)
					}
				}
			}
		}
		out = append(out, d)
	}
	for _, d := range all {
		visit(d)
	}
	return slices.Clip(out)
}
