// Package definition says what the rest of the module must know of a journey:
// which events end it well or badly, after how much silence a case counts as
// abandoned, and the steps of its funnel. It is derived from the designed journey
// (package blueprint), which is the only place where it is changed.
package definition

import (
	"strings"
	"time"
)

// Definition is what one journey is. Event names are those of the tracking plan.
type Definition struct {
	// Journey is the id that events carry, such as "card_activation".
	Journey string `json:"journey"`
	Name    Text   `json:"name"`
	// Steps are the designed steps in order; the funnel counts them.
	Steps []string `json:"steps"`
	// Success and Failure end a case.
	Success []string `json:"success"`
	Failure []string `json:"failure"`
	// Timeout is the silence after which an unfinished case counts as abandoned.
	Timeout time.Duration `json:"timeout"`
	// Cost is the property of events that says what each cost, in whole units of the
	// bank's currency ("amount": the amount that events carry); empty where none does.
	Cost string `json:"cost,omitempty"`
	// Template tells that the bank has no map of its own: a built-in template holds.
	Template bool `json:"-"`
}

// Text is a text in both languages.
type Text struct {
	EN string `json:"en"`
	VI string `json:"vi"`
}

// In gives the text in a language.
func (t Text) In(locale string) string {
	if strings.HasPrefix(locale, "vi") && t.VI != "" {
		return t.VI
	}
	return t.EN
}

// Limits of a definition.
const (
	MaxSteps   = 40
	MinTimeout = time.Minute
	MaxTimeout = 5 * 365 * 24 * time.Hour
	// DefaultTimeout holds for a journey that nobody has defined.
	DefaultTimeout = 30 * 24 * time.Hour
)
