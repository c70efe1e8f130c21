// Package model trains and runs small text classifiers: seconds to train on one
// machine, microseconds to run, probabilities that mean what they say.
//
// # The method
//
// A text becomes a sparse vector of hashed features in four blocks: its words
// (as written and without diacritics), ordered word pairs within a short
// reach, unordered word pairs, and character n-grams. Counts are damped
// (1 + log tf), weighted by inverse document frequency, and each block is
// scaled to unit length, so that a long text and a short one weigh the same.
// Training also sees each text with its diacritics removed, so that the model
// reads "chuyen khoan" as it reads "chuyển khoản".
//
// One linear support vector machine a label (squared hinge loss) is solved by
// dual coordinate descent, all labels together in one pass over the data: the
// weights of a feature for all labels lie side by side in memory. The weights
// are then cut to those that matter and stored as eight-bit integers with one
// scale a feature.
//
// Margins become probabilities by a temperature, fitted to margins that
// cross-fitting gives for texts the scoring model has not seen. Copies of a
// text stay in one fold, otherwise the probabilities would be overconfident.
//
// # Use
//
//	m, err := model.Train(examples, model.DefaultOptions())
//	p := m.NewPredictor()
//	label, probability := p.Classify("app bị lỗi hoài").Top()
//
// A [Model] is immutable and may be shared; a [Predictor] holds the buffers of
// one goroutine.
//
// # Sources
//
// Hsieh et al., "A Dual Coordinate Descent Method for Large-scale Linear SVM"
// (ICML 2008); Fan et al., "LIBLINEAR" (JMLR 2008); Weinberger et al., "Feature
// Hashing for Large Scale Multitask Learning" (ICML 2009); Wang and Manning,
// "Baselines and Bigrams" (ACL 2012); Guo et al., "On Calibration of Modern
// Neural Networks" (ICML 2017).
package model
