package initiative

import (
	"time"

	"omote/internal/governance/packs"
)

// Seen is what the platform itself knows about an initiative when a gate is
// checked. A nil pointer is unknown, and unknown is not met.
type Seen struct {
	Now time.Time
	// NodeLive: the node of the strategy exists and is live.
	NodeLive bool
	// RACI: the journey's duties were approved and every step has one accountable.
	RACI *bool
	// BoundSteps is the share of the journey's steps that live events show.
	BoundSteps *float64
	// Effect: the ledger holds an effect with an interval; Signed: finance signed it,
	// or it is worth nothing.
	Effect *bool
	Signed *bool
	// Scored: the forecast of the decision behind it was scored.
	Scored *bool
	// CounterWorse: the counter-metric of what it serves got worse beyond noise.
	CounterWorse *bool
}

// Met is whether a criterion is met, and by what.
type Met struct {
	packs.Criterion
	OK bool
	// By is "computed", "evidence", or why it is not met: "missing", "weak" (its
	// evidence has too low a grade), "unknown" (the platform cannot see it) or "no".
	By       string
	Evidence *Evidence
}

// Gate is how the gate at the end of a stage stands.
type Gate struct {
	packs.Gate
	Criteria []Met
	// Absent are roles that must take part and do not.
	Absent []string
}

// Open reports whether nothing is missing.
func (g Gate) Open() bool {
	for _, m := range g.Criteria {
		if !m.OK {
			return false
		}
	}
	return len(g.Absent) == 0
}

// Missing counts the criteria that are not met.
func (g Gate) Missing() (n int) {
	for _, m := range g.Criteria {
		if !m.OK {
			n++
		}
	}
	return n
}

// computed answers the criteria that the platform sees itself; known is false for
// all others, and where it cannot tell.
func (i Initiative) computed(id string, s Seen) (ok, known bool) {
	tell := func(p *bool, want bool) (bool, bool) {
		if p == nil {
			return false, false
		}
		return *p == want, true
	}
	switch id {
	case "g1_aim":
		return s.NodeLive && (i.Journey != "" || i.Lane == QuickWin), true
	case "g1_case":
		return i.Case != nil && i.Judged != nil, true
	case "g1_stop":
		return i.Stop.Set() && i.Stop.Day.After(i.Start), true
	case "g1_roi":
		return i.Lane == Mandatory || i.Judged != nil && i.Judged.Positive >= 0.5, true
	case "g2_raci":
		return tell(s.RACI, true)
	case "g2_bound":
		if s.BoundSteps == nil {
			return false, false
		}
		return *s.BoundSteps >= 0.8, true
	case "g3_plan":
		return i.Method != "" && i.Method != "before_after" && !i.Registered.IsZero() && i.Registered.Before(i.Start), true
	case "g4_effect":
		return tell(s.Effect, true)
	case "g4_money":
		return tell(s.Signed, true)
	case "g4_counter":
		return tell(s.CounterWorse, false)
	case "g4_decide":
		return i.Outcome != "", true
	case "g4_lesson":
		return i.Lesson != "", true
	}
	return false, false
}

// CheckGate tells how the gate at the end of the initiative's stage stands.
func CheckGate(pack *packs.Governance, i Initiative, s Seen) Gate {
	def, _ := pack.Gate(string(i.Stage))
	g := Gate{Gate: def}
	for _, c := range def.Criteria {
		if i.Lane == QuickWin && !c.Quick {
			continue
		}
		g.Criteria = append(g.Criteria, i.met(c, s))
	}
	for _, r := range pack.Involvement[string(i.Lane)][string(i.Stage)] {
		if !i.has(r) {
			g.Absent = append(g.Absent, r)
		}
	}
	return g
}

func (i Initiative) met(c packs.Criterion, s Seen) Met {
	m := Met{Criterion: c, By: "missing"}
	ok, known := i.computed(c.ID, s)
	if known {
		m.OK, m.By = ok, "computed"
		if !ok {
			m.By = "no" // what the platform contradicts no evidence talks away
		}
		return m
	}
	if c.ID == "g1_evidence" && i.Assumption {
		m.OK, m.By = true, "assumption"
		return m
	}
	best := -1
	for k, e := range i.Evidence {
		if e.Criterion == c.ID && (best < 0 || e.Grade >= i.Evidence[best].Grade) {
			best = k
		}
	}
	if best < 0 {
		if c.MinGrade == Computed {
			m.By = "unknown"
		}
		return m
	}
	m.Evidence = &i.Evidence[best]
	// A person's evidence is at most a record: it meets a criterion that should be
	// computed only where the platform cannot see it, as a record.
	if m.Evidence.Grade >= min(c.MinGrade, Record) {
		m.OK, m.By = true, "evidence"
	} else {
		m.By = "weak"
	}
	return m
}
