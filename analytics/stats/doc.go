// Package stats turns samples and aggregates into estimates that say how far
// they can be trusted.
//
// A bank reads an NPS of 32 and asks: is it different from last month's 29, and
// from how many answers? Every function here returns an [Estimate], a value with
// an interval, the number of answers behind it, and the name of the method, so
// a figure is never shown naked.
//
// # From rows or from aggregates
//
// A warehouse returns counts, sums and sums of squares, not rows. Each estimate
// therefore has a small struct of sufficient statistics that can be filled by
// hand, added up over partitions, or built from raw values: [NPSCounts],
// [Moments], [RatioMoments], [WeightSum], [WeightedMoments].
//
// # Which interval, and why
//
//   - Net promoter score: [NPS] inverts the score test of the trinomial
//     (promoter, passive, detractor), Tango's interval for paired proportions.
//     It stays inside −100 and 100, has width when everybody agrees, and covers
//     94 to 97 % already at ten answers, where the textbook interval falls to
//     40 %. [NPSWald], [NPSAdjustedWald] and [NPSFixedSpread] serve comparison.
//   - Proportion: [Proportion] is Wilson's score interval; Clopper–Pearson,
//     Agresti–Coull and Jeffreys are there by name.
//   - Mean: [Mean] by Student's t, [ScaleMean] for answers on a bounded scale,
//     [Bootstrap] (BCa) for anything skewed.
//   - Ratio of two means: [Ratio] by the delta method or [RatioBootstrap].
//   - Quantile: [Quantile] by order statistics, free of any distribution.
//   - Events per exposure: [Rate] exact Poisson, [RateByar] its closed form.
//
// # Weights and survey design
//
// Weighted forms take the sums of weights and of squared weights. They carry
// Kish's effective number of answers, (Σw)²/Σw², and use the linearised variance
// so that weights that go with the answers are charged honestly. [Rake] makes
// weights that meet known margins, [Stratified] combines strata with the finite
// population correction.
//
// # Comparing, many times over
//
// [DiffProportions], [DiffMeans] and [DiffNPS] compare two groups; [Holm],
// [BenjaminiHochberg], [BenjaminiYekutieli] and [EBH] keep many comparisons
// honest at once, and [OnlineFDR] does so when they arrive one by one, for ever.
//
// # Ranks, orders, robustness, fairness
//
// [MannWhitney] and [KruskalWallis] compare without assuming a distribution,
// [FitOrdinal] models ordered answers, [Huber], [HodgesLehmann], [MAD] and
// [TrimmedMean] resist a few wild values, [ShrinkNormal] and [ShrinkBinomial]
// compare units of very different size fairly, and [Suppress] hides cells too
// small to publish, together with those that would give them away.
//
// # Conventions
//
// A confidence level lies strictly between 0 and 1; zero selects
// [DefaultLevel]. Other values are a programming error and panic. Where there
// are too few answers for an interval its ends are NaN and are written to JSON
// as null. All randomness is seeded by the caller. Nothing here reads a clock,
// a file or a network, and all functions are safe for concurrent use.
package stats
