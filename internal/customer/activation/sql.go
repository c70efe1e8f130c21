package activation

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"

	"omote/internal/platform/outbox"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// SQLChannel is the outbox's channel of upserts.
const SQLChannel = "sql"

// statement is the payload of a message of the channel: no secret, no address.
type statement struct {
	Activation string  `json:"activation"`
	Content    Content `json:"content"`
}

// SQL is the sender for databases: one upsert a message. It may be repeated at any
// time, and writes no column but the activation's own.
type SQL struct {
	mu   sync.Mutex
	of   func() *Service
	open map[string]*opened // by activation
}

type opened struct {
	dsn string
	db  *sql.DB
}

// NewSQL makes the sender. The service is made after the outbox, so it is asked
// for when something is sent.
func NewSQL(of func() *Service) *SQL { return &SQL{of: of, open: map[string]*opened{}} }

// KeyWindow implements outbox.Sender: an upsert is the same however often.
func (*SQL) KeyWindow() time.Duration { return 365 * 24 * time.Hour }

// sendTime bounds one upsert.
const sendTime = 20 * time.Second

// Send implements outbox.Sender.
func (q *SQL) Send(ctx context.Context, m outbox.Message) (string, error) {
	var st statement
	if err := json.Unmarshal(m.Payload, &st); err != nil {
		return "", outbox.Rejected(err)
	}
	s := q.of()
	var a *Activation
	ctx = scope.With(ctx, scope.Process(m.Entity, "activations"))
	err := s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		if a, err = get(ctx, tx, st.Activation); err != nil {
			return err
		}
		return s.Box.Open(ctx, tx, a)
	})
	if err != nil {
		return "", outbox.NotSent(err)
	}
	if a.Config.Table == nil {
		return "", outbox.Rejected(errors.New("the activation writes to no table any more"))
	}
	db, err := q.database(a)
	if err != nil {
		return "", outbox.NotSent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	text, args := upsert(&a.Config, st.Content)
	if _, err := db.ExecContext(ctx, text, args...); err != nil {
		return "", told(err, a.Secret.Plain)
	}
	return a.Config.Table.Table, nil
}

// upsert is the statement for a record. A column that is only filled keeps what
// stands there; what is taken back is emptied where Omote wrote it.
func upsert(c *Config, content Content) (string, []any) {
	t := c.Table
	columns, args := []string{quoted(t.Key), quoted(c.Member)}, []any{content.Key, content.Member}
	set := []string{quoted(c.Member) + " = EXCLUDED." + quoted(c.Member)}
	for _, f := range c.Fields {
		var v any
		if text, ok := content.Attributes[f.Attribute]; ok {
			v = text
		}
		name := quoted(f.Column)
		columns, args = append(columns, name), append(args, v)
		switch {
		case f.Fill && !content.Member: // whose value it is nobody can tell any more
		case f.Fill:
			set = append(set, name+" = COALESCE(t."+name+", EXCLUDED."+name+")")
		default:
			set = append(set, name+" = EXCLUDED."+name)
		}
	}
	places := make([]string, len(args))
	for i := range places {
		places[i] = "$" + strconv.Itoa(i+1)
	}
	var table []string
	for part := range strings.SplitSeq(t.Table, ".") {
		table = append(table, quoted(part))
	}
	return fmt.Sprintf("INSERT INTO %s AS t (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s",
		strings.Join(table, "."), strings.Join(columns, ", "), strings.Join(places, ", "), quoted(t.Key), strings.Join(set, ", ")), args
}

// quoted is a name that Validate has checked.
func quoted(name string) string { return `"` + name + `"` }

// database gives the open database of an activation, a new one when its address
// or password has changed.
func (q *SQL) database(a *Activation) (*sql.DB, error) {
	t := a.Config.Table
	v := url.Values{"application_name": {"omote"}, "connect_timeout": {"10"}, "sslmode": {"require"}}
	if t.Insecure {
		v.Set("sslmode", "disable")
	}
	address := net.JoinHostPort(t.Host, strconv.Itoa(t.Port))
	if strings.HasPrefix(t.Host, "%2F") { // a socket's folder
		v.Set("host", strings.ReplaceAll(t.Host, "%2F", "/"))
		address = ""
	}
	dsn := (&url.URL{Scheme: "postgres", User: url.UserPassword(t.User, a.Secret.Plain), Host: address, Path: "/" + t.Name, RawQuery: v.Encode()}).String()
	q.mu.Lock()
	defer q.mu.Unlock()
	was := q.open[a.ID]
	if was != nil && was.dsn == dsn {
		return was.db, nil
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, errors.New("the database's address cannot be used")
	}
	db.SetMaxOpenConns(2)
	db.SetConnMaxIdleTime(time.Minute)
	if was != nil {
		_ = was.db.Close() // nothing of it is of use any more
	}
	q.open[a.ID] = &opened{dsn, db}
	return db, nil
}

// told says what an error of the database means, without the password.
func told(err error, password string) error {
	clean := errors.New(strings.ReplaceAll(err.Error(), cmp.Or(password, "\x00"), "•••"))
	pg, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case !ok && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return clean // it may have arrived
	case !ok:
		return outbox.NotSent(clean)
	}
	switch pg.Code[:2] {
	case "40", "53", "55", "57", "58": // conflict, resources, locked, shut down, system
		return outbox.NotSent(clean)
	}
	return outbox.Rejected(clean)
}

// Close closes the databases.
func (q *SQL) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []error
	for _, o := range q.open {
		all = append(all, o.db.Close())
	}
	clear(q.open)
	return errors.Join(all...)
}
