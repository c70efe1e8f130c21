package form

import (
	_ "embed"
	"fmt"

	"go.yaml.in/yaml/v3"
)

//go:embed packs/things.yaml
var thingsFile []byte

// Things are what a questionnaire is about, by the journey of the event that led to
// the asking.
type Things map[string]Thing

// Thing is one of them: "your transfer", and what one does there, "send money".
type Thing struct {
	Thing Text `yaml:"thing"`
	Do    Text `yaml:"do_thing"`
}

// ShippedThings gives those that come with the program.
func ShippedThings() (out Things, err error) {
	if err := yaml.Unmarshal(thingsFile, &out); err != nil {
		return nil, fmt.Errorf("things that questionnaires ask about: %w", err)
	}
	if t := out[""]; !t.Thing.both() || !t.Do.both() {
		return nil, fmt.Errorf("things that questionnaires ask about: none for an event without a journey")
	}
	return out, nil
}

// Fills puts {thing} and {do_thing} of a journey into fills.
func (all Things) Fills(journey, locale string, fills map[string]string) map[string]string {
	t, ok := all[journey]
	if !ok {
		t = all[""]
	}
	if fills == nil {
		fills = map[string]string{}
	}
	fills["thing"], fills["do_thing"] = t.Thing.In(locale), t.Do.In(locale)
	return fills
}
