// Package spc tells signals from noise in measures that are followed over time.
//
// # The question
//
// A branch's satisfaction falls from 81 to 78. Is that news? Every period's
// figure carries two errors: sampling (only some customers answered) and the
// variation between periods that has no special cause. A control chart draws a
// band as wide as both together and calls noise what stays inside; what does
// not, or leans to one side for too long, is a signal somebody should look at.
//
// # Classical charts
//
// [XmR] for single readings, [P] and [U] for shares and rates, [LaneyP] and
// [LaneyU] when there is more variation between periods than sampling explains,
// [XbarR], [XbarS] for subgroups; [EWMA] and [CUSUM] for small lasting shifts,
// with their exact average run lengths [EWMAARL] and [CUSUMARL]: how many
// periods pass, on average, until the chart signals. [Chart.Beyond],
// [Chart.Runs] and [Chart.WesternElectric] read a chart.
//
// # Monitoring many series
//
// [Monitor] is for a bank with hundreds of series of uneven volume, a week's
// pattern, holidays, gaps and over-dispersion. For each series it
//
//  1. puts periods with few answers together until there are enough,
//  2. learns from phase I, robustly, the level, the season (shrunk, and dropped
//     when it is not there), special days, the variation between periods on top
//     of sampling error, heavy tails and memory between periods,
//  3. turns each later period into a normal score with everything known taken
//     out, and the level's own uncertainty put in,
//  4. accumulates evidence in a Shiryaev–Roberts statistic mixed over the size
//     of a shift: the sum over all possible onsets of how much likelier the data
//     are if a shift began there. With no change this sum less the number of
//     periods is a martingale, so it reaches A about once in A periods or less
//     often (Shin, Ramdas and Rinaldo, "E-detectors", 2024). Four fifths of the
//     prior are on deteriorations, when it is known which way is worse,
//  5. asks for as much evidence as the whole needs: false signals stay within a
//     rate per 1,000 periods, and within a share of all signals over the series
//     watched together. When little is really changing anywhere the bar rises,
//     when much is changing it falls to that rate,
//  6. locates the onset with an interval, says in words what happened ([Words],
//     in English and Vietnamese), and follows the new level until the series
//     returns, settles or changes again.
//
// [Locate] and [Segment] find changes of level in a finished series, each with an
// interval, for matching them with events.
//
// Series that are part of others ([Series.Parent]) are reconciled: a change of
// the region explains the same change of its branches ([Signal.Under]).
//
// # Choosing phase I
//
// Name it with [Options.BaselineTo] when a stable period is known. Otherwise a
// series starts itself: after a warm-up each period is judged by all before it.
//
// # Sources
//
// Montgomery, Introduction to Statistical Quality Control; Wheeler,
// Understanding Variation; Laney (2002) Quality Engineering 14(4); Page (1954);
// Roberts (1959, 1966); Crowder (1987); Lucas and Saccucci (1990); Pollak
// (1985); Benjamini and Hochberg (1995); Paule and Mandel (1982); Killick,
// Fearnhead and Eckley (2012).
package spc
