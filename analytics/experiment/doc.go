// Package experiment compares the arms of a controlled experiment.
//
// # What it needs
//
// Each arm is summed up by a handful of numbers a warehouse can return: how
// many units, and sums and sums of products of what was measured. [MeanArm],
// [ShareArm], [RatioArm] and [QuantileArm] describe the outcome; [AdjustedArm]
// and [AdjustedRatioArm] also carry the same measure from before the experiment,
// which takes out what units brought along (CUPED: Deng, Xu, Kohavi and Walker
// 2013) and often halves the sample needed.
//
// # What it gives
//
// [Measure] returns the effect, in the unit of the measure or relative to the
// control arm, with its standard error by the delta method. On top of it stand
//
//   - [TTest], Welch's test and interval, one- or two-sided, for a result looked
//     at once, when the planned sample is reached;
//   - [Sequential], an interval that holds at every look at once (Waudby-Smith,
//     Arbour, Sinha, Kennedy and Ramdas 2021), for a result that is watched;
//   - [Bayes], the posterior under a normal prior: chance to win and the loss to
//     expect from a wrong choice;
//   - [Stratify], the effect after post-stratification, when arms differ by
//     chance in make-up (Miratrix, Sekhon and Yu 2013);
//   - [SampleRatio], the test that arms have the sizes they were meant to have.
//     When it fails nothing else should be believed.
//
// Results are those of the open-source GrowthBook statistics engine on its own
// test vectors, to 1e-6, where both do the same.
package experiment
