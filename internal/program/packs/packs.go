// Package packs holds the behaviours as shipped: what each looks like, so that two
// observers would say the same.
package packs

import (
	_ "embed"
	"fmt"

	"go.yaml.in/yaml/v3"

	"omote/internal/platform/approval"
)

//go:embed behaviours.yaml
var raw []byte

// Bands of behaviours.
const (
	Fixed    = "fixed"    // must be done this way: safety, law, money
	Flexible = "flexible" // must be reached, the way is one's own
	Free     = "free"     // a gift of attention; never judged
)

// Text is a text in both languages, as packs write it.
type Text struct {
	EN string `yaml:"en"`
	VI string `yaml:"vi"`
}

// Words gives it as the platform's text.
func (t Text) Words() approval.Text { return approval.Text{VI: t.VI, EN: t.EN} }

// Behaviour is one thing that people do, or do not do, in front of a customer.
type Behaviour struct {
	ID         string   `yaml:"id"`
	Roles      []string `yaml:"roles"`
	Touchpoint string   `yaml:"touchpoint"`
	Value      string   `yaml:"value"`
	Band       string   `yaml:"band"`
	NameEN     string   `yaml:"name"`
	NameVI     string   `yaml:"label_vi"`
	Cue        Text     `yaml:"cue"`     // the moment that calls for it
	Items      []Text   `yaml:"items"`   // what an observer can see or hear
	Counter    Text     `yaml:"counter"` // what it must not turn into
	Metric     string   `yaml:"metric"`
	SayVI      string   `yaml:"say_vi"`
}

// Name is the behaviour's name.
func (b Behaviour) Name() approval.Text { return approval.Text{VI: b.NameVI, EN: b.NameEN} }

// Value is what behaviours express.
type Value struct {
	ID   string `yaml:"id"`
	Text `yaml:",inline"`
}

// Behaviours is the pack.
type Behaviours struct {
	Values     []Value     `yaml:"values"`
	Behaviours []Behaviour `yaml:"behaviours"`
}

// Load reads the pack and checks it.
func Load() (*Behaviours, error) { return parse(raw) }

func parse(raw []byte) (*Behaviours, error) {
	var p Behaviours
	if err := yaml.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("program: read behaviours: %w", err)
	}
	seen := map[string]bool{}
	for _, b := range p.Behaviours {
		switch {
		case b.ID == "" || seen[b.ID]:
			return nil, fmt.Errorf("program: behaviour id %q is empty or used twice", b.ID)
		case b.Band != Fixed && b.Band != Flexible && b.Band != Free:
			return nil, fmt.Errorf("program: behaviour %s: no band %q", b.ID, b.Band)
		case len(b.Items) < 2 || len(b.Items) > 6:
			return nil, fmt.Errorf("program: behaviour %s: %d items", b.ID, len(b.Items))
		case b.NameEN == "" || b.NameVI == "":
			return nil, fmt.Errorf("program: behaviour %s has no name in both languages", b.ID)
		}
		seen[b.ID] = true
	}
	return &p, nil
}

// Get finds a behaviour; ok is false where there is none.
func (p *Behaviours) Get(id string) (b Behaviour, ok bool) {
	for _, b := range p.Behaviours {
		if b.ID == id {
			return b, true
		}
	}
	return b, false
}

// Answer is what an observer says of an item.
type Answer byte

// The answers.
const (
	Yes     Answer = 'y'
	No      Answer = 'n'
	NotSeen Answer = '-'
)

// Met tells whether what was seen meets the standard: of a fixed behaviour every
// item, of a flexible one at least 60 % of the items that could be seen, of which
// there must be two. Of a free behaviour one sign is enough, and nobody is held to
// it. Known is false where too little could be seen to tell.
func (b Behaviour) Met(answers []Answer) (met, known bool) {
	var yes, no int
	for _, a := range answers {
		switch a {
		case Yes:
			yes++
		case No:
			no++
		}
	}
	switch b.Band {
	case Fixed:
		return no == 0, no > 0 || yes == len(b.Items)
	case Free:
		return yes > 0, yes+no > 0
	}
	return 5*yes >= 3*(yes+no), yes+no >= 2
}
