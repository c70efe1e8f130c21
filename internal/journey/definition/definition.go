// Package definition says what a journey is: where it starts, which events end it
// well or badly, and after how much silence a case counts as abandoned. Twelve
// journeys of retail banks come as templates; a bank defines others, and may
// define a template's journey in its own way.
package definition

import (
	"strings"
	"time"

	"omote/internal/platform/errs"
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
	// Template tells that this is a built-in template, unchanged.
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

// Validate checks the definition.
func (d *Definition) Validate() error {
	switch {
	case strings.TrimSpace(d.Journey) == "":
		return errs.Invalid("journey.error.id", "journey", "a journey needs the id that its events carry")
	case strings.TrimSpace(d.Name.EN) == "" || strings.TrimSpace(d.Name.VI) == "":
		return errs.Invalid("journey.error.name", "name", "a journey needs a name in English and in Vietnamese")
	case len(d.Steps) > MaxSteps:
		return errs.TooLarge("journey.error.steps", "a journey has at most %d steps", MaxSteps).With("max", MaxSteps)
	case d.Timeout < MinTimeout || d.Timeout > MaxTimeout:
		return errs.Invalid("journey.error.timeout", "timeout", "the silence lies between a minute and five years")
	}
	ends := map[string]bool{}
	for _, e := range d.Success {
		ends[e] = true
	}
	for _, e := range d.Failure {
		if ends[e] {
			return errs.Invalid("journey.error.both", "failure", "%q cannot be both a success and a failure", e).With("name", e)
		}
	}
	return nil
}
