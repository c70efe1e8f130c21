package blueprint_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"omote/internal/journey/blueprint"
	"omote/internal/platform/approval"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// newer is the gallery with a second edition of the account opening: a step's
// standard is shorter, another has a standard that the bank sets too, two steps are
// new, one after the other, and a stage's name is better.
func newer(t *testing.T) []blueprint.Template {
	t.Helper()
	all, err := blueprint.LoadTemplates(func(e string) blueprint.Text { return blueprint.Text{EN: e, VI: e} })
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(x blueprint.Template) bool { return x.Document.Journey == "onboarding_ekyc" })
	d := all[i].Document.Clone()
	d.Edition++
	d.Step("id_chip_read").MaxWait = blueprint.Duration(60e9)
	d.Step("face_match_passed").MaxWait = blueprint.Duration(30e9)
	at := d.StageAt("identify")
	d.Stages[at].Name.EN = "Prove who you are"
	for _, id := range []string{"help_offered", "help_taken"} {
		d.Stages[at].Steps = append(d.Stages[at].Steps, blueprint.Step{ID: id, Name: blueprint.Text{EN: id, VI: id}, Actor: blueprint.System, Optional: true, Events: []string{id}})
	}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	all[i].Document = d
	return all
}

// A newer edition of a template offers its changes to the maps made from it; what
// is taken comes in, what is refused is not offered again, and neither is decided
// unseen.
func TestImprovementsAreTakenOrRefused(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		const j = "onboarding_ekyc"
		ann := person(t, "ann", auth.CXLead)
		first := service(t, db)
		if _, err := first.Create(ann, blueprint.New{Template: j, Locale: "vi"}); err != nil {
			t.Fatal(err)
		}
		if none, err := first.Improvements(ann, j); err != nil || len(none.Offered()) != 0 {
			t.Fatalf("the same edition offers %v (%v)", none.Offered(), err)
		}
		if _, err := first.Edit(ann, j, "w", []blueprint.Op{set("own", "step/face_match_passed", "max_wait", `"PT5M"`, 0)}); err != nil {
			t.Fatal(err)
		}
		s := blueprint.NewService(db, approval.New(db, apart{}), newer(t))
		found, err := s.Improvements(ann, j)
		if err != nil {
			t.Fatal(err)
		}
		offered := strings.Join(found.Offered(), "\n")
		want := []string{"add step/help_offered ", "add step/help_taken ", "set step/id_chip_read max_wait", "set stage/identify name.en", "set step/face_match_passed max_wait"}
		for _, key := range want {
			if !strings.Contains(offered, key) {
				t.Errorf("%q is not offered: %s", key, offered)
			}
		}
		if len(found.Clashes) != 1 || string(found.Clashes[0].Ours) != `"PT5M"` {
			t.Errorf("clashes: %+v", found.Clashes)
		}
		inherit := func(ctx context.Context, c blueprint.Choice) error {
			_, err := s.Inherit(ctx, j, "w", c)
			return err
		}
		if err := inherit(ann, blueprint.Choice{Seen: found.Offered()[1:], Take: found.Offered()}); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("decided unseen: %v", err)
		}
		if err := inherit(person(t, "eve", auth.Champion), blueprint.Choice{Seen: found.Offered()}); errs.KindOf(err) != errs.KindDenied {
			t.Errorf("a champion decides: %v", err)
		}
		// The second new step without the first, the shorter standard, and the
		// template's own where both changed; not the name.
		take := []string{"add step/help_taken ", "set step/id_chip_read max_wait", "set step/face_match_passed max_wait"}
		if err := inherit(ann, blueprint.Choice{Seen: found.Offered(), Take: take}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get(ann, j)
		if err != nil {
			t.Fatal(err)
		}
		d := got.Draft
		steps := d.Stages[d.StageAt("identify")].Steps
		if d.Step("help_offered") != nil || steps[len(steps)-1].ID != "help_taken" || d.Step("id_chip_read").MaxWait != 60e9 || d.Step("face_match_passed").MaxWait != 30e9 || d.Stages[d.StageAt("identify")].Name.EN == "Prove who you are" {
			t.Errorf("%+v", steps)
		}
		if again, err := s.Improvements(ann, j); err != nil || len(again.Offered()) != 0 {
			t.Errorf("offered again: %v (%v)", again.Offered(), err)
		}
		// It can be taken back, as one's own edit.
		if _, err := s.Undo(ann, j, "w"); err != nil {
			t.Fatal(err)
		}
	}, migrations...)
}
