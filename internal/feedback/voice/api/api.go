// Package api offers voices under /api/v1.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/feedback/voice"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// Voice is one thing that a customer said.
type Voice struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind" enum:"answer,complaint,contact,review,social,observation"`
	State    string    `json:"state" enum:"new,taken,answered,done"`
	Words    string    `json:"words"`
	Score    *float64  `json:"score,omitempty"`
	Top      *float64  `json:"top,omitempty" doc:"highest point of the score's scale"`
	Unit     string    `json:"unit"`
	Channel  string    `json:"channel,omitempty"`
	Journey  string    `json:"journey,omitempty"`
	Customer string    `json:"customer_id,omitempty" doc:"pseudonym; absent: not known"`
	Owner    string    `json:"owner,omitempty"`
	CaseID   string    `json:"case_id,omitempty"`
	Times    int       `json:"times" doc:"how often the customer said the same"`
	At       time.Time `json:"at"`
}

type listVoicesInput struct {
	Kind   string `query:"kind" enum:"answer,complaint,contact,review,social,observation"`
	State  string `query:"state" enum:"new,taken,answered,done"`
	Unit   string `query:"unit" doc:"path"`
	Search string `query:"q" doc:"words that all occur, whatever their accents"`
	After  string `query:"after" doc:"cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listVoicesOutput struct {
	Body struct {
		Items []Voice `json:"items"`
		Next  string  `json:"next,omitempty"`
	}
}

type voiceActInput struct {
	ID   string `path:"id"`
	Body struct {
		Do        string `json:"do" enum:"assign,finish,note,reply,case"`
		Text      string `json:"text,omitempty" doc:"of a note or reply" maxLength:"10000"`
		Owner     string `json:"owner,omitempty" doc:"account to assign to"`
		Complaint bool   `json:"complaint,omitempty" doc:"the case is a complaint"`
		Done      bool   `json:"done,omitempty" doc:"the reply tells what was changed, and ends it"`
	}
}

type voiceActOutput struct {
	Body struct {
		CaseID string `json:"case_id,omitempty"`
	}
}

// Register adds the operations.
func Register(api huma.API, s *voice.Service) {
	httpx.Operation(api, huma.Operation{OperationID: "list-voices", Method: http.MethodGet, Path: "/api/v1/voices", Tags: []string{"Voices"}, Summary: "What customers said, newest first"},
		voice.PermRead, func(ctx context.Context, in *listVoicesInput) (*listVoicesOutput, error) {
			page, err := s.List(ctx, voice.Query{Kind: voice.Kind(in.Kind), State: voice.State(in.State), Unit: in.Unit, Search: in.Search, After: in.After, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			out := &listVoicesOutput{}
			out.Body.Items, out.Body.Next = []Voice{}, page.Next
			for _, i := range page.Items {
				out.Body.Items = append(out.Body.Items, Voice{ID: i.ID, Kind: string(i.Kind), State: string(i.State), Words: i.Words.Plain, Score: i.Score, Top: i.Top, Unit: i.Unit, Channel: i.Channel,
					Journey: i.Journey, Customer: i.CustomerID, Owner: i.Owner, CaseID: i.CaseID, Times: i.Times, At: i.At.Time()})
			}
			return out, nil
		})
	httpx.Operation(api, huma.Operation{OperationID: "act-on-voice", Method: http.MethodPost, Path: "/api/v1/voices/{id}/acts", Tags: []string{"Voices"},
		Summary: "Assign, finish, note, write back, or make a case", Errors: []int{http.StatusNotFound, http.StatusConflict}},
		voice.PermEdit, func(ctx context.Context, in *voiceActInput) (out *voiceActOutput, err error) {
			out = &voiceActOutput{}
			switch b := in.Body; b.Do {
			case "assign":
				err = s.Assign(ctx, in.ID, b.Owner)
			case "finish":
				err = s.Finish(ctx, in.ID)
			case "note":
				err = s.Note(ctx, in.ID, b.Text)
			case "reply":
				err = s.Reply(ctx, in.ID, b.Text, b.Done)
			case "case":
				out.Body.CaseID, err = s.MakeCase(ctx, in.ID, b.Complaint)
			default:
				err = errs.Invalid("feedback.voice.error.none", "do", "there is no act %q", b.Do)
			}
			return out, err
		})
}
