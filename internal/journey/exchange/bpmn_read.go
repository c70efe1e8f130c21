package exchange

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"omote/internal/journey/blueprint"
)

// bpmnReader turns one process into a map. Only a process that is built of
// blocks can be one: what a gateway opens another closes, and blocks do not nest.
// Anything else is an error that names the place.
type bpmnReader struct {
	nodes map[string]*bpmnNode
	flows map[string]bpmnFlow
	own   map[string]map[string]string // our attributes by node; "" is the process
	name  string
	doc   *blueprint.Document
	seen  map[string]bool
	steps map[string]bool
	stage map[string]int
}

// maxNodes bounds a process.
const maxNodes = 2_000

var errNoProcess = errors.New("there is no process with a start event")

func readBPMN(raw []byte) (*blueprint.Document, error) {
	r := &bpmnReader{nodes: map[string]*bpmnNode{}, flows: map[string]bpmnFlow{}, own: map[string]map[string]string{}, doc: &blueprint.Document{},
		seen: map[string]bool{}, steps: map[string]bool{}, stage: map[string]int{}}
	if err := r.parse(raw); err != nil {
		return nil, wrong("bpmn", err)
	}
	start, err := r.link()
	if err != nil {
		return nil, wrong("bpmn", err)
	}
	p := r.own[""]
	r.doc.Journey, r.doc.Owner, r.doc.Name, r.doc.Promise = p["journey"], p["owner"], both(r.name), both(p["promise"])
	if !blueprint.ValidJourney(r.doc.Journey) {
		r.doc.Journey = idOf(r.name, "journey")
	}
	if err := r.doc.Timeout.UnmarshalJSON(fmt.Appendf(nil, "%q", p["timeout"])); err != nil {
		return nil, wrong("bpmn", err)
	}
	r.doc.Start = splitList(r.own[start]["events"])
	if err := r.walk(start); err != nil {
		return nil, wrong("bpmn", err)
	}
	return r.doc, nil
}

var bpmnKinds = map[string]string{"task": "task", "userTask": "task", "serviceTask": "task", "manualTask": "task", "sendTask": "task", "receiveTask": "task", "businessRuleTask": "task",
	"scriptTask": "task", "callActivity": "task", "subProcess": "task", "startEvent": "start", "endEvent": "end", "intermediateCatchEvent": "event", "intermediateThrowEvent": "event",
	"exclusiveGateway": "xor", "inclusiveGateway": "or", "parallelGateway": "and", "eventBasedGateway": "xor"}

func (r *bpmnReader) parse(raw []byte) error {
	dec := xml.NewDecoder(bytes.NewReader(raw))
	var open []string // ids of the nodes around the token
	depth := 0
	process := false
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := t.(type) {
		case xml.StartElement:
			if depth++; depth > 100 {
				return errors.New("elements nest too deep")
			}
			kind, known := bpmnKinds[e.Name.Local]
			switch {
			case e.Name.Local == "process":
				if process {
					return errors.New("the file holds more than one process")
				}
				process = true
				r.own[""] = ours(e)
				r.name = attr(e, "name")
			case known && process:
				if len(open) > 0 {
					return fmt.Errorf("%q lies inside another activity: make it a process of its own", attr(e, "id"))
				}
				n := &bpmnNode{id: attr(e, "id"), kind: kind, name: attr(e, "name")}
				if n.id == "" || r.nodes[n.id] != nil {
					return fmt.Errorf("the id %q is missing or not unique", n.id)
				}
				if len(r.nodes) >= maxNodes {
					return fmt.Errorf("a process has at most %d elements", maxNodes)
				}
				r.nodes[n.id], r.own[n.id] = n, ours(e)
				r.own[n.id]["element"] = e.Name.Local
				open = append(open, n.id)
			case e.Name.Local == "sequenceFlow" && process:
				f := bpmnFlow{attr(e, "id"), attr(e, "sourceRef"), attr(e, "targetRef")}
				if len(r.flows) >= 2*maxNodes {
					return fmt.Errorf("a process has at most %d flows", 2*maxNodes)
				}
				r.flows[cmp.Or(f.id, fmt.Sprintf("flow %d", len(r.flows)))] = f
			case e.Name.Local == "standardLoopCharacteristics" && len(open) > 0:
				r.nodes[open[len(open)-1]].loop = true
			case e.Name.Local == "timerEventDefinition" && len(open) > 0:
				r.own[open[len(open)-1]]["timer"] = "true"
			}
		case xml.EndElement:
			depth--
			if _, known := bpmnKinds[e.Name.Local]; known && len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// ours gives the attributes of our namespace.
func ours(e xml.StartElement) map[string]string {
	out := map[string]string{}
	for _, a := range e.Attr {
		if a.Name.Space == omoteNS {
			out[a.Name.Local] = strings.TrimSpace(a.Value)
		}
	}
	return out
}

// link joins flows to nodes and finds the start.
func (r *bpmnReader) link() (start string, err error) {
	var ids []string
	for id := range r.flows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		f := r.flows[id]
		from, to := r.nodes[f.from], r.nodes[f.to]
		if from == nil || to == nil {
			return "", fmt.Errorf("the flow %q leads from %q to %q, and one of them is not there", id, f.from, f.to)
		}
		from.out, to.in = append(from.out, f.to), append(to.in, f.from)
	}
	for id, n := range r.nodes {
		if n.kind == "start" {
			if start != "" {
				return "", errors.New("the process has more than one start event")
			}
			start = id
		}
	}
	if start == "" {
		return "", errNoProcess
	}
	return start, nil
}

// walk follows the process from the start to its end.
func (r *bpmnReader) walk(start string) error {
	at, err := r.only(start)
	for err == nil && at != "" {
		n := r.nodes[at]
		if r.seen[at] {
			return fmt.Errorf("the process comes back to %q without a gateway that says so", label(n))
		}
		switch n.kind {
		case "task", "event":
			err = r.step(n, blueprint.Group{}, "", false)
			if err == nil {
				at, err = r.only(at)
			}
		case "end":
			r.end(at)
			at = ""
		case "xor", "or", "and":
			at, err = r.block(at)
		default:
			err = fmt.Errorf("%q is no part of a map", label(n))
		}
	}
	if err != nil {
		return err
	}
	for id, n := range r.nodes {
		if (n.kind == "task" || n.kind == "event") && !r.seen[id] {
			return fmt.Errorf("no way leads to %q", label(n))
		}
	}
	return nil
}

func label(n *bpmnNode) string { return cmp.Or(n.name, n.id) }

// only gives the one node that follows; "" at an end.
func (r *bpmnReader) only(id string) (string, error) {
	n := r.nodes[id]
	switch len(n.out) {
	case 0:
		return "", nil
	case 1:
		return n.out[0], nil
	}
	return "", fmt.Errorf("%q leads to %d places without a gateway", label(n), len(n.out))
}

func (r *bpmnReader) end(id string) {
	o := r.own[id]
	r.seen[id] = true
	r.doc.Success = append(r.doc.Success, splitList(o["success"])...)
	r.doc.Failure = append(r.doc.Failure, splitList(o["failure"])...)
	r.doc.Exceptions = append(r.doc.Exceptions, splitList(o["exceptions"])...)
}

// block reads what a gateway opens and gives what follows its end.
func (r *bpmnReader) block(id string) (string, error) {
	n := r.nodes[id]
	r.seen[id] = true
	if n.kind == "or" {
		return "", fmt.Errorf("the inclusive gateway %q cannot be kept: say which of its ways exclude one another", label(n))
	}
	if len(n.out) == 1 && len(n.in) > 1 && n.kind == "xor" {
		return r.loop(id)
	}
	if len(n.out) < 2 {
		return r.only(id)
	}
	g := blueprint.Group{ID: idOf(strings.TrimPrefix(id, "open_"), "group"), Mode: blueprint.Alternative}
	if n.kind == "and" {
		g.Mode = blueprint.Parallel
	}
	var chains [][]string
	join, ended := "", 0
	for _, head := range n.out {
		chain, last, err := r.chain(head, "")
		if err != nil {
			return "", err
		}
		if last == "" || r.nodes[last].kind == "end" {
			ended++
			if last != "" {
				r.end(last)
			}
		} else if join == "" {
			join = last
		} else if join != last {
			return "", fmt.Errorf("the ways from %q meet at different places", label(n))
		}
		chains = append(chains, chain)
	}
	if join != "" {
		r.seen[join] = true
		if r.nodes[join].kind != n.kind {
			return "", fmt.Errorf("%q opens and %q closes, and they are not of the same kind", label(n), label(r.nodes[join]))
		}
		if ended > 0 {
			return "", fmt.Errorf("some ways from %q end and others go on", label(n))
		}
	}
	if err := r.branches(g, chains); err != nil {
		return "", err
	}
	if join == "" {
		return "", nil
	}
	return r.only(join)
}

// branches adds the steps of the ways of a block. A way without steps makes the
// others optional.
func (r *bpmnReader) branches(g blueprint.Group, chains [][]string) error {
	full := slices.DeleteFunc(slices.Clone(chains), func(c []string) bool { return len(c) == 0 })
	optional := len(full) < len(chains)
	if len(full) == 0 {
		return nil
	}
	if len(full) == 1 && len(full[0]) == 1 {
		return r.step(r.nodes[full[0][0]], blueprint.Group{}, "", optional)
	}
	g.Optional = optional
	for i, c := range full {
		for _, id := range c {
			branch := ""
			if len(c) > 1 {
				branch = fmt.Sprintf("b%d", i+1)
			}
			if err := r.step(r.nodes[id], g, branch, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// chain follows tasks until a gateway or an end; back is where a way back would
// lead that the chain may end with.
func (r *bpmnReader) chain(at, back string) (steps []string, last string, err error) {
	for at != "" {
		n := r.nodes[at]
		if n.kind != "task" && n.kind != "event" {
			if (n.kind == "xor" || n.kind == "and") && len(n.out) > 1 && len(n.in) < 2 && !slices.Contains(n.out, back) {
				return nil, "", fmt.Errorf("the block at %q lies inside another: a map keeps one level", label(n))
			}
			return steps, at, nil
		}
		if slices.Contains(steps, at) {
			return nil, "", fmt.Errorf("the process comes back to %q without a gateway that says so", label(n))
		}
		steps = append(steps, at)
		if at, err = r.only(at); err != nil {
			return nil, "", err
		}
	}
	return steps, "", nil
}

// loop reads a part that may be done again: a gateway where the way back comes
// in, tasks, and a gateway where it goes out.
func (r *bpmnReader) loop(id string) (string, error) {
	steps, last, err := r.chain(r.nodes[id].out[0], id)
	if err != nil {
		return "", err
	}
	if last == "" || !slices.Contains(r.nodes[last].out, id) || len(r.nodes[last].out) != 2 {
		return "", fmt.Errorf("several ways meet at %q that no gateway has opened", label(r.nodes[id]))
	}
	r.seen[last] = true
	g := blueprint.Group{ID: idOf(strings.TrimPrefix(id, "open_"), "group"), Mode: blueprint.Loop}
	for _, s := range steps {
		if err := r.step(r.nodes[s], g, "", false); err != nil {
			return "", err
		}
	}
	for _, next := range r.nodes[last].out {
		if next != id {
			return next, nil
		}
	}
	return "", nil
}

// step adds a step to its stage.
func (r *bpmnReader) step(n *bpmnNode, g blueprint.Group, branch string, optional bool) error {
	if r.seen[n.id] {
		return fmt.Errorf("the process comes back to %q without a gateway that says so", label(n))
	}
	r.seen[n.id] = true
	o := r.own[n.id]
	s := blueprint.Step{ID: unique(safeID(cmp.Or(o["step"], n.id), n.name, "step"), r.steps), Name: both(label(n)), Actor: blueprint.Actor(o["actor"]), Kind: blueprint.Kind(o["kind"]),
		Channels: splitList(o["channels"]), Events: splitList(o["events"]), Unseen: o["unseen"] == "true" || o["timer"] == "true", Moment: o["moment"] == "true", Optional: optional, Branch: branch}
	if s.Unseen {
		s.Events = nil
	}
	if err := s.MaxWait.UnmarshalJSON(fmt.Appendf(nil, "%q", o["maxWait"])); err != nil {
		return fmt.Errorf("%q: %w", label(n), err)
	}
	if s.Actor == "" {
		s.Actor = map[string]blueprint.Actor{"userTask": blueprint.Customer, "serviceTask": blueprint.System, "manualTask": blueprint.Staff, "scriptTask": blueprint.System}[o["element"]]
	}
	if s.Kind == "" && (o["element"] == "sendTask" || n.kind == "event") {
		s.Kind = blueprint.Communication
	}
	if g.ID == "" && n.loop {
		g = blueprint.Group{ID: unique(idOf("again_"+s.ID, "again"), r.steps), Mode: blueprint.Loop}
	}
	if g.ID != "" {
		s.Group = g.ID
		if !slices.ContainsFunc(r.doc.Groups, func(x blueprint.Group) bool { return x.ID == g.ID }) {
			r.doc.Groups = append(r.doc.Groups, g)
		}
	}
	id := cmp.Or(o["stage"], "stage_1")
	if !blueprint.ValidID(id) {
		id = "stage_1"
	}
	at, known := r.stage[id]
	if !known {
		at = len(r.doc.Stages)
		r.stage[id] = at
		r.doc.Stages = append(r.doc.Stages, blueprint.Stage{ID: id, Name: both(cmp.Or(o["stageName"], r.name, id))})
	}
	if at != len(r.doc.Stages)-1 {
		return fmt.Errorf("the steps of the stage %q do not stand together", id)
	}
	r.doc.Stages[at].Steps = append(r.doc.Stages[at].Steps, s)
	return nil
}
