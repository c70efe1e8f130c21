package cases

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

// Cluster is more cases of one problem in a week than its past explains. The people
// concerned sit together over it (a huddle), agree on a cause or on why there is none,
// and propose a change with the cases attached.
type Cluster struct {
	ID         string
	Cause      string // root cause where it is known, else the reason of the cases
	Product    string
	Observed   int64
	Expected   float64 // cases a week, from the eight weeks before
	Bound      float64 // upper limit of what the past explains, 99 %
	Customers  int64
	Cases      []string // ids
	Initiative string   // proposed change, "" while nobody takes it up
	From, At   time.Time

	State  ClusterState
	Agreed string    // root cause that the huddle agreed on
	Words  string    // what was said there
	By     string    // who wrote it down
	Held   time.Time // zero before the huddle
}

// ClusterState is how far a cluster has come.
type ClusterState string

// The states of a cluster.
const (
	ClusterFound     ClusterState = "found"     // waits for a huddle
	ClusterAgreed    ClusterState = "agreed"    // its cause is named, a change is to be proposed
	ClusterProposed  ClusterState = "proposed"  // it is an initiative
	ClusterExplained ClusterState = "explained" // the huddle found nothing to change, and said why
)

// Huddle is what people who sat together over a cluster agreed on.
type Huddle struct {
	Cause     string // of the tree of causes; "" only where nothing is to be changed
	Words     string
	Explained bool // nothing is to be changed
}

// Change is a change that a huddle proposes.
type Change struct {
	TitleEN, TitleVI string
	Why              string
	Days             int // from start to effect
}

// What makes a cluster: the house rule systemic_cluster.
const (
	clusterWindow    = 7 * 24 * time.Hour
	clusterWeeks     = 8
	clusterConfident = 0.99
	clusterCases     = 8
	clusterCustomers = 5
)

// FindClusters looks for problems with more cases in the last week than expected. A
// cluster that was found within the last week is not found again.
func (s *Service) FindClusters(ctx context.Context) (found []Cluster, err error) {
	if err := auth.Require(ctx, PermLead, ""); err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		found = nil
		now := tx.Now()
		groups, err := problemWeeks(ctx, tx, now)
		if err != nil {
			return err
		}
		for _, g := range groups {
			mean, bound := expectation(g.weeks[1:])
			if g.weeks[0] < clusterCases || float64(g.weeks[0]) <= bound {
				continue
			}
			c := Cluster{ID: newID(), Cause: g.cause, Product: g.product, Observed: g.weeks[0], Expected: mean, Bound: bound, From: now.Add(-clusterWindow).Time(), At: now.Time()}
			if c.Cases, c.Customers, err = casesOfProblem(ctx, tx, g, now.Add(-clusterWindow)); err != nil {
				return err
			}
			if c.Customers < clusterCustomers {
				continue
			}
			known, err := clusterKnown(ctx, tx, g, now.Add(-clusterWindow))
			if err != nil {
				return err
			}
			if known {
				continue
			}
			c.State = ClusterFound
			if err := insertCluster(ctx, tx, c); err != nil {
				return err
			}
			if err := audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.cluster", Object: "cluster/" + c.ID, Reason: fmt.Sprintf("%d cases, at most %.0f expected", c.Observed, bound)}); err != nil {
				return err
			}
			found = append(found, c)
		}
		return nil
	})
	return found, err
}

// problem is the weekly number of cases of one cause and product; week 0 is the last.
type problem struct {
	cause, product string
	weeks          [clusterWeeks + 1]int64
}

// expectation gives the mean of weekly counts and the 99 % upper limit of a week: of
// a negative binomial distribution with their variance where they vary more than
// chance, else of a Poisson distribution. Half a case a week is the least expected,
// so that a first case ever is no cluster.
func expectation(weeks []int64) (mean, bound float64) {
	n := float64(len(weeks))
	for _, w := range weeks {
		mean += float64(w) / n
	}
	variance := 0.0
	for _, w := range weeks {
		variance += (float64(w) - mean) * (float64(w) - mean) / (n - 1)
	}
	// The mean of few weeks is itself uncertain: its own error is added.
	variance += mean / n
	m := math.Max(mean, 0.5)
	return mean, float64(upperQuantile(m, math.Max(variance, m), clusterConfident))
}

// upperQuantile is the smallest k with P(X ≤ k) ≥ p for a count of the given mean and
// variance (variance ≥ mean).
func upperQuantile(mean, variance, p float64) int {
	var term float64
	next := func(k int) float64 { return mean / float64(k) }
	if variance <= mean*(1+1e-9) {
		term = math.Exp(-mean)
	} else {
		size := mean * mean / (variance - mean)
		q := mean / (mean + size)
		term = math.Pow(1-q, size)
		next = func(k int) float64 { return q * (size + float64(k) - 1) / float64(k) }
	}
	sum := term
	for k := 0; ; k++ {
		if sum >= p || k > 1_000_000 {
			return k
		}
		term *= next(k + 1)
		sum += term
	}
}

// Clusters lists what was found, newest first.
func (s *Service) Clusters(ctx context.Context, limit int) (out []Cluster, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = clustersOf(ctx, tx, limit)
		return err
	})
	return out, err
}

// clusterByID reads a cluster with its words.
func (s *Service) clusterByID(ctx context.Context, tx store.Tx, id string) (c Cluster, err error) {
	r, err := clusterRowByID(ctx, tx, id)
	if err != nil {
		return c, err
	}
	if err := s.box.Open(ctx, tx, &r); err != nil {
		return c, err
	}
	return r.cluster()
}

// ClusterView is a cluster with its weeks and those of its cases that the reader may see.
type ClusterView struct {
	Cluster
	Weeks []int64 // cases a week, the oldest first, the week of the cluster last
	Seen  []Case
	Unit  string // path of the smallest unit that holds all cases
}

// Cluster reads a cluster for the huddle.
func (s *Service) Cluster(ctx context.Context, id string) (v ClusterView, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return v, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		v, err = s.clusterView(ctx, tx, id)
		return err
	})
	return v, err
}

func (s *Service) clusterView(ctx context.Context, tx store.Tx, id string) (v ClusterView, err error) {
	if v.Cluster, err = s.clusterByID(ctx, tx, id); err != nil {
		return v, err
	}
	all, err := casesByID(ctx, tx, v.Cases)
	if err != nil {
		return v, err
	}
	for i, c := range all {
		if i == 0 {
			v.Unit = c.Unit
		}
		v.Unit = together(v.Unit, c.Unit)
		if tx.Scope.Sees(c.Unit) {
			v.Seen = append(v.Seen, c)
		}
	}
	if err := s.box.Open(ctx, tx, &v.Seen); err != nil {
		return v, err
	}
	groups, err := problemWeeks(ctx, tx, store.At(v.At))
	if err != nil {
		return v, err
	}
	for _, g := range groups {
		if g.cause == v.Cause && g.product == v.Product {
			v.Weeks = append(v.Weeks, g.weeks[:]...)
			slices.Reverse(v.Weeks)
		}
	}
	return v, nil
}

// together is the smallest unit above two.
func together(a, b string) string {
	n := 0
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '/' {
			n = i + 1
		}
	}
	return a[:n]
}

// Huddle writes down what a huddle over a cluster agreed on. It may be held again until
// the change is proposed.
func (s *Service) Huddle(ctx context.Context, id string, h Huddle) error {
	h.Words = strings.TrimSpace(h.Words)
	if bad(h.Words, 1, MaxBody) {
		return errs.Invalid("feedback.case.error.huddle", "words", "write down what was agreed, in at most %d characters", MaxBody).With("max", MaxBody)
	}
	return s.changeCluster(ctx, id, func(ctx context.Context, tx store.Tx, c *Cluster) error {
		content, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(content.Causes, func(o Choice) bool { return o.ID == h.Cause }) && (h.Cause != "" || !h.Explained) {
			return errs.Invalid("feedback.case.error.cause", "cause", "the tree of causes has no %q", h.Cause)
		}
		if c.Initiative != "" {
			return errs.Conflict("feedback.case.error.proposed", "the change is proposed already")
		}
		if c.State = ClusterAgreed; h.Explained {
			c.State = ClusterExplained
		}
		c.Agreed, c.Words, c.By, c.Held = h.Cause, h.Words, tx.Scope.Actor, tx.Now().Time()
		return nil
	})
}

// ProposeChange makes an initiative of what the huddle agreed on, with the cases
// attached: the initiative leads to the cluster, and every case says which change it led
// to. A cluster becomes one initiative, however often it is asked for.
func (s *Service) ProposeChange(ctx context.Context, id string, change Change) (initiative string, err error) {
	err = s.changeCluster(ctx, id, func(ctx context.Context, tx store.Tx, c *Cluster) error {
		if initiative = c.Initiative; initiative != "" {
			return nil
		}
		if c.State != ClusterAgreed {
			return errs.Conflict("feedback.case.error.no_huddle", "first the huddle names the cause")
		}
		if s.Initiatives == nil {
			return errs.Unavailable("feedback.case.error.no_initiatives", "nobody takes up initiatives here")
		}
		all, err := casesByID(ctx, tx, c.Cases)
		if err != nil {
			return err
		}
		unit := ""
		for i, one := range all {
			if i == 0 {
				unit = one.Unit
			}
			unit = together(unit, one.Unit)
		}
		if initiative, err = s.Initiatives.Propose(ctx, tx, *c, unit, change); err != nil {
			return err
		}
		c.Initiative, c.State = initiative, ClusterProposed
		for i := range all {
			if err := s.note(ctx, tx, &all[i], EntryLink, "", map[string]string{"link": "initiative", "initiative": initiative}); err != nil {
				return err
			}
		}
		return nil
	})
	return initiative, err
}

// changeCluster lets fn change a cluster, with an audit entry.
func (s *Service) changeCluster(ctx context.Context, id string, fn func(ctx context.Context, tx store.Tx, c *Cluster) error) error {
	if err := auth.Require(ctx, PermLead, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err := s.clusterByID(ctx, tx, id)
		if err != nil {
			return err
		}
		before := c.State
		if err := fn(ctx, tx, &c); err != nil {
			return err
		}
		r := clusterRow{Entity: tx.Scope.Entity, ID: c.ID, Initiative: c.Initiative, State: c.State, Agreed: c.Agreed, Words: sealed.New(c.Words), ByActor: c.By, Held: store.At(c.Held)}
		if err := s.box.Seal(ctx, tx, &r); err != nil {
			return err
		}
		if err := updateCluster(ctx, tx, &r); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.huddle", Object: "cluster/" + c.ID, Before: before, After: c.State, Reason: c.Agreed})
	})
}
