package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, Migrations)
}

// RFC 6962 trees over leaves whose hashes are those of certificate
// transparency's reference test data.
func TestMerkleAgreesWithRFC6962(t *testing.T) {
	t.Parallel()
	inputs := []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	want := []string{
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	var leaves [][32]byte
	for i, in := range inputs {
		raw, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, sha256.Sum256(append([]byte{0}, raw...)))
		if root := merkle(leaves); hex.EncodeToString(root[:]) != want[i] {
			t.Errorf("%d leaves: %x, want %s", i+1, root, want[i])
		}
	}
}

func each(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	t.Parallel()
	testkit.Stores(t, fn, Migrations)
}

func record(t testing.TB, db *store.DB, entries ...Entry) {
	t.Helper()
	err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
		for _, e := range entries {
			if err := Record(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func seal(t testing.TB, db *store.DB) int64 {
	t.Helper()
	testkit.Clock(db).Advance(time.Second)
	n, err := (&Sealer{DB: db}).Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fill writes batches of 1, 2, … n entries and seals each.
func fill(t testing.TB, db *store.DB, n int) {
	t.Helper()
	for batch := range n {
		for i := range batch + 1 {
			record(t, db, Entry{Action: "demo.thing.edit", Object: fmt.Sprintf("thing/%d-%d", batch+1, i)})
		}
		if got := seal(t, db); got != int64(batch+1) {
			t.Fatalf("sealed %d", got)
		}
	}
}

func verify(t testing.TB, db *store.DB, exported ...Head) Report {
	t.Helper()
	r, err := Verify(testkit.Context(t), db, exported...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEntriesNameNobody(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		s := scope.Scope{Entity: "bank", Unit: "/north/", Actor: "account:7", Purpose: "complaint"}
		err := db.Write(scope.With(t.Context(), s), func(ctx context.Context, tx store.Tx) error {
			return Record(ctx, tx, Entry{Action: "demo.thing.edit", Object: "thing/1", Reason: "asked by phone 0912 345 678\x00", Changed: []string{"name", "a.b"},
				Before: map[string]string{"name": "x"}, After: map[string]string{"name": "y"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		record(t, db, Entry{Action: "demo.thing.add", Object: "thing/1", After: map[string]string{"name": "x"}})
		var lines []Line
		err = db.Read(testkit.Context(t), func(ctx context.Context, tx store.Tx) (err error) {
			lines, err = List(ctx, tx, Filter{})
			return err
		})
		if err != nil || len(lines) != 2 {
			t.Fatal(len(lines), err)
		}
		add, edit := lines[0], lines[1]
		want := Line{ID: edit.ID, At: testkit.Epoch, Unit: "/north/", Actor: "account:7", Purpose: "complaint", Action: "demo.thing.edit",
			Object: "thing/1", Reason: "asked by phone [phone]", Changed: []string{"name", "a.b"}, Before: add.After, After: edit.After}
		if d := cmp.Diff(want, edit); d != "" {
			t.Error(d)
		}
		if add.Before != "" || edit.Before == edit.After || edit.Before == "" {
			t.Errorf("digests: %+v, %+v", add, edit)
		}
		for _, bad := range []Entry{
			{Action: "edit", Object: "thing/1"}, {Action: "demo.thing.edit", Object: "Nguyễn Văn A"}, {Action: "demo.thing.edit", Object: "mail/a@b.c"},
			{Action: "demo.thing.edit", Object: "thing/1", Changed: []string{"x,y"}},
		} {
			err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error { return Record(ctx, tx, bad) })
			if err == nil || strings.Contains(err.Error(), "Nguyễn") {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

func TestASoundTrail(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		if r := verify(t, db); !r.Sound() || r.Heads != 0 {
			t.Errorf("empty trail: %+v", r)
		}
		fill(t, db, 5)
		if seal(t, db) != 0 {
			t.Error("an empty second made a head")
		}
		if _, err := db.Keys().(*keyring.File).Rotate(t.Context(), keyPurpose); err != nil {
			t.Fatal(err)
		}
		fill(t, db, 2)
		record(t, db, Entry{Action: "demo.thing.edit", Object: "thing/open"})
		var out bytes.Buffer
		if err := WriteHeads(testkit.Context(t), db, &out, 0); err != nil {
			t.Fatal(err)
		}
		var exported []Head
		for line := range strings.Lines(out.String()) {
			h, err := ReadHead([]byte(line))
			if err != nil {
				t.Fatal(err)
			}
			exported = append(exported, h)
		}
		r := verify(t, db, exported...)
		if !r.Sound() || r.Heads != 7 || r.Entries != 15+3 || r.Unsealed != 1 || len(exported) != 7 || r.Last.Hash != exported[6].Hash {
			t.Errorf("%+v", r)
		}
		public, err := PublicKey(t.Context(), db.Keys(), exported[6].KeyID)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := b64.DecodeString(public)
		if err != nil || !exported[6].signedBy(raw) || exported[0].signedBy(raw) {
			t.Errorf("signatures do not follow their keys: %v", err)
		}
		testkit.Clock(db).Advance(2 * time.Minute)
		if r := verify(t, db); len(r.Problems) != 1 || r.Problems[0].Fault != Stale {
			t.Errorf("a sealer that stands still: %+v", r.Problems)
		}
	})
}

func TestTriggersRefuse(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, 2)
		record(t, db, Entry{Action: "demo.thing.edit", Object: "thing/open"})
		statements := []string{
			"UPDATE audit_entry SET reason = 'x'", "UPDATE audit_entry SET reason = 'x' WHERE batch IS NULL",
			"UPDATE audit_entry SET batch = NULL", "UPDATE audit_entry SET batch = 9 WHERE batch = 1", "UPDATE audit_entry SET batch = 9, actor = 'x' WHERE batch IS NULL",
			"DELETE FROM audit_entry", "DELETE FROM audit_entry WHERE batch IS NULL",
			"INSERT INTO audit_entry SELECT 'new', at, entity, unit, actor, purpose, action, object, reason, changed, before_digest, after_digest, 1 FROM audit_entry LIMIT 1",
			"UPDATE audit_head SET hash = 'x'", "DELETE FROM audit_head WHERE no = 2",
		}
		if db.Dialect().String() == "postgres" {
			statements = append(statements, "TRUNCATE audit_entry", "TRUNCATE audit_head")
		}
		for _, q := range statements {
			err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.NewRaw(q).Exec(ctx)
				return err
			})
			if err == nil {
				t.Errorf("allowed: %s", q)
			}
		}
		if r := verify(t, db); !r.Sound() || r.Entries != 3 || r.Unsealed != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// unguard removes the triggers, as the owner of the database can.
func unguard(ctx context.Context, tx store.Tx) error {
	for _, trigger := range []string{"entry_insert", "entry_update", "entry_delete", "head_update", "head_delete"} {
		q := "DROP TRIGGER audit_" + trigger
		if tx.Engine.String() == "postgres" {
			table, _, _ := strings.Cut(trigger, "_")
			q += " ON audit_" + table
		}
		if _, err := tx.NewRaw(q).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// The owner of the database removes the triggers and falsifies the trail in
// each way; Verify names it.
func TestVerifyFindsFalsifications(t *testing.T) {
	copyRow := "INSERT INTO audit_entry SELECT 'new', at, entity, unit, actor, purpose, action, object, reason, changed, before_digest, after_digest, 3 FROM audit_entry WHERE object = 'thing/3-0'"
	head := func(set string) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) error {
			var h Head
			if err := tx.NewSelect().Model(&h).Where("no = 3").Scan(ctx); err != nil {
				return err
			}
			switch set {
			case "count":
				h.Entries = 2
			case "rehash": // a forger who knows the method but not the key
				h.Entries, h.FirstID = 2, "x"
				h.Hash = h.sum()
			}
			_, err := tx.NewUpdate().Model(&h).WherePK().Exec(ctx)
			return err
		}
	}
	sql := func(statements ...string) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) error {
			for _, q := range statements {
				if _, err := tx.NewRaw(q).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		}
	}
	cases := []struct {
		name  string
		forge func(context.Context, store.Tx) error
		want  []Fault
	}{
		{"edit a reason", sql("UPDATE audit_entry SET reason = 'x' WHERE object = 'thing/3-1'"), []Fault{Edited}},
		{"edit an actor", sql("UPDATE audit_entry SET actor = 'x' WHERE object = 'thing/3-1'"), []Fault{Edited}},
		{"edit a time", sql("UPDATE audit_entry SET at = at + 1 WHERE object = 'thing/3-1'"), []Fault{Edited}},
		{"delete an entry", sql("DELETE FROM audit_entry WHERE object = 'thing/3-1'"), []Fault{Deleted}},
		{"add an entry", sql(copyRow), []Fault{Added}},
		{"put one in another's place", sql("DELETE FROM audit_entry WHERE object = 'thing/3-1'", copyRow), []Fault{Edited}},
		{"swap the contents of two", sql("UPDATE audit_entry SET object = 'thing/x' WHERE object = 'thing/3-1'",
			"UPDATE audit_entry SET object = 'thing/3-1' WHERE object = 'thing/3-2'", "UPDATE audit_entry SET object = 'thing/3-2' WHERE object = 'thing/x'"), []Fault{Edited}},
		{"move an entry to another batch", sql("UPDATE audit_entry SET batch = 4 WHERE object = 'thing/3-1'"), []Fault{Deleted, Added}},
		{"unseal an entry", sql("UPDATE audit_entry SET batch = NULL WHERE object = 'thing/3-1'"), []Fault{Deleted}},
		{"edit a head", head("count"), []Fault{HeadEdited, Added}},
		{"edit a head and hash it again", head("rehash"), []Fault{BadSigner, Rewritten, Added, Broken}},
		{"cut a batch out of the middle", sql("DELETE FROM audit_entry WHERE batch = 3", "DELETE FROM audit_head WHERE no = 3"), []Fault{HeadMissing}},
		{"swap two heads", sql("UPDATE audit_head SET no = 99 WHERE no = 3", "UPDATE audit_head SET no = 3 WHERE no = 4", "UPDATE audit_head SET no = 4 WHERE no = 99"),
			[]Fault{Broken, HeadEdited, Added, Broken, HeadEdited, Deleted, Broken}},
		{"cut off the end", sql("DELETE FROM audit_entry WHERE batch >= 4", "DELETE FROM audit_head WHERE no >= 4"), []Fault{Truncated}},
		{"remove the last heads only", sql("DELETE FROM audit_head WHERE no >= 4"), []Fault{Truncated, Orphans}},
		{"remove everything", sql("DELETE FROM audit_entry", "DELETE FROM audit_head"), []Fault{Truncated, Truncated}},
	}
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		fill(t, db, 5)
		var exported []Head
		err := db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			if err := unguard(ctx, tx); err != nil {
				return err
			}
			all, err := headsAfter(ctx, tx, 2, 10)
			exported = []Head{all[0], all[2]} // numbers 3 and 5
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				forged(t, db, exported, c.forge, c.want)
			})
		}
	}, Migrations)
}

// forged runs one falsification, verifies, and puts the rows back.
func forged(t *testing.T, db *store.DB, exported []Head, forge func(context.Context, store.Tx) error, want []Fault) {
	t.Helper()
	var entries []entryRow
	var heads []Head
	write := func(fn func(context.Context, store.Tx) error) {
		t.Helper()
		if err := db.Write(testkit.Context(t), fn); err != nil {
			t.Fatal(err)
		}
	}
	write(func(ctx context.Context, tx store.Tx) error {
		if err := tx.NewSelect().Model(&entries).Scan(ctx); err != nil {
			return err
		}
		return tx.NewSelect().Model(&heads).Scan(ctx)
	})
	write(forge)
	var got []Fault
	for _, p := range verify(t, db, exported...).Problems {
		got = append(got, p.Fault)
	}
	for _, f := range want {
		if !slices.Contains(got, f) {
			t.Errorf("found %v, want %v among them", got, f)
		}
	}
	if len(got) == 0 {
		t.Error("found nothing")
	}
	write(func(ctx context.Context, tx store.Tx) error {
		for _, model := range []any{(*entryRow)(nil), (*Head)(nil)} {
			if _, err := tx.NewDelete().Model(model).Where("1 = 1").Exec(ctx); err != nil {
				return err
			}
		}
		if _, err := tx.NewInsert().Model(&entries).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&heads).Exec(ctx)
		return err
	})
	if r := verify(t, db, exported...); !r.Sound() {
		t.Fatalf("after putting the rows back: %+v", r.Problems)
	}
}

func TestListFiltersAndPages(t *testing.T) {
	each(t, func(t *testing.T, db *store.DB) {
		for i := range 5 {
			record(t, db, Entry{Action: "demo.thing.edit", Object: fmt.Sprintf("thing/%d", i)})
			testkit.Clock(db).Advance(time.Minute)
		}
		record(t, db, Entry{Action: "other_.x.y", Object: "plan/1"})
		list := func(s scope.Scope, f Filter) (objects []string) {
			t.Helper()
			err := db.Read(scope.With(t.Context(), s), func(ctx context.Context, tx store.Tx) error {
				lines, err := List(ctx, tx, f)
				for _, l := range lines {
					objects = append(objects, l.Object)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return objects
		}
		root := scope.Process("bank", "test")
		check := func(name string, got []string, want ...string) {
			t.Helper()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		check("action prefix", list(root, Filter{Action: "other_."}), "plan/1")
		check("action prefix is no pattern", list(root, Filter{Action: "othe__."}))
		check("object prefix", list(root, Filter{Object: "plan/"}), "plan/1")
		check("times", list(root, Filter{From: testkit.Epoch.Add(time.Minute), Before: testkit.Epoch.Add(3 * time.Minute)}), "thing/2", "thing/1")
		check("actor", list(root, Filter{Actor: "account:9"}))
		check("another entity", list(scope.Process("other", "test"), Filter{}))
		check("another unit", list(scope.Scope{Entity: "bank", Unit: "/north/", Actor: "x"}, Filter{}))
		check("limit", list(root, Filter{Action: "demo.", Limit: 2}), "thing/4", "thing/3")
	})
}

func BenchmarkRecordAndSeal(b *testing.B) {
	db := testkit.SQLite(b, Migrations)
	s := &Sealer{DB: db}
	b.ReportAllocs()
	for b.Loop() {
		err := db.Write(testkit.Context(b), func(ctx context.Context, tx store.Tx) error {
			for range 100 {
				if err := Record(ctx, tx, Entry{Action: "demo.thing.edit", Object: "thing/1", After: 1}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
