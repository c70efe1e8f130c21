package blueprint

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Diff gives the operations that turn a into b: what went, what came, what
// moved, and which fields have another value.
func Diff(a, b *Document) []Op {
	c := a.Clone()
	var out []Op
	do := func(o Op) {
		if _, err := c.Apply(o); err == nil { // made for c, so it applies
			out = append(out, o)
		}
	}
	for _, s := range a.Steps() {
		if b.Step(s.ID) == nil {
			do(Op{Kind: OpRemove, Target: "step/" + s.ID})
		}
	}
	// Stages of b come in before those of a go, so that steps can move between.
	after := ""
	for i := range b.Stages {
		st := b.Stages[i]
		if c.StageAt(st.ID) < 0 {
			st.Steps = nil
			do(Op{Kind: OpAdd, Target: "stage/" + st.ID, After: after, Value: mustJSON(Added{Stage: &st})})
		}
		after = st.ID
	}
	diffSteps(c, b, do)
	for _, st := range a.Stages {
		if b.StageAt(st.ID) < 0 {
			do(Op{Kind: OpRemove, Target: "stage/" + st.ID})
		}
	}
	after = ""
	for i, st := range b.Stages {
		if c.Stages[i].ID != st.ID {
			do(Op{Kind: OpMove, Target: "stage/" + st.ID, After: after})
		}
		after = st.ID
	}
	fields := func(target string, names []string) {
		for _, f := range names {
			was, _ := c.Field(target, f)
			is, err := b.Field(target, f)
			if err == nil && !bytes.Equal(normal(was), normal(is)) {
				do(Op{Kind: OpSet, Target: target, Field: f, Value: normal(is)})
			}
		}
	}
	fields("journey", JourneyFields)
	for _, st := range b.Stages {
		fields("stage/"+st.ID, StageFields)
	}
	for _, s := range b.Steps() {
		fields("step/"+s.ID, StepFields)
	}
	return out
}

// diffSteps adds and moves steps so that c has those of b in their order.
func diffSteps(c, b *Document, do func(Op)) {
	for i := range b.Stages {
		st := &b.Stages[i]
		stay := steady(c, st)
		after := ""
		for j := range st.Steps {
			s := st.Steps[j]
			if c.Step(s.ID) == nil {
				s.Group = ""
				do(Op{Kind: OpAdd, Target: "step/" + s.ID, Stage: st.ID, After: after, Value: mustJSON(Added{Step: &s})})
			} else if !stay[s.ID] {
				do(Op{Kind: OpMove, Target: "step/" + s.ID, Stage: st.ID, After: after})
			}
			after = s.ID
		}
	}
}

// steady gives the steps of a stage that can stay where they are: the longest
// run of them that is in the same order in c.
func steady(c *Document, st *Stage) map[string]bool {
	var ids []string
	var places []int
	for _, s := range st.Steps {
		if i, j := c.Place(s.ID); i >= 0 && c.Stages[i].ID == st.ID {
			ids, places = append(ids, s.ID), append(places, j)
		}
	}
	best, from, last := make([]int, len(ids)), make([]int, len(ids)), -1
	for i := range ids {
		best[i], from[i] = 1, -1
		for j := range i {
			if places[j] < places[i] && best[j]+1 > best[i] {
				best[i], from[i] = best[j]+1, j
			}
		}
		if last < 0 || best[i] > best[last] {
			last = i
		}
	}
	stay := map[string]bool{}
	for ; last >= 0; last = from[last] {
		stay[ids[last]] = true
	}
	return stay
}

// normal writes an absent list as an empty one.
func normal(raw json.RawMessage) json.RawMessage {
	if bytes.Equal(raw, []byte("null")) {
		return json.RawMessage("[]")
	}
	return raw
}

func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("blueprint: " + err.Error()) // texts, numbers and lists of them
	}
	return raw
}

// Clash is a place that both sides changed in different ways.
type Clash struct {
	Target string          `json:"target"`
	Field  string          `json:"field,omitempty"`
	Base   json.RawMessage `json:"base,omitempty"`
	Ours   json.RawMessage `json:"ours,omitempty"`
	Theirs json.RawMessage `json:"theirs,omitempty"`
	// Op is what theirs did: applied to ours, theirs holds.
	Op Op `json:"op"`
}

// Merged is the outcome of a three-way merge.
type Merged struct {
	Document *Document
	// Taken are the operations of theirs that were taken over.
	Taken []Op
	// Clashes are the places where ours was kept against theirs.
	Clashes []Clash
}

// Merge takes over into ours what theirs changed since base, field by field.
// Where ours changed the same place in another way, ours stays and the place is
// told. Lists of names are merged by member.
func Merge(base, ours, theirs *Document) (Merged, error) {
	m := Merged{Document: ours.Clone()}
	mine := map[string]bool{}
	touched := map[string]bool{} // targets that ours changed in any way
	for _, o := range Diff(base, ours) {
		mine[place(o)] = true
		touched[o.Target] = true
	}
	for _, o := range Diff(base, theirs) {
		clash := Clash{Target: o.Target, Field: o.Field, Theirs: o.Value, Op: o}
		switch {
		case o.Kind == OpSet:
			clash.Base, _ = base.Field(o.Target, o.Field)
			ours, err := m.Document.Field(o.Target, o.Field)
			if err != nil { // ours took the thing away
				m.Clashes = append(m.Clashes, clash)
				continue
			}
			clash.Ours = ours
			if bytes.Equal(normal(ours), normal(o.Value)) {
				continue
			}
			if mine[place(o)] {
				if !isList(o.Field) {
					m.Clashes = append(m.Clashes, clash)
					continue
				}
				o.Value = mergeLists(clash.Base, ours, o.Value)
			}
		case o.Kind == OpRemove && touched[o.Target], o.Kind == OpMove && mine[place(o)]:
			m.Clashes = append(m.Clashes, clash)
			continue
		}
		if _, err := m.Document.Apply(o); err != nil {
			m.Clashes = append(m.Clashes, clash)
			continue
		}
		m.Taken = append(m.Taken, o)
	}
	return m, m.Document.Validate()
}

// place names what an operation touches.
func place(o Op) string {
	if o.Kind == OpSet {
		return o.Target + "\x00" + o.Field
	}
	return o.Target + "\x00" + string(OpMove)
}

// mergeLists takes ours with what theirs added to and took from base.
func mergeLists(base, ours, theirs json.RawMessage) json.RawMessage {
	var b, o, t []string
	for raw, to := range map[*json.RawMessage]*[]string{&base: &b, &ours: &o, &theirs: &t} {
		_ = json.Unmarshal(*raw, to) // both are lists of texts: set checked them
	}
	out := slices.DeleteFunc(slices.Clone(o), func(x string) bool { return slices.Contains(b, x) && !slices.Contains(t, x) })
	for _, x := range t {
		if !slices.Contains(b, x) && !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	if out == nil {
		out = []string{}
	}
	return mustJSON(out)
}

// Describe splits a target into its kind and id.
func Describe(target string) (kind, id string) {
	kind, id, _ = strings.Cut(target, "/")
	return kind, id
}
