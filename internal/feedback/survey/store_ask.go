package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/feedback/form"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

type invitationRow struct {
	bun.BaseModel `bun:"table:survey_invitation"`

	CustomerID  string `bun:",pk"`
	ID          string `bun:",pk"`
	Entity      string
	Survey      string
	Version     int64
	Cause       string
	State       AskState
	Channel     string
	Probability float64
	Unit        string
	Via         string
	Journey     string
	Product     string
	Who         []byte
	Reason      string
	Reasons     string
	Created     store.Micros
	Due         store.Micros
	Asked       store.Micros `bun:",nullzero"`
	Reminded    store.Micros `bun:",nullzero"`
	Expires     store.Micros
	Delivery    string
	Followup    float64
	Calls       int64
}

// whoPlace is what the name of a person to the log is encrypted for.
func whoPlace(table, customer, id string) sealed.Place {
	return sealed.Place{Table: table, Column: "who", Row: customer + "\x1f" + id}
}

func (s *Service) sealWho(ctx context.Context, p sealed.Place, system, id string) ([]byte, error) {
	if id == "" {
		return nil, nil
	}
	return s.Box.SealBytes(ctx, p, []byte(system+"\x1f"+id))
}

func (s *Service) openWho(ctx context.Context, p sealed.Place, raw []byte) (system, id string, err error) {
	if len(raw) == 0 {
		return "", "", nil
	}
	plain, err := s.Box.OpenBytes(ctx, p, raw)
	if err != nil {
		return "", "", fmt.Errorf("open who: %w", err)
	}
	system, id, _ = strings.Cut(string(plain), "\x1f")
	return system, id, nil
}

func (s *Service) invitation(ctx context.Context, r *invitationRow) (*Invitation, error) {
	in := &Invitation{CustomerID: r.CustomerID, ID: r.ID, Survey: r.Survey, Version: r.Version, Cause: r.Cause, State: r.State, Channel: r.Channel,
		Probability: r.Probability, Unit: r.Unit, Via: r.Via, Journey: r.Journey, Product: r.Product, Reason: r.Reason, Reasons: json.RawMessage(r.Reasons),
		Created: r.Created.Time(), Due: r.Due.Time(), Asked: when(r.Asked), Reminded: when(r.Reminded), Expires: r.Expires.Time(),
		Delivery: r.Delivery, FollowUp: r.Followup, Calls: r.Calls}
	var err error
	in.System, in.UserID, err = s.openWho(ctx, whoPlace("survey_invitation", r.CustomerID, r.ID), r.Who)
	return in, err
}

// insertInvitations adds those whose cause is new for the customer and gives them.
func (s *Service) insertInvitations(ctx context.Context, tx store.Tx, all []*Invitation) (added []*Invitation, err error) {
	for _, in := range all {
		r := &invitationRow{CustomerID: in.CustomerID, ID: in.ID, Entity: tx.Scope.Entity, Survey: in.Survey, Version: in.Version, Cause: in.Cause, State: in.State,
			Probability: in.Probability, Unit: in.Unit, Via: in.Via, Journey: in.Journey, Product: in.Product, Reason: in.Reason, Created: store.At(in.Created),
			Due: store.At(in.Due), Expires: store.At(in.Expires)}
		if r.Who, err = s.sealWho(ctx, whoPlace("survey_invitation", in.CustomerID, in.ID), in.System, in.UserID); err != nil {
			return nil, err
		}
		res, err := tx.NewInsert().Model(r).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return nil, err
		}
		if n, err := res.RowsAffected(); err != nil {
			return nil, err
		} else if n == 1 {
			added = append(added, in)
		}
	}
	return added, nil
}

func (s *Service) findInvitation(ctx context.Context, tx store.Tx, customer, id string) (*Invitation, error) {
	var r invitationRow
	err := tx.NewSelect().Model(&r).Where("customer_id = ? AND id = ? AND entity = ?", customer, id, tx.Scope.Entity).Scan(ctx)
	if err != nil {
		return nil, errNone(err, "the invitation", id)
	}
	return s.invitation(ctx, &r)
}

func updateInvitation(ctx context.Context, tx store.Tx, in *Invitation) error {
	_, err := tx.NewRaw("UPDATE survey_invitation SET state = ?, channel = ?, reason = ?, reasons = ?, due = ?, asked = ?, reminded = ?, expires = ?, followup = ?, calls = ? WHERE customer_id = ? AND id = ?",
		in.State, in.Channel, in.Reason, string(in.Reasons), store.At(in.Due), nullable(micros(in.Asked)), nullable(micros(in.Reminded)), store.At(in.Expires), in.FollowUp, in.Calls, in.CustomerID, in.ID).Exec(ctx)
	return err
}

func nullable(m store.Micros) *store.Micros {
	if m == 0 {
		return nil
	}
	return &m
}

func answeredInvitation(ctx context.Context, tx store.Tx, customer, id string) error {
	_, err := tx.NewRaw("UPDATE survey_invitation SET state = ? WHERE customer_id = ? AND id = ?", Answered, customer, id).Exec(ctx)
	return err
}

// delivered notes a gateway's report on an invitation's message.
func delivered(ctx context.Context, tx store.Tx, customer, id, delivery string) error {
	_, err := tx.NewRaw("UPDATE survey_invitation SET delivery = ? WHERE customer_id = ? AND id = ?", delivery, customer, id).Exec(ctx)
	return err
}

// callsWaiting gives invitations that wait for a call, the least tried first.
func (s *Service) callsWaiting(ctx context.Context, tx store.Tx, survey string, limit int) (out []*Invitation, err error) {
	var rows []invitationRow
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND survey = ? AND state = ? AND channel = ? AND due <= ? AND expires > ?", tx.Scope.Entity, survey, Asked, CallChannel, tx.Now(), tx.Now()).
		OrderExpr("calls, asked, id").Limit(int64(limit)).Scan(ctx)
	for i := range rows {
		in, openErr := s.invitation(ctx, &rows[i])
		if openErr != nil {
			return nil, openErr
		}
		out = append(out, in)
	}
	return out, err
}

// silentCount is what became of invitations by a value of a dimension.
type SilentCount struct {
	Value                                 string
	Asked, Answered, Delivered, Failed, N int64
}

func silentCounts(ctx context.Context, tx store.Tx, survey, dim string, since store.Micros) (out []SilentCount, err error) {
	column := bun.Ident(dim)
	err = tx.NewRaw(`SELECT ? AS value, COUNT(*) AS n, SUM(CASE WHEN state IN (?, ?, ?) THEN 1 ELSE 0 END) AS asked, SUM(CASE WHEN state = ? THEN 1 ELSE 0 END) AS answered,
SUM(CASE WHEN delivery IN ('delivered', 'read') THEN 1 ELSE 0 END) AS delivered, SUM(CASE WHEN delivery = 'failed' THEN 1 ELSE 0 END) AS failed
FROM survey_invitation WHERE entity = ? AND survey = ? AND created >= ? GROUP BY ? ORDER BY asked DESC, value LIMIT 200`,
		column, Asked, Answered, Expired, Answered, tx.Scope.Entity, survey, since, column).Scan(ctx, &out)
	return out, err
}

// quotaFull tells whether a quota of the questionnaire has its answers of the day.
func (s *Service) quotaFull(ctx context.Context, tx store.Tx, d *form.Document, in *Invitation) (bool, error) {
	has := map[string]string{"unit": in.Unit, "via": in.Via, "journey": in.Journey, "product": in.Product}
	for _, q := range d.Asking.Quotas {
		if has[q.Dim] != q.Value {
			continue
		}
		column := bun.Ident(q.Dim)
		var n int
		err := tx.NewRaw("SELECT COUNT(*) FROM survey_response WHERE entity = ? AND survey = ? AND completed >= ? AND ? = ?",
			tx.Scope.Entity, d.ID, store.At(s.day(tx.Now().Time())), column, q.Value).Scan(ctx, &n)
		if err != nil {
			return false, err
		}
		if n >= q.Daily {
			return true, nil
		}
	}
	return false, nil
}

// AskCount is how many invitations have a state and reason.
type AskCount struct {
	State  AskState
	Reason string
	N      int64
}

func askCounts(ctx context.Context, tx store.Tx, survey string, since store.Micros) (out []AskCount, err error) {
	err = tx.NewRaw("SELECT state, reason, COUNT(*) AS n FROM survey_invitation WHERE entity = ? AND survey = ? AND created >= ? GROUP BY state, reason ORDER BY n DESC, state, reason",
		tx.Scope.Entity, survey, since).Scan(ctx, &out)
	return out, err
}

// UnitCount is how a unit's askings came out.
type UnitCount struct {
	Unit            string
	Events          int64 // that could have led to an asking
	Asked, Answered int64
}

func unitCounts(ctx context.Context, tx store.Tx, survey string, since store.Micros) (out []UnitCount, err error) {
	err = tx.NewRaw(`SELECT unit, COUNT(*) AS events, SUM(CASE WHEN state IN (?, ?, ?) THEN 1 ELSE 0 END) AS asked, SUM(CASE WHEN state = ? THEN 1 ELSE 0 END) AS answered
FROM survey_invitation WHERE entity = ? AND survey = ? AND created >= ? AND unit <> '' GROUP BY unit ORDER BY unit`,
		Asked, Answered, Expired, Answered, tx.Scope.Entity, survey, since).Scan(ctx, &out)
	return out, err
}

func (s *Service) invitationsOf(ctx context.Context, tx store.Tx, survey string, records []string) (out []*Invitation, err error) {
	var rows []invitationRow
	err = tx.NewSelect().Model(&rows).Where("entity = ? AND survey = ? AND customer_id IN (?)", tx.Scope.Entity, survey, bun.List(records)).OrderExpr("created DESC").Limit(50).Scan(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		in, err := s.invitation(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, nil
}
