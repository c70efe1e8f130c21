// Package packs holds the content of governance as shipped: the council's charter,
// lanes and gates, who must take part, kinds of decisions, reasons to refuse, roles
// and what they are measured by. A bank edits the files; the words stay theirs.
package packs

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/internal/platform/approval"
)

//go:embed governance.yaml
var governanceYAML []byte

//go:embed role_kpis.yaml
var roleKPIsYAML []byte

// Words is a text in both languages as packs write it: {en, vi}.
type Words struct {
	EN string `yaml:"en"`
	VI string `yaml:"vi"`
}

// Text is the text for pages.
func (w Words) Text() approval.Text { return approval.Text{VI: w.VI, EN: w.EN} }

// Role is one that the packs know.
type Role struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	VI   string `yaml:"label_vi"`
}

// Text is the role's name.
func (r Role) Text() approval.Text { return approval.Text{VI: r.VI, EN: r.Name} }

// Seat is a place in the council.
type Seat struct {
	Role string `yaml:"role"`
	Seat string `yaml:"seat"` // chair, secretary, member, adviser
	Vote bool   `yaml:"vote"`
}

// Criterion is one demand of a gate.
type Criterion struct {
	ID       string `yaml:"id"`
	Quick    bool   `yaml:"quick"` // also demanded of quick wins
	Check    string `yaml:"check"` // what the platform itself can see of it
	MinGrade int    `yaml:"min_grade"`
	Words    `yaml:",inline"`
}

// Gate ends a stage of the lifecycle.
type Gate struct {
	ID       string      `yaml:"id"`
	Stage    string      `yaml:"stage"`
	LabelVI  string      `yaml:"label_vi"`
	Criteria []Criterion `yaml:"criteria"`
	Words    `yaml:",inline"`
}

// DecisionType is a kind of decision of the council.
type DecisionType struct {
	ID       string `yaml:"id"`
	LabelVI  string `yaml:"label_vi"`
	MinGrade int    `yaml:"min_grade"`
	Forecast bool   `yaml:"forecast"`
	Review   string `yaml:"review_after"`
	Override bool   `yaml:"override_log"`
}

// Refusal is a reason to refuse.
type Refusal struct {
	ID         string `yaml:"id"`
	Review     string `yaml:"review"`
	CustomerVI string `yaml:"customer_text_vi"`
	CustomerEN string `yaml:"customer_text_en"`
	Words      `yaml:",inline"`
}

// Conflict is a pair of roles that one person must not hold at once.
type Conflict struct {
	A     string `yaml:"a"`
	B     string `yaml:"b"`
	Words `yaml:",inline"`
}

// Governance is the pack.
type Governance struct {
	Council struct {
		Members []Seat `yaml:"members"`
	} `yaml:"council"`
	Agenda struct {
		Capacity int `yaml:"capacity_minutes"`
		Fixed    []struct {
			ID      string `yaml:"id"`
			Minutes int    `yaml:"minutes"`
			Words   `yaml:",inline"`
		} `yaml:"fixed"`
	} `yaml:"agenda_rules"`
	Lifecycle   []Gate                         `yaml:"lifecycle"`
	Decisions   []DecisionType                 `yaml:"decision_types"`
	Refusals    []Refusal                      `yaml:"refusal_reasons"`
	Involvement map[string]map[string][]string `yaml:"involvement"`
	Conflicts   []Conflict                     `yaml:"conflicts"`
	Duties      struct {
		ControlEvents   []string `yaml:"control_events"`
		OverloadSteps   int      `yaml:"overload_accountable_steps"`
		OverloadJourney int      `yaml:"overload_journeys"`
	} `yaml:"duties"`
	Stall struct {
		Days int `yaml:"days"`
	} `yaml:"stall"`
	Roles []Role `yaml:"roles"`
}

// KPI is what a role is measured by.
type KPI struct {
	ID      string  `yaml:"id"`
	VI      string  `yaml:"label_vi"`
	Unit    string  `yaml:"unit"`
	Target  float64 `yaml:"target"`
	Floor   float64 `yaml:"floor"`
	Counter string  `yaml:"counter"`
	// Lower: less is better. MinN is the least number it is judged on.
	Direction string `yaml:"direction"`
	MinN      int64  `yaml:"min_n"`
	Role      string `yaml:"-"`
}

// Text is the KPI's name; the pack has it in Vietnamese, and the id in English
// words.
func (k KPI) Text() approval.Text { return approval.Text{VI: k.VI, EN: englishOf(k.ID)} }

var underscores = regexp.MustCompile(`_+`)

// englishOf writes an id as words: "lead_stalled" is "Lead stalled".
func englishOf(id string) string {
	words := underscores.ReplaceAllString(id, " ")
	if words == "" {
		return ""
	}
	return string(words[0]-'a'+'A') + words[1:]
}

// Load reads the pack as shipped and checks that what it refers to exists.
func Load() (*Governance, error) {
	g := &Governance{}
	if err := yaml.Unmarshal(governanceYAML, g); err != nil {
		return nil, fmt.Errorf("governance pack: %w", err)
	}
	for _, list := range g.Involvement {
		for stage, roles := range list {
			for _, r := range roles {
				if g.Role(r).ID == "" {
					return nil, fmt.Errorf("governance pack: involvement of %s names the unknown role %q", stage, r)
				}
			}
		}
	}
	for _, c := range g.Conflicts {
		if g.Role(c.A).ID == "" || g.Role(c.B).ID == "" {
			return nil, fmt.Errorf("governance pack: the conflict of %s and %s names an unknown role", c.A, c.B)
		}
	}
	for _, d := range g.Decisions {
		if _, err := Days(d.Review); err != nil {
			return nil, err
		}
	}
	for _, r := range g.Refusals {
		if _, err := Days(r.Review); err != nil {
			return nil, err
		}
	}
	if len(g.Lifecycle) != 4 || len(g.Roles) == 0 || len(g.Decisions) == 0 {
		return nil, fmt.Errorf("governance pack: four gates, roles and kinds of decisions are needed")
	}
	return g, nil
}

// LoadKPIs reads the KPIs of all roles.
func LoadKPIs() ([]KPI, error) {
	var pack struct {
		Roles []struct {
			Role string `yaml:"role"`
			KPIs []KPI  `yaml:"kpis"`
		} `yaml:"roles"`
	}
	if err := yaml.Unmarshal(roleKPIsYAML, &pack); err != nil {
		return nil, fmt.Errorf("pack of KPIs: %w", err)
	}
	var out []KPI
	for _, r := range pack.Roles {
		for _, k := range r.KPIs {
			k.Role = r.Role
			out = append(out, k)
		}
	}
	return out, nil
}

// Role finds a role by id; one that is unknown has no id.
func (g *Governance) Role(id string) Role {
	i := slices.IndexFunc(g.Roles, func(r Role) bool { return r.ID == id })
	if i < 0 {
		return Role{}
	}
	return g.Roles[i]
}

// RoleName is what a role is called; its id where it is unknown.
func (g *Governance) RoleName(id, locale string) string {
	if r := g.Role(id); r.ID != "" {
		return r.Text().In(locale)
	}
	return id
}

// Gate finds the gate that ends a stage.
func (g *Governance) Gate(stage string) (Gate, bool) {
	i := slices.IndexFunc(g.Lifecycle, func(x Gate) bool { return x.Stage == stage })
	if i < 0 {
		return Gate{}, false
	}
	return g.Lifecycle[i], true
}

// Decision finds a kind of decision.
func (g *Governance) Decision(id string) (DecisionType, bool) {
	i := slices.IndexFunc(g.Decisions, func(d DecisionType) bool { return d.ID == id })
	if i < 0 {
		return DecisionType{}, false
	}
	return g.Decisions[i], true
}

// Refusal finds a reason to refuse.
func (g *Governance) Refusal(id string) (Refusal, bool) {
	i := slices.IndexFunc(g.Refusals, func(r Refusal) bool { return r.ID == id })
	if i < 0 {
		return Refusal{}, false
	}
	return g.Refusals[i], true
}

var days = regexp.MustCompile(`^P(\d{1,4})D$`)

// Days reads a span of whole days, P90D.
func Days(text string) (int, error) {
	m := days.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("governance pack: %q is no number of days such as P90D", text)
	}
	return strconv.Atoi(m[1])
}

// After is t moved by a span of days that Load has checked.
func After(t time.Time, span string) time.Time {
	n, err := Days(span)
	if err != nil {
		return t
	}
	return t.AddDate(0, 0, n)
}
