package request

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/customer/consent"
	"omote/internal/customer/contact"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// maxFacts bounds the events of one file, the newest first.
const maxFacts = 20_000

// Copy is what the bank keeps of a person, as the person receives it.
type Copy struct {
	Request string        `json:"request"`
	At      time.Time     `json:"at"`
	Records []CopyRecord  `json:"records"`
	Consent []CopyConsent `json:"consent"`
	Contact []CopyContact `json:"contacts"`
	Events  []CopyEvent   `json:"events"`
	Answers []CopyAnswer  `json:"survey_answers"`
	// Cut is true when there are more events than a file holds.
	Cut bool `json:"cut,omitempty"`
}

// CopyRecord is what one system knows of the person.
type CopyRecord struct {
	ID        string         `json:"id"`
	System    string         `json:"system"`
	FirstSeen time.Time      `json:"first_seen"`
	LastSeen  time.Time      `json:"last_seen"`
	Events    int64          `json:"events"`
	Stated    map[string]any `json:"stated,omitempty"`
}

// CopyConsent is a statement of the person.
type CopyConsent struct {
	Purpose string    `json:"purpose"`
	Channel string    `json:"channel"`
	Granted bool      `json:"granted"`
	At      time.Time `json:"at"`
	Text    int       `json:"text_version"`
}

// CopyContact is a contact that was decided about.
type CopyContact struct {
	Kind    string    `json:"kind"`
	Channel string    `json:"channel"`
	At      time.Time `json:"at"`
	State   string    `json:"state"`
}

// CopyEvent is a fact.
type CopyEvent struct {
	At      time.Time `json:"at"`
	Name    string    `json:"name"`
	Channel string    `json:"channel,omitempty"`
	Product string    `json:"product,omitempty"`
	Amount  *int64    `json:"amount_minor,omitempty"`
	Money   string    `json:"currency,omitempty"`
	Props   string    `json:"properties,omitempty"`
}

// CopyAnswer is what the person said in a survey.
type CopyAnswer struct {
	At      time.Time `json:"at"`
	Survey  string    `json:"survey"`
	Score   *float64  `json:"score,omitempty"`
	Comment string    `json:"comment,omitempty"`
}

// WriteAccess writes the person's data as a ZIP with two files: data.json for
// machines and a page for people in the request's language. The person must have
// been checked. It stands in the audit trail before anything leaves.
func (s *Service) WriteAccess(ctx context.Context, id string, out io.Writer) error {
	if err := auth.Require(ctx, PermDecide, ""); err != nil {
		return err
	}
	c, locale, err := s.collect(ctx, id)
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	f, err := z.Create("data.json")
	if err != nil {
		return fmt.Errorf("write a copy of data: %w", err)
	}
	e := json.NewEncoder(f)
	e.SetIndent("", "  ")
	if err := e.Encode(c); err != nil {
		return fmt.Errorf("write a copy of data: %w", err)
	}
	if f, err = z.Create(map[string]string{"vi": "du-lieu-cua-quy-khach.html", "en": "your-data.html"}[locale]); err != nil {
		return fmt.Errorf("write a copy of data: %w", err)
	}
	err = copyPage.Execute(f, map[string]any{"C": c, "W": copyWords[locale], "Bank": s.Bank, "Locale": locale})
	if err := errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("write a copy of data: %w", err)
	}
	return nil
}

func (s *Service) collect(ctx context.Context, id string) (c Copy, locale string, err error) {
	var person identity.Person
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := s.get(ctx, tx, id)
		if err != nil {
			return err
		}
		if r.CheckedAt == 0 {
			return errs.Conflict("customer.request.error.unchecked", "the person's identity was not checked yet")
		}
		c, locale = Copy{Request: id, At: tx.Now().Time()}, r.Locale
		if person, err = identity.PersonOf(ctx, tx, r.RecordID); err != nil {
			return err
		}
		if err := s.collectStore(ctx, tx, person.Records, &c); err != nil {
			return err
		}
		if err := s.step(ctx, tx, id, "copied", ""); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "customer.request.copy", Object: "request/" + id})
	})
	if err != nil {
		return c, locale, err
	}
	return c, locale, s.collectFacts(ctx, person.Records, &c)
}

func (s *Service) collectStore(ctx context.Context, tx store.Tx, records []string, c *Copy) error {
	of := func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("entity = ? AND record_id IN (?)", tx.Scope.Entity, bun.List(records))
	}
	found, err := identity.RecordsOf(ctx, tx, s.Box, records)
	if err != nil {
		return err
	}
	var traits []identity.Traits
	if err := of(tx.NewSelect().Model(&traits)).Scan(ctx); err != nil {
		return fmt.Errorf("traits of a person: %w", err)
	}
	if err := s.Box.Open(ctx, tx, &traits); err != nil {
		return err
	}
	c.Records = make([]CopyRecord, len(found))
	for i, r := range found {
		to := &c.Records[i]
		to.ID, to.System, to.FirstSeen, to.LastSeen, to.Events = r.External.Plain, r.System, r.FirstSeen.Time(), r.LastSeen.Time(), r.Events
		if j := slices.IndexFunc(traits, func(t identity.Traits) bool { return t.RecordID == r.RecordID }); j >= 0 {
			if err := json.Unmarshal([]byte(traits[j].Traits.Plain), &to.Stated); err != nil {
				return fmt.Errorf("traits of a person: %w", err)
			}
		}
	}
	var said []consent.Statement
	if err := of(tx.NewSelect().Model(&said)).ExcludeColumn("evidence").Order("at").Scan(ctx); err != nil {
		return fmt.Errorf("consent of a person: %w", err)
	}
	for _, t := range said {
		c.Consent = append(c.Consent, CopyConsent{t.Purpose, t.Channel, t.Granted, t.At.Time(), t.TextVersion})
	}
	var contacts []contact.Entry
	if err := of(tx.NewSelect().Model(&contacts)).Order("decided_at").Scan(ctx); err != nil {
		return fmt.Errorf("contacts of a person: %w", err)
	}
	for _, e := range contacts {
		c.Contact = append(c.Contact, CopyContact{e.Kind, e.Channel, e.At.Time(), string(e.State)})
	}
	return nil
}

// collectFacts reads the person's events and answers from the warehouse.
func (s *Service) collectFacts(ctx context.Context, records []string, c *Copy) error {
	quoted := make([]string, 0, len(records))
	for _, r := range records {
		if len(r) == 36 && !strings.ContainsAny(r, "'\\") {
			quoted = append(quoted, "'"+r+"'::uuid")
		}
	}
	if len(quoted) == 0 {
		return nil
	}
	where := " WHERE record_id IN (" + strings.Join(quoted, ", ") + ") ORDER BY occurred_at DESC LIMIT "
	rows, err := s.Warehouse.Query(ctx, "SELECT occurred_at, name, channel, product, amount, currency, COALESCE(props, '') FROM {event}"+where+fmt.Sprint(maxFacts+1))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var e CopyEvent
		if err := rows.Scan(&e.At, &e.Name, &e.Channel, &e.Product, &e.Amount, &e.Money, &e.Props); err != nil {
			return fmt.Errorf("events of a person: %w", err)
		}
		c.Events = append(c.Events, e)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("events of a person: %w", err)
	}
	if len(c.Events) > maxFacts {
		c.Events, c.Cut = c.Events[:maxFacts], true
	}
	answers, err := s.Warehouse.Query(ctx, "SELECT occurred_at, instrument || '/' || item, score, COALESCE(comment, '') FROM {response}"+where+fmt.Sprint(maxFacts))
	if err != nil {
		return err
	}
	defer answers.Close()
	for answers.Next() {
		var a CopyAnswer
		if err := answers.Scan(&a.At, &a.Survey, &a.Score, &a.Comment); err != nil {
			return fmt.Errorf("answers of a person: %w", err)
		}
		c.Answers = append(c.Answers, a)
	}
	if err := answers.Err(); err != nil {
		return fmt.Errorf("answers of a person: %w", err)
	}
	return nil
}

// copyWords are the words of the page that the person opens on their own machine.
var copyWords = map[string]map[string]string{
	"en": {"title": "Your data at", "intro": "This is what we keep about you, as of", "records": "Records", "stated": "What is stated of you", "consent": "What you allowed and refused",
		"contacts": "Contacts we decided about", "events": "What happened", "answers": "Your answers", "yes": "yes", "no": "no", "none": "Nothing is kept.", "cut": "Only the newest events are listed."},
	"vi": {"title": "Dữ liệu của Quý khách tại", "intro": "Đây là những gì chúng tôi đang lưu về Quý khách, tính đến", "records": "Bản ghi", "stated": "Thông tin về Quý khách", "consent": "Những điều Quý khách đã đồng ý và từ chối",
		"contacts": "Các lần liên hệ đã xem xét", "events": "Những việc đã diễn ra", "answers": "Câu trả lời của Quý khách", "yes": "đồng ý", "no": "từ chối", "none": "Không có dữ liệu.", "cut": "Chỉ liệt kê các sự kiện mới nhất."},
}

var copyPage = template.Must(template.New("copy").Funcs(template.FuncMap{"when": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }}).Parse(`<!DOCTYPE html>
<html lang="{{.Locale}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.W.title}} {{.Bank}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#14212e}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .5rem;border-bottom:1px solid #d9dde1;vertical-align:top}h2{margin-top:2rem;border-top:1px solid #14212e;padding-top:.75rem}</style></head><body>
<h1>{{.W.title}} {{.Bank}}</h1><p>{{.W.intro}} {{when .C.At}}.</p>
<h2>{{.W.records}}</h2>{{range .C.Records}}<table><tr><th>{{.System}}</th><td>{{.ID}}</td></tr>{{range $k, $v := .Stated}}<tr><th>{{$k}}</th><td>{{$v}}</td></tr>{{end}}</table>{{else}}<p>{{$.W.none}}</p>{{end}}
<h2>{{.W.consent}}</h2><table>{{range .C.Consent}}<tr><td>{{when .At}}</td><td>{{.Purpose}}</td><td>{{.Channel}}</td><td>{{if .Granted}}{{$.W.yes}}{{else}}{{$.W.no}}{{end}}</td></tr>{{end}}</table>
<h2>{{.W.contacts}}</h2><table>{{range .C.Contact}}<tr><td>{{when .At}}</td><td>{{.Kind}}</td><td>{{.Channel}}</td><td>{{.State}}</td></tr>{{end}}</table>
<h2>{{.W.answers}}</h2><table>{{range .C.Answers}}<tr><td>{{when .At}}</td><td>{{.Survey}}</td><td>{{with .Score}}{{.}}{{end}}</td><td>{{.Comment}}</td></tr>{{end}}</table>
<h2>{{.W.events}}</h2>{{if .C.Cut}}<p>{{.W.cut}}</p>{{end}}<table>{{range .C.Events}}<tr><td>{{when .At}}</td><td>{{.Name}}</td><td>{{.Channel}}</td><td>{{.Product}}</td></tr>{{end}}</table>
</body></html>
`))
