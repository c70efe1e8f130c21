// Package api offers cases under /api/v1.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/feedback/cases"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/money"
)

// CaseSummary is a case in a list. Names and words are read one case at a time.
type CaseSummary struct {
	ID       string     `json:"id"`
	Ref      string     `json:"ref" example:"CV-00042"`
	Kind     string     `json:"kind" enum:"complaint,dispute,detractor,observation,data_request"`
	State    string     `json:"state" enum:"new,working,waiting,asked,solved,silent,merged"`
	Severity string     `json:"severity" enum:"low,medium,high,severe"`
	Channel  string     `json:"channel"`
	Product  string     `json:"product,omitempty"`
	Journey  string     `json:"journey,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Unit     string     `json:"unit"`
	Owner    string     `json:"owner,omitempty" doc:"account id; absent: nobody"`
	Customer string     `json:"customer_id,omitempty" doc:"pseudonym; absent: not known"`
	Opened   time.Time  `json:"opened_at"`
	NextDue  *time.Time `json:"next_due,omitempty" doc:"earliest deadline that is owed: the first instant that is too late"`
	NextRule string     `json:"next_rule,omitempty"`
	Late     bool       `json:"late"`
	Signals  int        `json:"signals"`
	Reopened int        `json:"reopened"`
	Cause    string     `json:"cause,omitempty"`
	Outcome  string     `json:"outcome,omitempty" doc:"the customer's word: solved, unsolved, silent"`
	Closed   *time.Time `json:"closed_at,omitempty"`
}

// CaseClock is one term of a case.
type CaseClock struct {
	ID         string     `json:"id"`
	Rule       string     `json:"rule"`
	Name       CaseText   `json:"name"`
	Pack       string     `json:"pack" example:"uk_disp@1"`
	Calendar   string     `json:"calendar"`
	Role       string     `json:"role" enum:"acknowledge,contact,owner,update,money,resolve"`
	Legal      bool       `json:"legal"`
	Side       string     `json:"side" enum:"bank,customer"`
	State      string     `json:"state" enum:"running,paused,met,breached,late,lapsed,over"`
	Start      time.Time  `json:"start"`
	Due        time.Time  `json:"due"`
	FirstDue   time.Time  `json:"first_due"`
	Met        *time.Time `json:"met,omitempty"`
	Breached   *time.Time `json:"breached,omitempty"`
	Used       float64    `json:"used" doc:"share of the time that is over"`
	Citation   string     `json:"citation"`
	Confidence string     `json:"confidence" enum:"high,medium,low"`
	Checked    string     `json:"checked" format:"date"`
	PauseFor   []string   `json:"pause_for,omitempty" doc:"reasons for which it may be paused"`
}

// CaseLine is one line of a case's history, newest first.
type CaseLine struct {
	ID     string            `json:"id"`
	Kind   string            `json:"kind"`
	Actor  string            `json:"actor"`
	At     time.Time         `json:"at"`
	Body   string            `json:"body,omitempty"`
	Detail map[string]string `json:"detail,omitempty"`
}

// CaseDetail is a whole case.
type CaseDetail struct {
	CaseSummary
	Title   string      `json:"title"`
	Words   string      `json:"words,omitempty"`
	Name    string      `json:"name,omitempty"`
	Phone   string      `json:"phone,omitempty"`
	Email   string      `json:"email,omitempty"`
	Locale  string      `json:"locale" enum:"vi,en"`
	Actions []string    `json:"actions"`
	Clocks  []CaseClock `json:"clocks"`
	History []CaseLine  `json:"history"`
}

// CaseIntake opens a case.
type CaseIntake struct {
	Kind     string         `json:"kind" enum:"complaint,dispute,detractor,observation,data_request"`
	Severity string         `json:"severity,omitempty" enum:"low,medium,high,severe" default:"medium"`
	Channel  string         `json:"channel" enum:"phone,branch,web,app,email,letter,social,survey,cfpb_portal,feed"`
	Title    string         `json:"title" minLength:"1" maxLength:"200"`
	Words    string         `json:"words,omitempty" maxLength:"10000"`
	Unit     string         `json:"unit,omitempty" doc:"path; absent: the place of the key"`
	Product  string         `json:"product,omitempty" maxLength:"60"`
	Journey  string         `json:"journey,omitempty" maxLength:"60"`
	Reason   string         `json:"reason,omitempty" maxLength:"60"`
	Customer string         `json:"customer_id,omitempty"`
	Name     string         `json:"name,omitempty" maxLength:"120"`
	Phone    string         `json:"phone,omitempty" maxLength:"30"`
	Email    string         `json:"email,omitempty" maxLength:"254"`
	Locale   string         `json:"locale,omitempty" enum:"vi,en" default:"vi"`
	At       *time.Time     `json:"at,omitempty" doc:"when it reached the bank; absent: now"`
	Source   string         `json:"source,omitempty" maxLength:"60" doc:"with ref: the same signal counts once, however often it is sent"`
	Ref      string         `json:"ref,omitempty" maxLength:"120"`
	Issue    string         `json:"issue,omitempty" maxLength:"200" doc:"signals of one customer about one issue join one case"`
	Facts    map[string]any `json:"facts,omitempty" doc:"what clock rules ask about, such as jurisdiction; names nobody"`
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func summary(c cases.Case) CaseSummary {
	s := CaseSummary{ID: c.ID, Ref: c.Ref(), Kind: string(c.Kind), State: string(c.State), Severity: string(c.Severity), Channel: c.Channel, Product: c.Product, Journey: c.Journey,
		Reason: c.Reason, Unit: c.Unit, Owner: c.Owner, Customer: c.CustomerID, Opened: c.Opened.Time(), NextRule: c.NextRule, Late: c.Late, Signals: c.Signals, Reopened: c.Reopened,
		Cause: c.Cause, Outcome: c.Outcome, Closed: instant(c.Closed.Time()), NextDue: instant(c.Due())}
	return s
}

func detail(v cases.View) CaseDetail {
	d := CaseDetail{CaseSummary: summary(v.Case), Title: v.Title.Plain, Words: v.Words.Plain, Name: v.Name.Plain, Phone: v.Phone.Plain, Email: v.Email.Plain, Locale: v.Locale,
		Actions: append([]string{}, v.Actions...), Clocks: []CaseClock{}, History: []CaseLine{}}
	for _, k := range v.Clocks {
		side := "bank"
		if k.Side != "" {
			side = k.Side
		}
		d.Clocks = append(d.Clocks, CaseClock{ID: k.Clock.ID, Rule: k.Rule.ID, Name: CaseText{k.Rule.Name, k.Rule.LabelVI}, Pack: k.From.Key(), Calendar: k.Clock.Calendar, Role: k.Rule.Role(), Legal: k.Clock.Legal,
			Side: side, State: string(k.State), Start: k.Start.Time(), Due: k.Due.Time(), FirstDue: k.FirstDue.Time(), Met: instant(k.Met.Time()), Breached: instant(k.Breached.Time()),
			Used: k.Used, Citation: k.Rule.Citation, Confidence: k.Rule.Confidence, Checked: k.Rule.Checked, PauseFor: k.Rule.Pause.Reasons})
	}
	for _, e := range v.Entries {
		d.History = append(d.History, CaseLine{ID: e.ID, Kind: string(e.Kind), Actor: e.Actor, At: e.At.Time(), Body: e.Body.Plain, Detail: e.Detail})
	}
	return d
}

type one struct{ Body CaseDetail }

type byID struct {
	ID string `path:"id" doc:"id or number (CV-00042)"`
}

// Register adds the operations.
func Register(api huma.API, s *cases.Service) {
	op := func(id, method, path, text string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/cases" + path, Summary: text, Tags: []string{"Cases"}}
	}
	get := func(ctx context.Context, id string) (*one, error) {
		v, err := s.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		return &one{detail(v)}, nil
	}
	httpx.Operation(api, op("list-cases", http.MethodGet, "", "List cases, the most urgent first"), cases.PermRead,
		func(ctx context.Context, in *struct {
			Unit     string `query:"unit"`
			Owner    string `query:"owner"`
			State    string `query:"state" enum:"new,working,waiting,asked,solved,silent,merged"`
			Kind     string `query:"kind"`
			Severity string `query:"severity"`
			Customer string `query:"customer_id"`
			Late     bool   `query:"late"`
			Closed   bool   `query:"closed" doc:"closed ones too"`
			After    string `query:"after"`
			Limit    int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
		}) (*struct {
			Body struct {
				Items []CaseSummary `json:"items"`
				Next  string        `json:"next,omitempty"`
			}
		}, error) {
			q := cases.Query{Unit: in.Unit, Owner: in.Owner, Kind: cases.Kind(in.Kind), Severity: cases.Severity(in.Severity), Customer: in.Customer, Late: in.Late, Closed: in.Closed, After: in.After, Limit: in.Limit}
			if in.State != "" {
				q.States = []cases.State{cases.State(in.State)}
			}
			found, err := s.List(ctx, q)
			if err != nil {
				return nil, err
			}
			out := &struct {
				Body struct {
					Items []CaseSummary `json:"items"`
					Next  string        `json:"next,omitempty"`
				}
			}{}
			out.Body.Items, out.Body.Next = make([]CaseSummary, 0, len(found.Items)), found.Next
			for _, c := range found.Items {
				out.Body.Items = append(out.Body.Items, summary(c))
			}
			return out, nil
		})
	httpx.Operation(api, op("get-case", http.MethodGet, "/{id}", "Read a case with its clocks and history"), cases.PermRead,
		func(ctx context.Context, in *byID) (*one, error) { return get(ctx, in.ID) })
	create := op("open-case", http.MethodPost, "", "Open a case, or join an open one of the same issue")
	create.DefaultStatus = http.StatusCreated
	httpx.Operation(api, create, cases.PermEdit, func(ctx context.Context, in *struct{ Body CaseIntake }) (*one, error) {
		id, err := s.Open(ctx, intake(in.Body))
		if err != nil {
			return nil, err
		}
		return get(ctx, id)
	})
	registerActs(api, s, op, get)
	registerRules(api, s)
}

func intake(b CaseIntake) cases.Intake {
	in := cases.Intake{CustomerID: b.Customer, Unit: b.Unit, Kind: cases.Kind(b.Kind), Severity: cases.Severity(b.Severity), Channel: b.Channel, Product: b.Product, Journey: b.Journey, Reason: b.Reason,
		Issue: b.Issue, Facts: b.Facts, Title: b.Title, Words: b.Words, Name: b.Name, Phone: b.Phone, Email: b.Email, Locale: b.Locale}
	if b.At != nil {
		in.At = *b.At
	}
	if b.Source != "" && b.Ref != "" {
		in.Signal = cases.Signal{Source: "api:" + b.Source, Ref: b.Ref, Kind: "complaint", Words: b.Words}
	}
	return in
}

// registerActs adds what people do in a case.
func registerActs(api huma.API, s *cases.Service, op func(id, method, path, text string) huma.Operation, get func(context.Context, string) (*one, error)) {
	httpx.Operation(api, op("assign-case", http.MethodPost, "/{id}/owner", "Give a case to an account, or to nobody"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Owner string `json:"owner" doc:"account id; empty: nobody"`
			}
		}) (*one, error) {
			if err := s.Assign(ctx, in.ID, in.Body.Owner); err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("add-case-contact", http.MethodPost, "/{id}/contacts", "Note that somebody spoke with the customer, or tried to"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Reached bool   `json:"reached"`
				Channel string `json:"channel" default:"phone"`
				Words   string `json:"words,omitempty"`
			}
		}) (*one, error) {
			if err := s.RecordContact(ctx, in.ID, cases.Contact{Reached: in.Body.Reached, Channel: in.Body.Channel, Words: in.Body.Words}); err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("add-case-note", http.MethodPost, "/{id}/notes", "Add an internal note"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Words    string   `json:"words" minLength:"1"`
				Mentions []string `json:"mentions,omitempty" maxItems:"20" doc:"account ids"`
			}
		}) (*one, error) {
			if err := s.Note(ctx, in.ID, in.Body.Words, in.Body.Mentions...); err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("mark-case", http.MethodPost, "/{id}/marks", "Say that something happened, such as refund_posted: clocks start and stop by marks"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Mark string `json:"mark"`
			}
		}) (*one, error) {
			if err := s.Mark(ctx, in.ID, in.Body.Mark); err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("change-case-clock", http.MethodPost, "/{id}/clocks/{clock}/{act}", "Pause, resume, extend or swap a clock"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Clock string `path:"clock"`
			Act   string `path:"act" enum:"pause,resume,extend,swap"`
			Body  struct {
				Reason string `json:"reason,omitempty"`
				Rule   string `json:"rule,omitempty" doc:"for swap"`
				Anew   bool   `json:"anew,omitempty" doc:"for swap: count from now, not from the start"`
			}
		}) (*one, error) {
			var err error
			switch in.Act {
			case "pause":
				err = s.Pause(ctx, in.ID, in.Clock, in.Body.Reason)
			case "resume":
				err = s.Resume(ctx, in.ID, in.Clock)
			case "extend":
				err = s.ExtendClock(ctx, in.ID, in.Clock, in.Body.Reason)
			default:
				err = s.Swap(ctx, in.ID, in.Clock, in.Body.Rule, in.Body.Anew, in.Body.Reason)
			}
			if err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("grant-case-gesture", http.MethodPost, "/{id}/gestures", "Grant a gesture within the wallet's limits"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Kind     string `json:"kind"`
				Amount   int64  `json:"amount_minor" minimum:"1"`
				Currency string `json:"currency" default:"VND"`
				Reason   string `json:"reason" minLength:"5"`
			}
		}) (*one, error) {
			if err := s.Give(ctx, in.ID, cases.Grant{Kind: in.Body.Kind, Amount: money.Amount{Minor: in.Body.Amount, Currency: in.Body.Currency}, Reason: in.Body.Reason}); err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("close-case", http.MethodPost, "/{id}/close", "Close a case with its root cause, and ask the customer whether it is solved"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Cause   string   `json:"cause"`
				Actions []string `json:"actions" minItems:"1"`
				Words   string   `json:"words,omitempty"`
			}
		}) (*struct {
			Body struct {
				Link string `json:"link" doc:"the customer's follow-up page; given once"`
			}
		}, error) {
			link, err := s.Close(ctx, in.ID, cases.Resolution{Cause: in.Body.Cause, Actions: in.Body.Actions, Words: in.Body.Words})
			if err != nil {
				return nil, err
			}
			out := &struct {
				Body struct {
					Link string `json:"link" doc:"the customer's follow-up page; given once"`
				}
			}{}
			out.Body.Link = link
			return out, nil
		})
	httpx.Operation(api, op("reopen-case", http.MethodPost, "/{id}/reopen", "Open a closed case again"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Reason string `json:"reason" minLength:"5"`
			}
		}) (*one, error) {
			if err := s.Reopen(ctx, in.ID, in.Body.Reason); err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("escalate-case", http.MethodPost, "/{id}/escalations", "Reach a step of a ladder by a person's word"), cases.PermEdit,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Ladder string `json:"ladder"`
				Step   int    `json:"step" minimum:"1"`
				Reason string `json:"reason,omitempty"`
			}
		}) (*one, error) {
			if err := s.Escalate(ctx, in.ID, in.Body.Ladder, in.Body.Step, in.Body.Reason); err != nil {
				return nil, err
			}
			return get(ctx, in.ID)
		})
	httpx.Operation(api, op("merge-case", http.MethodPost, "/{id}/merge", "Let a case go on in another one"), cases.PermLead,
		func(ctx context.Context, in *struct {
			byID
			Body struct {
				Into string `json:"into"`
			}
		}) (*one, error) {
			if err := s.Merge(ctx, in.ID, in.Body.Into); err != nil {
				return nil, err
			}
			return get(ctx, in.Body.Into)
		})
}

// ClockRuleView is a clock rule of the packs in force.
type ClockRuleView struct {
	Pack       string   `json:"pack"`
	Rule       string   `json:"rule"`
	Name       CaseText `json:"name"`
	Applies    string   `json:"applies"`
	Start      string   `json:"start"`
	Stop       string   `json:"stop"`
	Amount     int      `json:"amount" doc:"0 where the bank's terms set it"`
	Unit       string   `json:"unit"`
	Calendar   string   `json:"calendar"`
	Citation   string   `json:"citation"`
	Note       string   `json:"source_note,omitempty"`
	Checked    string   `json:"checked" format:"date"`
	Confidence string   `json:"confidence" enum:"high,medium,low"`
	Signed     string   `json:"signed_by,omitempty" doc:"counsel"`
}

// CaseWebhook is a subscriber to what happens in cases.
type CaseWebhook struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Events []string `json:"events" doc:"empty: all"`
	Secret string   `json:"secret,omitempty" doc:"given once, when it is made; signs by the Standard Webhooks"`
}

// registerRules adds content, register and webhooks.
func registerRules(api huma.API, s *cases.Service) {
	op := func(id, method, path, text string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: text, Tags: []string{"Cases"}}
	}
	httpx.Operation(api, op("list-clock-rules", http.MethodGet, "/case-rules", "List the clock rules in force with their sources"), cases.PermRead,
		func(ctx context.Context, _ *struct{}) (*struct{ Body []ClockRuleView }, error) {
			content, err := s.Content(ctx)
			if err != nil {
				return nil, err
			}
			out := &struct{ Body []ClockRuleView }{Body: []ClockRuleView{}}
			for _, p := range content.Packs(s.Clock.Now()) {
				for _, r := range p.Rules {
					out.Body = append(out.Body, ClockRuleView{Pack: p.Key(), Rule: r.ID, Name: CaseText{r.Name, r.LabelVI}, Applies: r.Applies, Start: r.Start, Stop: r.Stop, Amount: r.Amount.N,
						Unit: r.Unit, Calendar: r.Calendar, Citation: r.Citation, Note: r.SourceNote, Checked: r.Checked, Confidence: r.Confidence, Signed: p.SignedBy})
				}
			}
			return out, nil
		})
	httpx.Operation(api, op("complaint-register", http.MethodGet, "/case-register", "The register of complaints and disputes, with how each term was kept"), cases.PermRegister,
		func(ctx context.Context, in *struct {
			From string `query:"from" required:"true" format:"date"`
			To   string `query:"to" required:"true" format:"date" doc:"the day after the last"`
		}) (*struct{ Body []cases.Registered }, error) {
			from, err := time.Parse(time.DateOnly, in.From)
			if err != nil {
				return nil, errs.Invalid("feedback.case.error.date", "from", "%q is no date", in.From)
			}
			to, err := time.Parse(time.DateOnly, in.To)
			if err != nil {
				return nil, errs.Invalid("feedback.case.error.date", "to", "%q is no date", in.To)
			}
			rows, _, err := s.Register(ctx, from, to)
			if rows == nil {
				rows = []cases.Registered{}
			}
			return &struct{ Body []cases.Registered }{rows}, err
		})
	httpx.Operation(api, op("list-case-webhooks", http.MethodGet, "/case-webhooks", "List subscribers to what happens in cases"), cases.PermSetup,
		func(ctx context.Context, _ *struct{}) (*struct{ Body []CaseWebhook }, error) {
			found, err := s.Hooks(ctx)
			out := &struct{ Body []CaseWebhook }{Body: []CaseWebhook{}}
			for _, h := range found {
				out.Body = append(out.Body, CaseWebhook{ID: h.ID, URL: h.URL.Plain, Events: h.Events})
			}
			return out, err
		})
	create := op("add-case-webhook", http.MethodPost, "/case-webhooks", "Subscribe an address; the answer holds the secret once")
	create.DefaultStatus = http.StatusCreated
	httpx.Operation(api, create, cases.PermSetup, func(ctx context.Context, in *struct {
		Body struct {
			URL    string   `json:"url" format:"uri"`
			Events []string `json:"events,omitempty"`
		}
	}) (*struct{ Body CaseWebhook }, error) {
		h, err := s.AddHook(ctx, in.Body.URL, in.Body.Events)
		if err != nil {
			return nil, err
		}
		return &struct{ Body CaseWebhook }{CaseWebhook{ID: h.ID, URL: h.URL.Plain, Events: h.Events, Secret: h.Secret.Plain}}, nil
	})
	httpx.Operation(api, op("remove-case-webhook", http.MethodDelete, "/case-webhooks/{id}", "End a subscription"), cases.PermSetup,
		func(ctx context.Context, in *struct {
			ID string `path:"id"`
		}) (*struct{}, error) {
			return &struct{}{}, s.RemoveHook(ctx, in.ID)
		})
}

// CaseText is a text in both languages.
type CaseText struct {
	EN string `json:"en"`
	VI string `json:"vi"`
}
