package initiative

// Lane is how a change is decided and proved.
type Lane string

// The lanes.
const (
	QuickWin  Lane = "quick_win"
	Strategic Lane = "strategic"
	Mandatory Lane = "mandatory"
)

// Bounds of a quick win.
const (
	QuickDays    = 30
	QuickUnits   = 1
	QuickBudget  = 100_000_000 // dong
	QuickPerUnit = 3           // running at once in a unit
	quickGrace   = 10          // days over the plan before it is promoted
)

// Facts decide the lane.
type Facts struct {
	Days       int
	Units      int
	CoreChange bool
	Budget     int64 // minor units
	Obligation bool
}

// LaneOf gives the lane of a change: mandatory where an obligation asks for it, a
// quick win within the bounds, strategic otherwise.
func LaneOf(f Facts) Lane {
	switch {
	case f.Obligation:
		return Mandatory
	case f.Days <= QuickDays && f.Units == QuickUnits && !f.CoreChange && f.Budget <= QuickBudget:
		return QuickWin
	}
	return Strategic
}

func (i Initiative) facts() Facts {
	return Facts{Days: i.Days, Units: i.Units, CoreChange: i.CoreChange, Budget: i.Budget, Obligation: i.Obligation != ""}
}
