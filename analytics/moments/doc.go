// Package moments finds out which experiences matter: it takes a bank's claim
// that a step is a moment of truth as a hypothesis, tests it on what customers
// did afterwards, and lets it fail.
//
//	question                                          answered by
//	what did customers go through at each step?       [Runs]
//	how does each step feel, and how sure is that?    [Curve]
//	what did a bad experience do to them later?       [Effect]
//	is the step a moment of truth?                    [Judge]
//	must-be, performance or delighter?                [Asymmetry]
//	which pains cost most?                            [Hurt], [Rank]
//
// It is pure: it takes columns and returns values. A [History] holds customers
// as the cases of a mining.Log, so that what came before a step and what came
// after it are both at hand.
//
// # Experience
//
// One time that a customer goes through a step is a [Run]. It is bad when
// something went wrong on the way to the step (an event of trouble), when the
// step had to be repeated, when it came later than its standard, or when the
// customer scored it in the lowest boxes; good when it was fast and faultless or
// scored in the top box; ordinary otherwise.
//
// # Effect
//
// Customers who had a bad experience differ from those who had not: they came
// through another channel, in another month, with another past. So the outcome
// of the exposed is compared with what was to be expected for people like them:
// the average effect on the exposed, estimated by augmented inverse probability
// weighting (Robins, Rotnitzky and Zhao 1994; for the exposed: Mercatanti and Li
// 2014) with cross-fitting (Chernozhukov et al., Double/debiased machine
// learning, 2018). It is right when either the model of exposure or the model of
// the outcome is, and its interval follows from the influence function, summed
// within customers because one customer's runs resemble each other. Where the
// exposed have no counterparts among the others the effect is not stated: see
// [Overlap].
//
// What is not recorded cannot be adjusted for. An effect of this package is of
// the grade "adjusted", below that of an experiment.
//
// # Proof
//
// See [Judge]: proven needs the effect in two periods separately, after control
// of the false discovery rate over everything tested with it. A proof is an
// entry in a history: when later data no longer show the effect, the moment is
// demoted and the history says when.
//
// # Files
//
//	history, runs      customers, their runs through the steps of a journey
//	study              what is compared: exposure, outcomes, what is held equal
//	glm, effect        the estimator and its models
//	judge, asymmetry   verdicts, and the form of the effect
//	pain               what a trouble costs
//	rank               the ranking of troubles
//	curve              how each step feels
package moments
