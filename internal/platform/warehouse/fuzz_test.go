package warehouse

import (
	"database/sql"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"omote/internal/testkit"
)

// FuzzProps: whatever arrives as properties, what is stored is an object that
// both engines read, and comments of answers never stay in it.
func FuzzProps(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"verbatim":"x","score":3}`, `{"a":"\u0000"}`, `{"a":1e999}`, `{"v\u0065rbatim":"x"}`, "{\"a\":\"\xff\"}", `[`, `{"a":[{"b":null}]}`, `{"a":-0.0e-1}`} {
		f.Add([]byte(s))
	}
	duck, err := sql.Open("duckdb", "")
	if err != nil {
		f.Fatal(err)
	}
	defer duck.Close()
	pg, err := sql.Open("pgx", testkit.PostgresURL(f))
	if err != nil {
		f.Fatal(err)
	}
	defer pg.Close()
	w := &Warehouse{opt: Options{Mask: func(string) string { return "masked" }}}
	f.Fuzz(func(t *testing.T, props []byte) {
		got := cleanProps(props)
		a, ok := w.readAnswer("complaint_filed", props)
		if ok && a.comment != nil && a.comment != "masked" {
			t.Fatalf("comment %q is not masked", a.comment)
		}
		if got == nil {
			return
		}
		var m map[string]any
		dec := json.Unmarshal(got, &m)
		if dec != nil || !utf8.Valid(got) {
			t.Fatalf("%q is no object: %v", got, dec)
		}
		for _, k := range freeText {
			if _, has := m[k]; has {
				t.Fatalf("%q keeps %s", got, k)
			}
		}
		var text sql.NullString
		if err := pg.QueryRow(`SELECT ($1::jsonb) ->> 'a'`, string(got)).Scan(&text); err != nil {
			t.Fatalf("PostgreSQL refuses %q: %v", got, err)
		}
		if err := duck.QueryRow(`SELECT `+duckDialect{}.PropNumber("x", "a")+` FROM (SELECT $1::VARCHAR AS x) v`, string(got)).Scan(&sql.NullFloat64{}); err != nil {
			t.Fatalf("DuckDB refuses %q: %v", got, err)
		}
	})
}
