package blueprint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"omote/internal/journey"
	"omote/internal/journey/blueprint"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// apart takes every two actors for two people.
type apart struct{}

func (apart) SamePerson(_ context.Context, _ store.Tx, a, b string) (bool, error) { return a == b, nil }

func person(t testing.TB, id string, roles ...auth.Role) context.Context {
	a := auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity}
	for _, r := range roles {
		a.Grants = append(a.Grants, auth.Grant{Role: r, Unit: "/"})
	}
	return auth.WithActor(t.Context(), a)
}

func service(t testing.TB, db *store.DB) *blueprint.Service {
	t.Helper()
	templates, err := blueprint.LoadTemplates(func(e string) blueprint.Text { return blueprint.Text{EN: e, VI: e} })
	if err != nil {
		t.Fatal(err)
	}
	return blueprint.NewService(db, approval.New(db, apart{}), templates)
}

var migrations = []store.Migrations{audit.Migrations, approval.Migrations, journey.Migrations}

func TestMigrations(t *testing.T) { testkit.CheckMigrations(t, audit.Migrations, journey.Migrations) }

func set(id, target, field, value string, base int64) blueprint.Op {
	return blueprint.Op{ID: id, Kind: blueprint.OpSet, Target: target, Field: field, Value: json.RawMessage(value), Base: base}
}

const cell = `{"text":%q}`

// TestTwoEditorsLoseNothing: edits of different fields both hold; of the same
// field the second becomes a choice that holds both values; lists merge.
func TestTwoEditorsLoseNothing(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		s := service(t, db)
		ann, bob := person(t, "ann", auth.CXLead), person(t, "bob", auth.Analyst)
		if _, err := s.Create(ann, blueprint.New{Template: "onboarding_ekyc", Locale: "vi"}); err != nil {
			t.Fatal(err)
		}
		const j, step = "onboarding_ekyc", "step/id_chip_read"
		edit := func(ctx context.Context, client string, o ...blueprint.Op) blueprint.Outcome {
			t.Helper()
			out, err := s.Edit(ctx, j, client, o)
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		edit(ann, "wa", set("a1", step, "layers.policy", fmt.Sprintf(cell, "mine"), 0))
		edit(bob, "wb", set("b1", step, "layers.systems", fmt.Sprintf(cell, "theirs"), 0))
		out := edit(bob, "wb", set("b2", step, "layers.policy", fmt.Sprintf(cell, "other"), 0))
		if len(out.Conflicts) != 1 || string(out.Conflicts[0].Theirs) != `{"text":"mine"}` || out.Conflicts[0].By != "account:ann" {
			t.Fatalf("%+v", out)
		}
		edit(ann, "wa", set("a2", step, "events", `["id_chip_read","chip_ok"]`, 2))
		out = edit(bob, "wb", set("b3", step, "events", `["id_chip_read","chip_read_2"]`, 2))
		if len(out.Conflicts) != 0 || out.Rev != 4 {
			t.Fatalf("%+v", out)
		}
		if again := edit(bob, "wb", set("b3", step, "events", `["id_chip_read","chip_read_2"]`, 2)); again.Rev != 4 || len(again.Applied) != 1 {
			t.Errorf("sent twice: %+v", again)
		}
		// A step that the other one filled in meanwhile is not taken away unseen.
		if out = edit(ann, "wa", blueprint.Op{ID: "a3", Kind: blueprint.OpRemove, Target: step, Base: 1}); len(out.Conflicts) != 1 {
			t.Fatalf("removed unseen: %+v", out)
		}
		got, err := s.Get(ann, j)
		if err != nil {
			t.Fatal(err)
		}
		st := got.Draft.Step("id_chip_read")
		if st.Layers["policy"].Text != "mine" || st.Layers["systems"].Text != "theirs" || fmt.Sprint(st.Events) != "[id_chip_read chip_ok chip_read_2]" {
			t.Errorf("%+v", st)
		}
		open, err := s.Conflicts(ann, j)
		if err != nil || len(open) != 2 {
			t.Fatal(len(open), err)
		}
		if _, err := s.Settle(ann, j, "b2", true); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Settle(ann, j, "a3", false); err != nil {
			t.Fatal(err)
		}
		got, _ = s.Get(ann, j)
		if text := got.Draft.Step("id_chip_read").Layers["policy"].Text; text != "other" {
			t.Errorf("the chosen value is not there: %q", text)
		}
		if open, _ = s.Conflicts(ann, j); len(open) != 0 {
			t.Error("choices are left")
		}
	}, migrations...)
}

// TestUndo walks back and forth through one's own edits, past those of another.
func TestUndo(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		s := service(t, db)
		ann, bob := person(t, "ann", auth.CXLead), person(t, "bob", auth.CXLead)
		const j = "personal_loan"
		if _, err := s.Create(ann, blueprint.New{Template: j}); err != nil {
			t.Fatal(err)
		}
		before, _ := s.Get(ann, j)
		n := len(before.Draft.Steps())
		do := func(out blueprint.Outcome, err error) int64 {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			return out.Rev
		}
		rev := do(s.Edit(ann, j, "w", []blueprint.Op{set("o1", "journey", "owner", `"first"`, 0)}))
		rev = do(s.Edit(ann, j, "w", []blueprint.Op{{ID: "o2", Kind: blueprint.OpRemove, Target: "step/loan_decision_made", Base: rev}}))
		do(s.Edit(bob, j, "x", []blueprint.Op{set("o3", "journey", "promise.vi", `"nhanh"`, rev)}))
		state := func() string {
			got, err := s.Get(ann, j)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%s%d%s", got.Draft.Owner, len(got.Draft.Steps())-n, got.Draft.Promise.VI)
		}
		want := []struct {
			redo bool
			say  string
		}{{false, "first0nhanh"}, {false, "0nhanh"}, {false, "0nhanh"}, {true, "first0nhanh"}, {true, "first-1nhanh"}, {true, "first-1nhanh"}, {false, "first0nhanh"}}
		for i, w := range want {
			if w.redo {
				do(s.Redo(ann, j, "w"))
			} else {
				do(s.Undo(ann, j, "w"))
			}
			if got := state(); got != w.say {
				t.Fatalf("move %d: %q, want %q", i, got, w.say)
			}
		}
		got, _ := s.Get(ann, j)
		if i, k := got.Draft.Place("loan_decision_made"); i != 2 || k != 0 {
			t.Error("the step is not back in its place", i, k)
		}
	}, migrations...)
}

// TestPublish: one proposes, another decides; the maker cannot; definitions
// follow the version in force.
func TestPublish(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		s := service(t, db)
		ann, bob, eve := person(t, "ann", auth.CXLead), person(t, "bob", auth.Council), person(t, "eve", auth.Agent)
		const j = "card_activation"
		if _, err := s.Create(eve, blueprint.New{Template: j}); errs.KindOf(err) != errs.KindDenied {
			t.Error("an agent begins a map:", err)
		}
		if _, err := s.Create(ann, blueprint.New{Template: j}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Propose(ann, j, ""); errs.KindOf(err) != errs.KindInvalid {
			t.Error("a map without an owner is put forward:", err)
		}
		if _, err := s.Edit(ann, j, "w", []blueprint.Op{set("o1", "journey", "owner", `"cards"`, 0), set("o2", "journey", "timeout", `"P30D"`, 0)}); err != nil {
			t.Fatal(err)
		}
		v, err := s.Propose(ann, j, "first map")
		if err != nil || v.State != blueprint.Review {
			t.Fatal(v, err)
		}
		if err := s.Decide(ann, j, approval.Approve, ""); errs.KindOf(err) != errs.KindDenied {
			t.Error("the maker decides:", err)
		}
		if _, err := s.Propose(ann, j, ""); errs.KindOf(err) != errs.KindConflict {
			t.Error("put forward twice:", err)
		}
		// What is edited meanwhile does not slip into the version.
		if _, err := s.Edit(ann, j, "w", []blueprint.Op{set("o3", "journey", "timeout", `"P90D"`, 2)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Decide(bob, j, approval.Approve, "good"); err != nil {
			t.Fatal(err)
		}
		all, err := s.Definitions(ann)
		if err != nil || all[j].Template || all[j].Timeout.Hours() != 30*24 {
			t.Errorf("%+v %v", all[j], err)
		}
		got, _ := s.Get(ann, j)
		if got.LiveVersion != 1 || got.Ahead != 1 {
			t.Errorf("%+v", got)
		}
		if _, err := s.Propose(ann, j, "longer"); err != nil {
			t.Fatal(err)
		}
		if err := s.Decide(bob, j, approval.Refuse, "too long"); err != nil {
			t.Fatal(err)
		}
		vs, _ := s.Versions(ann, j)
		if len(vs) != 2 || vs[0].State != blueprint.Refused || vs[1].State != blueprint.Live || vs[0].Decision != "too long" {
			t.Errorf("%+v", vs)
		}
		if err := s.Delete(ann, j); errs.KindOf(err) != errs.KindConflict {
			t.Error("a map in force is deleted:", err)
		}
	}, migrations...)
}

// TestCommentsAndPresence: remarks stay until they are resolved; editors are seen.
func TestCommentsAndPresence(t *testing.T) {
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		s := service(t, db)
		ann, bob := person(t, "ann", auth.CXLead), person(t, "bob", auth.Champion)
		const j = "complaint"
		if _, err := s.Create(ann, blueprint.New{Template: j}); err != nil {
			t.Fatal(err)
		}
		woken := s.Changed(ann, j)
		if err := s.Remark(bob, j, "complaint_filed", "ai đọc đầu tiên?"); err != nil {
			t.Fatal(err)
		}
		<-woken
		list, err := s.Comments(ann, j)
		if err != nil || len(list) != 1 || list[0].Actor != "account:bob" {
			t.Fatal(list, err)
		}
		if err := s.Resolve(ann, j, list[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := s.Resolve(ann, j, list[0].ID); errs.KindOf(err) != errs.KindNotFound {
			t.Error(err)
		}
		now, err := s.Look(ann, j, "w1", "step/x events")
		if err != nil || len(now.Present) != 1 || now.Present[0].Place != "step/x events" {
			t.Fatal(now, err)
		}
		if now, err = s.Look(bob, j, "w2", "journey owner"); err != nil || len(now.Present) != 1 {
			t.Error("whoever only reads is no editor", now, err)
		}
		if err := s.Leave(ann, j, "w1"); err != nil {
			t.Fatal(err)
		}
		if now, _ = s.Look(ann, j, "", ""); len(now.Present) != 0 {
			t.Error(now)
		}
		if err := s.Delete(ann, j); err != nil {
			t.Fatal(err)
		}
	}, migrations...)
}
