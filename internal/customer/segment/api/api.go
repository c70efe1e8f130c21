// Package api offers segments and audiences under /api/v1.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/analytics/rule"
	"omote/internal/customer/segment"
	"omote/internal/platform/httpx"
)

// API is the operations.
type API struct{ Segments *segment.Service }

func op(id, method, path, summary string, errors ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Tags: []string{"Segments"}, Summary: summary, Errors: errors}
}

// Register adds the operations.
func (a API) Register(api huma.API) {
	httpx.Operation(api, op("list-segments", http.MethodGet, "/segments", "Segments with their size"), segment.PermRead, a.list)
	httpx.Operation(api, op("save-segment", http.MethodPut, "/segments/{id}", "Save a draft of a segment", 409), segment.PermEdit, a.save)
	httpx.Operation(api, op("get-segment", http.MethodGet, "/segments/{id}", "A segment: definition, figures, versions", 404), segment.PermRead, a.get)
	httpx.Operation(api, op("activate-segment", http.MethodPost, "/segments/{id}/activate", "Put a draft into use: it takes up history first", 404, 409), segment.PermEdit, a.activate)
	httpx.Operation(api, op("retire-segment", http.MethodPost, "/segments/{id}/retire", "Take a segment out of use", 404, 409), segment.PermEdit, a.retire)
	httpx.Operation(api, op("list-segment-members", http.MethodGet, "/segments/{id}/members", "Who belongs now, by pseudonym", 404), segment.PermMember, a.members)
	httpx.Operation(api, op("export-segment", http.MethodPost, "/segments/{id}/export", "All members at once; it stands on the audit trail", 404), segment.PermExport, a.export)
	httpx.Operation(api, op("check-rule", http.MethodPost, "/segments/check", "Read a rule, count it over the facts as of now; nothing is kept"), segment.PermRead, a.check)
	httpx.Operation(api, op("list-segment-attributes", http.MethodGet, "/segments/attributes", "Attributes that rules may name"), segment.PermRead, a.attributes)
	httpx.Operation(api, op("get-lifecycle", http.MethodGet, "/lifecycle", "States of the relationship's life and the moves between them"), segment.PermRead, a.life)
	httpx.Operation(api, op("list-audiences", http.MethodGet, "/audiences", "Audiences that were made"), segment.PermRead, a.audiences)
	httpx.Operation(api, op("make-audience", http.MethodPost, "/audiences", "Make an audience with a hold-out and count it", 403, 409), segment.PermEdit, a.makeAudience)
}

type one[T any] struct{ Body T }

type items[T any] struct {
	Body struct {
		Items []T    `json:"items"`
		Next  string `json:"next,omitempty" doc:"pass it as after to go on"`
	}
}

func listOf[T any](all []T) *items[T] {
	out := &items[T]{}
	if out.Body.Items = all; all == nil {
		out.Body.Items = []T{}
	}
	return out
}

// ByID names a segment.
type ByID struct {
	ID string `path:"id" maxLength:"64"`
}

// SegmentText is said in both languages.
type SegmentText struct {
	En string `json:"en" yaml:"en"`
	Vi string `json:"vi" yaml:"vi"`
}

// SegmentRule is what a segment's version says.
type SegmentRule struct {
	Name      SegmentText `json:"name"`
	Intent    SegmentText `json:"intent,omitempty"`
	Rule      string      `json:"rule" doc:"in the rule language; see the reference of rules"`
	Exit      string      `json:"exit,omitempty" doc:"rule that ends the membership"`
	Hold      string      `json:"hold,omitempty" doc:"minimum stay, such as 30d"`
	Group     string      `json:"group,omitempty"`
	Rank      int         `json:"rank,omitempty"`
	Stage     string      `json:"stage,omitempty" enum:"get,grow,keep,left,"`
	Metrics   []string    `json:"metrics,omitempty"`
	Uses      []string    `json:"uses"`
	Forbidden []string    `json:"forbidden,omitempty"`
	Owner     string      `json:"owner"`
	Review    int         `json:"review,omitempty" doc:"days"`
}

// Segment is a segment with its state and size.
type Segment struct {
	ID         string      `json:"id"`
	Version    int         `json:"version"`
	Status     string      `json:"status" enum:"draft,filling,live,retired"`
	Members    int64       `json:"members"`
	Definition SegmentRule `json:"definition"`
	Newest     int         `json:"newest" doc:"number of the newest version"`
	Draft      bool        `json:"draft" doc:"a newer version waits to be activated"`
	Waits      string      `json:"waits,omitempty" doc:"id of the proposal that a second person decides"`
}

func view(v *segment.Version) Segment {
	d := v.Definition
	out := Segment{ID: d.ID, Version: v.Version, Status: string(v.Status), Newest: v.Version, Definition: SegmentRule{Name: SegmentText(d.Name), Intent: SegmentText(d.Intent), Rule: d.Rule,
		Exit: d.Exit, Group: d.Group, Rank: d.Rank, Stage: string(d.Stage), Metrics: d.Metrics, Uses: d.Uses, Forbidden: d.Forbidden, Owner: d.Owner, Review: d.Review}}
	if d.Hold > 0 {
		out.Definition.Hold = d.Hold.String()
	}
	return out
}

// SegmentQuery narrows the list.
type SegmentQuery struct {
	Q      string `query:"q" maxLength:"100" doc:"part of id, name or purpose"`
	Status string `query:"status" enum:"draft,filling,live,retired,"`
	Group  string `query:"group" maxLength:"64"`
}

func (a API) list(ctx context.Context, in *SegmentQuery) (*items[Segment], error) {
	all, err := a.Segments.List(ctx, segment.Filter{Query: in.Q, Status: segment.Status(in.Status), Group: in.Group})
	if err != nil {
		return nil, err
	}
	var out []Segment
	for _, s := range all {
		one := view(&s.Version)
		one.Members, one.Newest, one.Draft = s.Members, s.Newest, s.Draft
		out = append(out, one)
	}
	return listOf(out), nil
}

// SaveSegment is a draft.
type SaveSegment struct {
	ByID
	Body struct {
		SegmentRule
		Reason string `json:"reason" maxLength:"1000" doc:"why"`
	}
}

func (a API) save(ctx context.Context, in *SaveSegment) (*one[Segment], error) {
	b := in.Body
	d := segment.Definition{ID: in.ID, Name: segment.Text(b.Name), Intent: segment.Text(b.Intent), Rule: b.Rule, Exit: b.Exit, Group: b.Group, Rank: b.Rank, Stage: segment.Stage(b.Stage),
		Metrics: b.Metrics, Uses: b.Uses, Forbidden: b.Forbidden, Owner: b.Owner, Review: b.Review}
	if b.Hold != "" {
		if d.Hold, _ = rule.ParseSpan(b.Hold); d.Hold == 0 {
			d.Hold = -1 // refused with its reason
		}
	}
	v, err := a.Segments.Save(ctx, d, b.Reason)
	if err != nil {
		return nil, err
	}
	return &one[Segment]{view(v)}, nil
}

// SegmentSize is how large a segment was.
type SegmentSize struct {
	At       time.Time `json:"at"`
	Members  int64     `json:"members"`
	Unknown  int64     `json:"unknown"`
	Observed bool      `json:"observed" doc:"counted then; else today's rule over the facts as of then"`
}

// SegmentOverlap is another segment with common members.
type SegmentOverlap struct {
	ID   string `json:"id"`
	Both int64  `json:"both"`
	N    int64  `json:"n"`
}

// SegmentDetail is a segment with its figures.
type SegmentDetail struct {
	Segment
	Sizes     []SegmentSize    `json:"sizes"`
	Overlap   []SegmentOverlap `json:"overlap"`
	Stability struct {
		Then     int64   `json:"then" doc:"members 90 days ago"`
		Still    int64   `json:"still" doc:"of those, members now"`
		Low      float64 `json:"low" doc:"95% interval of the share"`
		High     float64 `json:"high"`
		Entered  int64   `json:"entered_30d"`
		Departed int64   `json:"departed_30d"`
	} `json:"stability"`
	Versions []Segment `json:"versions"`
}

func (a API) get(ctx context.Context, in *ByID) (*one[SegmentDetail], error) {
	v, err := a.Segments.Get(ctx, in.ID, 0)
	if err != nil {
		return nil, err
	}
	f, err := a.Segments.Figures(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	versions, err := a.Segments.Versions(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := SegmentDetail{Segment: view(v), Sizes: []SegmentSize{}, Overlap: []SegmentOverlap{}}
	out.Members, out.Newest = f.Members, versions[0].Version
	for _, s := range f.Sizes {
		out.Sizes = append(out.Sizes, SegmentSize{s.At, s.Members, s.Unknown, s.Observed})
	}
	for _, o := range f.Overlap {
		out.Overlap = append(out.Overlap, SegmentOverlap{o.ID, o.Both, o.N})
	}
	st := f.Stability
	out.Stability.Then, out.Stability.Still, out.Stability.Entered, out.Stability.Departed = st.Then, st.Still, st.Entered, st.Departed
	out.Stability.Low, out.Stability.High = segment.Wilson(st.Still, st.Then)
	for _, one := range versions {
		out.Versions = append(out.Versions, view(one))
	}
	return &one[SegmentDetail]{out}, nil
}

type activateInput struct {
	ByID
	Version int `query:"version" minimum:"0" doc:"0 is the newest draft"`
}

func (a API) activate(ctx context.Context, in *activateInput) (*one[Segment], error) {
	n := in.Version
	if n == 0 {
		versions, err := a.Segments.Versions(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		n = versions[0].Version
	}
	waits, err := a.Segments.Activate(ctx, in.ID, n)
	if err != nil {
		return nil, err
	}
	v, err := a.Segments.Get(ctx, in.ID, n)
	if err != nil {
		return nil, err
	}
	out := view(v)
	out.Waits = waits
	return &one[Segment]{out}, nil
}

type retireInput struct {
	ByID
	Body struct {
		Reason string `json:"reason" maxLength:"1000"`
	}
}

func (a API) retire(ctx context.Context, in *retireInput) (*struct{}, error) {
	return nil, a.Segments.Retire(ctx, in.ID, in.Body.Reason)
}

// SegmentMember is one customer of a segment.
type SegmentMember struct {
	Customer string    `json:"customer" doc:"pseudonymous id"`
	Entered  time.Time `json:"entered"`
	Cause    string    `json:"cause" enum:"event,history,time,identity,fill"`
}

type membersInput struct {
	ByID
	After string `query:"after" maxLength:"64"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

func (a API) members(ctx context.Context, in *membersInput) (*items[SegmentMember], error) {
	if _, err := a.Segments.Get(ctx, in.ID, 0); err != nil {
		return nil, err
	}
	p, err := a.Segments.Members(ctx, in.ID, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := listOf(viewMembers(p.Items))
	out.Body.Next = p.Next
	return out, nil
}

func viewMembers(all []segment.Member) (out []SegmentMember) {
	for _, m := range all {
		out = append(out, SegmentMember{m.CustomerID, m.Entered, string(m.Cause)})
	}
	return out
}

func (a API) export(ctx context.Context, in *ByID) (*items[SegmentMember], error) {
	var all []segment.Member
	err := a.Segments.Export(ctx, in.ID, func(m segment.Member) error {
		all = append(all, m)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return listOf(viewMembers(all)), nil
}

// RuleCheck is what can be told of a rule.
type RuleCheck struct {
	Text      string    `json:"text" doc:"the rule in its settled form"`
	Rule      any       `json:"rule" doc:"the rule as JSON"`
	Resolved  string    `json:"resolved" doc:"with all it refers to written out"`
	Unseen    []string  `json:"unseen" doc:"events it names that were never seen"`
	Customers int64     `json:"customers"`
	Members   int64     `json:"members"`
	Unknown   int64     `json:"unknown"`
	At        time.Time `json:"at"`
	TookMS    int64     `json:"took_ms"`
}

type checkInput struct {
	Body struct {
		Rule string `json:"rule" maxLength:"20000"`
	}
}

func (a API) check(ctx context.Context, in *checkInput) (*one[RuleCheck], error) {
	c, err := a.Segments.Check(ctx, in.Body.Rule, true)
	if err != nil {
		return nil, err
	}
	out := RuleCheck{Text: c.Text, Rule: c.Rule, Resolved: c.Resolved, Unseen: append([]string{}, c.Unseen...), Customers: c.Counts.Customers, Members: c.Counts.Members,
		Unknown: c.Counts.Unknown, At: c.At, TookMS: c.Took.Milliseconds()}
	return &one[RuleCheck]{out}, nil
}

// SegmentAttribute is a named value that rules may compare.
type SegmentAttribute struct {
	ID        string      `json:"id"`
	Label     SegmentText `json:"label"`
	Value     string      `json:"value,omitempty" doc:"in the rule language"`
	Rule      string      `json:"rule,omitempty" doc:"of an attribute that is true or false"`
	Sensitive bool        `json:"sensitive"`
}

func (a API) attributes(context.Context, *struct{}) (*items[SegmentAttribute], error) {
	var out []SegmentAttribute
	for _, t := range a.Segments.Attributes.List {
		out = append(out, SegmentAttribute{t.ID, SegmentText(t.Label), t.Value, t.Rule, t.Sensitive})
	}
	return listOf(out), nil
}

// LifeState is a state of the relationship's life.
type LifeState struct {
	ID      string      `json:"id"`
	Name    SegmentText `json:"name"`
	Stage   string      `json:"stage"`
	Members int64       `json:"members"`
	Weeks   [3]int64    `json:"weeks" doc:"quartiles of weeks in the state; 13 is 13 or more"`
}

// LifeMove is how many went from one state to another in four weeks.
type LifeMove struct {
	From string `json:"from" doc:"empty: not known then"`
	To   string `json:"to"`
	N    int64  `json:"n"`
}

// Lifecycle is the board.
type Lifecycle struct {
	States []LifeState `json:"states"`
	Moves  []LifeMove  `json:"moves"`
	At     *time.Time  `json:"at" doc:"when moves and weeks were read; null: not yet"`
}

func (a API) life(ctx context.Context, _ *struct{}) (*one[Lifecycle], error) {
	l, err := a.Segments.Life(ctx)
	if err != nil {
		return nil, err
	}
	out := Lifecycle{States: []LifeState{}, Moves: []LifeMove{}}
	for _, s := range l.States {
		out.States = append(out.States, LifeState{s.Definition.ID, SegmentText(s.Definition.Name), string(s.Definition.Stage), s.Members, s.Weeks})
	}
	for _, m := range l.Moves {
		out.Moves = append(out.Moves, LifeMove(m))
	}
	if !l.At.IsZero() {
		out.At = &l.At
	}
	return &one[Lifecycle]{out}, nil
}

// SegmentAudience is whom one wants to reach.
type SegmentAudience struct {
	ID      string               `json:"id,omitempty" readOnly:"true"`
	Name    string               `json:"name"`
	Segment string               `json:"segment"`
	Except  []string             `json:"except,omitempty" doc:"segments whose members are left out"`
	Use     string               `json:"use" enum:"service,survey,offer,analysis,protection"`
	Channel string               `json:"channel" enum:"sms,email,push,zalo,call"`
	HoldOut float64              `json:"hold_out" minimum:"0" maximum:"0.5"`
	Seed    string               `json:"seed,omitempty" doc:"of the split; its own id by default"`
	Figures *segment.Eligibility `json:"figures,omitempty" readOnly:"true"`
}

func viewAudience(a *segment.Audience) SegmentAudience {
	return SegmentAudience{ID: a.ID, Name: a.Name, Segment: a.Segment, Except: a.Except, Use: a.Use, Channel: a.Channel, HoldOut: a.HoldOut, Seed: a.Seed, Figures: &a.Figures}
}

func (a API) audiences(ctx context.Context, _ *struct{}) (*items[SegmentAudience], error) {
	all, err := a.Segments.Audiences(ctx)
	if err != nil {
		return nil, err
	}
	var out []SegmentAudience
	for i := range all {
		out = append(out, viewAudience(&all[i]))
	}
	return listOf(out), nil
}

func (a API) makeAudience(ctx context.Context, in *struct{ Body SegmentAudience }) (*one[SegmentAudience], error) {
	b := in.Body
	made, err := a.Segments.MakeAudience(ctx, segment.Audience{Name: b.Name, Segment: b.Segment, Except: b.Except, Use: b.Use, Channel: b.Channel, HoldOut: b.HoldOut, Seed: b.Seed})
	if err != nil {
		return nil, err
	}
	return &one[SegmentAudience]{viewAudience(made)}, nil
}
