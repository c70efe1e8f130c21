// Package rollout brings a change to the units of an organisation step by step,
// in an order drawn at random, and tells what it did.
//
// # Why the order is drawn
//
// A bank cannot train all its branches on one day, so some wait. When chance
// decides who waits, those who wait are a fair comparison: whatever else changes
// (season, rates, a campaign of a competitor) changes for both. [Assign] draws the
// order: units are ordered by stratum and, when asked, by what they were before
// (matching), and within each block of neighbours chance deals the cohorts and the
// held-out group. The same seed gives the same order on every machine and in every
// version, so that [Verify] can prove later that nobody moved a unit.
//
// # The effect
//
// [Measure] reads a [Panel], one row of weeks per unit. In each week the units that
// have begun are compared with those that have not yet, each less its own level
// before the campaign, shrunk towards the mean of all as far as that level is noise
// (a share from twelve answers says little). These are the group-time effects of
// Callaway and Sant'Anna (2021) with not-yet-treated units as comparison; weeks are
// combined by how much they can tell, n·m/(n+m) for n answers of begun and m of
// waiting units. No unit that has begun ever serves as a comparison, so the weights
// cannot turn negative as they do in a two-way regression (Goodman-Bacon 2021).
//
// # The interval
//
// The only randomness that is relied on is the draw itself. Under the hypothesis
// that the change moved every begun unit by τ, what each unit would have shown
// without it is known, and so is the estimate that every other draw would have
// given. The interval holds the τ that are not refuted at the level: Fisher's exact
// test, turned around (Rosenbaum 2002). Because the estimate is linear in what was
// observed, no search is needed: with a for the estimate under another draw and b
// for how much of the real pattern of beginnings that draw would pick up, the
// hypothesis τ is on the edge when τ = (estimate − a) / (1 − b), so the ends of the
// interval are quantiles of that quantity over draws. It needs no large numbers and
// no model of noise. When the effect differs between units or fades, the interval
// is that of its average; simulations in the tests say how well it then covers.
//
// [Retention] tells what share of a gain remained later, [Adoption] how far a habit
// spread.
//
// Weeks count from 0; values are in the unit of the outcome; shares are fractions.
// All randomness is seeded by the caller.
package rollout
