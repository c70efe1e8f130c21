package voice

import (
	"context"
	"fmt"

	"omote/analytics/stats"
	"omote/internal/platform/auth"
)

// Promise is a group of customers by how likely they said they would recommend the bank,
// and what they did afterwards (requirement 001-10).
type Promise struct {
	Group    string // promoters, passives, detractors
	Asked    int64  // customers who said it
	Referred stats.Estimate
	// Later is how many people were referred.
	Later int64
}

// Advocacy is what customers promise beside what they do.
type Advocacy struct {
	Groups []Promise
	// Unsaid are referrals by customers who never said whether they would.
	Unsaid, All int64
	Days        int
}

// referredWithin is how long after the answer a referral counts.
const referredWithin = 180

// advocacyQuery takes each customer's first answer to a recommendation question and
// counts those who referred somebody within so many microseconds after it.
const advocacyQuery = `WITH r AS (
	SELECT customer_id, occurred_at, score FROM {response_customer} WHERE item IN ('rn_score', 'cf_nps') AND score IS NOT NULL),
said AS (SELECT customer_id, MIN(occurred_at) AS at FROM r GROUP BY customer_id),
answer AS (
	SELECT s.customer_id, s.at, MAX(r.score) AS score FROM said s JOIN r ON r.customer_id = s.customer_id AND r.occurred_at = s.at GROUP BY s.customer_id, s.at),
did AS (SELECT customer_id, occurred_at FROM {event_customer} WHERE name = 'referral_made'),
counted AS (
	SELECT a.customer_id, a.score, COUNT(d.customer_id) AS n FROM answer a
	LEFT JOIN did d ON d.customer_id = a.customer_id AND d.occurred_at >= a.at AND d.occurred_at < a.at + INTERVAL '180 days'
	GROUP BY a.customer_id, a.score)
SELECT CASE WHEN score >= 9 THEN 'promoters' WHEN score >= 7 THEN 'passives' ELSE 'detractors' END AS band, COUNT(*) AS asked,
	CAST(SUM(CASE WHEN n > 0 THEN 1 ELSE 0 END) AS BIGINT) AS referred, CAST(SUM(n) AS BIGINT) AS later FROM counted GROUP BY 1`

const referralQuery = `SELECT COUNT(*), COUNT(*) - COUNT(s.customer_id) FROM (SELECT customer_id FROM {event_customer} WHERE name = 'referral_made') d
	LEFT JOIN (SELECT DISTINCT customer_id FROM {response_customer} WHERE item IN ('rn_score', 'cf_nps')) s ON s.customer_id = d.customer_id`

// Advocacy lays what customers said they would do beside what they did.
func (s *Service) Advocacy(ctx context.Context) (a Advocacy, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return a, err
	}
	a.Days = referredWithin
	rows, err := s.Warehouse.Query(ctx, advocacyQuery)
	if err != nil {
		return a, fmt.Errorf("said and done: %w", err)
	}
	defer rows.Close()
	found := map[string]Promise{}
	for rows.Next() {
		var p Promise
		var referred int64
		if err := rows.Scan(&p.Group, &p.Asked, &referred, &p.Later); err != nil {
			return a, err
		}
		p.Referred = stats.Proportion(referred, p.Asked, 0.95)
		found[p.Group] = p
	}
	if err := rows.Err(); err != nil {
		return a, err
	}
	for _, group := range []string{"promoters", "passives", "detractors"} {
		if p, ok := found[group]; ok {
			a.Groups = append(a.Groups, p)
		}
	}
	all, err := s.Warehouse.Query(ctx, referralQuery)
	if err != nil {
		return a, fmt.Errorf("referrals: %w", err)
	}
	defer all.Close()
	for all.Next() {
		if err := all.Scan(&a.All, &a.Unsaid); err != nil {
			return a, err
		}
	}
	return a, all.Err()
}
