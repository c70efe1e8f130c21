// Package align compares what customers really do with a designed journey: it
// finds, for each case, the cheapest explanation of its events by the map.
//
// # The map
//
// A map is built from steps, each bound to the activities that fulfil it:
//
//	root := align.Sequence(
//		align.Task(align.Step{ID: "apply", Activities: []int32{submitted}}),
//		align.Choice(
//			align.Task(align.Step{ID: "branch", Activities: []int32{visited}}),
//			align.Task(align.Step{ID: "online", Activities: []int32{uploaded}}),
//		),
//		align.Optional(align.Task(align.Step{ID: "call", Activities: []int32{called}})),
//		align.Task(align.Step{ID: "decide", Activities: []int32{decided}, MaxWait: 24 * time.Hour}),
//	)
//
// [Sequence], [Choice], [Parallel], [Optional] and [Repeat] nest freely.
//
// # The cost
//
// Each deviation costs one:
//
//   - a skipped step: the map wants it and no event is it; leaving out what is
//     optional, or a branch of a choice that was not taken, costs nothing;
//   - an extra event: an exception, a repeated step, a step out of its order,
//     or (unless [Options] say otherwise) an activity that the map does not know;
//   - a late step: the time since the step before it, as it happened, is longer
//     than its standard.
//
// The fitness of a case is 1 - cost/(steps+events), with all steps of the map
// and the events of the case: 1 when all went as designed.
//
// # Method
//
// Among all ways to explain a case the cheapest is found exactly (the optimal
// alignment of van der Aalst, Adriansyah and van Dongen, 2012, extended by
// waits). The map is compiled to an automaton whose states are what has been
// done, with skipping folded into its transitions. A dynamic programme over the
// events keeps, for each state, the ways to have reached it, ordered by when
// their last step happened. Of two ways to the same state, one that is later
// and no dearer makes the other superfluous, so those kept rise in time and
// cost, and the best one that is not late is found by binary search. The work
// for a case of n events is n·log n times the transitions of one activity: a
// case of 100,000 events is no problem, where a search over the product of
// trace and model would run for minutes.
//
// Cases with the same path share one alignment found without waits: where it
// has no late step for the instants of a case, nothing can be cheaper. Only
// the others are aligned one by one.
package align
