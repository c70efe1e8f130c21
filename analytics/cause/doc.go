// Package cause finds what lies behind a change, and says how far that can be
// trusted. It is for the morning after: a figure has moved, somebody will ask
// why, and a guess would become a decision.
//
//	question                                         answered by
//	where did it happen?                             [Locate], [LocateRates]
//	did service change, or who was served?           [Decompose]
//	which drivers go with the outcome?               [Drivers], [OrdinalDrivers]
//	was it the release?                              [MatchEvents]
//	what moves before it moves?                      [LeadingIndicators]
//	from how many minutes on does waiting hurt?      [EffortCurve]
//
// # Where: attribute combinations
//
// Give every combination of attributes (branch × channel × product …, a leaf)
// what was expected and what came. The answer is a small set of combinations such
// as {branch=7} and {channel=app, product=card} that explains the change.
//
// A cause that takes a third from a combination takes a third from all leaves in
// it, whether the measure is a sum or a ratio of sums. So leaves of one cause
// share one [Deviation] score, 2(f−v)/(|f|+|v|) of expected f and actual v: the
// generalised ripple effect (Li et al., "Generic and robust localization of
// multi-dimensional root causes", ISSRE 2019, known as Squeeze). RiskLoc
// (Kalander, 2022) adds that leaves without a cause scatter to both sides, so
// that the quieter side tells what noise is. Both then pass thresholds that suit
// their data. Here the same two insights enter one criterion without thresholds
// to tune, description length: a set of causes is worth what it saves.
//
//  1. Noise is learned from the side with less spread, around the nearest peak of
//     the scores: a spread that may fall with the size of the leaf (isotonic
//     regression), a wide minority where tails are heavy, and the leaning that
//     errors relative to the expected value have.
//  2. A combination gains the log likelihood ratio of its leaves sharing one
//     score, up to a spread, against noise. Few strays are allowed. The score's
//     centre is integrated out, so one leaf cannot buy a perfect fit.
//  3. It costs ln of the number of combinations it was chosen from, plus
//     Options.Evidence (three nats: one false cause in about twenty tables).
//  4. The combination worth most is taken, split into finer ones if these are
//     worth more together, and the search goes on in the leaves that are left. At
//     the end each leaf goes to the cause that describes it best, parts that
//     overlaps had split are merged, and causes that a general one covers drop.
//
// Where counts are so small that single leaves say nothing, sums over leaves are
// compared by their quasi-Poisson likelihood instead, as in Kulldorff's scan
// statistic (1997). [LocateRates] does so for ratios that come as a stream, with
// expected ratios and over-dispersion learned from earlier periods.
//
// What cannot be seen is not named: a lone small leaf within noise, or a cause
// that covers most of the whole, which looks like a common change.
//
// # Within and between
//
// A bank's satisfaction can fall while every channel's rises, when customers move
// to the channel that scores lower. [Decompose] splits a change into Rate and Mix
// of each segment, which sum exactly, and warns when both pull against each other
// (Kitagawa 1955; Simpson 1951).
//
// # Drivers
//
// Ratings of staff, waiting and app are correlated, so coefficients shift blame
// at random between them. Shapley (LMG) and relative weights share the explained
// variance instead; intervals come from the bootstrap, and variance inflation
// flags predictors that cannot be told apart. All of this is association.
//
// # Events, leads, effort
//
// [MatchEvents] states how often an event would have been so near by chance.
// [LeadingIndicators] counts only gains on periods that were not used to choose,
// over all indicators tried. [EffortCurve] assumes no shape but the direction and
// says whether there is a knee at all.
//
// # Conventions
//
// No input is changed, nothing is read or written, randomness is seeded. Answers
// do not depend on the order of rows. Numbers that cannot be known are NaN.
package cause
