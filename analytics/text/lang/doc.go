// Package lang tells the language of short texts: a few words typed by a
// customer, Vietnamese with or without diacritics among them.
//
// # The method
//
// Writing systems that belong to one language are told by their letters
// (Thai, Korean, Khmer, …; Chinese and Japanese by the presence of kana). Texts
// in Latin letters are told by a generative model: for each language, the
// probability of a word is a mixture of how often the word occurs in the
// language and of how likely its letters follow each other, by an interpolated
// five-gram of characters with Witten–Bell smoothing. The probability of a text
// is the product over its words, and Bayes' rule over the languages, all equally
// likely beforehand, gives the answer with its probability.
//
// Vietnamese typed without diacritics ("chuyen khoan") is a language of its own
// inside, derived by removing the diacritics from the Vietnamese words, and is
// reported as Vietnamese with [Guess.Plain] set.
//
// The model is built from word counts that ship with the package, in some tens
// of milliseconds at first use. data/SOURCES.txt names their origin.
//
// # Sources
//
// Witten and Bell, "The Zero-Frequency Problem" (IEEE Trans. Information Theory,
// 1991); Dunning, "Statistical Identification of Language" (1994).
package lang
