package app_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/internal/app"
	"omote/internal/platform/config"
	"omote/internal/platform/erasure"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// persons are the names of columns that say which person a row is about.
var persons = []string{"record_id", "customer_id", "record_a", "record_b", "subject", "customer", "record", "holder", "respondent", "customer_ref"}

// otherwise are tables that a row of the test says nothing about.
var otherwise = map[string]string{
	"customer_hold":    "tells which hold kept a record and until when; TestHoldKeepsARecord",
	"customer_indexed": "found by the number that stands in the index; TestForgotten and the tests of the index",
}

// TestEveryTableForgets puts a row about a person and one about somebody else into
// every table that has a column for a person, whatever part it belongs to and
// whenever it was added, and forgets the person: the person is in every table
// before and in none after, and nobody else is touched.
func TestEveryTableForgets(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); everyTableForgets(t, crashConfig(t.TempDir())) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		c := crashConfig(t.TempDir())
		c.Store, c.Warehouse = testkit.PostgresURL(t), testkit.PostgresURL(t)
		everyTableForgets(t, c)
	})
}

func everyTableForgets(t *testing.T, c config.Config) {
	a, err := app.Open(t.Context(), app.Options{Config: c, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ctx := a.System(t.Context())
	schema, err := a.Store.ReadSchema(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var about []store.Table
	for _, table := range schema {
		if otherwise[table.Name] == "" && len(columnsFor(table)) > 0 && !slices.Contains(proof, table.Name) && !strings.HasPrefix(table.Name, "auth_") { // accounts of staff
			about = append(about, table)
		}
	}
	if len(about) < 30 {
		t.Fatalf("only %d tables are about persons", len(about))
	}
	person, other := a.Names.Record(c.Entity, "core:1").String(), a.Names.Record(c.Entity, "core:2").String()
	for _, table := range about {
		for filler, id := range map[string]string{"p": person, "o": other} {
			if err := plant(ctx, a.Store, table, c.Entity, filler, id); err != nil {
				t.Errorf("%s takes no row: %v", table.Name, err)
			}
		}
	}
	for _, table := range about {
		if !holds(t, ctx, a.Store, table, person) {
			t.Errorf("%s does not yield the person before", table.Name)
		}
	}
	subject := erasure.NewSubject(c.Entity, time.Now(), []string{person}, nil, nil, a.Names, nil)
	if _, err := a.Erasers().Run(ctx, a.Store, subject, nil); err != nil {
		t.Fatal(err)
	}
	for _, table := range about {
		if holds(t, ctx, a.Store, table, person) {
			t.Errorf("%s still yields the person: no eraser finds them in %v", table.Name, columnsFor(table))
		}
		if !holds(t, ctx, a.Store, table, other) {
			t.Errorf("%s lost somebody else", table.Name)
		}
	}
	t.Logf("%d tables are about persons", len(about))
}

// columnsFor are the columns of a table that say which person a row is about.
func columnsFor(table store.Table) (names []string) {
	for _, c := range table.Columns {
		if c.Type == "text" && slices.Contains(persons, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// plant inserts a row about the person, everything else in it a filler.
func plant(ctx context.Context, db *store.DB, table store.Table, entity, filler, person string) error {
	var names, marks []string
	var values []any
	for _, c := range table.Columns {
		var v any
		switch {
		case c.Type == "text" && slices.Contains(persons, c.Name):
			v = person
		case c.Name == "entity":
			v = entity
		case !c.NotNull:
			continue
		case c.Type == "text":
			v = filler
		case c.Type == "bigint":
			v = int64(filler[0])
		case c.Type == "double":
			v = 0.0
		case c.Type == "boolean":
			v = false
		case c.Type == "bytes":
			v = []byte(filler)
		case c.Type == "json":
			v = "{}"
		}
		names, marks, values = append(names, `"`+c.Name+`"`), append(marks, "?"), append(values, v)
	}
	return db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw("INSERT INTO "+table.Name+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...).Exec(ctx)
		return err
	})
}

// holds tells whether any text of the table holds the id.
func holds(t *testing.T, ctx context.Context, db *store.DB, table store.Table, id string) (found bool) {
	t.Helper()
	err := db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT * FROM "+table.Name)
		if err != nil {
			return err
		}
		found = scan(t, rows, func(_, text []string) bool { return hit(strings.Join(text, "\x00"), []string{id}) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
