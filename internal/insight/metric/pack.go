package metric

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"omote/internal/platform/errs"
)

// Pack is a file of definitions.
type Pack struct {
	Version int          `yaml:"version"`
	Name    string       `yaml:"pack"`
	Metrics []Definition `yaml:"metrics"`
}

// MaxPackBytes bounds a pack file.
const MaxPackBytes = 1 << 20

// ParsePack reads a pack from YAML (or JSON, which is YAML) and validates all
// of it: every definition, ids that are there once, and counter-metrics that
// the pack holds.
func ParsePack(raw []byte) (*Pack, error) {
	if len(raw) > MaxPackBytes {
		return nil, errs.TooLarge("metric.error.pack_size", "a pack has at most %d bytes", MaxPackBytes)
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	var p Pack
	if err := dec.Decode(&p); err != nil && !errors.Is(err, io.EOF) {
		return nil, errs.Invalid("metric.error.pack", "body", "the pack cannot be read: %v", err)
	}
	known := map[string]bool{}
	for i := range p.Metrics {
		d := &p.Metrics[i]
		if err := d.Validate(); err != nil {
			return nil, err
		}
		if known[d.ID] {
			return nil, errs.Invalid("metric.error.pack", "id", "the pack holds %s twice", d.ID)
		}
		known[d.ID] = true
	}
	for _, d := range p.Metrics {
		if d.Counter != "" && !known[d.Counter] {
			return nil, errs.Invalid("metric.error.counter", "counter", "%s: the pack has no metric %q", d.ID, d.Counter)
		}
	}
	return &p, nil
}

// origin is how a version of the pack is written down.
func (p *Pack) origin() string { return fmt.Sprintf("pack:%s@%d", p.Name, p.Version) }

// ParseDefinition reads one definition from JSON or YAML and validates it. A
// member that no definition has is an error.
func ParseDefinition(raw []byte) (*Definition, error) {
	if len(raw) > MaxPackBytes {
		return nil, errs.TooLarge("metric.error.pack_size", "a definition has at most %d bytes", MaxPackBytes)
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	var d Definition
	if err := dec.Decode(&d); err != nil {
		return nil, errs.Invalid("metric.error.pack", "definition", "the definition cannot be read: %v", err)
	}
	return &d, d.Validate()
}
