package ui

// FunnelStep is one step of a funnel, in designed order.
type FunnelStep struct {
	Name  string
	Share float64 // of those who began, who reached this step
	Count int64   // customers who reached it
	Lost  float64 // share of those who began, lost between the step before and this one
	Gone  int64   // customers lost there
	Where string  // rich: where they went; what is still open is told apart from lost
	Care  bool    // the loss is beyond noise
}

// MarkKind is how a step of a variant stands to the design.
type MarkKind uint8

// The kinds of marks.
const (
	AsDesigned MarkKind = iota
	Repeated            // a ring
	Skipped             // struck
	Unplanned           // dashed letter: not in the design
)

// Mark is one step of a variant.
type Mark struct {
	Label string // a number of the design, or a letter
	Title string // the step's name
	Kind  MarkKind
	Times int // the same mark so many times in a row; 0 and 1 mean once
}

func (m Mark) class() string {
	return [...]string{"", "r", "s", "u"}[min(m.Kind, Unplanned)]
}

// BarProps is a bar from zero in a table cell, with an optional tick.
type BarProps struct {
	Share float64 // length, 0 to 1
	Tick  float64 // position of the standard or promise, 0 to 1; 0 draws none
	Care  bool
}
