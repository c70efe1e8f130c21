package auth

import (
	"context"
	"embed"
	"runtime"
	"time"

	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
)

//go:embed migrations
var migrations embed.FS

// Migrations make the tables of accounts, grants, sessions and keys.
var Migrations = store.Migrations{Module: "auth", FS: migrations}

// Options set how people sign in; zero values take the defaults.
type Options struct {
	// Entity is the bank entity whose people sign in here.
	Entity string // default scope.DefaultEntity
	// Issuer is how authenticator apps call this installation.
	Issuer   string        // default "Omote"
	Idle     time.Duration // a session ends after this long without a request; default 30 min
	Absolute time.Duration // and after this long in any case; default 12 h
	Password Params        // default DefaultParams
	// SendReset sends the letter of a forgotten password in the transaction that
	// makes its link; nil where no e-mails leave.
	SendReset func(ctx context.Context, tx store.Tx, r Reset) error
}

// Service signs people and keys in. It is safe for concurrent use.
type Service struct {
	db     *store.DB
	box    *sealed.Box
	o      Options
	hasher *hasher
	dummy  string // a hash to compare with where there is no account
	keys   keyCache
}

// New makes the service.
func New(ctx context.Context, db *store.DB, box *sealed.Box, o Options) (*Service, error) {
	if o.Entity == "" {
		o.Entity = scope.DefaultEntity
	}
	if o.Issuer == "" {
		o.Issuer = "Omote"
	}
	if o.Idle <= 0 {
		o.Idle = 30 * time.Minute
	}
	if o.Absolute <= 0 {
		o.Absolute = 12 * time.Hour
	}
	if o.Password == (Params{}) {
		o.Password = DefaultParams
	}
	s := &Service{db: db, box: box, o: o, hasher: newHasher(o.Password, max(2, runtime.GOMAXPROCS(0)))}
	var err error
	s.dummy, err = s.hasher.hash(ctx, "no account has this password")
	return s, err
}

// system is the scope of sign-in itself, where no actor is known yet.
func (s *Service) system(ctx context.Context) context.Context {
	return scope.With(ctx, scope.Process(s.o.Entity, "auth"))
}

// Sweep deletes ended sessions, old links and forgotten failures. Run it daily.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Write(s.system(ctx), func(ctx context.Context, tx store.Tx) error {
		return sweep(ctx, tx, tx.Now())
	})
}
