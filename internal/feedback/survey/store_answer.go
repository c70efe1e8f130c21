package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"omote/internal/feedback/form"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

type responseRow struct {
	bun.BaseModel `bun:"table:survey_response"`

	CustomerID  string `bun:",pk"`
	ID          string `bun:",pk"`
	Entity      string
	Survey      string
	Version     int64
	Invitation  string
	Channel     string
	Locale      string
	Probability float64
	Unit        string
	Via         string
	Journey     string
	Product     string
	Answers     []byte
	Score       *int64
	Flags       string
	Who         []byte
	Started     store.Micros
	Updated     store.Micros
	Completed   store.Micros `bun:",nullzero"`
	Told        bool
	Same        string
}

func answersPlace(customer, id string) sealed.Place {
	return sealed.Place{Table: "survey_response", Column: "answers", Row: customer + "\x1f" + id}
}

func (s *Service) response(ctx context.Context, r *responseRow) (*Response, error) {
	out := &Response{CustomerID: r.CustomerID, ID: r.ID, Survey: r.Survey, Version: r.Version, Invitation: r.Invitation, Channel: r.Channel, Locale: r.Locale,
		Probability: r.Probability, Unit: r.Unit, Via: r.Via, Journey: r.Journey, Product: r.Product, Answers: form.Answers{}, Score: r.Score,
		same: r.Same, Started: r.Started.Time(), Updated: r.Updated.Time(), Completed: when(r.Completed)}
	if r.Flags != "" {
		out.Flags = strings.Split(r.Flags, ",")
	}
	plain, err := s.Box.OpenBytes(ctx, answersPlace(r.CustomerID, r.ID), r.Answers)
	if err != nil {
		return nil, fmt.Errorf("open answers: %w", err)
	}
	if err := json.Unmarshal(plain, &out.Answers); err != nil {
		return nil, fmt.Errorf("decode answers: %w", err)
	}
	out.System, out.UserID, err = s.openWho(ctx, whoPlace("survey_response", r.CustomerID, r.ID), r.Who)
	return out, err
}

func (s *Service) findResponse(ctx context.Context, tx store.Tx, customer, id string) (*Response, error) {
	var r responseRow
	err := tx.NewSelect().Model(&r).Where("customer_id = ? AND id = ? AND entity = ?", customer, id, tx.Scope.Entity).Scan(ctx)
	if err != nil {
		return nil, errNone(err, "the response", id)
	}
	return s.response(ctx, &r)
}

// findResponses gives the responses of a batch that are there already, by id.
func (s *Service) findResponses(ctx context.Context, tx store.Tx, group []*saving) (map[string]*Response, error) {
	customers, ids := make([]string, len(group)), make([]string, len(group))
	for i, one := range group {
		customers[i], ids[i] = one.session.Customer, one.session.responseID()
		if one.session.anonymous() {
			customers[i] = ""
		}
	}
	var rows []responseRow
	err := tx.NewSelect().Model(&rows).Where("customer_id IN (?) AND id IN (?) AND entity = ?", bun.List(customers), bun.List(ids), tx.Scope.Entity).Scan(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]*Response{}
	for i := range rows {
		r, err := s.response(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		out[r.ID] = r
	}
	return out, nil
}

// keepResponses writes changed responses in one batch.
func (s *Service) keepResponses(ctx context.Context, tx store.Tx, changed map[string]*Response) error {
	ids := slices.Sorted(maps.Keys(changed))
	n := len(ids)
	str := func(get func(*Response) string) []string {
		out := make([]string, n)
		for i, id := range ids {
			out[i] = get(changed[id])
		}
		return out
	}
	entity, answers, who := make([]string, n), make([][]byte, n), make([][]byte, n)
	version, probability, score := make([]int64, n), make([]float64, n), make([]*int64, n)
	toldAlready := make([]bool, n)
	started, updated, completed := make([]store.Micros, n), make([]store.Micros, n), make([]*store.Micros, n)
	for i, id := range ids {
		r := changed[id]
		raw, err := json.Marshal(r.Answers)
		if err != nil {
			return fmt.Errorf("encode answers: %w", err)
		}
		if answers[i], err = s.Box.SealBytes(ctx, answersPlace(r.CustomerID, r.ID), raw); err != nil {
			return err
		}
		if who[i], err = s.sealWho(ctx, whoPlace("survey_response", r.CustomerID, r.ID), r.System, r.UserID); err != nil {
			return err
		}
		entity[i], version[i], probability[i], score[i], toldAlready[i] = tx.Scope.Entity, r.Version, r.Probability, r.Score, r.told
		started[i], updated[i], completed[i] = store.At(r.Started), store.At(r.Updated), nullable(micros(r.Completed))
	}
	_, err := tx.Batch(ctx, "survey_response", store.Upsert{Key: []string{"customer_id", "id"},
		Set: store.Replace("answers", "score", "flags", "updated", "completed", "locale", "same") + ", told = FALSE"},
		store.Col("customer_id", str(func(r *Response) string { return r.CustomerID })), store.Col("id", ids), store.Col("entity", entity),
		store.Col("survey", str(func(r *Response) string { return r.Survey })), store.Col("version", version),
		store.Col("invitation", str(func(r *Response) string { return r.Invitation })), store.Col("channel", str(func(r *Response) string { return r.Channel })),
		store.Col("locale", str(func(r *Response) string { return r.Locale })), store.Col("probability", probability),
		store.Col("unit", str(func(r *Response) string { return r.Unit })), store.Col("via", str(func(r *Response) string { return r.Via })),
		store.Col("journey", str(func(r *Response) string { return r.Journey })), store.Col("product", str(func(r *Response) string { return r.Product })),
		store.Col("answers", answers), store.Col("score", score), store.Col("flags", str(func(r *Response) string { return strings.Join(r.Flags, ",") })),
		store.Col("who", who), store.Col("started", started), store.Col("updated", updated), store.Col("completed", completed), store.Col("told", toldAlready),
		store.Col("same", str(func(r *Response) string { return r.same })))
	return err
}

func (s *Service) untold(ctx context.Context, tx store.Tx, limit int) (out []told, err error) {
	var rows []responseRow
	if err := tx.NewSelect().Model(&rows).Where("told = FALSE AND completed IS NOT NULL").OrderExpr("completed").Limit(int64(limit)).Scan(ctx); err != nil {
		return nil, err
	}
	for i := range rows {
		r, err := s.response(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, told{rows[i].Entity, r})
	}
	return out, nil
}

// markTold marks those that have not changed since they were read.
func markTold(ctx context.Context, tx store.Tx, all []told) error {
	for _, t := range all {
		_, err := tx.NewRaw("UPDATE survey_response SET told = TRUE WHERE customer_id = ? AND id = ? AND updated = ?",
			t.response.CustomerID, t.response.ID, store.At(t.response.Updated)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// eachResponse gives every response of a questionnaire, in pages.
func (s *Service) eachResponse(ctx context.Context, tx store.Tx, survey string, fn func(*Response) error) error {
	const page = 2000
	customer, id := "", ""
	for {
		var rows []responseRow
		err := tx.NewSelect().Model(&rows).Where("entity = ? AND survey = ?", tx.Scope.Entity, survey).
			Where("(customer_id > ? OR customer_id = ? AND id > ?)", customer, customer, id).OrderExpr("customer_id, id").Limit(page).Scan(ctx)
		if err != nil {
			return err
		}
		for i := range rows {
			r, err := s.response(ctx, &rows[i])
			if err != nil {
				return err
			}
			if err := fn(r); err != nil {
				return err
			}
			customer, id = r.CustomerID, r.ID
		}
		if len(rows) < page {
			return nil
		}
	}
}

// recent gives the newest completed responses, before a time where one is given.
func (s *Service) recent(ctx context.Context, tx store.Tx, survey string, before store.Micros, limit int) (out []*Response, err error) {
	var rows []responseRow
	q := tx.NewSelect().Model(&rows).Where("entity = ? AND survey = ? AND completed IS NOT NULL", tx.Scope.Entity, survey).OrderExpr("completed DESC").Limit(int64(limit))
	if before != 0 {
		q = q.Where("completed < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, err
	}
	for i := range rows {
		r, err := s.response(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func tallies(ctx context.Context, tx store.Tx, survey string) (map[tallyKey]sums, error) {
	var rows []struct {
		Item, Dim, Value, Answer string
		Day, N                   int64
		W, WW                    float64
	}
	err := tx.NewRaw("SELECT item, dim, value, answer, day, n, w, ww FROM survey_tally WHERE entity = ? AND survey = ?", tx.Scope.Entity, survey).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	out := make(map[tallyKey]sums, len(rows))
	for _, r := range rows {
		out[tallyKey{survey, r.Item, r.Dim, r.Value, r.Day, r.Answer}] = sums{r.N, r.W, r.WW}
	}
	return out, nil
}

func dropTallies(ctx context.Context, tx store.Tx, survey string) error {
	_, err := tx.NewRaw("DELETE FROM survey_tally WHERE entity = ? AND survey = ?", tx.Scope.Entity, survey).Exec(ctx)
	return err
}

// cell is a sum of tallies.
type cell struct {
	Value  string
	Item   string
	Answer string
	Day    int64
	N      int64
	W, WW  float64
}

// summed adds tallies of one dimension up over days, by value, question and answer;
// each day by itself where daily.
func summed(ctx context.Context, tx store.Tx, survey, dim, item string, from, to int64, daily bool) (out []cell, err error) {
	day := "0"
	group := ""
	if daily {
		day, group = "day", ", day"
	}
	q := "SELECT value, item, answer, " + day + " AS day, SUM(n) AS n, SUM(w) AS w, SUM(ww) AS ww FROM survey_tally WHERE entity = ? AND survey = ? AND dim = ? AND day BETWEEN ? AND ?"
	args := []any{tx.Scope.Entity, survey, dim, from, to}
	if item != "*" {
		q += " AND item = ?"
		args = append(args, item)
	}
	err = tx.NewRaw(q+" GROUP BY value, item, answer"+group+" HAVING SUM(n) > 0", args...).Scan(ctx, &out)
	return out, err
}
