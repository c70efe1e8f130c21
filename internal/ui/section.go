package ui

import (
	"strconv"

	"github.com/a-h/templ"
)

// SectionProps opens a section with an ink rule, its noun, and small facts.
type SectionProps struct {
	Title string
	Meta  []Item
	ID    string
	Cols  int // of the grid's twelve: 3 to 9; 0 takes the full width
	Attrs templ.Attributes
}

// ColumnOf is the class that lets a block span columns of the grid.
func ColumnOf(cols int) string {
	if cols < 3 || cols > 9 {
		return "c12"
	}
	return "c" + strconv.Itoa(cols)
}

// Tab is one view of a page. Tabs are links: each view has its address.
type Tab struct {
	Label   string
	Href    string
	Current bool
	Count   int
}

// Step is one step of a decision, a gate, or a set-up.
type Step struct {
	Title string
	Note  string // who, when, or "not yet"
	State StepState
}

// StepState tells whether a step is done, under way, to come, or late.
type StepState uint8

// The states of a step.
const (
	StepAhead StepState = iota
	StepDone
	StepNow
	StepLate
)

func (s Step) attrs() templ.Attributes {
	switch s.State {
	case StepDone:
		return templ.Attributes{"data-done": true}
	case StepNow:
		return templ.Attributes{"aria-current": "step"}
	case StepLate:
		return templ.Attributes{"data-care": true, "aria-current": "step"}
	}
	return nil
}

// KeyValue is a pair of a definition list.
type KeyValue struct {
	Key   string
	Value string          // rich
	Node  templ.Component // instead of Value
}

// DocketProps is something that waits for a person: a box one can take away.
type DocketProps struct {
	Due      string // "Due 17 Nov, two days late"
	Late     bool
	Evidence templ.Component // the grade at its right
	Question string          // in voice
	Worth    templ.Component
	Note     string // rich
	Act      ButtonProps
}

func sectionAttrs(s SectionProps) templ.Attributes {
	a := templ.Attributes{}
	if s.ID != "" {
		a["id"] = s.ID
	}
	for name, v := range s.Attrs {
		a[name] = v
	}
	return a
}

// PeriodProps is the span of time a page shows, with the ways back and forward.
type PeriodProps struct {
	Label    string // "22.10 – 18.11"
	BackHref string // key [
	NextHref string // key ]; empty at the newest period
}
