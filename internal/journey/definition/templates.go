package definition

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/internal/journey/packs"
)

// Templates gives the built-in journeys by id.
func Templates() (map[string]Definition, error) {
	var pack struct {
		Journeys []struct {
			ID      string   `yaml:"id"`
			Name    string   `yaml:"name"`
			LabelVI string   `yaml:"label_vi"`
			Success []string `yaml:"success"`
			Failure []string `yaml:"failure"`
			Timeout string   `yaml:"timeout"`
			Stages  []struct {
				Steps []struct {
					Event string `yaml:"e"`
				} `yaml:"steps"`
			} `yaml:"stages"`
		} `yaml:"journeys"`
	}
	if err := yaml.Unmarshal(packs.JourneyTemplates, &pack); err != nil {
		return nil, fmt.Errorf("journey templates: %w", err)
	}
	out := map[string]Definition{}
	for _, j := range pack.Journeys {
		timeout, err := ParseDuration(j.Timeout)
		if err != nil {
			return nil, fmt.Errorf("journey template %s: %w", j.ID, err)
		}
		d := Definition{Journey: j.ID, Name: Text{EN: j.Name, VI: j.LabelVI}, Success: j.Success, Failure: j.Failure, Timeout: timeout, Template: true}
		for _, stage := range j.Stages {
			for _, step := range stage.Steps {
				d.Steps = append(d.Steps, step.Event)
			}
		}
		if err := d.Validate(); err != nil {
			return nil, fmt.Errorf("journey template %s: %w", j.ID, err)
		}
		out[d.Journey] = d
	}
	return out, nil
}

var isoDuration = regexp.MustCompile(`^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// ParseDuration reads an ISO 8601 duration of weeks, days, hours, minutes and
// seconds, such as P7D or PT24H.
func ParseDuration(text string) (time.Duration, error) {
	m := isoDuration.FindStringSubmatch(text)
	if m == nil || len(text) < 3 {
		return 0, fmt.Errorf("%q is no ISO 8601 duration such as P7D or PT24H", text)
	}
	var total time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] == "" {
			continue
		}
		n, err := strconv.ParseInt(m[i+1], 10, 32)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", text, err)
		}
		total += time.Duration(n) * unit
	}
	return total, nil
}
