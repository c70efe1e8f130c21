// Package text reads customers' words: in which language they are written, what
// personal data they hold, what they speak of and with which feeling, and whether
// somebody must act.
//
// [Reader] joins the packages below into one pass over a text. Each can be used
// alone:
//
//	normalise   spelling accidents removed, tokens, diacritic-free forms
//	lang        language of a few words
//	pii         personal data found and masked
//	lexicon     phrase lists: banking concepts, feeling, cues
//	model       linear models trained in seconds, calibrated, eight-bit
//	aspect      opinions by lexicon, with the words that say so
//	active      what to ask a person next
//	dedupe      near-copies grouped
//	themes      what customers have begun to speak of
//	prevalence  true shares of labels from a model's erring answers
//	models      trained models that ship with the program
//
// # How sure is it
//
// Every model answer carries a probability that was fitted on texts the model
// had not seen. Decide a threshold with model.Report.Threshold for the share of
// errors you accept, let the model decide above it, and pass the rest to a
// person. Counts over many texts are corrected by package prevalence.
package text
