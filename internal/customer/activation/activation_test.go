package activation_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"omote/internal/customer"
	"omote/internal/customer/activation"
	"omote/internal/customer/consent"
	"omote/internal/customer/identity"
	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/event"
	"omote/internal/platform/eventlog"
	"omote/internal/platform/i18n"
	"omote/internal/platform/outbox"
	"omote/internal/platform/pseudonym"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

func TestTextsExistInEveryLanguage(t *testing.T) {
	t.Parallel()
	if err := i18n.Check(activation.Locales()); err != nil {
		t.Fatal(err)
	}
}

// members stands for the segments: one segment, "loyal", whose members the test sets.
type members map[string]bool

func (m members) Inside(_ context.Context, _ store.Tx, _ string, customers []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, c := range customers {
		out[c] = m[c]
	}
	return out, nil
}

func (members) Live(_ context.Context, _ store.Tx, segment string) (bool, error) {
	return segment == "loyal", nil
}

// plan lets "tier" and "branch" leave.
type plan struct{}

func (plan) MayLeave(_ context.Context, attribute string) (bool, error) {
	return attribute == "tier" || attribute == "branch", nil
}

// limping is a sender that dies without a word every so often, as a process does.
type limping struct {
	outbox.Sender
	every, n int
}

func (l *limping) Send(ctx context.Context, m outbox.Message) (string, error) {
	if l.n++; l.every > 0 && l.n%l.every == 0 {
		if _, err := l.Sender.Send(ctx, m); err != nil {
			return "", err
		}
		return "", context.DeadlineExceeded // it arrived, and nobody knows
	}
	return l.Sender.Send(ctx, m)
}

type desk struct {
	t        *testing.T
	ctx      context.Context
	db       *store.DB
	names    *pseudonym.Maker
	identity *identity.Handler
	consents *consent.Service
	out      *outbox.Outbox
	inside   members
	limp     *limping
	*activation.Service
}

func newDesk(t *testing.T, db *store.DB) *desk {
	t.Helper()
	d := &desk{t: t, ctx: testkit.Context(t), db: db, inside: members{}}
	box, err := sealed.NewBox(db.Keys())
	d.must(err)
	d.names, err = pseudonym.New(d.ctx, db.Keys())
	d.must(err)
	d.identity = identity.NewHandler(d.names, box)
	d.consents = consent.NewService(db, box)
	pack, err := consent.Pack()
	d.must(err)
	_, err = d.consents.Install(d.ctx, pack)
	d.must(err)
	gates := &outbox.Gates{}
	upserts := activation.NewSQL(func() *activation.Service { return d.Service })
	t.Cleanup(func() { d.must(upserts.Close()) })
	d.limp = &limping{Sender: upserts}
	d.out = outbox.New(db, box, map[string]outbox.Sender{send.WebhookChannel: send.NewWebhooks(db.Clock(), true), activation.SQLChannel: d.limp}, outbox.Options{Gate: gates})
	d.Service = activation.NewService(activation.Deps{DB: db, Box: box, Segments: d.inside, Consents: d.consents, Attributes: identity.Reader{Box: box}, Plan: plan{}, Outbox: d.out, Entity: "bank"})
	gates.Add(activation.Gate{Activations: d.Service})
	d.consents.Follow(d.Service)
	return d
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// states has the CRM's record say something, and gives its pseudonym.
func (d *desk) states(user string, traits map[string]string) string {
	d.t.Helper()
	raw, err := json.Marshal(traits)
	d.must(err)
	at := d.db.Now()
	e := event.Event{Kind: event.Identify, Entity: "bank", Source: "crm", System: "crm", UserID: user, At: int64(at), ReceivedAt: int64(at), Traits: raw}
	d.must(d.db.Write(d.ctx, func(ctx context.Context, tx store.Tx) error {
		return d.identity.Handle(ctx, tx, []eventlog.Record{{Event: e}})
	}))
	testkit.Clock(d.db).Advance(time.Millisecond)
	return d.names.Record("bank", "crm:"+user).String()
}

func (d *desk) says(record string, yes bool) {
	d.t.Helper()
	d.must(d.consents.Record(d.ctx, consent.Said{CustomerID: record, Purpose: "marketing", Channel: "*", Granted: yes, Source: consent.FromAPI, TextVersion: 1}))
	testkit.Clock(d.db).Advance(time.Millisecond)
}

// round goes whole rounds and sends until nothing moves.
func (d *desk) round() {
	d.t.Helper()
	for range 6 {
		testkit.Clock(d.db).Advance(activationEvery + time.Second)
		d.rest()
	}
}

// rest works off what is due now.
func (d *desk) rest() {
	d.t.Helper()
	for range 400 {
		worked, err := d.Step(d.ctx)
		d.must(err)
		sent, err := d.out.RunOnce(d.ctx)
		d.must(err)
		if !worked && sent == 0 {
			return
		}
		testkit.Clock(d.db).Advance(3 * time.Second) // the pace goes on
	}
	d.t.Fatal("it never came to rest")
}

const activationEvery = time.Hour

// crm is a database of the bank's with a table of customers, and the activation
// that writes into it.
func (d *desk) crm() (*sql.DB, activation.Config) {
	d.t.Helper()
	address := testkit.PostgresURL(d.t)
	db, err := sql.Open("pgx", address)
	d.must(err)
	d.t.Cleanup(func() { d.must(db.Close()) })
	_, err = db.Exec(`CREATE TABLE contact (crm_id TEXT PRIMARY KEY, loyal BOOLEAN, tier TEXT CHECK (tier <> 'bad'), branch TEXT, own TEXT)`)
	d.must(err)
	u, err := url.Parse(address)
	d.must(err)
	host, port := strings.ReplaceAll(u.Query().Get("host"), "/", "%2F"), 5432
	if u.Host != "" {
		d.t.Skip("the server is reached over the network; the test wants its socket")
	}
	return db, activation.Config{Name: "CRM", System: "crm", Segment: "loyal", Member: "loyal", Purpose: "marketing", Channel: "email", Target: activation.Postgres, Every: activationEvery, PerMinute: 6000,
		Fields: []activation.Field{{Attribute: "tier", Column: "tier"}, {Attribute: "branch", Column: "branch", Fill: true}},
		Table:  &activation.Table{Host: host, Port: port, Name: strings.TrimPrefix(u.Path, "/"), User: u.User.Username(), Insecure: true, Table: "public.contact", Key: "crm_id"}}
}

func stands(t *testing.T, db *sql.DB, id string) string {
	t.Helper()
	var loyal sql.NullBool
	var tier, branch, own sql.NullString
	err := db.QueryRow("SELECT loyal, tier, branch, own FROM contact WHERE crm_id = $1", id).Scan(&loyal, &tier, &branch, &own)
	if err == sql.ErrNoRows {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(loyal.Bool, " ", tier.String, " ", branch.String, " ", own.String)
}

func (d *desk) figures(id string) activation.Figures {
	d.t.Helper()
	s, err := d.Get(d.ctx, id)
	d.must(err)
	if s.Error != "" {
		d.t.Errorf("the round failed: %s", s.Error)
	}
	return s.Rows
}

func TestUpsertFollowsMembershipConsentAndAttributes(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		crm, config := d.crm()
		yes := d.states("1", map[string]string{"tier": "gold", "branch": "Huế", "name": "Ví Dụ"})
		no := d.states("2", map[string]string{"tier": "silver"})
		outside := d.states("3", map[string]string{"tier": "gold"})
		bad := d.states("4", map[string]string{"tier": "bad"})
		_, err := crm.Exec("INSERT INTO contact (crm_id, branch, own) VALUES ('1', 'Đà Nẵng', 'theirs')")
		d.must(err)
		for _, r := range []string{yes, no, outside, bad} {
			d.says(r, r != no)
			d.inside[r] = r != outside
		}
		a, made, err := d.Save(d.ctx, "", config, "s3cret")
		d.must(err)
		if made != "" || a.Secret.Plain != "" {
			t.Error("the password came back")
		}
		d.round()
		// What was there and is only filled stays; columns of others stay; nobody else is written.
		for id, want := range map[string]string{"1": "true gold Đà Nẵng theirs", "2": "absent", "3": "absent", "4": "absent"} {
			if got := stands(t, crm, id); got != want {
				t.Errorf("%s: %s, want %s", id, got, want)
			}
		}
		if f := d.figures(a.ID); f[activation.Delivered] != 1 || f[activation.Refused] != 1 {
			t.Errorf("%v", f)
		}
		rows, err := d.Rows(d.ctx, a.ID, activation.Refused, "", 10)
		d.must(err)
		if len(rows.Items) != 1 || rows.Items[0].RecordID != bad || rows.Items[0].Reason == "" || rows.Items[0].Attempts != activation.MaxAttempts {
			t.Errorf("the refused row: %+v", rows.Items)
		}
		version := rows.Items[0].Version
		d.round()
		if rows, err = d.Rows(d.ctx, a.ID, activation.Refused, "", 10); err != nil || rows.Items[0].Version != version {
			t.Errorf("a row that is refused is tried for ever: %+v %v", rows.Items, err)
		}
		// What changed is sent, once.
		d.states("1", map[string]string{"tier": "platinum"})
		d.states("4", map[string]string{"tier": "gold"})
		d.round()
		if got := stands(t, crm, "1"); got != "true platinum Đà Nẵng theirs" {
			t.Error(got)
		}
		if got := stands(t, crm, "4"); got != "true gold  " {
			t.Error(got)
		}
		rows, err = d.Rows(d.ctx, a.ID, activation.Delivered, "", 10)
		d.must(err)
		for _, r := range rows.Items {
			if r.RecordID == yes && r.Version != 2 {
				t.Errorf("two states were told in %d messages", r.Version)
			}
		}
		// A withdrawal takes back at once, without waiting for a round.
		d.says(yes, false)
		d.rest()
		if got := stands(t, crm, "1"); got != "false  Đà Nẵng theirs" {
			t.Errorf("after the withdrawal: %s", got)
		}
		// Who leaves the segment is taken back by the next round.
		d.inside[bad] = false
		d.round()
		if got := stands(t, crm, "4"); got != "false   " {
			t.Errorf("after leaving: %s", got)
		}
	}, customer.Migrations, sealed.Migrations, audit.Migrations, outbox.Migrations)
}

// What waits when the consent ends does not go out: the gate asks again.
func TestConsentIsAskedAtTheMomentOfUse(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		crm, config := d.crm()
		r := d.states("1", map[string]string{"tier": "gold"})
		d.says(r, true)
		d.inside[r] = true
		a, _, err := d.Save(d.ctx, "", config, "s3cret")
		d.must(err)
		for range 3 { // queue, and send nothing
			_, err := d.Step(d.ctx)
			d.must(err)
		}
		if f := d.figures(a.ID); f[activation.Queued] != 1 {
			t.Fatalf("%v", f)
		}
		d.says(r, false)
		_, err = d.out.RunOnce(d.ctx)
		d.must(err)
		d.round()
		if got := stands(t, crm, "1"); got != "absent" {
			t.Errorf("written after the consent ended: %s", got)
		}
		if f := d.figures(a.ID); f[activation.Withheld] != 1 {
			t.Errorf("%v", f)
		}
	}, customer.Migrations, sealed.Migrations, audit.Migrations, outbox.Migrations)
}

// Whatever happens on the way, and in whatever order, the other system ends as it
// should: random changes, broken-off sends, pauses, against a plain model.
func TestOtherSystemEndsAsItShould(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		crm, config := d.crm()
		config.Fields = config.Fields[:1]
		d.limp.every = 3
		r := rand.New(rand.NewPCG(4, 2))
		type want struct {
			inside, yes bool
			tier        string
		}
		model := map[string]*want{}
		records := map[string]string{}
		for i := range 12 {
			user := fmt.Sprint("u", i)
			records[user], model[user] = d.states(user, map[string]string{"tier": "t0"}), &want{tier: "t0"}
		}
		a, _, err := d.Save(d.ctx, "", config, "s3cret")
		d.must(err)
		for step := range 60 {
			user := fmt.Sprint("u", r.IntN(12))
			m := model[user]
			switch r.IntN(4) {
			case 0:
				m.inside = !m.inside
				d.inside[records[user]] = m.inside
			case 1:
				m.yes = !m.yes
				d.says(records[user], m.yes)
			case 2:
				m.tier = fmt.Sprint("t", step)
				d.states(user, map[string]string{"tier": m.tier})
			case 3:
				_, err := d.Step(d.ctx)
				d.must(err)
				if r.IntN(2) == 0 {
					_, err = d.out.RunOnce(d.ctx)
					d.must(err)
				}
			}
			testkit.Clock(db).Advance(time.Duration(r.IntN(40)) * time.Minute)
		}
		d.limp.every = 0
		d.round()
		for user, m := range model {
			got := stands(t, crm, user)
			if m.inside && m.yes {
				if got != "true "+m.tier+"  " {
					t.Errorf("%s: %s, want a member of %s", user, got, m.tier)
				}
			} else if got != "absent" && got != "false   " {
				t.Errorf("%s: %s, want nothing of them", user, got)
			}
		}
		if f := d.figures(a.ID); f[activation.Queued]+f[activation.Refused] > 0 {
			t.Errorf("%v", f)
		}
	}, customer.Migrations, sealed.Migrations, audit.Migrations, outbox.Migrations)
}

func TestWebhookIsSignedPacedAndRepeatedWithItsID(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t, customer.Migrations, sealed.Migrations, audit.Migrations, outbox.Migrations)
	d := newDesk(t, db)
	var mu sync.Mutex
	var secret string
	bodies := map[string]string{} // by webhook-id
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		if err := send.Verify(secret, r.Header, body, db.Now().Time()); err != nil {
			t.Errorf("signature: %v", err)
		}
		if calls++; calls == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		id := r.Header.Get("webhook-id")
		if was, known := bodies[id]; known && was != string(body) {
			t.Errorf("two bodies under the id %s", id)
		}
		bodies[id] = string(body)
	}))
	defer server.Close()
	const n = 30
	for i := range n {
		r := d.states(fmt.Sprint("u", i), map[string]string{"tier": "gold"})
		d.says(r, true)
		d.inside[r] = true
	}
	config := activation.Config{Name: "CRM", System: "crm", Segment: "loyal", Member: "loyal", Purpose: "marketing", Channel: "email", Target: activation.Webhook, URL: server.URL, Every: activationEvery,
		PerMinute: 20, Fields: []activation.Field{{Attribute: "tier", Column: "grade"}}}
	a, made, err := d.Save(d.ctx, "", config, "")
	d.must(err)
	if !strings.HasPrefix(made, "whsec_") {
		t.Fatalf("no signing secret: %q", made)
	}
	secret = made
	start := db.Now()
	d.rest()
	for len(bodies) < n && db.Now() < start.Add(10*time.Minute) {
		testkit.Clock(db).Advance(10 * time.Second)
		d.rest()
	}
	if took := db.Now().Time().Sub(start.Time()); took < (n/20-1)*time.Minute || len(bodies) != n {
		t.Errorf("%d rows at 20 a minute took %s", len(bodies), took)
	}
	for _, body := range bodies {
		var e struct {
			Type string
			Data struct {
				Key        string
				Loyal      bool
				Attributes map[string]struct{ Value, Rule string }
			}
		}
		d.must(json.Unmarshal([]byte(body), &e))
		if e.Type != "customer.activation" || !e.Data.Loyal || !strings.HasPrefix(e.Data.Key, "u") || e.Data.Attributes["grade"].Value != "gold" || strings.Contains(body, "whsec_") {
			t.Errorf("body %s", body)
		}
	}
	d.round()
	if f := d.figures(a.ID); f[activation.Delivered] != n {
		t.Errorf("%v", f)
	}
}

func TestRefusesWhatMayNotLeave(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t, customer.Migrations, sealed.Migrations, audit.Migrations, outbox.Migrations)
	d := newDesk(t, db)
	good := activation.Config{Name: "CRM", System: "crm", Segment: "loyal", Member: "loyal", Purpose: "marketing", Channel: "email", Target: activation.Webhook, URL: "https://crm.example/hook", Every: time.Hour, PerMinute: 10}
	for key, change := range map[string]func(c *activation.Config){
		"activation.error.plan":       func(c *activation.Config) { c.Fields = []activation.Field{{Attribute: "phone", Column: "phone"}} },
		"activation.error.segment":    func(c *activation.Config) { c.Segment = "nobody" },
		"activation.error.column":     func(c *activation.Config) { c.Member = `a"; DROP TABLE x` },
		"activation.error.target":     func(c *activation.Config) { c.Target = activation.Postgres },
		"activation.error.purpose":    func(c *activation.Config) { c.Purpose = "*" },
		"activation.error.channel":    func(c *activation.Config) { c.Channel = "dove" },
		"activation.error.per_minute": func(c *activation.Config) { c.PerMinute = 0 },
		"send.error.url":              func(c *activation.Config) { c.URL = "ftp://x" },
	} {
		c := good
		change(&c)
		_, _, err := d.Save(d.ctx, "", c, "")
		if e, ok := err.(*errs.Error); !ok || e.Key != key {
			t.Errorf("want %s, got %v", key, err)
		}
	}
}
