package strategy

import (
	"slices"
	"strings"
	"time"

	"omote/internal/governance/record"
	"omote/internal/platform/approval"
)

// Work is an initiative as the tree sees it.
type Work struct {
	ID      string
	Title   approval.Text
	Node    string // what it serves, "" for nothing
	State   string
	Stage   string
	Lane    string
	Running bool
	Journey string
	Steps   []string
	From    time.Time // when it changes its steps
	To      time.Time
	// Low and High are what its case says it is worth; Booked what the ledger holds.
	Low, High, Booked int64
	HasCase           bool
}

// Branch is a node with what hangs under it.
type Branch struct {
	record.Doc[Node]
	Below []*Branch
	Work  []Work
	// Running counts the work under way here and below; Booked is their money.
	Running int
	Booked  int64
}

// Idle reports whether nothing that is under way serves the node.
func (b *Branch) Idle() bool { return b.Running == 0 }

// Loose reports whether nothing says how the node is kept: a promise without an
// aim, an aim without a measure, a measure without a KPI.
func (b *Branch) Loose() bool { return b.Body.Kind != KPI && len(b.Below) == 0 }

// Collision is two initiatives that change the same step in the same window.
type Collision struct {
	Journey, Step string
	A, B          Work
	From, To      time.Time // when both change it
}

// Tree is the whole strategy.
type Tree struct {
	Roots []*Branch
	// Orphans are initiatives under way that serve nothing that is live.
	Orphans []Work
	// Idle are aims that no work serves.
	Idle []*Branch
	// Loose are nodes that nothing below makes concrete.
	Loose      []*Branch
	Collisions []Collision
	// Running counts all work under way; Booked is all money of the tree.
	Running int
	Booked  int64
}

// Build makes the tree of the live nodes and the work. A node whose parent is not
// live stands with the loose ones, so nothing is lost from sight.
func Build(nodes []record.Doc[Node], work []Work) Tree {
	var t Tree
	at := map[string]*Branch{}
	for _, n := range nodes {
		if n.State == Live {
			at[n.ID] = &Branch{Doc: n}
		}
	}
	for _, n := range nodes {
		b := at[n.ID]
		if b == nil {
			continue
		}
		if parent := at[n.Ref]; parent != nil {
			parent.Below = append(parent.Below, b)
		} else if n.Body.Kind == Promise {
			t.Roots = append(t.Roots, b)
		} else {
			t.Loose = append(t.Loose, b)
		}
	}
	for _, w := range work {
		if w.Running {
			t.Running++
		}
		if b := at[w.Node]; b != nil {
			b.Work = append(b.Work, w)
		} else if w.Running {
			t.Orphans = append(t.Orphans, w)
		}
	}
	for _, r := range slices.Concat(t.Roots, slices.Clone(t.Loose)) {
		t.count(r)
	}
	for _, r := range t.Roots {
		t.Booked += r.Booked
	}
	t.Collisions = collisions(work)
	return t
}

// count adds up a branch and notes what is idle or loose in it.
func (t *Tree) count(b *Branch) {
	for _, w := range b.Work {
		b.Booked += w.Booked
		if w.Running {
			b.Running++
		}
	}
	for _, c := range b.Below {
		t.count(c)
		b.Running += c.Running
		b.Booked += c.Booked
	}
	if b.Body.Kind == Aim && b.Idle() {
		t.Idle = append(t.Idle, b)
	}
	if b.Loose() && !slices.Contains(t.Loose, b) {
		t.Loose = append(t.Loose, b)
	}
}

// collisions finds the steps that two initiatives under way change at once.
func collisions(work []Work) (out []Collision) {
	type use struct {
		w    Work
		step string
	}
	byStep := map[string][]use{}
	for _, w := range work {
		if !w.Running || w.Journey == "" || w.To.Before(w.From) {
			continue
		}
		for _, s := range w.Steps {
			key := w.Journey + "\x00" + s
			for _, other := range byStep[key] {
				from, to := later(w.From, other.w.From), earlier(w.To, other.w.To)
				if other.w.ID != w.ID && !to.Before(from) {
					out = append(out, Collision{Journey: w.Journey, Step: s, A: other.w, B: w, From: from, To: to})
				}
			}
			byStep[key] = append(byStep[key], use{w, s})
		}
	}
	slices.SortStableFunc(out, func(a, b Collision) int {
		return strings.Compare(a.Journey+"\x00"+a.Step+a.A.ID+a.B.ID, b.Journey+"\x00"+b.Step+b.A.ID+b.B.ID)
	})
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
