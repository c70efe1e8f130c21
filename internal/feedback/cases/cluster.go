package cases

import (
	"context"
	"fmt"
	"math"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// Cluster is more cases of one problem in a week than its past explains.
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
}

// What makes a cluster: the house rule systemic_cluster.
const (
	clusterWindow    = 7 * 24 * time.Hour
	clusterWeeks     = 8
	clusterConfident = 0.99
	clusterCases     = 8
	clusterCustomers = 5
)

// FindClusters looks for problems with more cases in the last week than expected and
// proposes an initiative for each, with its cases attached. A cluster that was found
// within the last week is not found again.
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
			if s.Initiatives != nil {
				if c.Initiative, err = s.Initiatives.Propose(ctx, tx, c); err != nil {
					return err
				}
			}
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
