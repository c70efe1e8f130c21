// Package choice helps to choose between alternatives when neither their merits
// nor the weights of the criteria are known exactly: it says which choice holds
// over all weights and values that people would accept, and how often another
// would be chosen.
//
// [Rank] draws weights and merits from their ranges and ranks the alternatives
// each time: stochastic multicriteria acceptability analysis (Lahdelma, Hokkanen
// and Salminen, SMAA, 1998). [Dominates] needs no draws: it tells exactly whether
// one alternative is at least as good as another whatever the weights and merits
// within their ranges.
//
// It is pure and, by its seed, deterministic.
package choice
