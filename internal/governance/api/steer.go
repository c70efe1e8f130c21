package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/governance/council"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/governance/role"
	"omote/internal/governance/strategy"
	"omote/internal/platform/approval"
	"omote/internal/platform/httpx"
)

func get(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1/" + path, Tags: []string{"governance"}, Summary: summary}
}

func post(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: "/api/v1/" + path, Tags: []string{"governance"}, Summary: summary}
}

// registerSteering adds the operations of strategy, roles, initiatives, the council
// and the ledger.
func (a API) registerSteering(api huma.API) {
	httpx.Operation(api, get("get-strategy", "strategy", "The tree from promise to initiative, with what hangs in the air"), strategy.PermRead, a.getStrategy)
	httpx.Operation(api, post("add-strategy-node", "strategy/nodes", "Hang a promise, aim, measure or KPI into the strategy"), strategy.PermEdit, a.addNode)
	httpx.Operation(api, get("get-raci", "raci/{journey}", "Who does what at each step of a journey, and what is missing"), role.PermRead, a.getRACI)
	httpx.Operation(api, post("save-raci", "raci/{journey}", "Replace the draft of a journey's duties; two accountable roles at a step are refused"), role.PermEdit, a.saveRACI)
	httpx.Operation(api, post("propose-raci", "raci/{journey}/proposal", "Ask a second person to put the duties into force"), role.PermEdit, a.proposeRACI)
	httpx.Operation(api, get("list-initiatives", "initiatives", "Initiatives of the caller's place and below"), initiative.PermRead, a.listInitiatives)
	httpx.Operation(api, get("get-initiative", "initiatives/{id}", "One initiative with how its gate stands"), initiative.PermRead, a.getInitiative)
	httpx.Operation(api, post("open-initiative", "initiatives", "Open an initiative from a pain, a signal, a case, an idea, the council or an obligation"), initiative.PermEdit, a.openInitiative)
	httpx.Operation(api, post("propose-initiative-gate", "initiatives/{id}/gate", "Ask a second person to open the present gate; refused while evidence or people are missing"), initiative.PermEdit, a.proposeGate)
	httpx.Operation(api, get("list-decisions", "decisions", "Decisions and papers of the council, with forecasts and outcomes"), council.PermRead, a.listDecisions)
	httpx.Operation(api, get("get-council-record", "council/record", "How well the council foresees, and how often it decides against the evidence"), council.PermRead, a.getRecord)
	httpx.Operation(api, get("get-council-agenda", "council/agenda", "What the council should speak about, ranked by value at stake and evidence"), council.PermRead, a.getAgenda)
	httpx.Operation(api, get("list-ledger-lines", "ledger", "Lines of the value ledger with their sums"), ledger.PermRead, a.listLines)
	httpx.Operation(api, post("propose-ledger-booking", "ledger/{id}/booking", "Ask the finance partner to sign a line"), ledger.PermEdit, a.proposeBooking)
}

// StrategyNode is a node with what hangs under it.
type StrategyNode struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind" enum:"promise,aim,measure,kpi"`
	Title       Bilingual       `json:"title"`
	Owner       string          `json:"owner" doc:"role that answers for it"`
	Journey     string          `json:"journey,omitempty"`
	Metric      string          `json:"metric,omitempty"`
	Target      *float64        `json:"target,omitempty"`
	KPI         string          `json:"kpi,omitempty"`
	Idle        bool            `json:"idle" doc:"no work under way serves it"`
	Booked      int64           `json:"booked" doc:"what the ledger holds for the work here and below, minor units"`
	Below       []StrategyNode  `json:"below"`
	Initiatives []StrategicWork `json:"initiatives"`
}

// StrategicWork is an initiative as the strategy sees it.
type StrategicWork struct {
	ID     string    `json:"id"`
	Title  Bilingual `json:"title"`
	Lane   string    `json:"lane"`
	Stage  string    `json:"stage"`
	State  string    `json:"state"`
	Booked int64     `json:"booked"`
}

func viewWork(list []strategy.Work) []StrategicWork {
	out := []StrategicWork{}
	for _, w := range list {
		out = append(out, StrategicWork{w.ID, Bilingual(w.Title), w.Lane, w.Stage, w.State, w.Booked})
	}
	return out
}

func viewBranch(b *strategy.Branch) StrategyNode {
	n := b.Body
	v := StrategyNode{ID: b.ID, Kind: string(n.Kind), Title: Bilingual(n.Title), Owner: n.Owner, Journey: n.Journey, Metric: n.Metric, Target: n.Target, KPI: n.KPI,
		Idle: b.Idle(), Booked: b.Booked, Below: []StrategyNode{}, Initiatives: viewWork(b.Work)}
	for _, c := range b.Below {
		v.Below = append(v.Below, viewBranch(c))
	}
	return v
}

type strategyOutput struct {
	Body struct {
		Promises []StrategyNode  `json:"promises"`
		Orphans  []StrategicWork `json:"orphans" doc:"initiatives under way that serve nothing"`
		Idle     []string        `json:"idle" doc:"ids of aims that no work serves"`
		Booked   int64           `json:"booked"`
	}
}

func (a API) getStrategy(ctx context.Context, _ *struct{}) (*strategyOutput, error) {
	t, err := a.Strategy.Tree(ctx)
	if err != nil {
		return nil, err
	}
	out := &strategyOutput{}
	out.Body.Promises, out.Body.Orphans, out.Body.Idle, out.Body.Booked = []StrategyNode{}, viewWork(t.Orphans), []string{}, t.Booked
	for _, b := range t.Roots {
		out.Body.Promises = append(out.Body.Promises, viewBranch(b))
	}
	for _, b := range t.Idle {
		out.Body.Idle = append(out.Body.Idle, b.ID)
	}
	return out, nil
}

// AddedID is the id of what was added.
type AddedID struct {
	ID string `json:"id"`
}

func (a API) addNode(ctx context.Context, in *struct {
	Body struct {
		Parent  string    `json:"parent,omitempty" doc:"id of the node above; a promise has none"`
		Kind    string    `json:"kind" enum:"promise,aim,measure,kpi"`
		Title   Bilingual `json:"title"`
		Owner   string    `json:"owner"`
		Journey string    `json:"journey,omitempty"`
		Metric  string    `json:"metric,omitempty"`
		Target  *float64  `json:"target,omitempty"`
		KPI     string    `json:"kpi,omitempty"`
	}
}) (*one[AddedID], error) {
	b := in.Body
	d, err := a.Strategy.Add(ctx, b.Parent, strategy.Node{Kind: strategy.Kind(b.Kind), Title: approval.Text(b.Title), Owner: b.Owner, Journey: b.Journey, Metric: b.Metric, Target: b.Target, KPI: b.KPI})
	if err != nil {
		return nil, err
	}
	return &one[AddedID]{AddedID{d.ID}}, nil
}

// RACI is the duties of a journey.
type RACI struct {
	Journey   string                       `json:"journey"`
	Steps     []string                     `json:"steps"`
	Version   int                          `json:"version" doc:"of the draft; send it back to save"`
	Draft     map[string]map[string]string `json:"draft" doc:"step to role to R, A, AR, C or I"`
	Live      map[string]map[string]string `json:"live,omitempty" doc:"what is in force"`
	Published int                          `json:"published" doc:"version in force, 0 for none"`
	Problems  []RACIProblem                `json:"problems"`
}

// RACIProblem is something that is not right.
type RACIProblem struct {
	Kind   string `json:"kind" enum:"no_accountable,no_responsible,same_hand,no_holder,unknown_step"`
	Step   string `json:"step"`
	Role   string `json:"role,omitempty"`
	Blocks bool   `json:"blocks" doc:"keeps the duties from being put into force"`
}

// ByJourney names a journey.
type ByJourney struct {
	Journey string `path:"journey"`
}

func cellsOut(c role.Cells) map[string]map[string]string {
	out := map[string]map[string]string{}
	for step, row := range c {
		out[step] = map[string]string{}
		for r, d := range row {
			out[step][r] = string(d)
		}
	}
	return out
}

func (a API) getRACI(ctx context.Context, in *ByJourney) (*one[RACI], error) {
	j, err := a.Roles.Duties(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	v := RACI{Journey: j.ID, Steps: []string{}, Draft: map[string]map[string]string{}, Problems: []RACIProblem{}}
	for _, s := range j.Steps {
		v.Steps = append(v.Steps, s.ID)
	}
	if m := j.Matrix; m != nil {
		v.Version, v.Draft, v.Published = m.Version, cellsOut(m.Body.Draft), m.Body.Published
		if m.Body.Live != nil {
			v.Live = cellsOut(m.Body.Live)
		}
	}
	for _, p := range j.Problems {
		v.Problems = append(v.Problems, RACIProblem{p.Kind, p.Step, p.Role, p.Blocks})
	}
	return &one[RACI]{v}, nil
}

func (a API) saveRACI(ctx context.Context, in *struct {
	ByJourney
	Body struct {
		Version int                          `json:"version,omitempty"`
		Cells   map[string]map[string]string `json:"cells" doc:"step to role to R, A, AR, C or I"`
	}
}) (*one[RACI], error) {
	c := role.Cells{}
	for step, row := range in.Body.Cells {
		c[step] = map[string]role.Duty{}
		for r, d := range row {
			c[step][r] = role.Duty(d)
		}
	}
	if err := a.Roles.SaveDuties(ctx, in.Journey, in.Body.Version, c); err != nil {
		return nil, err
	}
	return a.getRACI(ctx, &in.ByJourney)
}

func (a API) proposeRACI(ctx context.Context, in *ByJourney) (*one[Approval], error) {
	q, err := a.Roles.ProposeDuties(ctx, in.Journey)
	if err != nil {
		return nil, err
	}
	return &one[Approval]{viewApproval(q, false)}, nil
}

// InitiativeState is an initiative and how it stands.
type InitiativeState struct {
	ID        string         `json:"id"`
	Unit      string         `json:"unit"`
	Title     Bilingual      `json:"title"`
	Serves    string         `json:"serves,omitempty" doc:"id of the node of the strategy"`
	Lane      string         `json:"lane" enum:"quick_win,strategic,mandatory"`
	Stage     string         `json:"stage" enum:"strategise,design,execute,measure,done"`
	State     string         `json:"state" enum:"running,stopped,finished"`
	Owner     string         `json:"owner"`
	Source    string         `json:"source"`
	Low       *int64         `json:"low,omitempty" doc:"5th percentile of the case, minor units"`
	High      *int64         `json:"high,omitempty" doc:"95th percentile"`
	Positive  *float64       `json:"pays,omitempty" doc:"share of draws that pay"`
	Booked    int64          `json:"booked"`
	Stalled   bool           `json:"stalled"`
	Cause     string         `json:"cause,omitempty" doc:"what it waits for, when it does not move"`
	Criteria  []GateCriteria `json:"criteria,omitempty"`
	Absent    []string       `json:"absent,omitempty" doc:"roles that must take part and do not"`
	ChangedAt time.Time      `json:"changed_at"`
}

// GateCriteria is one demand of the present gate.
type GateCriteria struct {
	ID string    `json:"id"`
	Is Bilingual `json:"is"`
	OK bool      `json:"ok"`
	By string    `json:"by" doc:"computed, evidence, assumption, missing, weak, unknown or no"`
}

func viewChange(v initiative.View, whole bool) InitiativeState {
	b := v.Body
	c := InitiativeState{ID: v.ID, Unit: v.Unit, Title: Bilingual(b.Title), Serves: v.Ref, Lane: string(b.Lane), Stage: string(b.Stage), State: v.State, Owner: b.Owner, Source: b.Source.Kind,
		Booked: v.Booked, Stalled: v.Stalled, Cause: v.Cause, ChangedAt: v.Changed}
	if j := b.Judged; j != nil {
		c.Low, c.High, c.Positive = &j.Low, &j.High, &j.Positive
	}
	if whole {
		c.Absent = v.Gate.Absent
		for _, m := range v.Gate.Criteria {
			c.Criteria = append(c.Criteria, GateCriteria{m.ID, Bilingual(m.Text()), m.OK, m.By})
		}
	}
	return c
}

type changesOutput struct {
	Body struct {
		Items []InitiativeState `json:"items"`
	}
}

func (a API) listInitiatives(ctx context.Context, _ *struct{}) (*changesOutput, error) {
	all, err := a.Initiatives.Board(ctx)
	if err != nil {
		return nil, err
	}
	out := &changesOutput{}
	out.Body.Items = []InitiativeState{}
	for _, v := range all {
		out.Body.Items = append(out.Body.Items, viewChange(v, false))
	}
	return out, nil
}

func (a API) getInitiative(ctx context.Context, in *ByID) (*one[InitiativeState], error) {
	v, err := a.Initiatives.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[InitiativeState]{viewChange(v, true)}, nil
}

func (a API) openInitiative(ctx context.Context, in *struct {
	Body struct {
		Unit       string    `json:"unit" doc:"path of the unit"`
		Serves     string    `json:"serves,omitempty" doc:"id of the node of the strategy"`
		Title      Bilingual `json:"title"`
		Why        string    `json:"why"`
		Owner      string    `json:"owner" doc:"role"`
		Source     string    `json:"source" enum:"pain,signal,case,idea,council,obligation"`
		Ref        string    `json:"ref,omitempty" doc:"id of the source"`
		Label      string    `json:"label,omitempty"`
		Page       string    `json:"page,omitempty" doc:"page of the source"`
		Journey    string    `json:"journey,omitempty"`
		Steps      []string  `json:"steps,omitempty"`
		Days       int       `json:"days"`
		Units      int       `json:"units"`
		CoreChange bool      `json:"core_change,omitempty"`
		Budget     int64     `json:"budget,omitempty" doc:"minor units"`
		Currency   string    `json:"currency" default:"VND"`
	}
}) (*one[AddedID], error) {
	b := in.Body
	d, err := a.Initiatives.Open(ctx, b.Unit, b.Serves, initiative.Initiative{Title: approval.Text(b.Title), Why: b.Why, Owner: b.Owner, Journey: b.Journey, Steps: b.Steps,
		Source: initiative.Source{Kind: b.Source, Ref: b.Ref, Label: b.Label, Href: b.Page}, Days: b.Days, Units: b.Units, CoreChange: b.CoreChange, Budget: b.Budget, Currency: b.Currency})
	if err != nil {
		return nil, err
	}
	return &one[AddedID]{AddedID{d.ID}}, nil
}

func (a API) proposeGate(ctx context.Context, in *ByID) (*one[Approval], error) {
	q, err := a.Initiatives.ProposeGate(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[Approval]{viewApproval(q, false)}, nil
}

// CouncilDecision is a decision or a paper.
type CouncilDecision struct {
	ID       string           `json:"id"`
	Type     string           `json:"type"`
	Title    Bilingual        `json:"title"`
	State    string           `json:"state" enum:"paper,proposed,decided,refused,scored"`
	Grade    int              `json:"grade" doc:"1 opinion, 2 pattern, 3 adjusted, 4 experiment"`
	Chosen   *Bilingual       `json:"chosen,omitempty"`
	Overrode bool             `json:"overrode" doc:"against the rank of the evidence"`
	Reason   string           `json:"reason,omitempty"`
	Decided  *time.Time       `json:"decided_at,omitempty"`
	Review   *time.Time       `json:"review_at,omitempty"`
	Forecast *CouncilForecast `json:"forecast,omitempty"`
	Outcome  *CouncilOutcome  `json:"outcome,omitempty"`
}

// CouncilForecast is what a decision said would happen.
type CouncilForecast struct {
	Metric string   `json:"metric"`
	Low    float64  `json:"low"`
	Mid    float64  `json:"mid"`
	High   float64  `json:"high"`
	Level  float64  `json:"level" doc:"how sure that the value lies between low and high"`
	Chance *float64 `json:"chance,omitempty"`
	Reach  float64  `json:"reach,omitempty"`
	Days   int      `json:"days"`
}

// CouncilOutcome is what happened.
type CouncilOutcome struct {
	Known     bool    `json:"known" doc:"the registry could tell"`
	Value     float64 `json:"value"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	N         int64   `json:"n"`
	Held      bool    `json:"held"`
	Interval  float64 `json:"interval_score"`
	CRPS      float64 `json:"crps"`
	Reference float64 `json:"reference_crps" doc:"of the forecast that it stays as it was"`
	Brier     float64 `json:"brier"`
}

func viewDecision(d council.Doc) CouncilDecision {
	b := d.Body
	v := CouncilDecision{ID: d.ID, Type: b.Type, Title: Bilingual(b.Title), State: d.State, Grade: b.Grade, Overrode: b.Overrode, Reason: b.Override}
	if d.State != council.Paper && len(b.Alternatives) > 0 {
		t := Bilingual(b.Alternatives[b.Chosen].Name)
		v.Chosen = &t
	}
	if !b.Decided.IsZero() {
		v.Decided = &b.Decided
	}
	if !b.Review.IsZero() {
		v.Review = &b.Review
	}
	if f := b.Forecast; f != nil {
		v.Forecast = &CouncilForecast{f.Metric, f.Low, f.Mid, f.High, f.Level, f.Chance, f.Reach, f.Days}
	}
	if o := b.Outcome; o != nil {
		v.Outcome = &CouncilOutcome{o.Known, o.Value, o.Low, o.High, o.N, o.Held, o.Interval, o.CRPS, o.Reference, o.Brier}
	}
	return v
}

type decisionsOutput struct {
	Body struct {
		Items []CouncilDecision `json:"items"`
	}
}

func (a API) listDecisions(ctx context.Context, _ *struct{}) (*decisionsOutput, error) {
	all, err := a.Council.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	out := &decisionsOutput{}
	out.Body.Items = []CouncilDecision{}
	for _, d := range all {
		out.Body.Items = append(out.Body.Items, viewDecision(d))
	}
	return out, nil
}

// CouncilRecord is how well the council foresees.
type CouncilRecord struct {
	Forecasts int      `json:"forecasts" doc:"intervals scored"`
	Held      int      `json:"held"`
	Said      float64  `json:"said" doc:"mean of how sure it was"`
	Verdict   string   `json:"verdict" enum:"few,fits,narrow,wide"`
	Skill     *float64 `json:"skill" doc:"against the forecast that everything stays; null when unknown"`
	Events    int      `json:"events"`
	Brier     float64  `json:"brier"`
	Waiting   int      `json:"waiting"`
	Decisions int      `json:"decisions"`
	Overrides int      `json:"overrides"`
}

func (a API) getRecord(ctx context.Context, _ *struct{}) (*one[CouncilRecord], error) {
	all, err := a.Council.Decisions(ctx)
	if err != nil {
		return nil, err
	}
	r, m := council.Calibration(all), council.MirrorOf(all)
	v := CouncilRecord{Forecasts: r.N, Held: r.Held, Said: r.Said, Verdict: string(r.Verdict), Events: r.Events, Brier: r.Brier, Waiting: r.Waiting, Decisions: m.Decisions, Overrides: m.Overrides}
	if !math.IsNaN(r.Skill) {
		v.Skill = &r.Skill
	}
	return &one[CouncilRecord]{v}, nil
}

// AgendaItem is something to speak about.
type AgendaItem struct {
	Kind  string    `json:"kind"`
	Ref   string    `json:"ref"`
	Page  string    `json:"page"`
	Title Bilingual `json:"title"`
	Low   int64     `json:"low"`
	High  int64     `json:"high"`
	Score float64   `json:"score"`
	Left  string    `json:"left,omitempty" doc:"why it is not on the agenda"`
}

type agendaOutput struct {
	Body struct {
		Items []AgendaItem `json:"items" doc:"the highest score first; what found no room last"`
	}
}

func (a API) getAgenda(ctx context.Context, _ *struct{}) (*agendaOutput, error) {
	items, err := a.Council.Candidates(ctx)
	if err != nil {
		return nil, err
	}
	chosen, left := council.Agenda(a.Pack, items)
	out := &agendaOutput{}
	out.Body.Items = []AgendaItem{}
	for _, i := range append(chosen, left...) {
		out.Body.Items = append(out.Body.Items, AgendaItem{i.Kind, i.Ref, i.Href, Bilingual(i.Title), i.Low, i.High, i.Score, i.Why})
	}
	return out, nil
}

// LedgerLine is a line of the value ledger. Amounts are minor units.
type LedgerLine struct {
	ID         string     `json:"id"`
	Initiative string     `json:"initiative"`
	Title      Bilingual  `json:"title"`
	Metric     string     `json:"metric"`
	Method     string     `json:"method"`
	Grade      int        `json:"grade"`
	Low        int64      `json:"low"`
	Mid        int64      `json:"mid"`
	High       int64      `json:"high"`
	Booked     int64      `json:"booked"`
	Currency   string     `json:"currency"`
	State      string     `json:"state" enum:"open,waiting,booked,nothing,reversed,reversal"`
	SignedBy   string     `json:"signed_by,omitempty"`
	SignedAt   *time.Time `json:"signed_at,omitempty"`
	Reverses   string     `json:"reverses,omitempty"`
}

type linesOutput struct {
	Body struct {
		Items    []LedgerLine `json:"items"`
		Expected int64        `json:"expected" doc:"middle values of the lines that stand"`
		Lower    int64        `json:"lower"`
		Booked   int64        `json:"booked"`
	}
}

func (a API) listLines(ctx context.Context, _ *struct{}) (*linesOutput, error) {
	all, err := a.Ledger.List(ctx)
	if err != nil {
		return nil, err
	}
	s := ledger.Sum(all)
	out := &linesOutput{}
	out.Body.Items, out.Body.Expected, out.Body.Lower, out.Body.Booked = []LedgerLine{}, s.Expected, s.Lower, s.Booked
	for _, d := range all {
		l := d.Body
		v := LedgerLine{ID: d.ID, Initiative: d.Ref, Title: Bilingual(l.Title), Metric: l.Metric, Method: l.Method, Grade: l.Grade, Low: l.Valued.Low, Mid: l.Valued.Mid,
			High: l.Valued.High, Booked: l.Booked, Currency: l.Currency, State: d.State, SignedBy: l.SignedBy, Reverses: l.Reverses}
		if !l.Signed.IsZero() {
			v.SignedAt = &l.Signed
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

func (a API) proposeBooking(ctx context.Context, in *ByID) (*one[Approval], error) {
	q, err := a.Ledger.ProposeBooking(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[Approval]{viewApproval(q, false)}, nil
}
