package packs

import (
	_ "embed"
	"fmt"

	"go.yaml.in/yaml/v3"

	"omote/analytics/assess"
	"omote/internal/platform/approval"
)

//go:embed maturity.yaml
var maturityYAML []byte

//go:embed maturity_vi.yaml
var maturityVI []byte

// Question is an indicator of the maturity instrument with its words.
type Question struct {
	ID     string
	Pillar string
	Name   approval.Text
	Ask    approval.Text
	Levels [assess.Top]approval.Text
	// Measure is what the platform computes for it, "" where it has no word for it.
	Measure string
}

// Named is a pillar, group, level or grade with its name.
type Named struct {
	ID   string
	Name approval.Text
}

// Maturity is the maturity instrument: what is scored, and its words.
type Maturity struct {
	ID        string
	Version   int
	Score     assess.Instrument
	Questions []Question
	Pillars   []Named
	Groups    []Named
	Levels    []Named
	Grades    []Named
}

type maturityFile struct {
	Instrument struct {
		ID      string
		Version int
		Levels  []struct {
			ID      string
			Name    string
			LabelVI string `yaml:"label_vi"`
		}
		Groups []struct {
			ID      string
			Name    string
			LabelVI string `yaml:"label_vi"`
			Weight  float64
			MinN    int `yaml:"min_n"`
		} `yaml:"rater_groups"`
		Grades []struct {
			Grade   int
			ID      string
			LabelVI string `yaml:"label_vi"`
			Factor  float64
			Cap     float64 `yaml:"score_cap"`
		} `yaml:"evidence_grades"`
	}
	Pillars []struct {
		ID         string
		Name       string
		LabelVI    string `yaml:"label_vi"`
		Weight     float64
		Indicators []struct {
			ID       string
			Name     string
			LabelVI  string `yaml:"label_vi"`
			Question string
			Levels   []string
			Weight   float64
			Needs    []string
			Auto     *struct {
				Measure    string
				Op         string
				Thresholds []float64
			} `yaml:"auto_check"`
		}
	}
}

// gradeNames are the grades of evidence in English; the pack has them in Vietnamese.
var gradeNames = map[string]string{"assertion": "Assertion", "document": "Document", "record": "Record of operation", "computed": "Computed by the system"}

// LoadMaturity reads the instrument.
func LoadMaturity() (*Maturity, error) {
	var f maturityFile
	if err := yaml.Unmarshal(maturityYAML, &f); err != nil {
		return nil, fmt.Errorf("governance: read maturity: %w", err)
	}
	var vi map[string]struct {
		Question string
		Levels   []string
	}
	if err := yaml.Unmarshal(maturityVI, &vi); err != nil {
		return nil, fmt.Errorf("governance: read maturity in Vietnamese: %w", err)
	}
	m := &Maturity{ID: f.Instrument.ID, Version: f.Instrument.Version}
	named := func(id, en, vi string) Named { return Named{id, approval.Text{VI: vi, EN: en}} }
	for _, l := range f.Instrument.Levels {
		m.Levels = append(m.Levels, named(l.ID, l.Name, l.LabelVI))
	}
	for _, g := range f.Instrument.Groups {
		m.Groups = append(m.Groups, named(g.ID, g.Name, g.LabelVI))
		m.Score.Groups = append(m.Score.Groups, assess.Group{ID: g.ID, Weight: g.Weight, Min: g.MinN})
	}
	for _, g := range f.Instrument.Grades {
		m.Grades = append(m.Grades, named(g.ID, gradeNames[g.ID], g.LabelVI))
		m.Score.Evidence = append(m.Score.Evidence, assess.Evidence{Grade: g.Grade, Factor: g.Factor, Cap: g.Cap})
	}
	for _, p := range f.Pillars {
		m.Pillars = append(m.Pillars, named(p.ID, p.Name, p.LabelVI))
		m.Score.Pillars = append(m.Score.Pillars, assess.Pillar{ID: p.ID, Weight: p.Weight})
		for _, i := range p.Indicators {
			words := vi[i.ID]
			if len(i.Levels) != assess.Top || len(words.Levels) != assess.Top || words.Question == "" {
				return nil, fmt.Errorf("governance: maturity: %s needs a question and %d levels in both languages", i.ID, assess.Top)
			}
			q := Question{ID: i.ID, Pillar: p.ID, Name: approval.Text{VI: i.LabelVI, EN: i.Name}, Ask: approval.Text{VI: words.Question, EN: i.Question}}
			for k := range q.Levels {
				q.Levels[k] = approval.Text{VI: words.Levels[k], EN: i.Levels[k]}
			}
			if i.Weight == 0 {
				i.Weight = 1
			}
			one := assess.Indicator{ID: i.ID, Pillar: p.ID, Weight: i.Weight, Needs: i.Needs}
			if i.Auto != nil {
				q.Measure, one.Thresholds, one.Below = i.Auto.Measure, i.Auto.Thresholds, i.Auto.Op == "le"
			}
			m.Questions = append(m.Questions, q)
			m.Score.Indicators = append(m.Score.Indicators, one)
		}
	}
	return m, m.Score.Validate()
}

// Question finds a question; ok is false where there is none.
func (m *Maturity) Question(id string) (q Question, ok bool) {
	for _, q := range m.Questions {
		if q.ID == id {
			return q, true
		}
	}
	return q, false
}
