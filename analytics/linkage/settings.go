package linkage

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Settings is what may be said about a table instead of being inferred. All of
// it is optional.
//
//	columns:            # kind by column; see Kind
//	  ho_ten: name
//	  ghi_chu: ignore
//	threshold: 0.95     # probability from which on records are brought together
type Settings struct {
	Columns   map[string]Kind `yaml:"columns"`
	Threshold float64         `yaml:"threshold"`
}

// maxSettings is the largest settings file in bytes.
const maxSettings = 64 << 10

// ParseSettings reads settings and checks them.
func ParseSettings(data []byte) (*Settings, error) {
	if len(data) > maxSettings {
		return nil, fmt.Errorf("settings of %d bytes; at most %d are read", len(data), maxSettings)
	}
	s := new(Settings)
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && strings.TrimSpace(string(data)) != "" && err.Error() != "EOF" {
		return nil, fmt.Errorf("settings: %w", err)
	}
	if !(s.Threshold >= 0 && s.Threshold < 1) {
		return nil, fmt.Errorf("settings: threshold %v must be at least 0 and below 1", s.Threshold)
	}
	var wrong []error
	for c, k := range s.Columns {
		if err := k.Valid(); err != nil {
			wrong = append(wrong, fmt.Errorf("settings: column %q: %w", c, err))
		}
	}
	return s, errors.Join(wrong...)
}

// Apply sets the kinds of a table's columns. A column that the table does not
// have is an error.
func (s *Settings) Apply(t *Table) error {
	for name, k := range s.Columns {
		at := t.FindColumn(name)
		if at < 0 {
			return fmt.Errorf("settings: there is no column %q", name)
		}
		t.Columns[at].Kind = k
	}
	return nil
}
