package demo

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"omote/bank"
	"omote/internal/app"
	"omote/internal/feedback/cases"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/money"
	"omote/internal/platform/store"
)

// problems are the bank's newest complaints, disputes and unhappy answers, with what
// its own departments did about them. They are played into cases through the same
// rules as a feed, so that clocks stand in every state. (A history import itself opens
// no cases: history never acts.)
type problems struct {
	from   int64 // complaints and disputes since
	fresh  int64 // answers since
	branch string
	events []event.Event
}

// casesDays is how far back the demo's cases begin.
const casesDays = 30

func newProblems(end time.Time) *problems {
	return &problems{from: end.AddDate(0, 0, -casesDays).UnixMicro(), fresh: end.AddDate(0, 0, -8).UnixMicro(), branch: bank.Branches()[0].Path}
}

// note keeps an event that a case may come of.
func (p *problems) note(e *bank.Event) {
	if e.At < p.from || e.Kind != bank.Track {
		return
	}
	switch e.Name {
	case "survey_answered":
		if e.At < p.fresh && e.Unit != p.branch {
			return
		}
	case "complaint_filed", "dispute_reported", "complaint_acknowledged", "complaint_owner_assigned", "complaint_contact_made", "complaint_remedy_offered", "dispute_acknowledged",
		"dispute_update_sent", "dispute_resolved", "refund_posted", "final_response_sent", "card_blocked":
	default:
		return
	}
	p.events = append(p.events, event.Event{Source: e.Source, System: e.System, MessageID: e.MessageID, Kind: event.Track, Name: e.Name, UserID: e.UserID, AnonymousID: e.AnonymousID,
		At: e.At, Journey: e.Journey, Case: e.Case, Channel: e.Channel, Unit: unitCode(e.Unit), Product: e.Product, Outcome: e.Outcome, Amount: e.Amount, Currency: e.Currency,
		Props: slices.Clone(e.Props)})
}

// seed plays the events in the order of time, then lets a few colleagues work.
func (p *problems) seed(ctx context.Context, a *app.App) error {
	ctx = a.System(ctx)
	slices.SortStableFunc(p.events, func(x, y event.Event) int { return int(max(min(x.At-y.At, 1), -1)) })
	for i := range p.events {
		e := &p.events[i]
		e.Entity = a.Config.Entity
		customer := a.Names.Record(e.Entity, e.RecordID()).String()
		err := a.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error { return a.Cases().TakeEvent(ctx, tx, e, customer) })
		if err != nil {
			return err
		}
	}
	return work(ctx, a)
}

// work lets the demo's colleagues take, call, pause, grant and close some of the cases.
func work(ctx context.Context, a *app.App) error {
	accounts := map[string]string{}
	err := a.Store.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		all, err := a.Auth().Accounts(ctx, tx)
		for _, one := range all {
			accounts[one.Email] = one.ID
		}
		return err
	})
	if err != nil {
		return err
	}
	page, err := a.Cases().List(ctx, cases.Query{Limit: 500})
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(7, 9))
	branch := unitPath(bank.Branches()[0].Path)
	for i, c := range page.Items {
		owner := accounts["cxlead@demo.example"]
		if strings.HasPrefix(c.Unit, branch) {
			owner = accounts[[]string{"champion@demo.example", "agent@demo.example"}[i%2]]
		}
		var err error
		switch n := r.IntN(10); {
		case n < 3 || strings.HasPrefix(c.Unit, branch) && n < 8:
			err = a.Cases().Assign(ctx, c.ID, owner)
		case n < 5:
			if err = a.Cases().Assign(ctx, c.ID, owner); err == nil {
				err = a.Cases().RecordContact(ctx, c.ID, cases.Contact{Reached: r.IntN(3) > 0, Channel: "phone", Words: "Đã xin lỗi và hẹn báo lại kết quả."})
			}
		case n < 6:
			err = pauseOne(ctx, a, c)
		case n < 7:
			err = closeOne(ctx, a, c, r)
		}
		if k := errs.KindOf(err); err != nil && k != errs.KindDenied && k != errs.KindConflict && k != errs.KindInvalid {
			return err
		}
	}
	return nil
}

func pauseOne(ctx context.Context, a *app.App, c cases.Case) error {
	v, err := a.Cases().Get(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, k := range v.Clocks {
		if k.State == cases.ClockRunning && k.Rule.Pause.Allowed {
			return a.Cases().Pause(ctx, c.ID, k.Clock.ID, k.Rule.Pause.Reasons[0])
		}
	}
	return nil
}

func closeOne(ctx context.Context, a *app.App, c cases.Case, r *rand.Rand) error {
	causes, actions := []string{"delay", "system_fault", "unclear_information", "process_gap"}, []string{"explained", "apologised", "corrected"}
	if err := a.Cases().RecordContact(ctx, c.ID, cases.Contact{Reached: true, Channel: "phone", Words: "Đã giải thích và khắc phục."}); err != nil {
		return err
	}
	if err := a.Cases().Give(ctx, c.ID, cases.Grant{Kind: "fee_refund", Amount: money.VND(50_000), Reason: "hoàn phí đã thu"}); err != nil && errs.KindOf(err) != errs.KindDenied {
		return err
	}
	link, err := a.Cases().Close(ctx, c.ID, cases.Resolution{Cause: causes[r.IntN(len(causes))], Actions: []string{actions[r.IntN(len(actions))]}})
	if err != nil || r.IntN(3) == 0 {
		return err
	}
	token := link[strings.LastIndexByte(link, '/')+1:]
	_, err = a.Cases().Answer(ctx, token, r.IntN(4) > 0, "")
	return err
}
