package cases

import "omote/internal/feedback/condition"

// Facts are what a condition of a rule may ask about: text, numbers (float64) and
// yes or no. None of them names a person.
type Facts = condition.Facts
