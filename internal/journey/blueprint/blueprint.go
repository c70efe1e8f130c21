// Package blueprint is the designed journey: the one document from which pages,
// funnels, conformance and drift are derived.
//
// A [Document] has stages, each with steps in their order. A step says who acts,
// through which channel, which events show that it happened, how long a customer
// may wait for it, and what stands behind it in each layer of the service. Steps
// side by side may form a [Group]: alternatives, things done in any order, or a
// part that may be repeated.
//
// A document is edited by small operations ([Op]), each of one field or one
// place, so that two people at once lose nothing: operations on different fields
// both hold, two on the same field are a conflict that is shown and kept. A draft
// goes to review as a version; somebody else decides; the version in force is
// the only one that other parts read.
//
// Files: blueprint.go (types, limits), validate.go (what must hold), check.go
// (what should hold: empty cells, contradictions, owners), path.go (the document
// as a map for alignment), op.go (operations), merge.go (three-way merge and
// differences), template.go (the built-in journeys), hierarchy.go (tree,
// overlaps and gaps), service.go, edit.go, publish.go, comment.go, presence.go
// (use cases), store.go (all SQL).
package blueprint

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"omote/internal/journey/definition"
)

// Text is a text in both languages.
type Text = definition.Text

// Document is a designed journey.
type Document struct {
	// Journey is the id that events carry, such as "card_activation".
	Journey string `json:"journey"`
	Name    Text   `json:"name"`
	// Promise is what the customer comes for, in the customer's own words.
	Promise Text `json:"promise,omitzero"`
	// Owner is the role or unit that answers for the journey.
	Owner string `json:"owner,omitempty"`
	// Parent is the journey of which this is a part; empty at the top.
	Parent string `json:"parent,omitempty"`
	// Template is the built-in journey that this one was made from, and the
	// edition whose improvements it has taken over.
	Template string `json:"template,omitempty"`
	Edition  int    `json:"edition,omitempty"`

	Personas []Persona `json:"personas,omitempty"`
	// Segments are the ids of the customer segments the journey is designed for.
	Segments []string `json:"segments,omitempty"`
	// Metrics are the ids of the measures by which the journey is judged, the
	// promise first.
	Metrics []string `json:"metrics,omitempty"`

	// Start, Success and Failure are the events that begin and end a case.
	Start   []string `json:"start,omitempty"`
	Success []string `json:"success,omitempty"`
	Failure []string `json:"failure,omitempty"`
	// Timeout is the silence after which an unfinished case counts as abandoned.
	Timeout Duration `json:"timeout"`
	// Exceptions are events that the design knows as things that should not happen.
	Exceptions []string `json:"exceptions,omitempty"`
	// Cost is the property of events that says what each cost the bank, in whole units
	// of its currency; "amount" is the amount that events carry. Empty: what the
	// channel costs.
	Cost string `json:"cost,omitempty"`

	Stages []Stage `json:"stages"`
	// Groups say how steps of the same group belong together.
	Groups []Group `json:"groups,omitempty"`
}

// Persona is somebody invented who stands for a kind of customer.
type Persona struct {
	Name  string `json:"name"`
	Story string `json:"story,omitempty"`
}

// Stage is a part of the journey in the customer's words.
type Stage struct {
	ID    string `json:"id"`
	Name  Text   `json:"name"`
	Steps []Step `json:"steps"`
}

// Step is one thing that happens between the customer and the bank.
type Step struct {
	// ID is unique in the document and never changes.
	ID    string `json:"id"`
	Name  Text   `json:"name"`
	Actor Actor  `json:"actor,omitempty"`
	Kind  Kind   `json:"kind,omitempty"`
	// Channels are where it happens.
	Channels []string `json:"channels,omitempty"`
	// Events show that the step was made; any one of them does.
	Events []string `json:"events,omitempty"`
	// Unseen says that no event can show this step; it is left out of conformance.
	Unseen bool `json:"unseen,omitempty"`
	// MaxWait is the service standard: the longest wait since the step before.
	MaxWait Duration `json:"max_wait,omitempty"`
	// Optional allows to leave the step out.
	Optional bool `json:"optional,omitempty"`
	// Group is the id of the group that the step belongs to, and Branch the path
	// within it; steps of the same branch follow one another.
	Group  string `json:"group,omitempty"`
	Branch string `json:"branch,omitempty"`
	// Moment marks a candidate moment of truth: a hypothesis until it is tested.
	Moment bool `json:"moment,omitempty"`
	// Layers are the cells of the blueprint under the step.
	Layers map[Layer]Cell `json:"layers,omitempty"`
	// Intent is what the interaction should leave behind in the customer.
	Intent string `json:"intent,omitempty"`
	// Expectation is what the customer expects here, in their words.
	Expectation string `json:"expectation,omitempty"`
	// Handoffs say when a person takes over from a machine.
	Handoffs []Handoff `json:"handoffs,omitempty"`
	Owner    string    `json:"owner,omitempty"`
	RACI     RACI      `json:"raci,omitzero"`
	// Shared names a step that several journeys have in common: journeys whose
	// steps carry the same name share it.
	Shared string `json:"shared,omitempty"`
}

// Actor is who acts in a step.
type Actor string

// The actors.
const (
	Customer Actor = "customer"
	Staff    Actor = "staff"
	System   Actor = "system"
	Partner  Actor = "partner"
)

// Actors lists the actors.
var Actors = []Actor{Customer, Staff, System, Partner}

// Kind tells doing from telling.
type Kind string

// The kinds of steps.
const (
	Action        Kind = "action"
	Communication Kind = "communication"
)

// Layer is a row of the blueprint.
type Layer string

// The layers, from what the customer does down to what partners do.
const (
	LayerCustomer Layer = "customer_action"
	LayerFront    Layer = "front_stage"
	LayerBack     Layer = "back_stage"
	LayerSystems  Layer = "systems"
	LayerPolicy   Layer = "policy"
	LayerPeople   Layer = "people"
	LayerPartner  Layer = "partner"
)

// Layers lists the layers in their order.
var Layers = []Layer{LayerCustomer, LayerFront, LayerBack, LayerSystems, LayerPolicy, LayerPeople, LayerPartner}

// Cell is what stands in a layer of a step. An empty cell is one that nobody has
// thought of; None says that there is nothing, which is an answer.
type Cell struct {
	Text string `json:"text,omitempty"`
	None bool   `json:"none,omitempty"`
}

// Empty tells that nobody has filled the cell in.
func (c Cell) Empty() bool { return c.Text == "" && !c.None }

// Handoff is a rule for passing a customer from a machine to a person.
type Handoff struct {
	// When is the condition in words: "three failed attempts".
	When string `json:"when"`
	// To is the role or team that takes over.
	To string `json:"to"`
	// Within is the promise until the person answers; zero promises none.
	Within Duration `json:"within,omitempty"`
	// Event shows that the hand-off happened; empty where none does.
	Event string `json:"event,omitempty"`
}

// RACI says who does, who answers, who is asked and who is told.
type RACI struct {
	Responsible []string `json:"responsible,omitempty"`
	Accountable []string `json:"accountable,omitempty"`
	Consulted   []string `json:"consulted,omitempty"`
	Informed    []string `json:"informed,omitempty"`
}

// Group ties neighbouring steps of one stage together.
type Group struct {
	ID   string `json:"id"`
	Mode Mode   `json:"mode"`
	// Optional allows to leave the whole group out.
	Optional bool `json:"optional,omitempty"`
}

// Mode is how the branches of a group belong together.
type Mode string

// The modes.
const (
	Alternative Mode = "alternative" // exactly one branch
	Parallel    Mode = "parallel"    // all branches, in any order
	Loop        Mode = "loop"        // the steps may be done again
)

// Modes lists the modes.
var Modes = []Mode{Alternative, Parallel, Loop}

// Limits of a document.
const (
	MaxSteps    = 200
	MaxStages   = 30
	MaxName     = 160     // characters
	MaxText     = 4_000   // characters of any other text
	MaxList     = 50      // entries of a list
	MaxBody     = 1 << 20 // bytes of the whole
	MinTimeout  = definition.MinTimeout
	MaxTimeout  = definition.MaxTimeout
	maxParallel = 6 // branches of a parallel group
)

// Duration is a length of time, written as ISO 8601 ("PT3M", "P7D").
type Duration time.Duration

// String writes the duration as ISO 8601; zero is empty.
func (d Duration) String() string {
	if d == 0 {
		return ""
	}
	return definition.FormatDuration(time.Duration(d))
}

// MarshalJSON writes the duration as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads the text, or nanoseconds as an earlier form had them.
func (d *Duration) UnmarshalJSON(raw []byte) error {
	var n int64
	if json.Unmarshal(raw, &n) == nil {
		*d = Duration(n)
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	if text == "" {
		*d = 0
		return nil
	}
	v, err := definition.ParseDuration(text)
	*d = Duration(v)
	return err
}

// Steps gives all steps in their order.
func (d *Document) Steps() []*Step {
	var out []*Step
	for i := range d.Stages {
		for j := range d.Stages[i].Steps {
			out = append(out, &d.Stages[i].Steps[j])
		}
	}
	return out
}

// Step finds a step by its id; nil when there is none.
func (d *Document) Step(id string) *Step {
	for _, s := range d.Steps() {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// Place gives the stage and position of a step, or -1, -1.
func (d *Document) Place(id string) (stage, at int) {
	for i := range d.Stages {
		for j := range d.Stages[i].Steps {
			if d.Stages[i].Steps[j].ID == id {
				return i, j
			}
		}
	}
	return -1, -1
}

// StageAt gives the position of a stage, or -1.
func (d *Document) StageAt(id string) int {
	return slices.IndexFunc(d.Stages, func(s Stage) bool { return s.ID == id })
}

// Mode gives the group of a step; the zero group where it stands alone.
func (d *Document) GroupOf(s *Step) Group {
	if s.Group != "" {
		for _, g := range d.Groups {
			if g.ID == s.Group {
				return g
			}
		}
	}
	return Group{}
}

// Definition derives what the rest of the module asks of a journey.
func (d *Document) Definition() definition.Definition {
	out := definition.Definition{Journey: d.Journey, Name: d.Name, Success: d.Success, Failure: d.Failure, Cost: d.Cost,
		Timeout: cmp.Or(time.Duration(d.Timeout), definition.DefaultTimeout)}
	for _, s := range d.Steps() {
		// The funnel counts what every case should do: of alternatives it takes none.
		if len(s.Events) > 0 && !s.Optional && d.GroupOf(s).Mode != Alternative {
			out.Steps = append(out.Steps, s.Events[0])
		}
	}
	if len(out.Steps) > definition.MaxSteps {
		out.Steps = out.Steps[:definition.MaxSteps]
	}
	return out
}

// Events lists every event that the document names, in order, each once.
func (d *Document) Events() []string {
	var out []string
	add := func(names ...string) {
		for _, n := range names {
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	add(d.Start...)
	for _, s := range d.Steps() {
		add(s.Events...)
		for _, h := range s.Handoffs {
			if h.Event != "" {
				add(h.Event)
			}
		}
	}
	add(d.Success...)
	add(d.Failure...)
	add(d.Exceptions...)
	return out
}

// Clone copies the document whole.
func (d *Document) Clone() *Document {
	raw, err := json.Marshal(d)
	if err != nil {
		panic("blueprint: a document is always JSON: " + err.Error()) // strings, numbers and lists of them
	}
	out := &Document{}
	if err := json.Unmarshal(raw, out); err != nil {
		panic("blueprint: " + err.Error())
	}
	return out
}
