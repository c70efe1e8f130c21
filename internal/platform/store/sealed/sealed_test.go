package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/uptrace/bun"
	"pgregory.net/rapid"

	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var demo = store.Migrations{Module: "demo", FS: os.DirFS("testdata")}

var (
	phoneIndex = sealed.Column{Table: "demo_person", Name: "phone_index"}
	phoneField = sealed.Column{Table: "demo_person", Name: "phone"}
	nameField  = sealed.Column{Table: "demo_person", Name: "name"}
	tokenIndex = sealed.Column{Table: "demo_token", Name: "token"}
)

type person struct {
	bun.BaseModel `bun:"table:demo_person"`
	ID            string `bun:",pk"`
	Part          int    `bun:",pk"`
	Name          sealed.Text
	Phone         sealed.Text
	PhoneIndex    string
}

type token struct {
	bun.BaseModel `bun:"table:demo_token"`
	Token         string `bun:",pk"`
	Person        string `bun:",pk"`
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, sealed.Migrations)
}

func newBox(t testing.TB, keys keyring.Provider) *sealed.Box {
	t.Helper()
	box, err := sealed.NewBox(keys)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func insert(t testing.TB, db *store.DB, box *sealed.Box, people ...*person) {
	t.Helper()
	err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
		for _, p := range people {
			var err error
			if p.PhoneIndex, err = box.Blind(ctx, tx, phoneIndex, sealed.Digits(p.Phone.Plain)); err != nil {
				return err
			}
			if err := index(ctx, tx, box, p); err != nil {
				return err
			}
		}
		if err := box.Seal(ctx, tx, &people); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&people).Exec(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func index(ctx context.Context, tx store.Tx, box *sealed.Box, p *person) error {
	if _, err := tx.NewDelete().Model((*token)(nil)).Where("person = ?", p.ID).Exec(ctx); err != nil {
		return err
	}
	all := append(sealed.NameTokens(p.Name.Plain), sealed.NumberEndings(p.Phone.Plain)...)
	entries, err := box.Tokens(ctx, tx, tokenIndex, all)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := tx.NewInsert().Model(&token{Token: e, Person: p.ID}).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

func byPhone(t testing.TB, db *store.DB, box *sealed.Box, phone string) (ids []string) {
	t.Helper()
	err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
		entries, err := box.BlindSearch(ctx, tx, phoneIndex, sealed.Digits(phone))
		if err != nil {
			return err
		}
		return tx.NewSelect().Model((*person)(nil)).Column("id").Where("phone_index IN (?)", bun.List(entries)).Order("id").Scan(ctx, &ids)
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func byTokens(t testing.TB, db *store.DB, box *sealed.Box, tokens ...string) (ids []string) {
	t.Helper()
	err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
		sets, err := box.TokenSearch(ctx, tx, tokenIndex, tokens)
		if err != nil {
			return err
		}
		q := tx.NewSelect().Model((*person)(nil)).Column("id").Order("id")
		for _, set := range sets {
			q = q.Where("id IN (SELECT person FROM demo_token WHERE token IN (?))", bun.List(set))
		}
		return q.Scan(ctx, &ids)
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func load(t testing.TB, db *store.DB, box *sealed.Box) (people []person) {
	t.Helper()
	err := db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
		if err := tx.NewSelect().Model(&people).Order("id", "part").Scan(ctx); err != nil {
			return err
		}
		return box.Open(ctx, tx, &people)
	})
	if err != nil {
		t.Fatal(err)
	}
	return people
}

func examples() []*person {
	return []*person{
		{ID: "1", Part: 1, Name: sealed.New("Nguyễn Văn Ví Dụ"), Phone: sealed.New("+84 912 345 678")},
		{ID: "2", Part: 1, Name: sealed.New("Trần Thị Đào Mẫu"), Phone: sealed.New("0987 654 321")},
		{ID: "3", Part: 1, Name: sealed.New("Example Person"), Phone: sealed.New("+84912345678")},
		{ID: "4", Part: 1},
	}
}

func TestModelsAreSealedOpenedAndFound(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		box := newBox(t, db.Keys())
		if got := byPhone(t, db, box, "123"); got != nil {
			t.Errorf("found %v in an empty index", got)
		}
		insert(t, db, box, examples()...)
		people := load(t, db, box)
		for i, want := range examples() {
			if got := people[i]; got.Name.Plain != want.Name.Plain || got.Phone.Plain != want.Phone.Plain {
				t.Errorf("row %d: %q, %q", i, got.Name.Plain, got.Phone.Plain)
			}
		}
		checkSearches(t, db, box)
	}, sealed.Migrations, demo)
}

func checkSearches(t *testing.T, db *store.DB, box *sealed.Box) {
	t.Helper()
	if d := cmp.Diff([]string{"1", "3"}, byPhone(t, db, box, "+84 912-345-678")); d != "" {
		t.Error("by phone:", d)
	}
	if d := cmp.Diff([]string{"2"}, byTokens(t, db, box, sealed.NameTokens("dao TRAN")...)); d != "" {
		t.Error("by name:", d)
	}
	if d := cmp.Diff([]string{"1", "3"}, byTokens(t, db, box, sealed.NumberEndings("5678")...)); d != "" {
		t.Error("by ending:", d)
	}
	if got := byTokens(t, db, box, "nguyen", "dao"); got != nil {
		t.Error("all tokens must match, found ", got)
	}
}

func TestRotationsLeaveNothingUnderOldKeysAndFindAllMeanwhile(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		ring := db.Keys().(*keyring.File)
		box := newBox(t, ring)
		people := examples()
		insert(t, db, box, people[:2]...)
		for _, purpose := range []string{keyring.Field, keyring.Blind, keyring.Token} {
			if _, err := ring.Rotate(ctx, purpose); err != nil {
				t.Fatal(err)
			}
		}
		insert(t, db, box, people[2:]...)
		checkSearches(t, db, box)

		calls := 0
		r := sealed.Rotation{Box: box, Progress: func(int64) error { calls++; return nil }}
		rotate := func() (counts []int64) {
			for _, step := range []func() (int64, error){
				func() (int64, error) { return r.Blind(ctx, db, phoneIndex, phoneField, sealed.Digits, "id", "part") },
				func() (int64, error) { return r.Tokens(ctx, db, tokenIndex, "person", rebuild(box)) },
				func() (int64, error) { return r.Field(ctx, db, nameField, "id", "part") },
				func() (int64, error) { return r.Field(ctx, db, phoneField, "id", "part") },
			} {
				n, err := step()
				if err != nil {
					t.Fatal(err)
				}
				counts = append(counts, n)
			}
			return counts
		}
		if d := cmp.Diff([]int64{2, 2, 2, 2}, rotate()); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]int64{0, 0, 0, 0}, rotate()); d != "" {
			t.Error("second run:", d)
		}
		if calls != 4 {
			t.Errorf("progress was told %d times", calls)
		}
		checkSearches(t, db, box)
		// A ring that holds only the new field key still opens every row.
		for i, p := range load(t, db, newBox(t, onlyCurrent{ring})) {
			if want := examples()[i]; p.Name.Plain != want.Name.Plain {
				t.Errorf("row %d: %q", i, p.Name.Plain)
			}
		}
	}, sealed.Migrations, demo)
}

// More rows than a batch, over a composite key with a number in it.
func TestRotationOfManyRows(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		ring := db.Keys().(*keyring.File)
		box := newBox(t, ring)
		const n = 450
		var people []*person
		for i := range n {
			people = append(people, &person{ID: fmt.Sprint("p", i/20), Part: i % 20, Phone: sealed.New(fmt.Sprint("0900", i))})
		}
		err := db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			if err := box.Seal(ctx, tx, &people); err != nil {
				return err
			}
			_, err := tx.NewInsert().Model(&people).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ring.Rotate(ctx, keyring.Field); err != nil {
			t.Fatal(err)
		}
		got, err := (sealed.Rotation{Box: box}).Field(ctx, db, phoneField, "id", "part")
		if err != nil || got != n {
			t.Errorf("rotated %d of %d, %v", got, n, err)
		}
		if rows := load(t, db, newBox(t, onlyCurrent{ring})); len(rows) != n {
			t.Errorf("%d rows open under the new key alone", len(rows))
		}
	}, sealed.Migrations, demo)
}

func rebuild(box *sealed.Box) func(context.Context, store.Tx, string) error {
	return func(ctx context.Context, tx store.Tx, owner string) error {
		var p person
		if err := tx.NewSelect().Model(&p).Where("id = ?", owner).Scan(ctx); err != nil {
			return err
		}
		if err := box.Open(ctx, tx, &p); err != nil {
			return err
		}
		return index(ctx, tx, box, &p)
	}
}

// onlyCurrent is a ring from which old keys were removed.
type onlyCurrent struct{ *keyring.File }

func (o onlyCurrent) Lookup(ctx context.Context, purpose, id string) (keyring.Key, error) {
	k, err := o.Current(ctx, purpose)
	if err == nil && k.ID != id {
		err = keyring.ErrUnknownKey
	}
	return k, err
}

func TestAPlainValueIsNeverWritten(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.NewInsert().Model(&person{ID: "1", Part: 1, Name: sealed.New("Lộ Tên")}).Exec(ctx)
			return err
		})
		if err == nil || strings.Contains(err.Error(), "Lộ") {
			t.Errorf("got %v", err)
		}
		p := person{ID: "1", Name: sealed.New("Lộ Tên")}
		if text := fmt.Sprintf("%v %+v %#v %s", p, p, p, p.Name); strings.Contains(text, "Lộ") {
			t.Errorf("printing shows the value: %s", text)
		}
	}, sealed.Migrations, demo)
}

// The files of the store, as a thief would read them, hold no plain value, no
// folded token and no digits of a number, also after deletes and in the log
// ahead of the writes.
func TestFilesHoldNoPlainValue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := testkit.Open(t, store.Options{Dir: dir}, sealed.Migrations, demo)
	box := newBox(t, db.Keys())
	insert(t, db, box, examples()...)
	secrets := []string{"Nguyễn", "nguyen", "Nguyen", "912345678", "345 678", "5678", "Example", "example", "Đào", "654321"}
	check := func(when string) {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range secrets {
				if bytes.Contains(raw, []byte(s)) {
					t.Errorf("%s: %s holds %q", when, filepath.Base(f), s)
				}
			}
		}
	}
	check("open")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	check("closed")
}

func TestSealProperties(t *testing.T) {
	t.Parallel()
	box := newBox(t, testkit.Keys(t))
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(n string) string { return rapid.String().Draw(t, n) }
		p := sealed.Place{Table: draw("table"), Column: draw("column"), Row: draw("row")}
		plain := []byte(draw("plain"))
		a, err := box.SealBytes(ctx, p, plain)
		if err != nil {
			t.Fatal(err)
		}
		b, err := box.SealBytes(ctx, p, plain)
		if err != nil || bytes.Equal(a, b) {
			t.Fatalf("sealing twice must give different bytes (%v)", err)
		}
		got, err := box.OpenBytes(ctx, p, a)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %q, %v", got, err)
		}
		q := sealed.Place{Table: draw("table2"), Column: draw("column2"), Row: draw("row2")}
		if q != p {
			if _, err := box.OpenBytes(ctx, q, a); !errors.Is(err, sealed.ErrForeign) {
				t.Fatalf("moved from %q to %q: %v", p, q, err)
			}
		}
		i := rapid.IntRange(0, len(a)-1).Draw(t, "byte")
		a[i] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if _, err := box.OpenBytes(ctx, p, a); !errors.Is(err, sealed.ErrForeign) && !errors.Is(err, keyring.ErrUnknownKey) {
			t.Fatalf("changed at byte %d: %v", i, err)
		}
	})
}

func FuzzOpenBytes(f *testing.F) {
	box := newBox(f, testkit.Keys(f))
	p := sealed.Place{Table: "t", Column: "c", Row: "r"}
	good, err := box.SealBytes(f.Context(), p, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte{1, 255})
	f.Fuzz(func(t *testing.T, raw []byte) {
		plain, err := box.OpenBytes(t.Context(), p, raw)
		if err == nil && (!bytes.Equal(raw, good) || string(plain) != "x") {
			t.Fatalf("forged: %q", plain)
		}
	})
}

func TestTokensFindWhatPeopleType(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in   string
		want []string
		fn   func(string) []string
	}{
		{"Nguyễn Văn Đức", []string{"nguyen", "van", "duc"}, sealed.NameTokens},
		{"  NGUYEN-van.  nguyễn ", []string{"nguyen", "van"}, sealed.NameTokens},
		{"", nil, sealed.NameTokens},
		{"+84 (912) 345-678", []string{"…5678", "…345678"}, sealed.NumberEndings},
		{"5678", []string{"…5678"}, sealed.NumberEndings},
		{"567", nil, sealed.NumberEndings},
	}
	for _, c := range cases {
		if got := c.fn(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func BenchmarkBox(b *testing.B) {
	box := newBox(b, testkit.Keys(b))
	p := sealed.Place{Table: "customer_profile", Column: "name", Row: "0198f2d0-1111-7000-8000-000000000001"}
	plain := []byte("Nguyễn Văn Ví Dụ")
	b.ReportAllocs()
	for b.Loop() {
		s, err := box.SealBytes(b.Context(), p, plain)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := box.OpenBytes(b.Context(), p, s); err != nil {
			b.Fatal(err)
		}
	}
}
