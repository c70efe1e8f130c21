package exchange

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"omote/analytics/text/normalise"
	"omote/internal/journey/blueprint"
)

// The elements of the Customer Journey Modelling Language that this product
// writes and reads: the planned journey with its actors and touchpoints, as
// https://cjml.no shows them. Attributes in our own namespace hold what the
// language has no element for.
type cjmlFile struct {
	XMLName xml.Name    `xml:"CJML"`
	Version string      `xml:"version,attr"`
	Journey cjmlJourney `xml:"plannedJourney"`
}

type cjmlJourney struct {
	ID     string      `xml:"journeyID"`
	Name   string      `xml:"journeyName,omitempty"`
	Goal   string      `xml:"goal,omitempty"`
	Owner  string      `xml:"owner,omitempty"`
	Actors []cjmlActor `xml:"actors>actor"`
	Phases []cjmlPhase `xml:"phases>phase"`
}

type cjmlActor struct {
	ID   string `xml:"actorID,attr"`
	Role string `xml:"role,attr"`
	Name string `xml:"actorName"`
}

type cjmlPhase struct {
	ID     string      `xml:"phaseID,attr"`
	Name   string      `xml:"phaseName"`
	Points []cjmlPoint `xml:"touchpoints>touchpoint"`
}

type cjmlPoint struct {
	ID        string   `xml:"touchpointID,attr"`
	Kind      string   `xml:"type,attr,omitempty"` // action or communication
	Optional  bool     `xml:"optional,attr,omitempty"`
	Group     string   `xml:"group,attr,omitempty"`
	Mode      string   `xml:"groupMode,attr,omitempty"`
	Branch    string   `xml:"branch,attr,omitempty"`
	MaxWait   string   `xml:"maxWait,attr,omitempty"`
	Initiator string   `xml:"initiator>actorIDref,omitempty"`
	Label     string   `xml:"initiator>initiatorLabel"`
	Channels  []string `xml:"channel>channelName"`
	Events    []string `xml:"events>event"`
	Lanes     []cjmlIn `xml:"layers>layer"`
}

type cjmlIn struct {
	Name string `xml:"name,attr"`
	None bool   `xml:"none,attr,omitempty"`
	Text string `xml:",chardata"`
}

var cjmlActors = map[blueprint.Actor]cjmlActor{
	blueprint.Customer: {"customer", "endUser", "Customer"},
	blueprint.Staff:    {"staff", "serviceProvider", "Staff"},
	blueprint.System:   {"system", "serviceProvider", "System"},
	blueprint.Partner:  {"partner", "serviceProvider", "Partner"},
}

func writeCJML(d *blueprint.Document, locale string) ([]byte, error) {
	f := cjmlFile{Version: "2.0", Journey: cjmlJourney{ID: d.Journey, Name: say(d.Name, locale), Goal: say(d.Promise, locale), Owner: d.Owner}}
	for _, a := range blueprint.Actors {
		f.Journey.Actors = append(f.Journey.Actors, cjmlActors[a])
	}
	for _, st := range d.Stages {
		ph := cjmlPhase{ID: st.ID, Name: say(st.Name, locale)}
		for i := range st.Steps {
			s := &st.Steps[i]
			g := d.GroupOf(s)
			p := cjmlPoint{ID: s.ID, Kind: string(s.Kind), Optional: s.Optional, Group: g.ID, Mode: string(g.Mode), Branch: s.Branch, MaxWait: s.MaxWait.String(),
				Initiator: string(s.Actor), Label: say(s.Name, locale), Channels: s.Channels, Events: s.Events}
			for _, l := range blueprint.Layers {
				if c, ok := s.Layers[l]; ok {
					p.Lanes = append(p.Lanes, cjmlIn{Name: string(l), None: c.None, Text: c.Text})
				}
			}
			ph.Points = append(ph.Points, p)
		}
		f.Journey.Phases = append(f.Journey.Phases, ph)
	}
	raw, err := xml.MarshalIndent(f, "", "  ")
	return append(append([]byte(xml.Header), raw...), '\n'), err
}

func readCJML(raw []byte) (*blueprint.Document, error) {
	var f cjmlFile
	if err := xml.Unmarshal(raw, &f); err != nil {
		return nil, wrong("cjml", err)
	}
	j := f.Journey
	d := &blueprint.Document{Journey: j.ID, Name: both(j.Name), Promise: both(j.Goal), Owner: strings.TrimSpace(j.Owner)}
	if !blueprint.ValidJourney(d.Journey) {
		d.Journey = idOf(j.ID+" "+j.Name, "journey")
	}
	roles := map[string]blueprint.Actor{}
	for _, a := range j.Actors {
		roles[a.ID] = blueprint.Staff
		if a.Role == "endUser" {
			roles[a.ID] = blueprint.Customer
		}
	}
	stages, steps, groups := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, ph := range j.Phases {
		st := blueprint.Stage{ID: unique(safeID(ph.ID, ph.Name, fmt.Sprintf("stage_%d", i+1)), stages), Name: both(ph.Name)}
		for k, p := range ph.Points {
			s := blueprint.Step{ID: unique(safeID(p.ID, p.Label, fmt.Sprintf("step_%d_%d", i+1, k+1)), steps), Name: both(p.Label), Actor: blueprint.Actor(p.Initiator),
				Kind: blueprint.Kind(p.Kind), Optional: p.Optional, Channels: trimmed(p.Channels), Events: trimmed(p.Events), Group: p.Group, Branch: p.Branch}
			if _, ours := cjmlActors[s.Actor]; !ours {
				s.Actor = roles[p.Initiator]
			}
			if s.Kind != blueprint.Action && s.Kind != blueprint.Communication {
				s.Kind = ""
			}
			if err := s.MaxWait.UnmarshalJSON([]byte(fmt.Sprintf("%q", p.MaxWait))); err != nil {
				return nil, wrong("cjml", fmt.Errorf("touchpoint %q: %w", p.ID, err))
			}
			if p.Group != "" && !groups[p.Group] {
				groups[p.Group] = true
				d.Groups = append(d.Groups, blueprint.Group{ID: p.Group, Mode: blueprint.Mode(p.Mode)})
			}
			for _, l := range p.Lanes {
				c := blueprint.Cell{Text: strings.TrimSpace(l.Text), None: l.None}
				if c.Empty() {
					continue
				}
				if s.Layers == nil {
					s.Layers = map[blueprint.Layer]blueprint.Cell{}
				}
				s.Layers[blueprint.Layer(l.Name)] = c
			}
			st.Steps = append(st.Steps, s)
		}
		d.Stages = append(d.Stages, st)
	}
	return d, nil
}

func trimmed(list []string) (out []string) {
	for _, s := range list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// rootOf gives the name of the first element.
func rootOf(raw []byte) (string, error) {
	dec := xml.NewDecoder(bytes.NewReader(raw))
	for {
		t, err := dec.Token()
		if err != nil {
			return "", err
		}
		if e, ok := t.(xml.StartElement); ok {
			return e.Name.Local, nil
		}
	}
}

func fold(s string) string { return normalise.Fold(s) }
