// Package signal tells the bank what changed beyond noise, and keeps what people
// did about it.
//
// # From measures to signals
//
//	metric.Tallies    sums by day and combination of values, one query a measure
//	watch.go          series of the whole, by region, unit, channel, product, step
//	analytics/spc     bands, evidence, one bound of false discoveries over them all
//	rule.go           which changes somebody must look at: limit, persistence, reach
//	tree.go           where the change sits, with the share each place explains
//	worth.go          what it costs in a year if nothing is done
//
// A run judges every series anew from its first day, always by what was known on
// each day, so a run today and a run tomorrow agree about yesterday. That makes a
// rule's back-test the same computation as its use.
//
// # Episodes
//
// A signal is a measure in one place for one episode. A change that is seen in
// several places at once is one signal: the place with the strongest evidence leads,
// the others are listed with it. A run that finds the change again updates the
// signal; a change that begins after the old one has ended is a new one.
//
// # States
//
//	open → acknowledged → noise (with a reason; a false alarm of the rule)
//	                    → work  (an initiative carries it)
//	                    → closed (by itself: back within its band, or overtaken)
//
// Work and noise stay what people said; what the series did since is kept beside
// it.
//
// # Files
//
//	signal.go   Signal, its states and parts      rule.go     the rule, its limits
//	watch.go    series → findings                 group.go    findings → episodes
//	tree.go     causes                            worth.go    money
//	service.go  run, list, act                    publish.go  propose and back-test a rule
//	people.go   customers and their words         store.go    all SQL
package signal
