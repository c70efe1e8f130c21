// Package themes finds what customers have begun to speak of: phrases that occur
// in the present texts beyond what the past leads to expect, gathered into named
// themes with the voices that tell them best.
//
// # The method
//
// Texts are cut into phrases of one to three words, compared without diacritics
// and counted once a text; near-copies count once altogether, so that one pasted
// slogan is no theme. For each phrase, the present count is compared with the
// count expected from its past rate. The past rate is shrunk: the past counts
// are taken for Poisson draws whose rates follow a gamma distribution, which
// gives a phrase never seen before a small positive rate. The probability of so
// high a count under the resulting negative binomial distribution is the
// phrase's p-value; phrases are kept at a false discovery rate by Benjamini and
// Hochberg.
//
// Kept phrases that occur in the same texts belong together. A theme is grown
// from the most surprising phrase by adding those that share half of their
// texts with it; it is named by its one to three most distinctive phrases, a
// longer phrase standing for the shorter ones inside it. Its quotes are the
// texts that hold most of the theme in fewest words, no two alike.
//
// # Sources
//
// DuMouchel, "Bayesian Data Mining in Large Frequency Tables" (1999), for the
// gamma-Poisson shrinkage; Benjamini and Hochberg (1995); Kleinberg, "Bursty
// and Hierarchical Structure in Streams" (2002), for the question.
package themes
