package blueprint

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"omote/internal/platform/errs"
)

// OpKind is what an operation does.
type OpKind string

// The kinds of operations.
const (
	OpSet    OpKind = "set"    // gives a field a value
	OpAdd    OpKind = "add"    // adds a stage or a step
	OpRemove OpKind = "remove" // takes one away
	OpMove   OpKind = "move"   // puts one elsewhere
)

// Op is the smallest change of a document.
type Op struct {
	// ID is chosen by the sender and unique, so that sending twice changes once.
	ID   string `json:"id"`
	Kind OpKind `json:"kind"`
	// Target is "journey", "stage/ID" or "step/ID".
	Target string `json:"target"`
	// Field is what is set: "name.vi", "layers.policy", "events" and so on.
	Field string `json:"field,omitempty"`
	// Value is the new value of a field, or what is added.
	Value json.RawMessage `json:"value,omitempty"`
	// Stage and After say where a step goes, After alone where a stage goes; an
	// empty After is the first place.
	Stage string `json:"stage,omitempty"`
	After string `json:"after,omitempty"`
	// Base is the revision of the draft that the sender saw.
	Base int64 `json:"base,omitempty"`
}

// Added is the value of an operation that adds a step, and what an operation
// that takes one away leaves behind.
type Added struct {
	Step  *Step  `json:"step,omitempty"`
	Stage *Stage `json:"stage,omitempty"`
	// Group is the group that the step belongs to.
	Group *Group `json:"group,omitempty"`
	// In and After are the place it had.
	In    string `json:"in,omitempty"`
	After string `json:"after,omitempty"`
}

// JourneyFields, StageFields and StepFields are the fields that can be set.
var (
	JourneyFields = []string{"name.en", "name.vi", "promise.en", "promise.vi", "owner", "parent", "template", "edition", "personas", "segments", "metrics",
		"start", "success", "failure", "timeout", "exceptions", "cost"}
	StageFields = []string{"name.en", "name.vi"}
	StepFields  = stepFields()
)

func stepFields() []string {
	out := []string{"name.en", "name.vi", "actor", "kind", "channels", "events", "unseen", "max_wait", "optional", "group", "branch", "moment"}
	for _, l := range Layers {
		out = append(out, "layers."+string(l))
	}
	return append(out, "intent", "expectation", "handoffs", "owner", "raci.responsible", "raci.accountable", "raci.consulted", "raci.informed", "shared")
}

// isList tells that a field is a set of names, which merges by member.
func isList(field string) bool {
	switch field {
	case "segments", "metrics", "start", "success", "failure", "exceptions", "channels", "events",
		"raci.responsible", "raci.accountable", "raci.consulted", "raci.informed":
		return true
	}
	return false
}

func badTarget(target string) error {
	return errs.NotFound("blueprint.error.target", "the map has no %q", target).With("target", target)
}

func badField(target, field string) error {
	return errs.Invalid("blueprint.error.field", "field", "%s has no field %q", target, field).With("field", field)
}

func badValue(field string, cause error) error {
	return errs.Invalid("blueprint.error.value", "value", "the value does not fit the field %q", field).With("field", field).Because(cause)
}

// pointer gives the place of a field in memory; groups and layers are not places
// and are handled by the callers.
func (d *Document) pointer(target, field string) (any, error) {
	kind, id, _ := strings.Cut(target, "/")
	switch kind {
	case "journey":
		return d.journeyPointer(field)
	case "stage":
		i := d.StageAt(id)
		if i < 0 {
			return nil, badTarget(target)
		}
		switch field {
		case "name.en":
			return &d.Stages[i].Name.EN, nil
		case "name.vi":
			return &d.Stages[i].Name.VI, nil
		}
		return nil, badField(target, field)
	case "step":
		s := d.Step(id)
		if s == nil {
			return nil, badTarget(target)
		}
		return s.pointer(field)
	}
	return nil, badTarget(target)
}

func (d *Document) journeyPointer(field string) (any, error) {
	switch field {
	case "name.en":
		return &d.Name.EN, nil
	case "name.vi":
		return &d.Name.VI, nil
	case "promise.en":
		return &d.Promise.EN, nil
	case "promise.vi":
		return &d.Promise.VI, nil
	case "owner":
		return &d.Owner, nil
	case "parent":
		return &d.Parent, nil
	case "template":
		return &d.Template, nil
	case "edition":
		return &d.Edition, nil
	case "personas":
		return &d.Personas, nil
	case "segments":
		return &d.Segments, nil
	case "metrics":
		return &d.Metrics, nil
	case "start":
		return &d.Start, nil
	case "success":
		return &d.Success, nil
	case "failure":
		return &d.Failure, nil
	case "timeout":
		return &d.Timeout, nil
	case "exceptions":
		return &d.Exceptions, nil
	case "cost":
		return &d.Cost, nil
	}
	return nil, badField("journey", field)
}

func (s *Step) pointer(field string) (any, error) {
	switch field {
	case "name.en":
		return &s.Name.EN, nil
	case "name.vi":
		return &s.Name.VI, nil
	case "actor":
		return &s.Actor, nil
	case "kind":
		return &s.Kind, nil
	case "channels":
		return &s.Channels, nil
	case "events":
		return &s.Events, nil
	case "unseen":
		return &s.Unseen, nil
	case "max_wait":
		return &s.MaxWait, nil
	case "optional":
		return &s.Optional, nil
	case "branch":
		return &s.Branch, nil
	case "moment":
		return &s.Moment, nil
	case "intent":
		return &s.Intent, nil
	case "expectation":
		return &s.Expectation, nil
	case "handoffs":
		return &s.Handoffs, nil
	case "owner":
		return &s.Owner, nil
	case "raci.responsible":
		return &s.RACI.Responsible, nil
	case "raci.accountable":
		return &s.RACI.Accountable, nil
	case "raci.consulted":
		return &s.RACI.Consulted, nil
	case "raci.informed":
		return &s.RACI.Informed, nil
	case "shared":
		return &s.Shared, nil
	}
	return nil, badField("step/"+s.ID, field)
}

// Field gives the value of a field as JSON; absent values are null or empty.
func (d *Document) Field(target, field string) (json.RawMessage, error) {
	id := strings.TrimPrefix(target, "step/")
	if layer, ok := strings.CutPrefix(field, "layers."); ok && id != target {
		s := d.Step(id)
		if s == nil {
			return nil, badTarget(target)
		}
		if !slices.Contains(Layers, Layer(layer)) {
			return nil, badField(target, field)
		}
		return json.Marshal(s.Layers[Layer(layer)])
	}
	if field == "group" && id != target {
		s := d.Step(id)
		if s == nil {
			return nil, badTarget(target)
		}
		return json.Marshal(d.GroupOf(s))
	}
	at, err := d.pointer(target, field)
	if err != nil {
		return nil, err
	}
	return json.Marshal(at)
}

// Apply changes the document by one operation and gives what was there before:
// the old value of a field, or what [Added] holds of a thing that moved or went.
// The document may have to be validated once all operations are in.
func (d *Document) Apply(o Op) (before json.RawMessage, err error) {
	switch o.Kind {
	case OpSet:
		return d.set(o)
	case OpAdd:
		return nil, d.add(o)
	case OpRemove:
		return d.remove(o)
	case OpMove:
		return d.move(o)
	}
	return nil, errs.Invalid("blueprint.error.op", "kind", "%q is no operation", o.Kind).With("value", string(o.Kind))
}

func (d *Document) set(o Op) (json.RawMessage, error) {
	before, err := d.Field(o.Target, o.Field)
	if err != nil {
		return nil, err
	}
	if len(o.Value) == 0 {
		return nil, badValue(o.Field, nil)
	}
	id := strings.TrimPrefix(o.Target, "step/")
	if layer, ok := strings.CutPrefix(o.Field, "layers."); ok {
		var c Cell
		if err := json.Unmarshal(o.Value, &c); err != nil {
			return nil, badValue(o.Field, err)
		}
		s := d.Step(id)
		if s.Layers == nil {
			s.Layers = map[Layer]Cell{}
		}
		if s.Layers[Layer(layer)] = c; c.Empty() {
			delete(s.Layers, Layer(layer))
		}
		return before, nil
	}
	if o.Field == "group" {
		return d.setGroup(d.Step(id), o)
	}
	at, err := d.pointer(o.Target, o.Field)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(o.Value, []byte("null")) {
		return nil, badValue(o.Field, nil)
	}
	clearList(at)
	if err := json.Unmarshal(o.Value, at); err != nil {
		return nil, badValue(o.Field, err)
	}
	emptyToNil(at)
	return before, nil
}

// branched is a group with the path of it that a step was on, so that taking back
// a change of group finds the path again.
type branched struct {
	Group
	Branch string `json:"was_branch,omitempty"`
}

func (d *Document) setGroup(s *Step, o Op) (json.RawMessage, error) {
	before, err := json.Marshal(branched{d.GroupOf(s), s.Branch})
	if err != nil {
		return nil, err
	}
	var g branched
	if err := json.Unmarshal(o.Value, &g); err != nil {
		return nil, badValue(o.Field, err)
	}
	d.join(s, g.Group)
	if s.Group != "" && g.Branch != "" {
		s.Branch = g.Branch
	}
	d.tidyGroups()
	return before, nil
}

// clearList forgets a list's memory, so that its new value shares none of it.
func clearList(at any) {
	switch v := at.(type) {
	case *[]string:
		*v = nil
	case *[]Persona:
		*v = nil
	case *[]Handoff:
		*v = nil
	}
}

// emptyToNil keeps one form of "none".
func emptyToNil(at any) {
	switch v := at.(type) {
	case *[]string:
		if len(*v) == 0 {
			*v = nil
		}
	case *[]Persona:
		if len(*v) == 0 {
			*v = nil
		}
	case *[]Handoff:
		if len(*v) == 0 {
			*v = nil
		}
	}
}

// join puts a step into a group, which is made or changed as needed; the zero
// group takes it out.
func (d *Document) join(s *Step, g Group) {
	s.Group = g.ID
	if g.ID == "" {
		s.Branch = ""
		return
	}
	for i := range d.Groups {
		if d.Groups[i].ID == g.ID {
			d.Groups[i] = g
			return
		}
	}
	d.Groups = append(d.Groups, g)
}

// tidyGroups drops groups without steps and orders the others as they appear.
func (d *Document) tidyGroups() {
	var out []Group
	for _, s := range d.Steps() {
		if s.Group == "" || slices.ContainsFunc(out, func(g Group) bool { return g.ID == s.Group }) {
			continue
		}
		if g := d.GroupOf(s); g.ID != "" {
			out = append(out, g)
		}
	}
	d.Groups = out
}

func (d *Document) add(o Op) error {
	kind, id, _ := strings.Cut(o.Target, "/")
	if !ValidID(id) {
		return errs.Invalid("blueprint.error.id", "target", "%q is no id", id).With("value", id)
	}
	var a Added
	if len(o.Value) > 0 {
		if err := json.Unmarshal(o.Value, &a); err != nil {
			return badValue("add", err)
		}
	}
	switch kind {
	case "stage":
		if d.StageAt(id) >= 0 {
			return errs.Conflict("blueprint.error.exists", "the map already has a %q", o.Target).With("target", o.Target)
		}
		st := Stage{}
		if a.Stage != nil {
			st = *a.Stage
		}
		st.ID = id
		at := 0
		if o.After != "" {
			if at = d.StageAt(o.After) + 1; at == 0 {
				at = len(d.Stages) // what stood before it is gone: the end
			}
		}
		d.Stages = slices.Insert(d.Stages, at, st)
		return nil
	case "step":
		if d.Step(id) != nil {
			return errs.Conflict("blueprint.error.exists", "the map already has a %q", o.Target).With("target", o.Target)
		}
		s := Step{}
		if a.Step != nil {
			s = *a.Step
		}
		s.ID, s.Group = id, ""
		if err := d.place(s, o.Stage, o.After, a.Group); err != nil {
			return err
		}
		d.tidyGroups()
		return nil
	}
	return badTarget(o.Target)
}

// place inserts a step. Between two steps of one group it joins them; elsewhere
// it keeps the group given only where a neighbour is of that group, or where it
// is the group's only step.
func (d *Document) place(s Step, stage, after string, g *Group) error {
	i := d.StageAt(stage)
	if i < 0 {
		return badTarget("stage/" + stage)
	}
	steps := d.Stages[i].Steps
	at := 0
	if after != "" {
		if at = slices.IndexFunc(steps, func(x Step) bool { return x.ID == after }) + 1; at == 0 {
			at = len(steps)
		}
	}
	before, next := "", ""
	if at > 0 {
		before = steps[at-1].Group
	}
	if at < len(steps) {
		next = steps[at].Group
	}
	others := g != nil && slices.ContainsFunc(d.Steps(), func(x *Step) bool { return x.Group == g.ID })
	switch {
	case before != "" && before == next:
		s.Group = before
	case g != nil && g.ID != "" && (before == g.ID || next == g.ID || !others):
		s.Group = g.ID
	}
	if s.Group == "" {
		s.Branch = ""
	}
	d.Stages[i].Steps = slices.Insert(steps, at, s)
	if g != nil && s.Group == g.ID {
		d.join(&d.Stages[i].Steps[at], *g)
	}
	return nil
}

// left says where a step or stage stands.
func (d *Document) left(target string) (Added, error) {
	kind, id, _ := strings.Cut(target, "/")
	switch kind {
	case "stage":
		i := d.StageAt(id)
		if i < 0 {
			return Added{}, badTarget(target)
		}
		st := d.Stages[i]
		a := Added{Stage: &st}
		if i > 0 {
			a.After = d.Stages[i-1].ID
		}
		return a, nil
	case "step":
		i, j := d.Place(id)
		if i < 0 {
			return Added{}, badTarget(target)
		}
		s := d.Stages[i].Steps[j]
		a := Added{Step: &s, In: d.Stages[i].ID}
		if g := d.GroupOf(&s); g.ID != "" {
			a.Group = &g
		}
		if j > 0 {
			a.After = d.Stages[i].Steps[j-1].ID
		}
		return a, nil
	}
	return Added{}, badTarget(target)
}

func (d *Document) remove(o Op) (json.RawMessage, error) {
	a, err := d.left(o.Target)
	if err != nil {
		return nil, err
	}
	before, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	if a.Stage != nil {
		if len(a.Stage.Steps) > 0 {
			return nil, errs.Conflict("blueprint.error.stage_full", "the stage still has steps: move or remove them first")
		}
		i := d.StageAt(a.Stage.ID)
		d.Stages = slices.Delete(d.Stages, i, i+1)
		return before, nil
	}
	i, j := d.Place(a.Step.ID)
	d.Stages[i].Steps = slices.Delete(d.Stages[i].Steps, j, j+1)
	d.tidyGroups()
	return before, nil
}

func (d *Document) move(o Op) (json.RawMessage, error) {
	a, err := d.left(o.Target)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(o.Target, "/"+o.After) && o.After != "" {
		return nil, errs.Invalid("blueprint.error.after", "after", "nothing can stand after itself")
	}
	before, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	if a.Stage != nil {
		st := *a.Stage
		i := d.StageAt(st.ID)
		d.Stages = slices.Delete(d.Stages, i, i+1)
		at := 0
		if o.After != "" {
			if at = d.StageAt(o.After) + 1; at == 0 {
				at = len(d.Stages)
			}
		}
		d.Stages = slices.Insert(d.Stages, at, st)
		d.tidyGroups()
		return before, nil
	}
	if d.StageAt(o.Stage) < 0 {
		return nil, badTarget("stage/" + o.Stage)
	}
	s := *a.Step
	i, j := d.Place(s.ID)
	d.Stages[i].Steps = slices.Delete(d.Stages[i].Steps, j, j+1)
	group := a.Group
	if len(o.Value) > 0 { // the inverse of a move carries the group it had
		var was Added
		if err := json.Unmarshal(o.Value, &was); err != nil {
			return nil, badValue("move", err)
		}
		group, s.Branch = was.Group, a.Step.Branch
		if was.Step != nil {
			s.Branch = was.Step.Branch
		}
	}
	s.Group = ""
	if err := d.place(s, o.Stage, o.After, group); err != nil {
		return nil, err
	}
	d.tidyGroups()
	return before, nil
}

// Inverse gives the operation that takes o back, of what Apply said was there
// before.
func (o Op) Inverse(before json.RawMessage) (Op, error) {
	inv := Op{Target: o.Target, Field: o.Field}
	if o.Kind == OpSet {
		inv.Kind, inv.Value = OpSet, before
		if bytes.Equal(before, []byte("null")) {
			inv.Value = json.RawMessage("[]") // a list that was not there
		}
		return inv, nil
	}
	if o.Kind == OpAdd {
		inv.Kind = OpRemove
		return inv, nil
	}
	var a Added
	if err := json.Unmarshal(before, &a); err != nil {
		return inv, badValue("before", err)
	}
	inv.Stage, inv.After, inv.Value = a.In, a.After, before
	inv.Kind = OpMove
	if o.Kind == OpRemove {
		inv.Kind = OpAdd
	}
	return inv, nil
}
