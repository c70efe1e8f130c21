package voice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"omote/analytics/text/normalise"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/outbox"
	"omote/internal/platform/scope"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/platform/warehouse"
)

// Reach is how a customer is called and reached, as far as the bank knows.
type Reach struct{ Name, Email, Phone, Zalo, Locale string }

// on is the address on a channel.
func (r Reach) on(channel string) string {
	return map[string]string{send.MailChannel: r.Email, "sms": r.Phone, "zalo": r.Zalo}[channel]
}

// Verdict is what the contact policy says. Retry is when asking again may help.
type Verdict struct {
	Allowed bool
	Reason  string
	Retry   time.Time
}

// Customers tells how a customer is reached and whether a message may go out; app fills
// it with identity and the contact policy.
type Customers interface {
	Reach(ctx context.Context, tx store.Tx, record string) (Reach, error)
	// May judges a contact of a kind now and gives the policy's reason where not.
	May(ctx context.Context, tx store.Tx, record, kind, channel, ref string) (Verdict, error)
	// Owners gives the customer of each record.
	Owners(ctx context.Context, tx store.Tx, records []string) (map[string]string, error)
}

// NewCase is what it takes to make a case of an item.
type NewCase struct {
	Item     Item
	Complain bool // the customer complains; otherwise unhappy
}

// Cases opens cases; app fills it.
type Cases interface {
	Open(ctx context.Context, c NewCase) (id string, err error)
}

// Outbox takes messages; *outbox.Outbox is one.
type Outbox interface {
	Enqueue(ctx context.Context, tx store.Tx, m outbox.Message) (string, error)
}

// Deps are what the service needs.
type Deps struct {
	DB        *store.DB
	Box       *sealed.Box
	Keys      keyring.Provider
	Outbox    Outbox
	Customers Customers
	Cases     Cases
	Scores    Scores
	Events    Events // may be nil
	// Channels are those that messages can leave by, beside e-mail: sms, zalo.
	Channels  []string
	Warehouse *warehouse.Warehouse
	// UnitPath gives the path of the unit that feeds call by a code, "" for none.
	UnitPath func(ctx context.Context, tx store.Tx, code string) (string, error)
	BaseURL  string
	Bank     string
}

// Service is voices. It is safe for concurrent use.
type Service struct{ Deps }

// NewService makes the service.
func NewService(d Deps) *Service { return &Service{d} }

// Take keeps what somebody said, in the transaction of what it comes from, once. It
// asks for no permission: whoever calls it has decided.
func (s *Service) Take(ctx context.Context, tx store.Tx, in Said) error {
	in.Words = strings.TrimSpace(in.Words)
	if err := in.Validate(); err != nil {
		return err
	}
	there, err := seen(ctx, tx, in)
	if err != nil || there {
		return err
	}
	folded := normalise.Fold(in.Words)
	same := ""
	at := min(store.At(in.At), tx.Now())
	if in.CustomerID != "" {
		if same, err = s.Box.Blind(ctx, tx, sameColumn, folded); err != nil {
			return err
		}
		before, found, err := sameBefore(ctx, tx, in.CustomerID, same, at)
		if err != nil {
			return err
		}
		if found {
			// The line is named after what it comes from, so that a replay adds none.
			e := Entry{CustomerID: before.CustomerID, VoiceID: before.ID, ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(in.Source+"\x00"+in.Ref)).String(), Kind: EntryAgain,
				Actor: tx.Scope.Actor, At: tx.Now()}
			added, err := insertEntry(ctx, tx, &e)
			if err != nil || !added {
				return err
			}
			before.Times++
			before.Touched = tx.Now()
			return updateItem(ctx, tx, &before)
		}
	}
	i := Item{CustomerID: in.CustomerID, ID: uuid.Must(uuid.NewV7()).String(), Entity: tx.Scope.Entity, Source: in.Source, Ref: in.Ref, Kind: in.Kind, Unit: in.Unit, Channel: in.Channel,
		Journey: in.Journey, Step: in.Step, Product: in.Product, Locale: in.Locale, Score: in.Score, Mood: in.mood(), Words: sealed.New(in.Words), Same: same, Times: 1, State: New, CaseID: in.CaseID,
		At: at, Touched: tx.Now(), Reader: readerVersion}
	if i.Unit == "" {
		i.Unit = scope.Root
	}
	if in.Score != nil {
		i.Top = &in.Top
	}
	if in.History || in.CaseID != "" { // a case has its own queue
		i.State = Done
	}
	if err := s.Box.Seal(ctx, tx, &i); err != nil {
		return err
	}
	tokens, err := s.Box.Tokens(ctx, tx, tokenColumn, words(folded))
	if err != nil {
		return err
	}
	slices.Sort(tokens)
	if err := insertItem(ctx, tx, &i, slices.Compact(tokens)); err != nil {
		return err
	}
	return insertThemes(ctx, tx, &i, themesOf(in.Words, i.Mood))
}

// maxTokens bounds how many different words of one item can be searched for.
const maxTokens = 150

// words are the different words of a folded text.
func words(folded string) (out []string) {
	for _, w := range strings.FieldsFunc(strings.ToLower(folded), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(w) >= 2 && len(w) <= 40 && !slices.Contains(out, w) && len(out) < maxTokens {
			out = append(out, w)
		}
	}
	return out
}

// Observe keeps what a member of staff saw or heard of a customer.
func (s *Service) Observe(ctx context.Context, in Said) error {
	if err := auth.Require(ctx, PermEdit, in.Unit); err != nil {
		return err
	}
	in.Kind, in.Source, in.Ref = Observation, "staff", uuid.NewString()
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if in.Unit == "" {
			in.Unit = tx.Scope.Unit
		}
		in.At = tx.Now().Time()
		if err := s.Take(ctx, tx, in); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.voice.observe", Object: "unit" + in.Unit})
	})
}

// List gives the items that the query picks, newest first.
func (s *Service) List(ctx context.Context, q Query) (p Page, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return p, err
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 200)
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		var tokens [][]string
		if wanted := words(normalise.Fold(q.Search)); len(wanted) > 0 {
			if tokens, err = s.Box.TokenSearch(ctx, tx, tokenColumn, wanted); err != nil {
				return err
			}
		} else if strings.TrimSpace(q.Search) != "" {
			p = Page{}
			return nil
		}
		if p.Items, err = list(ctx, tx, q, tokens); err != nil {
			return err
		}
		p.Next = ""
		if len(p.Items) > q.Limit {
			p.Items = p.Items[:q.Limit]
			last := p.Items[q.Limit-1]
			p.Next = fmt.Sprintf("%d.%s", last.At, last.ID)
		}
		return s.Box.Open(ctx, tx, &p.Items)
	})
	return p, err
}

// Count counts the items of the reader's place.
func (s *Service) Count(ctx context.Context) (n Counts, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return n, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err = count(ctx, tx, weekBefore(tx.Now()))
		return err
	})
	return n, err
}

// View is an item with its conversation.
type View struct {
	Item
	Name     string
	CanWrite bool // an address is known
	Entries  []Entry
	Themes   []Theme
}

// Get reads one item. Who reads whose words is written down.
func (s *Service) Get(ctx context.Context, id string) (v View, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return v, err
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		v = View{}
		if v.Item, err = itemByID(ctx, tx, id); err != nil {
			return err
		}
		if v.Entries, err = entries(ctx, tx, &v.Item); err != nil {
			return err
		}
		if err := s.Box.Open(ctx, tx, &v.Item); err != nil {
			return err
		}
		if err := s.Box.Open(ctx, tx, &v.Entries); err != nil {
			return err
		}
		v.Themes = themesOf(v.Words.Plain, v.Mood)
		if v.CustomerID != "" {
			to, err := s.Customers.Reach(ctx, tx, v.CustomerID)
			if err != nil {
				return err
			}
			_, address := s.route(to, v.Channel)
			v.Name, v.CanWrite = to.Name, address != ""
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.voice.read", Object: "voice/" + v.ID, Reason: "listening to customers"})
	})
	return v, err
}

// change lets fn change an item that the actor may work on, with an audit entry.
func (s *Service) change(ctx context.Context, id, what string, fn func(ctx context.Context, tx store.Tx, i *Item) error) error {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return err
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		i, err := itemByID(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := auth.Require(ctx, PermEdit, i.Unit); err != nil {
			return err
		}
		if err := fn(ctx, tx, &i); err != nil {
			return err
		}
		i.Touched = tx.Now()
		if err := updateItem(ctx, tx, &i); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.voice." + what, Object: "voice/" + i.ID, After: i.State})
	})
}

// Assign gives an item to an account.
func (s *Service) Assign(ctx context.Context, id, account string) error {
	return s.change(ctx, id, "assign", func(ctx context.Context, tx store.Tx, i *Item) error {
		if account == "" || len(account) > 60 {
			return errs.Invalid("feedback.voice.error.owner", "owner", "that is no account")
		}
		i.Owner, i.State = account, Taken
		return s.line(ctx, tx, i, EntryState, string(Taken))
	})
}

// Finish says that nothing more is to be done.
func (s *Service) Finish(ctx context.Context, id string) error {
	return s.change(ctx, id, "finish", func(ctx context.Context, tx store.Tx, i *Item) error {
		i.State = Done
		return s.line(ctx, tx, i, EntryState, string(Done))
	})
}

// Note adds a line for colleagues.
func (s *Service) Note(ctx context.Context, id, text string) error {
	return s.change(ctx, id, "note", func(ctx context.Context, tx store.Tx, i *Item) error {
		if err := someWords(text); err != nil {
			return err
		}
		return s.line(ctx, tx, i, EntryNote, text)
	})
}

// MakeCase opens a case of the item, or joins it to the customer's open one.
func (s *Service) MakeCase(ctx context.Context, id string, complaint bool) (caseID string, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return "", err
	}
	v, err := s.Get(ctx, id)
	if err != nil {
		return "", err
	}
	if v.CaseID != "" {
		return v.CaseID, nil
	}
	if caseID, err = s.Cases.Open(ctx, NewCase{Item: v.Item, Complain: complaint}); err != nil {
		return "", err
	}
	return caseID, s.change(ctx, id, "case", func(ctx context.Context, tx store.Tx, i *Item) error {
		i.CaseID, i.State = caseID, Done
		return s.line(ctx, tx, i, EntryState, "case")
	})
}

func someWords(text string) error {
	return Said{Kind: Observation, Source: "x", Ref: "x", Locale: "vi", Words: text}.Validate()
}

// line adds a line to the conversation.
func (s *Service) line(ctx context.Context, tx store.Tx, i *Item, kind EntryKind, body string) error {
	e := Entry{CustomerID: i.CustomerID, VoiceID: i.ID, ID: uuid.Must(uuid.NewV7()).String(), Kind: kind, Actor: tx.Scope.Actor, At: tx.Now(), Body: sealed.New(strings.TrimSpace(body))}
	if err := s.Box.Seal(ctx, tx, &e); err != nil {
		return err
	}
	_, err := insertEntry(ctx, tx, &e)
	return err
}

// replyLife is how long a customer may answer a reply.
const replyLife = 30 * 24 * time.Hour
