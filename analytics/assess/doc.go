// Package assess turns the answers of many raters into levels that evidence allows.
//
// An Instrument has pillars of indicators, each rated from 1 to 5 by people of
// several groups. Everybody rates high what they made themselves, so a level is
// never what was said alone:
//
//   - groups weigh alike, however many answered, and a group below its minimum has
//     no result, so that nobody can be found out;
//   - what is claimed is cut to what its evidence allows (assertion 3, document 4);
//   - where the platform can see for itself, its own level stands beside the claim,
//     and a gap of one level or more is called out;
//   - a pillar is at most one level above its weakest indicator, the whole at most
//     one above its weakest pillar: one broken pillar cannot be averaged away;
//   - contested and polarised answers are called so, and a polarised mean is not
//     published.
//
// [Score] computes all of it, with intervals by resampling raters within their
// groups, and the confidence that coverage, agreement and evidence earn together.
// Agreement over the whole is Krippendorff's alpha (package stats).
package assess
