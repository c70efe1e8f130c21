package metric

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Change is a part of a definition that two versions hold differently. A nil
// value is absent.
type Change struct {
	Path   string `json:"path"` // such as "answers.where.field" or "dims.2"
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// Comparison is what changed from one version to another, and what that does to
// the figures of the same period.
type Comparison struct {
	Before  *Version
	After   *Version
	Changes []Change
	// Figures of either, over the same period.
	BeforeResult *Result
	AfterResult  *Result
}

// Compare sets two versions of a metric side by side.
func (s *Service) Compare(ctx context.Context, id string, before, after int, ask Ask) (*Comparison, error) {
	c := &Comparison{}
	var err error
	if c.Before, err = s.Get(ctx, id, before); err != nil {
		return nil, err
	}
	if c.After, err = s.Get(ctx, id, after); err != nil {
		return nil, err
	}
	if c.Changes, err = changes(c.Before.Definition, c.After.Definition); err != nil {
		return nil, err
	}
	if c.BeforeResult, err = evaluate(ctx, s.facts, &c.Before.Definition, c.Before.Version, ask); err != nil {
		return nil, err
	}
	c.AfterResult, err = evaluate(ctx, s.facts, &c.After.Definition, c.After.Version, ask)
	return c, err
}

// changes lists the leaves in which two definitions differ, by path.
func changes(before, after Definition) ([]Change, error) {
	a, err := leaves(before)
	if err != nil {
		return nil, err
	}
	b, err := leaves(after)
	if err != nil {
		return nil, err
	}
	paths := maps.Clone(a)
	maps.Copy(paths, b)
	var out []Change
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		if !reflect.DeepEqual(a[p], b[p]) {
			out = append(out, Change{p, a[p], b[p]})
		}
	}
	return out, nil
}

func leaves(d Definition) (map[string]any, error) {
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	out := map[string]any{}
	flatten("", tree, out)
	return out, nil
}

func flatten(path string, v any, out map[string]any) {
	join := func(k string) string {
		if path == "" {
			return k
		}
		return path + "." + k
	}
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			flatten(join(k), x, out)
		}
	case []any:
		for i, x := range v {
			flatten(join(strconv.Itoa(i)), x, out)
		}
	default:
		out[path] = v
	}
}
