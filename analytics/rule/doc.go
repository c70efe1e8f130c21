// Package rule is the one language in which Omote says which customers are
// meant: segments, audiences and states of the life cycle.
//
//	did complaint_filed within 60d or did transfer_pending 2 times within 30d
//	no login_succeeded within 30d and tenure_days > 90
//	did card_delivered then card_activated within 14d in last 60d
//	sum(card_purchase[channel = "pos"].amount within 90d) >= 5000000
//	last(survey_answered[instrument = "rel_nps"].score within 365d) <= 6
//	in affluent and not in hardship
//
// A [Rule] has three equal forms: text ([Parse], [Rule.String]), JSON (its
// struct tags, for the builder) and a [Program] ([Compile]) that runs in two
// ways, which a property test holds equal to each other and to a naive reading
// of the whole history:
//
//   - a stream: each record keeps a small [State]; an event changes the cells of
//     the features it speaks of ([Set.Apply]), the customer's rules that look at
//     them are evaluated again, and [Set.Evaluate] says when an answer may change
//     by the mere passing of time;
//   - SQL over the warehouse's facts ([Program.SQL]) as of any moment.
//
// # What a rule knows
//
// Facts count at the time they happened, but never later than they were
// received. A fact that arrives late counts as if it had been on time. A window
// "within 30d" is the 30 times 24 hours up to now. Counts and sums over a window
// move in steps: of an hour up to 31 days, of a day (UTC) above, so that the
// state of a customer stays bounded however much they do; did, no, then, last
// and days_since are exact to the microsecond. A sequence and change() look at
// the latest 64 occurrences of each event.
//
// Answers have three values. What nobody knows, such as the last answer of
// somebody who never answered, is unknown; so is a comparison with it, and a
// rule over unknowns is unknown unless the known parts decide (SQL's and
// Kleene's logic). Only who fulfils the rule is meant; the unknown are counted.
//
// # One algebra
//
// The state of a record is the sum of what its facts say: adding two states
// gives the state of both sets of facts, in any order ([Merge]). Late facts,
// merged and parted customers and the filling of a new rule with history are
// that one operation.
//
// The package is pure: no input or output, no clock.
package rule
