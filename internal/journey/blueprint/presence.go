package blueprint

import (
	"context"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// present is how long an editor counts as open after its last sign of life.
const present = 20 * time.Second

// Presence is an open editor.
type Presence struct {
	Client string
	Actor  string
	Place  string // where its cursor stands: "step/x layers.policy"
}

// Now is how a draft stands at a moment, for those who look at it.
type Now struct {
	Rev     int64
	By      string // who changed it last
	Present []Presence
}

// Look notes that an editor is open, and where it stands, and tells who else is
// there. client "" only looks.
func (s *Service) Look(ctx context.Context, journey, client, place string) (n Now, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return Now{}, err
	}
	if client != "" && auth.Require(ctx, PermEdit, scope.Root) == nil && ValidID(client) && len(place) <= 200 {
		err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			if _, _, err := revision(ctx, tx, journey); err != nil {
				return err
			}
			r := presenceRow{Entity: tx.Scope.Entity, Journey: journey, Client: client, Actor: tx.Scope.Actor, Place: place, SeenAt: tx.Now()}
			entity := tx.Scope.Entity
			tx.AfterCommit(func() { s.wake(entity, journey) })
			return putPresence(ctx, tx, &r)
		})
		if err != nil {
			return Now{}, err
		}
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		n = Now{}
		if n.Rev, n.By, err = revision(ctx, tx, journey); err != nil {
			return err
		}
		rows, err := presences(ctx, tx, journey, tx.Now().Time().Add(-present))
		for _, r := range rows {
			n.Present = append(n.Present, Presence{Client: r.Client, Actor: r.Actor, Place: r.Place})
		}
		return err
	})
	return n, err
}

// Leave notes that an editor was closed.
func (s *Service) Leave(ctx context.Context, journey, client string) error {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		entity := tx.Scope.Entity
		tx.AfterCommit(func() { s.wake(entity, journey) })
		return dropPresence(ctx, tx, journey, client, tx.Now().Add(-time.Hour))
	})
}

// Changed gives a channel that is closed when somebody changes the draft or
// comes and goes, on this node. On others a look now and then tells.
func (s *Service) Changed(ctx context.Context, journey string) <-chan struct{} {
	sc, _ := scope.From(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := sc.Entity + "\x00" + journey
	c, ok := s.changed[key]
	if !ok {
		c = make(chan struct{})
		s.changed[key] = c
	}
	return c
}

func (s *Service) wake(entity, journey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := entity + "\x00" + journey
	if c, ok := s.changed[key]; ok {
		close(c)
		delete(s.changed, key)
	}
}

// Stamp is a text that changes whenever something about a draft changes that an
// editor shows beside the map itself: comments and open choices.
func (s *Service) Stamp(ctx context.Context, journey string) (stamp string, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return "", err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		stamp, err = stampOf(ctx, tx, journey)
		return err
	})
	return stamp, err
}
