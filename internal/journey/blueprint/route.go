package blueprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"omote/analytics/mining"
	"omote/analytics/mining/align"
	"omote/internal/journey/definition"
	"omote/internal/platform/errs"
)

// Route is a map in its shortest form, for logs that have no journey in the
// bank: what should happen, in YAML.
//
//	exceptions: [A_CANCELLED]
//	steps:
//	- A_SUBMITTED
//	- {step: A_PREACCEPTED, max: P1D}
//	- optional: [{step: call, events: [W_Call, W_Recall]}]
//	- alternative: [[O_ACCEPTED, A_APPROVED], O_DECLINED]
//	- parallel: [A_FINALIZED, [O_SELECTED, O_SENT]]
//	- loop: [W_Check]
//
// Parts nest. A list within alternative or parallel is one branch.
type Route struct {
	Name          string
	Exceptions    []string
	IgnoreUnknown bool
	parts         []part
}

// part is a step or a group of parts.
type part struct {
	kind   string // "" for a step
	events []string
	name   string
	max    time.Duration
	parts  []part
}

// maxDepth bounds how deep parts of a route nest, maxRoute how many steps it has.
const (
	maxDepth = 20
	maxRoute = 400
	maxFile  = 4 << 20
)

// ReadMap reads a map from a file: a document in JSON, or a route in YAML. It
// gives the function that compiles it for the activities of a log.
func ReadMap(r io.Reader) (func(*mining.Dict) (*align.Model, error), error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxFile {
		return nil, errs.TooLarge("blueprint.error.file", "a map file has at most %d bytes", maxFile).With("max", maxFile)
	}
	if trimmed := bytes.TrimSpace(raw); len(trimmed) > 0 && trimmed[0] == '{' {
		d, err := ParseJSON(raw)
		if err == nil {
			return d.Compile, nil
		}
		if json.Valid(raw) {
			return nil, err
		}
	}
	route, err := ParseRoute(raw)
	if err != nil {
		return nil, err
	}
	return route.Compile, nil
}

// ParseJSON reads a document as this product writes it, and validates it.
func ParseJSON(raw []byte) (*Document, error) {
	if len(raw) > maxFile {
		return nil, errs.TooLarge("blueprint.error.file", "a map file has at most %d bytes", maxFile).With("max", maxFile)
	}
	d, err := decode(raw)
	if err != nil {
		return nil, errs.Invalid("blueprint.error.json", "file", "the file is no map in JSON: %v", err).With("detail", err.Error())
	}
	d.tidyGroups()
	return d, d.Validate()
}

// ParseRoute reads a route.
func ParseRoute(raw []byte) (*Route, error) {
	var file struct {
		Name          string      `yaml:"name"`
		Exceptions    []string    `yaml:"exceptions"`
		IgnoreUnknown bool        `yaml:"ignore_unknown"`
		Steps         []yaml.Node `yaml:"steps"`
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&file); err != nil {
		return nil, routeError("%v", err)
	}
	r := &Route{Name: file.Name, Exceptions: file.Exceptions, IgnoreUnknown: file.IgnoreUnknown}
	steps := 0
	for i := range file.Steps {
		p, err := parsePart(&file.Steps[i], 0, &steps)
		if err != nil {
			return nil, err
		}
		r.parts = append(r.parts, p)
	}
	if steps == 0 {
		return nil, routeError("the map has no steps")
	}
	return r, nil
}

func routeError(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	return errs.Invalid("blueprint.error.route", "file", "the file is no map: %s", text).With("detail", text)
}

func parsePart(n *yaml.Node, depth int, steps *int) (part, error) {
	if depth > maxDepth {
		return part{}, routeError("line %d: parts nest deeper than %d", n.Line, maxDepth)
	}
	switch n.Kind {
	case yaml.ScalarNode:
		return stepPart(n, part{name: n.Value, events: []string{n.Value}}, steps)
	case yaml.SequenceNode:
		return groupPart("sequence", n, depth, steps)
	case yaml.MappingNode:
		if len(n.Content) == 2 && slices.Contains([]string{"optional", "alternative", "parallel", "loop", "sequence"}, n.Content[0].Value) {
			return groupPart(n.Content[0].Value, n.Content[1], depth, steps)
		}
		var s struct {
			Step   string   `yaml:"step"`
			Events []string `yaml:"events"`
			Max    string   `yaml:"max"`
		}
		for i := 0; i < len(n.Content); i += 2 {
			if k := n.Content[i].Value; k != "step" && k != "events" && k != "max" {
				return part{}, routeError("line %d: a step has step, events and max, not %q", n.Content[i].Line, k)
			}
		}
		if err := n.Decode(&s); err != nil {
			return part{}, routeError("line %d: %v", n.Line, err)
		}
		p := part{name: s.Step, events: s.Events}
		if len(p.events) == 0 {
			p.events = []string{s.Step}
		}
		if s.Max != "" {
			var err error
			if p.max, err = definition.ParseDuration(s.Max); err != nil {
				return part{}, routeError("line %d: %v", n.Line, err)
			}
		}
		return stepPart(n, p, steps)
	}
	return part{}, routeError("line %d: a step is a name, a list or a group", n.Line)
}

func stepPart(n *yaml.Node, p part, steps *int) (part, error) {
	if *steps++; *steps > maxRoute {
		return part{}, errs.TooLarge("blueprint.error.steps", "a map has at most %d steps", maxRoute).With("max", maxRoute)
	}
	if strings.TrimSpace(p.name) == "" || slices.Contains(p.events, "") {
		return part{}, routeError("line %d: a step needs a name", n.Line)
	}
	return p, nil
}

func groupPart(kind string, n *yaml.Node, depth int, steps *int) (part, error) {
	p := part{kind: kind}
	if n.Kind != yaml.SequenceNode {
		return part{}, routeError("line %d: %s takes a list", n.Line, kind)
	}
	for _, c := range n.Content {
		child, err := parsePart(c, depth+1, steps)
		if err != nil {
			return part{}, err
		}
		p.parts = append(p.parts, child)
	}
	if len(p.parts) == 0 {
		return part{}, routeError("line %d: %s takes at least one step", n.Line, kind)
	}
	return p, nil
}

// Compile makes the map for the activities of a log.
func (r *Route) Compile(activities *mining.Dict) (*align.Model, error) {
	o := align.Options{Activities: activities.Len(), Exceptions: lookup(activities, r.Exceptions), IgnoreUnknown: r.IgnoreUnknown}
	m, err := align.Compile(align.Sequence(nodesOf(r.parts, activities)...), o)
	if errors.Is(err, align.ErrTooWide) || errors.Is(err, align.ErrTooLong) {
		return nil, errs.TooLarge("blueprint.error.wide", "%v", err).Because(err)
	}
	return m, err
}

func nodesOf(parts []part, activities *mining.Dict) []align.Node {
	out := make([]align.Node, len(parts))
	for i, p := range parts {
		switch p.kind {
		case "":
			out[i] = align.Task(align.Step{ID: p.name, Activities: lookup(activities, p.events), MaxWait: p.max})
		case "optional":
			out[i] = align.Optional(align.Sequence(nodesOf(p.parts, activities)...))
		case "alternative":
			out[i] = align.Choice(nodesOf(p.parts, activities)...)
		case "parallel":
			out[i] = align.Parallel(nodesOf(p.parts, activities)...)
		case "loop":
			out[i] = align.Repeat(align.Sequence(nodesOf(p.parts, activities)...))
		default:
			out[i] = align.Sequence(nodesOf(p.parts, activities)...)
		}
	}
	return out
}
