// Package forecast scores what people said would happen, so that saying what one
// really believes pays best.
//
// Two forms of forecast are scored. An Interval says between which bounds a value
// will lie and how sure one is; a Chance says how likely an event is. Scores are
// proper: in expectation nobody scores better than by stating their true belief.
// All scores are losses, 0 is perfect and less is better.
//
//	Interval score   Winkler (1972); Gneiting and Raftery (2007), equation 43
//	CRPS             Matheson and Winkler (1976); of the two-piece normal that the
//	                 three numbers of an Interval describe, in closed form
//	Brier            Brier (1950)
//
// Calibrate tells whether intervals hold as often as their makers said, or are
// too narrow (boastful) or too wide (timid).
//
// Sources: Gneiting, Raftery, Strictly proper scoring rules, prediction, and
// estimation, JASA 102 (2007); Gneiting, Thorarinsdottir, Predicting inflation
// (2010) for the two-piece normal.
package forecast
