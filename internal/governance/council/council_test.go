package council

import (
	"testing"

	"pgregory.net/rapid"

	"omote/internal/governance/packs"
	"omote/internal/platform/approval"
)

// The agenda never runs over its minutes, never holds what cannot be decided, keeps
// the order of the scores, and loses nothing.
func TestAgenda(t *testing.T) {
	t.Parallel()
	pack, err := packs.Load()
	if err != nil {
		t.Fatal(err)
	}
	room := pack.Agenda.Capacity
	for _, f := range pack.Agenda.Fixed {
		room -= f.Minutes
	}
	rapid.Check(t, func(t *rapid.T) {
		var items []Item
		for k := range rapid.IntRange(0, 12).Draw(t, "n") {
			low := rapid.Int64Range(0, 1e12).Draw(t, "low")
			items = append(items, Item{Ref: string(rune('a' + k)), Low: low, High: low * 2, Strength: rapid.Float64Range(0, 1).Draw(t, "strength"),
				Options: rapid.IntRange(0, 3).Draw(t, "options"), Grade: rapid.IntRange(0, 4).Draw(t, "grade"), Decides: rapid.Bool().Draw(t, "decides"), Deferred: rapid.IntRange(0, 5).Draw(t, "deferred")})
		}
		chosen, left := Agenda(pack, items)
		minutes, informs := 0, 0
		for k, i := range chosen {
			minutes += i.Minutes
			if !i.Decides {
				informs++
			}
			if i.Decides && (i.Options < 2 || i.Grade == 0) {
				t.Fatalf("it holds %+v", i)
			}
			if k > 0 && i.Score > chosen[k-1].Score {
				t.Fatal("not in the order of the scores")
			}
			if i.Score < 0 || i.Score > 2 {
				t.Fatalf("score %g", i.Score)
			}
		}
		if minutes > room || informs > maxInform || len(chosen)+len(left) != len(items) {
			t.Fatalf("%d of %d minutes, %d informing, %d of %d items", minutes, room, informs, len(chosen)+len(left), len(items))
		}
		for _, i := range left {
			if i.Why == "" {
				t.Fatalf("left without a reason: %+v", i)
			}
		}
	})
}

// More at stake, stronger evidence, and an earlier deferral never rank lower.
func TestScoreIsMonotone(t *testing.T) {
	t.Parallel()
	base := Item{Low: 1e9, High: 3e9, Strength: 0.5, Options: 2, Grade: 3, Decides: true}
	for name, change := range map[string]func(*Item){"stake": func(i *Item) { i.Low, i.High = 1e10, 3e10 }, "strength": func(i *Item) { i.Strength = 0.9 },
		"deferred": func(i *Item) { i.Deferred = 1 }, "clock": func(i *Item) { i.Clock = true }} {
		more := base
		change(&more)
		if more.score() <= base.score() {
			t.Errorf("%s: %g, before %g", name, more.score(), base.score())
		}
	}
	// By hand: log10 of 2 bn is 9.30103, (9.30103−6)/6 = 0.550172, times 0.5.
	if got := base.score(); got < 0.27508 || got > 0.27509 {
		t.Errorf("score %g", got)
	}
}

// A promise without evidence does not come before a smaller one that is proven.
func TestRankPrefersProof(t *testing.T) {
	t.Parallel()
	d := Decision{Alternatives: []Alternative{{Name: approval.Text{EN: "bold"}, Low: 5e9, Grade: 1}, {Name: approval.Text{EN: "proven"}, Low: 1e9, Grade: 4},
		{Name: approval.Text{EN: "nothing"}, Nothing: true, Grade: 4}, {Name: approval.Text{EN: "risky"}, Low: -1e9, Grade: 2}}}
	if r := d.Rank(); r[0] != 1 || r[1] != 0 || r[2] != 2 || r[3] != 3 {
		t.Errorf("%v", r)
	}
}

func TestQuorumAndVotes(t *testing.T) {
	t.Parallel()
	m := Meeting{}
	for _, r := range []string{"finance_partner", "risk_validator", "it_owner", "hr_partner", "journey_owner"} {
		m.Seats = append(m.Seats, Seat{Role: r, Person: r, Seat: "member", Vote: true, Present: true})
	}
	if m.Quorum() == nil {
		t.Error("a quorum without the chair")
	}
	m.Seats[1].Seat = "chair"
	if err := m.Quorum(); err != nil {
		t.Error(err)
	}
	m.Seats[0].Present = false
	if m.Quorum() == nil {
		t.Error("a quorum without finance, of four")
	}
	for v, want := range map[[2]int]bool{{3, 2}: true, {2, 2}: false, {0, 0}: false, {2, 3}: false} {
		if got := (Votes{For: v[0], Against: v[1]}).Carried(); got != want {
			t.Errorf("%v: %v", v, got)
		}
	}
	if !(Votes{For: 2, Against: 2, ChairFor: true}).Carried() {
		t.Error("the chair does not break a tie")
	}
}
