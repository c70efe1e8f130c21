package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Schema is what the store's catalogue says, in a form that is equal for both
// engines when the schemas are: tables by name, columns by name, keys sorted.
type Schema []Table

// Table is one table of a Schema.
type Table struct {
	Name    string
	Columns []SchemaColumn
	Keys    []Key
	Foreign []ForeignKey
	// Triggers are names; what they do is engine-specific SQL, tested by effect.
	Triggers []string
}

// SchemaColumn is one column. Type is text, bigint, double, boolean, bytes or json.
type SchemaColumn struct {
	Name    string
	Type    string
	NotNull bool
	Default string
}

// Key is a primary key, a unique constraint or an index. Name is empty for
// keys that the engine names itself.
type Key struct {
	Name    string
	Kind    string   // primary, unique or index
	Columns []string // in order; " desc" follows a descending one
	Where   string   // condition of a partial index, normalised
}

// ForeignKey says that columns hold keys of another table.
type ForeignKey struct {
	Columns    []string
	References string // table(columns)
	OnDelete   string
}

// ReadSchema reads the catalogue of the store, without goose's version tables.
func (db *DB) ReadSchema(ctx context.Context) (Schema, error) {
	rows, err := db.read.DB.QueryContext(ctx, db.dialect.schemaSQL())
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	defer rows.Close()
	var s Schema
	for rows.Next() {
		var table, kind, name, a, b, c string
		if err := rows.Scan(&table, &kind, &name, &a, &b, &c); err != nil {
			return nil, fmt.Errorf("read schema: %w", err)
		}
		if len(s) == 0 || s[len(s)-1].Name != table {
			s = append(s, Table{Name: table})
		}
		if err := s[len(s)-1].add(kind, name, a, b, c); err != nil {
			return nil, fmt.Errorf("table %s: %w", table, err)
		}
	}
	for i := range s {
		s[i].sort()
	}
	slices.SortFunc(s, func(x, y Table) int { return strings.Compare(x.Name, y.Name) })
	return s, rows.Err()
}

func (t *Table) add(kind, name, a, b, c string) error {
	switch kind {
	case "column":
		typ, err := typeName(a)
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		t.Columns = append(t.Columns, SchemaColumn{name, typ, b != "", normaliseExpr(c)})
	case "key":
		t.Keys = append(t.Keys, Key{name, b, strings.Split(a, ","), normaliseExpr(c)})
	case "foreign":
		t.Foreign = append(t.Foreign, ForeignKey{strings.Split(a, ","), b, c})
	case "trigger":
		t.Triggers = append(t.Triggers, name)
	}
	return nil
}

func (t *Table) sort() {
	slices.SortFunc(t.Columns, func(x, y SchemaColumn) int { return strings.Compare(x.Name, y.Name) })
	slices.SortFunc(t.Keys, func(x, y Key) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	slices.SortFunc(t.Foreign, func(x, y ForeignKey) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	slices.Sort(t.Triggers)
}

var (
	castExpr   = regexp.MustCompile(`::[a-z]+( precision)?(\[\])?`)
	spaceParen = regexp.MustCompile(`[\s()]+`)
)

// normaliseExpr makes the two engines' printing of a default or a condition
// comparable: lower case, no casts, no parentheses, single spaces.
func normaliseExpr(e string) string {
	e = castExpr.ReplaceAllString(strings.ToLower(e), "")
	return strings.TrimSpace(spaceParen.ReplaceAllString(e, " "))
}

// Lint tells where the schema breaks a rule of the house:
//   - a table's name begins with the name of its module and "_";
//   - no foreign key leads to a table of another module;
//   - a table with a column customer_id has it in its primary key and in every
//     unique key, since a distributed store places rows by it.
func (s Schema) Lint(modules ...string) []string {
	var faults []string
	for _, t := range s {
		module := moduleOf(t.Name, modules)
		if module == "" {
			faults = append(faults, fmt.Sprintf("table %s has the prefix of no module", t.Name))
		}
		for _, f := range t.Foreign {
			other, _, _ := strings.Cut(f.References, "(")
			if moduleOf(other, modules) != module {
				faults = append(faults, fmt.Sprintf("table %s has a foreign key to %s of another module", t.Name, other))
			}
		}
		faults = append(faults, t.lintKeys()...)
	}
	return faults
}

func (t Table) lintKeys() []string {
	var faults []string
	scoped := slices.ContainsFunc(t.Columns, func(c SchemaColumn) bool { return c.Name == "customer_id" })
	primary := false
	for _, k := range t.Keys {
		primary = primary || k.Kind == "primary"
		if scoped && k.Kind != "index" && !slices.Contains(k.Columns, "customer_id") {
			faults = append(faults, fmt.Sprintf("table %s: the %s key (%s) lacks customer_id", t.Name, k.Kind, strings.Join(k.Columns, ", ")))
		}
	}
	if !primary {
		faults = append(faults, fmt.Sprintf("table %s has no primary key", t.Name))
	}
	return faults
}

// moduleOf is the longest module name that prefixes the table's name.
func moduleOf(table string, modules []string) string {
	best := ""
	for _, m := range modules {
		if strings.HasPrefix(table, m+"_") && len(m) > len(best) {
			best = m
		}
	}
	return best
}
