package blueprint

import (
	"context"
	"strings"
	"time"

	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// Comment is a remark on a step, or on the whole map.
type Comment struct {
	ID       string
	Step     string // empty: the whole map
	Text     string
	Actor    string
	At       time.Time
	Resolved time.Time // zero: open
}

// Comments gives the remarks on a journey, oldest first.
func (s *Service) Comments(ctx context.Context, journey string) (out []Comment, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out = nil
		rows, err := commentsOf(ctx, tx, journey)
		for _, r := range rows {
			out = append(out, Comment{ID: r.Comment, Step: r.Step, Text: r.Body, Actor: r.Actor, At: r.At.Time(), Resolved: r.ResolvedAt.Time()})
		}
		return err
	})
	return out, err
}

// Remark adds a comment.
func (s *Service) Remark(ctx context.Context, journey, step, text string) error {
	if err := auth.Require(ctx, PermComment, ""); err != nil {
		return err
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return errs.Invalid("blueprint.error.comment", "text", "a comment says something")
	}
	if err := validText(text, MaxText); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r, err := get(ctx, tx, journey)
		if err != nil {
			return err
		}
		d, err := decode(r.Draft)
		if err != nil {
			return err
		}
		if step != "" && d.Step(step) == nil {
			return badTarget("step/" + step)
		}
		c := commentRow{Entity: r.Entity, Journey: journey, Comment: newID(), Step: step, Body: text, Actor: tx.Scope.Actor, At: tx.Now()}
		if err := insertComment(ctx, tx, &c); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.wake(r.Entity, journey) })
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint.comment", Object: object(journey)})
	})
}

// Resolve marks a comment as done.
func (s *Service) Resolve(ctx context.Context, journey, id string) error {
	if err := auth.Require(ctx, PermComment, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		done, err := resolveComment(ctx, tx, journey, id)
		if err != nil {
			return err
		}
		if !done {
			return errs.NotFound("blueprint.error.no_comment", "there is no open comment %q", id)
		}
		entity := tx.Scope.Entity
		tx.AfterCommit(func() { s.wake(entity, journey) })
		return audit.Record(ctx, tx, audit.Entry{Action: "journey.blueprint.resolve", Object: object(journey)})
	})
}
