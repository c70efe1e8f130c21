// Package mining finds out from an event log what really happens in a journey:
// which step follows which and after how long, which paths customers take,
// where they leave a funnel, where they go round in circles.
//
// It is pure: it takes columns of integers and returns values, with no files,
// no database and no clock. A [Log] holds the events sorted by case, each with
// an activity (what happened) and an instant in UTC microseconds, and any
// number of further columns such as the resource, unit or channel. A [Builder]
// makes one from events that come in any order.
//
// # Words
//
// A case is one run through the journey: a loan application, a complaint. Its
// path is its sequence of activities. A variant is a path with all cases that
// took it. A transition is a pair of events that follow each other directly in
// a case; all transitions with the same two activities form an edge of the
// directly-follows map (see [DirectlyFollows]).
//
// # Definitions
//
// Counts are exact, and so are medians: no sketch or sample stands behind any
// number. The duration of a case is the time from its earliest to its latest
// event. A quantile is interpolated linearly between order statistics (type 7
// of Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996), as in
// most statistical software. All arithmetic is on UTC instants, so a change to
// daylight saving time does not lengthen or shorten anything.
//
// The order of events within a case is either the order in which they were
// added ([FileOrder]) or the order of their instants ([TimeOrder]), where
// events with equal instants keep the order in which they were added.
//
// # Method
//
// Every computation is one or two passes over the columns, split between the
// processor's cores by ranges of cases. The columns are the whole trick: ten
// million events are 120 MB that a core reads in some hundredths of a second,
// where a database sorts and joins for seconds.
//
// # Files
//
//	log, builder, dict, fromxes    the log and how it is made
//	journeys, filter               cutting customers into journeys; parts of a log
//	graph, measure, variants,      what happens: the map, numbers on it, paths,
//	cases, follows                 durations and rework, eventually-follows
//	funnel, outcome, silence       who gets through, who is open, who is gone
//	sojourn, handoff               where time passes, and between whom
//	compare, drift                 whether two logs differ beyond chance
//	sketch, relabel, layout        what of a map is drawn, under which names, and where
//	report, report_times           the summary with fixed JSON keys
//
// Sub-package align compares cases with a designed journey.
package mining
