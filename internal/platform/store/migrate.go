package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/pressly/goose/v3"
)

// Migrations are the schema changes of one module: plain SQL files in goose
// format under migrations/sqlite and migrations/postgres of FS. The module's
// name is the prefix of all its tables.
type Migrations struct {
	Module string
	FS     fs.FS
}

var moduleName = regexp.MustCompile(`^[a-z][a-z0-9]*$`)

// versionTable is where goose keeps which files of a module have run.
func versionTable(module string) string { return module + versionSuffix }

const versionSuffix = "_schema_version"

// ofVersions gives the module whose versions a table keeps, and whether it does.
func ofVersions(table string) (module string, is bool) { return strings.CutSuffix(table, versionSuffix) }

// Migrate brings the tables of the modules to their newest version. Several
// processes may call it at once; one does the work.
func (db *DB) Migrate(ctx context.Context, modules ...Migrations) error {
	for _, m := range modules {
		p, err := db.provider(m)
		if err != nil {
			return fmt.Errorf("migrations of %s: %w", m.Module, err)
		}
		done, err := p.Up(ctx)
		if err != nil {
			return fmt.Errorf("migrate %s: %w", m.Module, err)
		}
		for _, r := range done {
			db.log.Debug("migrated", "module", m.Module, "version", r.Source.Version)
		}
	}
	return nil
}

// Rollback undoes every migration of the modules, last module first. It drops
// the data; tests use it to prove that each Down undoes its Up.
func (db *DB) Rollback(ctx context.Context, modules ...Migrations) error {
	for i := len(modules) - 1; i >= 0; i-- {
		p, err := db.provider(modules[i])
		if err != nil {
			return fmt.Errorf("migrations of %s: %w", modules[i].Module, err)
		}
		if _, err := p.DownTo(ctx, 0); err != nil {
			return fmt.Errorf("roll back %s: %w", modules[i].Module, err)
		}
	}
	return nil
}

// Pending tells how many migrations of the module have not run here.
func (db *DB) Pending(ctx context.Context, m Migrations) (int, error) {
	p, err := db.provider(m)
	if err != nil {
		return 0, fmt.Errorf("migrations of %s: %w", m.Module, err)
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("versions of %s: %w", m.Module, err)
	}
	n := 0
	for _, s := range p.ListSources() {
		if s.Version > current && s.Version <= target {
			n++
		}
	}
	return n, nil
}

func (db *DB) provider(m Migrations) (*goose.Provider, error) {
	if !moduleName.MatchString(m.Module) {
		return nil, fmt.Errorf("module name %q is not lower-case letters and digits", m.Module)
	}
	files, err := fs.Sub(m.FS, "migrations/"+db.dialect.String())
	if err != nil {
		return nil, err
	}
	dialect, options, err := db.dialect.goose()
	if err != nil {
		return nil, err
	}
	options = append(options, goose.WithTableName(versionTable(m.Module)), goose.WithDisableGlobalRegistry(true))
	p, err := goose.NewProvider(dialect, db.write.DB, files, options...)
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil, fmt.Errorf("no files in migrations/%s", db.dialect)
	}
	return p, err
}
