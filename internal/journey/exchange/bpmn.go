package exchange

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"omote/internal/journey/blueprint"
)

// The part of BPMN 2.0 that a map needs: one process of events, tasks and
// gateways. What BPMN has no element for (bound events, standards, stages) is in
// attributes of our own namespace, which other tools keep and ignore.
const (
	bpmnNS  = "http://www.omg.org/spec/BPMN/20100524/MODEL"
	omoteNS = "https://omote.dev/bpmn"
)

type bpmnNode struct {
	id, kind, name string
	attrs          [][2]string // of our namespace
	loop           bool
	in, out        []string // flows, while reading
}

type bpmnFlow struct{ id, from, to string }

// bpmnWriter lays the map out as a graph.
type bpmnWriter struct {
	nodes  []bpmnNode
	flows  []bpmnFlow
	x, y   map[string]int
	column int
	locale string
}

func (w *bpmnWriter) add(n bpmnNode, row int) string {
	w.nodes = append(w.nodes, n)
	w.x[n.id], w.y[n.id] = w.column, row
	return n.id
}

func (w *bpmnWriter) flow(from, to string) {
	w.flows = append(w.flows, bpmnFlow{fmt.Sprintf("flow_%d", len(w.flows)+1), from, to})
}

func writeBPMN(d *blueprint.Document, locale string) ([]byte, error) {
	w := &bpmnWriter{x: map[string]int{}, y: map[string]int{}, locale: locale}
	at := w.add(bpmnNode{id: "start", kind: "startEvent", attrs: attrs("events", strings.Join(d.Start, ","))}, 0)
	for i := range d.Stages {
		st := &d.Stages[i]
		for j := 0; j < len(st.Steps); {
			s := &st.Steps[j]
			w.column++
			if s.Group == "" {
				at = w.single(d, st, s, at)
				j++
				continue
			}
			end := j
			for end < len(st.Steps) && st.Steps[end].Group == s.Group {
				end++
			}
			at = w.group(d, st, st.Steps[j:end], at)
			j = end
		}
	}
	w.column++
	end := w.add(bpmnNode{id: "end", kind: "endEvent", attrs: attrs("success", strings.Join(d.Success, ","), "failure", strings.Join(d.Failure, ","), "exceptions", strings.Join(d.Exceptions, ","))}, 0)
	w.flow(at, end)
	return w.xml(d), nil
}

// attrs pairs names with values, leaving out the empty ones.
func attrs(pairs ...string) (out [][2]string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, [2]string{pairs[i], pairs[i+1]})
		}
	}
	return out
}

func taskKind(s *blueprint.Step) string {
	switch {
	case s.Kind == blueprint.Communication:
		return "sendTask"
	case s.Actor == blueprint.System:
		return "serviceTask"
	case s.Actor == blueprint.Staff:
		return "manualTask"
	case s.Actor == blueprint.Customer:
		return "userTask"
	}
	return "task"
}

func (w *bpmnWriter) task(d *blueprint.Document, st *blueprint.Stage, s *blueprint.Step, row int) string {
	g := d.GroupOf(s)
	return w.add(bpmnNode{id: "step_" + s.ID, kind: taskKind(s), name: say(s.Name, w.locale), loop: g.Mode == blueprint.Loop && d.GroupOf(s).ID != "" && alone(d, s),
		attrs: attrs("step", s.ID, "stage", st.ID, "stageName", say(st.Name, w.locale), "actor", string(s.Actor), "kind", string(s.Kind), "channels", strings.Join(s.Channels, ","),
			"events", strings.Join(s.Events, ","), "maxWait", s.MaxWait.String(), "unseen", yes(s.Unseen), "moment", yes(s.Moment))}, row)
}

// alone tells that a step is the only one of its group.
func alone(d *blueprint.Document, s *blueprint.Step) bool {
	n := 0
	for _, x := range d.Steps() {
		if x.Group == s.Group {
			n++
		}
	}
	return n == 1
}

func yes(on bool) string {
	if on {
		return "true"
	}
	return ""
}

// single writes a step, between gateways where it may be left out.
func (w *bpmnWriter) single(d *blueprint.Document, st *blueprint.Stage, s *blueprint.Step, at string) string {
	if !s.Optional {
		id := w.task(d, st, s, 0)
		w.flow(at, id)
		return id
	}
	split := w.add(bpmnNode{id: "split_" + s.ID, kind: "exclusiveGateway"}, 0)
	w.column++
	id := w.task(d, st, s, 0)
	w.column++
	join := w.add(bpmnNode{id: "join_" + s.ID, kind: "exclusiveGateway"}, 0)
	w.flow(at, split)
	w.flow(split, id)
	w.flow(id, join)
	w.flow(split, join)
	return join
}

func (w *bpmnWriter) group(d *blueprint.Document, st *blueprint.Stage, steps []blueprint.Step, at string) string {
	g := d.GroupOf(&steps[0])
	if g.Mode == blueprint.Loop && len(steps) == 1 {
		return w.single(d, st, &steps[0], at)
	}
	kind := "exclusiveGateway"
	if g.Mode == blueprint.Parallel {
		kind = "parallelGateway"
	}
	first := w.add(bpmnNode{id: "open_" + g.ID, kind: kind}, 0)
	w.flow(at, first)
	if g.Mode == blueprint.Loop {
		last := first
		for i := range steps {
			w.column++
			id := w.task(d, st, &steps[i], 0)
			w.flow(last, id)
			last = id
		}
		w.column++
		again := w.add(bpmnNode{id: "close_" + g.ID, kind: kind}, 0)
		w.flow(last, again)
		w.flow(again, first)
		return again
	}
	var order []string
	branches := map[string][]*blueprint.Step{}
	for i := range steps {
		b := steps[i].Branch
		if b == "" {
			b = "\x00" + steps[i].ID
		}
		if _, ok := branches[b]; !ok {
			order = append(order, b)
		}
		branches[b] = append(branches[b], &steps[i])
	}
	from, widest := w.column, w.column
	var ends []string
	for row, b := range order {
		w.column = from
		last := first
		for _, s := range branches[b] {
			w.column++
			id := w.task(d, st, s, row)
			w.flow(last, id)
			last = id
		}
		ends = append(ends, last)
		widest = max(widest, w.column)
	}
	w.column = widest + 1
	join := w.add(bpmnNode{id: "close_" + g.ID, kind: kind}, 0)
	for _, e := range ends {
		w.flow(e, join)
	}
	if g.Optional {
		w.flow(first, join)
	}
	return join
}

func (w *bpmnWriter) xml(d *blueprint.Document) []byte {
	var b strings.Builder
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, `<bpmn:definitions xmlns:bpmn="%s" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:omote="%s" id="definitions" targetNamespace="%s">`+"\n", bpmnNS, omoteNS, omoteNS)
	fmt.Fprintf(&b, `  <bpmn:process id="%s" name="%s" isExecutable="false"%s>`+"\n", esc("journey_"+strings.ReplaceAll(d.Journey, ".", "_")), esc(say(d.Name, w.locale)),
		ownAttrs(attrs("journey", d.Journey, "owner", d.Owner, "promise", say(d.Promise, w.locale), "timeout", d.Timeout.String())))
	for _, n := range w.nodes {
		fmt.Fprintf(&b, `    <bpmn:%s id="%s"`, n.kind, esc(n.id))
		if n.name != "" {
			fmt.Fprintf(&b, ` name="%s"`, esc(n.name))
		}
		b.WriteString(ownAttrs(n.attrs) + ">")
		for _, f := range w.flows {
			if f.to == n.id {
				fmt.Fprintf(&b, "<bpmn:incoming>%s</bpmn:incoming>", f.id)
			}
		}
		for _, f := range w.flows {
			if f.from == n.id {
				fmt.Fprintf(&b, "<bpmn:outgoing>%s</bpmn:outgoing>", f.id)
			}
		}
		if n.loop {
			b.WriteString("<bpmn:standardLoopCharacteristics/>")
		}
		fmt.Fprintf(&b, "</bpmn:%s>\n", n.kind)
	}
	for _, f := range w.flows {
		fmt.Fprintf(&b, `    <bpmn:sequenceFlow id="%s" sourceRef="%s" targetRef="%s"/>`+"\n", f.id, esc(f.from), esc(f.to))
	}
	b.WriteString("  </bpmn:process>\n")
	w.diagram(&b, d)
	b.WriteString("</bpmn:definitions>\n")
	return []byte(b.String())
}

// diagram places the nodes on a grid, so that other tools can show them at once.
func (w *bpmnWriter) diagram(b *strings.Builder, d *blueprint.Document) {
	fmt.Fprintf(b, `  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="%s">`+"\n", esc("journey_"+strings.ReplaceAll(d.Journey, ".", "_")))
	size := func(kind string) (int, int) {
		switch {
		case strings.HasSuffix(kind, "Event"):
			return 36, 36
		case strings.HasSuffix(kind, "Gateway"):
			return 50, 50
		}
		return 120, 80
	}
	kinds := map[string]string{}
	for _, n := range w.nodes {
		kinds[n.id] = n.kind
		width, height := size(n.kind)
		fmt.Fprintf(b, `    <bpmndi:BPMNShape id="%s_shape" bpmnElement="%s"><dc:Bounds x="%d" y="%d" width="%d" height="%d"/></bpmndi:BPMNShape>`+"\n", esc(n.id), esc(n.id),
			80+w.x[n.id]*160-width/2, 160+w.y[n.id]*120-height/2, width, height)
	}
	for _, f := range w.flows {
		fw, _ := size(kinds[f.from])
		tw, _ := size(kinds[f.to])
		fmt.Fprintf(b, `    <bpmndi:BPMNEdge id="%s_edge" bpmnElement="%s"><di:waypoint x="%d" y="%d"/><di:waypoint x="%d" y="%d"/></bpmndi:BPMNEdge>`+"\n", f.id, f.id,
			80+w.x[f.from]*160+fw/2, 160+w.y[f.from]*120, 80+w.x[f.to]*160-tw/2, 160+w.y[f.to]*120)
	}
	b.WriteString("  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>\n")
}

func ownAttrs(list [][2]string) string {
	var b strings.Builder
	for _, a := range list {
		fmt.Fprintf(&b, ` omote:%s="%s"`, a[0], esc(a[1]))
	}
	return b.String()
}

func esc(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}

// splitList reads a list of an attribute.
func splitList(s string) []string {
	return slices.DeleteFunc(trimmed(strings.Split(s, ",")), func(x string) bool { return x == "" })
}
