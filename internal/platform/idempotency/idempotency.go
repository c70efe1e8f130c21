// Package idempotency lets a client send a POST again without its being carried
// out again. The client names the request by a header
//
//	Idempotency-Key: 6f1c6f2e-6c2b-4a5e-9d3e-0c8f0b1d2a3c
//
// (draft-ietf-httpapi-idempotency-key-header). The first request of an actor
// with a key is carried out and its answer kept, sealed, for a day; the same
// request with the same key gets that answer, marked Idempotency-Replayed: true.
// Another request with the key is refused (422), and so is the same while the
// first is under way (409). A failure of the server (5xx) keeps nothing, so that
// the client may try again. When the process dies in between, the key stays
// taken for the day: whether the request was carried out is then for the client
// to look up, and never guessed.
package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the table of kept answers.
var Migrations = store.Migrations{Module: "idempotency", FS: migrations}

// Header names a request, Replayed marks an answer that was kept.
const (
	Header   = "Idempotency-Key"
	Replayed = "Idempotency-Replayed"
)

// Limits of what is kept.
const (
	keepFor   = 24 * time.Hour
	maxKey    = 200     // bytes of a key
	maxAnswer = 1 << 20 // bytes of an answer
)

type request struct {
	bun.BaseModel `bun:"table:idempotency_request"`

	Entity      string `bun:",pk"`
	Actor       string `bun:",pk"`
	Key         string `bun:",pk"`
	Request     string
	Status      int
	ContentType string
	Answer      []byte
	Created     store.Micros
}

func (r *request) place() sealed.Place {
	return sealed.Place{Table: "idempotency_request", Column: "answer", Row: r.Entity + "\x1f" + r.Actor + "\x1f" + r.Key}
}

// Sealed is where answers are kept encrypted.
func Sealed() sealed.Inventory {
	return sealed.Inventory{Fields: []sealed.Marked{{Column: sealed.Column{Table: "idempotency_request", Name: "answer"}, PK: []string{"entity", "actor", "key"}}}}
}

// Guard is the middleware. It comes after the one that identifies the actor.
type Guard struct {
	DB  *store.DB
	Box *sealed.Box
	// Covers tells the requests that it looks at. Their bodies are read whole, so
	// uploads do not belong to them.
	Covers func(*http.Request) bool
	Fail   func(http.ResponseWriter, *http.Request, error)
}

// Handler carries requests with a key out once.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(Header)
		who, known := auth.From(r.Context())
		if key == "" || !known || r.Method != http.MethodPost || !g.Covers(r) {
			next.ServeHTTP(w, r)
			return
		}
		if err := g.serve(w, r, next, who, key); err != nil {
			g.Fail(w, r, err)
		}
	})
}

func (g *Guard) serve(w http.ResponseWriter, r *http.Request, next http.Handler, who auth.Actor, key string) error {
	if len(key) > maxKey {
		return errs.Invalid("idempotency.error.key", Header, "an Idempotency-Key has at most %d bytes", maxKey)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return errs.Invalid("idempotency.error.body", "", "the body could not be read").Because(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	mine := &request{Entity: who.Entity, Actor: who.Ref(), Key: key, Request: hash(r, body)}
	before, err := g.claim(r.Context(), mine)
	if err != nil {
		return err
	}
	if before != nil {
		return g.replay(r.Context(), w, mine, before)
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	kept := false
	defer func() {
		if !kept { // a failure, or a panic on its way up
			_ = g.forget(context.WithoutCancel(r.Context()), mine)
		}
	}()
	next.ServeHTTP(rec, r)
	if rec.status >= http.StatusInternalServerError || rec.overflow {
		return nil
	}
	kept = true
	mine.Status, mine.ContentType = rec.status, rec.Header().Get("Content-Type")
	if err := g.keep(context.WithoutCancel(r.Context()), mine, rec.body.Bytes()); err != nil {
		g.DB.Logger().Error("an answer could not be kept for its Idempotency-Key", "error", err)
	}
	return nil
}

func hash(r *http.Request, body []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", r.Method, r.URL.RequestURI())
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// claim takes the key, or gives the request that has it.
func (g *Guard) claim(ctx context.Context, mine *request) (before *request, err error) {
	err = g.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		before = nil
		mine.Created = tx.Now()
		if _, err := tx.NewDelete().Model((*request)(nil)).Where("created < ?", mine.Created.Add(-keepFor)).Exec(ctx); err != nil {
			return fmt.Errorf("forget old idempotency keys: %w", err)
		}
		res, err := tx.NewInsert().Model(mine).On("CONFLICT DO NOTHING").Exec(ctx)
		if err != nil {
			return fmt.Errorf("take an idempotency key: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		before = &request{Entity: mine.Entity, Actor: mine.Actor, Key: mine.Key}
		if err := tx.NewSelect().Model(before).WherePK().Scan(ctx); err != nil {
			return fmt.Errorf("read an idempotency key: %w", err)
		}
		return nil
	})
	return before, err
}

// replay gives the answer that was kept.
func (g *Guard) replay(ctx context.Context, w http.ResponseWriter, mine, before *request) error {
	switch {
	case before.Request != mine.Request:
		return errs.Invalid("idempotency.error.other", Header, "this Idempotency-Key was used for another request")
	case before.Status == 0:
		return errs.Conflict("idempotency.error.running", "the request with this Idempotency-Key is being carried out, or its end is not known")
	}
	body, err := g.Box.OpenBytes(ctx, before.place(), before.Answer)
	if err != nil {
		return fmt.Errorf("open a kept answer: %w", err)
	}
	w.Header().Set("Content-Type", before.ContentType)
	w.Header().Set(Replayed, "true")
	w.WriteHeader(before.Status)
	_, _ = w.Write(body) // the client may have gone
	return nil
}

func (g *Guard) keep(ctx context.Context, mine *request, body []byte) (err error) {
	if mine.Answer, err = g.Box.SealBytes(ctx, mine.place(), body); err != nil {
		return err
	}
	return g.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewUpdate().Model(mine).Column("status", "content_type", "answer").WherePK().Exec(ctx)
		return err
	})
}

func (g *Guard) forget(ctx context.Context, mine *request) error {
	return g.DB.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewDelete().Model(mine).WherePK().Exec(ctx)
		return err
	})
}

// recorder keeps what is answered while it is sent.
type recorder struct {
	http.ResponseWriter
	status   int
	body     bytes.Buffer
	overflow bool
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.overflow = r.overflow || r.body.Len()+len(p) > maxAnswer; !r.overflow {
		r.body.Write(p)
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the real writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
