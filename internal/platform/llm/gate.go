package llm

import (
	"fmt"

	"omote/analytics/stats"
)

// Gate decides whether a task may act on the model's answers.
type Gate struct {
	LeastCases     int     // cases that people judged
	LeastAgreement float64 // that the lower bound of the agreement must reach, in (0, 1)
}

// DefaultGate asks for 100 cases and nine in ten right with confidence.
func DefaultGate() Gate { return Gate{LeastCases: 100, LeastAgreement: 0.9} }

// Verdict is what a gate decided, with its evidence.
type Verdict struct {
	MayAct    bool
	Agreement stats.Estimate // share of cases in which model and people agree
	Reason    string
}

// Judge compares answers with people's. Cases is how many were judged, agreed
// how many of them the model answered as people did.
func (g Gate) Judge(agreed, cases int) Verdict {
	v := Verdict{Agreement: stats.Proportion(int64(agreed), int64(cases), stats.DefaultLevel)}
	switch {
	case cases < g.LeastCases:
		v.Reason = fmt.Sprintf("%d of %d cases judged", cases, g.LeastCases)
	case v.Agreement.Low < g.LeastAgreement:
		v.Reason = fmt.Sprintf("agreement at least %.2f, %.2f is needed", v.Agreement.Low, g.LeastAgreement)
	default:
		v.MayAct = true
		v.Reason = fmt.Sprintf("agreement at least %.2f over %d cases", v.Agreement.Low, cases)
	}
	return v
}
