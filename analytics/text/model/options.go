package model

import (
	"errors"
	"fmt"
)

// Options says how to train. Start from [DefaultOptions].
type Options struct {
	// Cost is the penalty C of a margin fault, relative to the weight of
	// simplicity. Larger fits the examples closer. Must be > 0.
	Cost float64
	// Balance moves the cost of a label's examples towards the rarer labels:
	// 0 leaves them equal, 1 gives each label the same total. In [0, 1].
	Balance float64
	// MinTexts drops features of fewer texts. 0 means 1 for small sets and 2
	// from autoMinTexts examples on.
	MinTexts int
	// MaxFeatures bounds the rows of the stored model; the features with the
	// largest weights stay. 0 means autoFeatures.
	MaxFeatures int
	// Epochs bounds the passes over the examples.
	Epochs int
	// Folds is the number of parts of cross-fitting, which calibrates the
	// probabilities; below 2 there is no calibration.
	Folds int
	// PlainCost weighs the copy of each text without diacritics; 0 leaves the
	// copies out.
	PlainCost float64
	// Seed makes training repeatable.
	Seed uint64

	weights blockWeights
}

const (
	autoMinTexts = 5000
	autoFeatures = 150_000
)

// minTexts resolves MinTexts for n examples.
func (o *Options) minTexts(n int) int {
	switch {
	case o.MinTexts > 0:
		return o.MinTexts
	case n >= autoMinTexts:
		return 2
	}
	return 1
}

// maxFeatures resolves MaxFeatures.
func (o *Options) maxFeatures() int {
	if o.MaxFeatures > 0 {
		return o.MaxFeatures
	}
	return autoFeatures
}

// DefaultOptions returns the settings that cross-validation chose on the
// training parts of Banking77 (English) and UTS2017_Bank (Vietnamese). They are
// meant for any short customer texts.
func DefaultOptions() Options {
	return Options{
		Cost:      0.7,
		Epochs:    20,
		Folds:     5,
		PlainCost: 0.5,
		Seed:      1,
		weights:   blockWeights{wordBlock: 1, skipBlock: 0.7, pairBlock: 0.7, charBlock: 1, conceptBlock: 0.5},
	}
}

// Validate reports the first setting out of range.
func (o *Options) Validate() error {
	switch {
	case !(o.Cost > 0):
		return fmt.Errorf("cost %v must be above 0", o.Cost)
	case !(o.Balance >= 0 && o.Balance <= 1):
		return fmt.Errorf("balance %v must lie in [0, 1]", o.Balance)
	case o.Epochs < 1:
		return errors.New("at least one epoch is needed")
	case o.PlainCost < 0:
		return fmt.Errorf("plain cost %v must not be negative", o.PlainCost)
	case o.MinTexts < 0 || o.MaxFeatures < 0:
		return errors.New("MinTexts and MaxFeatures must not be negative")
	case o.weights == blockWeights{}:
		return errors.New("start from DefaultOptions")
	}
	return nil
}
