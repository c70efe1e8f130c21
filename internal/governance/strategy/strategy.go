// Package strategy is the tree from what the bank promises its customers down to
// the work that keeps the promise: promise → aim → measure of a journey → KPI →
// initiative, with money at the end.
//
// The tree shows what hangs in the air, both ways: work that serves no aim, and
// aims that no work serves. It also shows where two initiatives change the same
// step at the same time.
//
// Files: strategy.go (types), tree.go (the tree, pure), service.go, store.go.
// Table: governance_node.
package strategy

import (
	"math"
	"strings"
	"unicode/utf8"

	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Permissions of the strategy.
const (
	PermRead auth.Permission = "governance.strategy.read"
	PermEdit auth.Permission = "governance.strategy.edit"
)

// Kind is what a node of the tree is.
type Kind string

// The kinds, from the root down. Each hangs under the one before it.
const (
	Promise Kind = "promise" // what customers are told they can count on
	Aim     Kind = "aim"     // what the bank wants to reach for it
	Measure Kind = "measure" // how a journey shows it: a metric of the registry
	KPI     Kind = "kpi"     // what a role is measured by
)

var order = []Kind{Promise, Aim, Measure, KPI}

// Parent is the kind that a node hangs under, "" for a promise.
func (k Kind) Parent() Kind {
	for i, x := range order {
		if x == k && i > 0 {
			return order[i-1]
		}
	}
	return ""
}

// Limits of a node.
const (
	MaxTitle = 200 // characters, each language
	MaxDepth = 4
)

// States of a node.
const (
	Live    = "live"
	Retired = "retired"
)

// Node is one node of the tree. Its parent is the head's Ref.
type Node struct {
	Kind  Kind          `json:"kind"`
	Title approval.Text `json:"title"`
	// Owner is the role that answers for it.
	Owner string `json:"owner,omitempty"`
	// Journey is the id of the journey that a measure belongs to.
	Journey string `json:"journey,omitempty"`
	// Metric is the registry's id, of measures and, where the registry has it, KPIs.
	Metric string `json:"metric,omitempty"`
	// Target is what the metric should reach, in its unit (shares from 0 to 1).
	Target *float64 `json:"target,omitempty"`
	// Role KPIs name the pack's id.
	KPI string `json:"kpi,omitempty"`
}

// Validate tells what is wrong with it.
func (n Node) Validate() error {
	switch {
	case n.Kind != Promise && n.Kind.Parent() == "":
		return errs.Invalid("governance.strategy.error.kind", "kind", "%q is no kind of node", n.Kind)
	case badTitle(n.Title.EN) || badTitle(n.Title.VI):
		return errs.Invalid("governance.strategy.error.title", "title", "a title of 1 to %d characters is needed in both languages", MaxTitle).With("max", MaxTitle)
	case n.Kind == Measure && n.Metric == "":
		return errs.Invalid("governance.strategy.error.metric", "metric", "a measure names a metric of the registry")
	case n.Kind == KPI && n.Metric == "" && n.KPI == "":
		return errs.Invalid("governance.strategy.error.kpi", "metric", "a KPI names a metric of the registry or a KPI of the pack")
	case (n.Kind == Promise || n.Kind == Aim) && (n.Metric != "" || n.KPI != ""):
		return errs.Invalid("governance.strategy.error.no_metric", "metric", "only measures and KPIs have a metric")
	case n.Target != nil && (math.IsNaN(*n.Target) || math.IsInf(*n.Target, 0)):
		return errs.Invalid("governance.strategy.error.target", "target", "the target is no number")
	case n.Owner == "":
		return errs.Invalid("governance.strategy.error.owner", "owner", "somebody answers for it")
	}
	return nil
}

func badTitle(s string) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return n == 0 || n > MaxTitle || !utf8.ValidString(s) || strings.ContainsRune(s, 0)
}
