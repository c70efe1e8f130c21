package survey

import (
	"context"
	"fmt"
	"testing"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// crowd is a segment of numbered customers.
type crowd int

func (n crowd) Members(_ context.Context, _ store.Tx, _, after string, limit int) (out []string, err error) {
	for i := range int(n) {
		if id := fmt.Sprintf("m%05d", i); id > after && len(out) < limit {
			out = append(out, id)
		}
	}
	return out, nil
}

// TestRounds asks every member of a segment once a round, in steps, with the share that
// was asked for, and again when the next round comes.
func TestRounds(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		const people = roundBatch + 50
		b.Members = crowd(people)
		d := b.publish("rel_nps", func(d *form.Document) {
			d.Asking.Sample, d.Asking.Delay, d.Asking.Every, d.Asking.Audience = 0.1, time.Hour, 30*24*time.Hour, "active"
		})
		must(t, d.Validate())
		must(t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error { return b.startRound(ctx, tx, "rel_nps", tx.Now().Time()) }))
		b.fire()
		drawn, rest := len(b.invitations(Waiting)), len(b.invitations(NotAsked))
		if drawn+rest != people || drawn < people/20 || drawn > people/5 {
			t.Fatalf("%d drawn, %d not, of %d", drawn, rest, people)
		}
		b.fire()
		if n := len(b.invitations(NotAsked)); n != rest {
			t.Errorf("the round ran again at once: %d", n)
		}
		testkit.Clock(db).Advance(31 * 24 * time.Hour)
		b.fire()
		if n := len(b.invitations(NotAsked)); n <= rest {
			t.Error("the next round did not come")
		}
	}, tables...)
}

// TestEntry asks who entered a segment, once for each entry.
func TestEntry(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) {
			d.Asking.Sample, d.Asking.Delay, d.Asking.Events, d.Asking.Segments = 1, 0, nil, []string{"at_risk"}
		})
		must(t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
			all := []Entry{{"c1", "at_risk"}, {"c2", "active"}}
			if err := b.Entered(ctx, tx, all); err != nil {
				return err
			}
			return b.Entered(ctx, tx, all)
		}))
		b.fire()
		if got := b.invitations(Asked); len(got) != 1 || got[0].CustomerID != "c1" {
			t.Errorf("asked %+v", got)
		}
	}, tables...)
}

// TestShares draws with the share of the event's unit and keeps it as the probability.
func TestShares(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) {
			d.Asking.Sample, d.Asking.Delay = 0, 0
			d.Asking.Shares = []form.Share{{Dim: "unit", Value: "B1", Share: 1}}
		})
		for n := range 10 {
			b.feed(b.happened(n))
		}
		for _, in := range b.invitations(Waiting) {
			if in.Unit != "B1" || in.Probability != 1 {
				t.Errorf("%s with probability %v", in.Unit, in.Probability)
			}
		}
		if w, n := len(b.invitations(Waiting)), len(b.invitations(NotAsked)); w != 5 || n != 5 {
			t.Errorf("%d drawn, %d not", w, n)
		}
	}, tables...)
}

// TestFollowUp ends invitations in time, calls a share of the silent, weights their
// answers by it, and leaves those alone who answered or were not drawn.
func TestFollowUp(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) {
			d.Asking.Sample, d.Asking.Delay, d.Asking.ValidFor, d.Asking.FollowUp, d.Asking.Remind = 1, 0, 24*time.Hour, 0.5, 0
		})
		const people = 40
		for n := range people {
			b.feed(b.happened(n))
		}
		b.fire()
		asked := b.invitations(Asked)
		if len(asked) != people {
			t.Fatalf("%d asked", len(asked))
		}
		must(t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
			return b.Delivered(ctx, tx, asked[1].CustomerID, asked[1].ID+"/2", "delivered")
		}))
		silent := b.token(asked[0])
		answer := func(token string) *Response {
			t.Helper()
			v, err := b.Begin(b.ctx, token, "")
			must(t, err)
			for it := v.Version.Document.Next(v.Seed(), v.Answers()); it != nil; it = v.Version.Document.Next(v.Seed(), v.Answers()) {
				in := form.Map{it.ID: {"4"}}
				switch {
				case it.Type == form.YesNo:
					in = form.Map{it.ID: {"yes"}}
				case len(it.Options) > 0:
					in = form.Map{it.ID: {it.Options[0].ID}}
				case it.Type == form.Words:
					in = form.Map{it.ID: {"Nhân viên hướng dẫn rất tận tình, cảm ơn"}}
				}
				v, err = b.Answer(b.ctx, token, "", it.ID, "vi", in)
				must(t, err)
			}
			return v.Response
		}
		if r := answer(b.token(asked[1])); r.Probability != 1 || len(r.Flags) > 1 {
			t.Errorf("answered with %v, %v", r.Probability, r.Flags)
		}
		testkit.Clock(db).Advance(25 * time.Hour)
		b.fire()
		calls, err := b.Calls(b.ctx, "tx_csat", 100)
		must(t, err)
		ended := len(b.invitations(Expired))
		if len(calls)+ended != people-1 || len(calls) < people/5 || ended < people/5 {
			t.Fatalf("%d to call, %d ended, of %d", len(calls), ended, people-1)
		}
		_ = silent
		call, err := b.StartCall(b.ctx, "tx_csat", calls[0].CustomerID, calls[0].ID)
		must(t, err)
		r := answer(call.Address[len("https://bank.example/s/"):])
		if r.Probability != 0.5 || r.Channel != CallChannel {
			t.Errorf("a called answer counts with %v on %s", r.Probability, r.Channel)
		}
		if len(r.Flags) == 0 || r.Flags[len(r.Flags)-1] != Duplicate {
			t.Logf("flags %v: the other was a day before", r.Flags)
		}
		for n := range maxCalls {
			must(t, b.NotReached(b.ctx, "tx_csat", calls[1].CustomerID, calls[1].ID, false))
			testkit.Clock(db).Advance(callAgain)
			_ = n
		}
		if err := b.NotReached(b.ctx, "tx_csat", calls[1].CustomerID, calls[1].ID, false); err == nil {
			t.Error("called without end")
		}
		must(t, b.NotReached(b.ctx, "tx_csat", calls[2].CustomerID, calls[2].ID, true))
		left, err := b.Calls(b.ctx, "tx_csat", 100)
		must(t, err)
		if len(left) != len(calls)-3 {
			t.Errorf("%d of %d are still to be called", len(left), len(calls))
		}
		silentBy, err := b.Silent(b.ctx, "tx_csat", "unit", time.Time{})
		must(t, err)
		if len(silentBy) != 2 || silentBy[0].Delivered+silentBy[1].Delivered != 1 || silentBy[0].Answered+silentBy[1].Answered != 2 {
			t.Errorf("%+v", silentBy)
		}
	}, tables...)
}

// TestDuplicateWords flags the second of two responses with the same words.
func TestDuplicateWords(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) {
			d.Asking.Sample, d.Asking.Delay = 1, 0
			d.Items = []form.Item{*d.Item("tc_score"), {ID: "tc_text", Type: form.Words, Text: form.Text{VI: "Vì sao?", EN: "Why?"}}}
			d.Reactions = nil
		})
		for n := range 3 {
			b.feed(b.happened(n))
		}
		b.fire()
		words := []string{"Chờ quá lâu, không ai giải thích", "  chờ quá lâu,  không ai GIẢI thích ", "Ổn"}
		for n, in := range b.invitations(Asked) {
			token := b.token(in)
			_, err := b.Answer(b.ctx, token, "", "tc_score", "vi", value("tc_score", "2"))
			must(t, err)
			v, err := b.Answer(b.ctx, token, "", "tc_text", "vi", value("tc_text", words[n]))
			must(t, err)
			if flagged := len(v.Response.Flags) > 0 && v.Response.Flags[0] == Duplicate; flagged != (n == 1) {
				t.Errorf("response %d has the flags %v", n, v.Response.Flags)
			}
		}
		counts, err := b.Flagged(b.ctx, "tx_csat", time.Time{})
		if err != nil || counts[Duplicate] != 1 {
			t.Errorf("%v, %v", counts, err)
		}
	}, tables...)
}
