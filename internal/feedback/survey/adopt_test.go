package survey

import (
	"fmt"
	"testing"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// TestAdopt takes past askings in: they stand in results and report like own ones, once,
// and nothing follows from them.
func TestAdopt(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", nil)
		now := db.Now().Time()
		past := func() (all []Past) {
			for i := range 40 {
				in := &Invitation{CustomerID: fmt.Sprint("c", i), Cause: fmt.Sprint("old/", i), State: NotAsked, Reason: "cap_full", Probability: 0.5, Unit: []string{"b1", "b2"}[i%2], Via: "branch",
					Created: now.Add(-24 * time.Hour), Due: now.Add(-24 * time.Hour), Expires: now.Add(24 * time.Hour), System: "core", UserID: fmt.Sprint("C", i)}
				p := Past{Invitation: in}
				if i%4 == 0 {
					point := 1 + i%5
					in.State, in.Asked, in.Channel = Answered, in.Created, "sms"
					p.Response = &Response{Channel: "sms", Locale: "vi", Probability: 0.5, Unit: in.Unit, Via: in.Via, Started: in.Created, Completed: in.Created.Add(time.Minute),
						Answers: form.Answers{"tc_score": {Number: &point}, "tc_done": {Chosen: []string{"no"}}}}
				}
				all = append(all, p)
			}
			return all
		}
		n, err := b.Adopt(b.ctx, "tx_csat", past())
		must(t, err)
		again, err := b.Adopt(b.ctx, "tx_csat", past())
		must(t, err)
		if n != 10 || again != 0 {
			t.Errorf("%d responses were taken, then %d; want 10 and none", n, again)
		}
		if wrong, err := b.Recount(b.ctx, "tx_csat", false); err != nil || wrong != 0 {
			t.Errorf("%d tallies are wrong, %v", wrong, err)
		}
		r, err := b.Result(b.ctx, "tx_csat", Period{now.Add(-48 * time.Hour), now})
		must(t, err)
		if r.Done != 10 || r.Items[0].N != 10 {
			t.Errorf("results of %d, first question of %d", r.Done, r.Items[0].N)
		}
		report, err := b.Report(b.ctx, "tx_csat", now.Add(-48*time.Hour))
		must(t, err)
		if len(report.Units) != 2 || report.Units[0].Events != 20 || report.Units[0].Answered != 10 {
			t.Errorf("units %+v", report.Units)
		}
		if told, err := b.Tell(b.ctx); err != nil || told != 0 || len(b.got) != 0 || len(b.invitations(Waiting)) != 0 {
			t.Errorf("history acts: %d told, %d followed, %v", told, len(b.got), err)
		}
		bad := past()[:1]
		bad[0].Invitation.Cause, bad[0].Response.Probability = "other", 0
		if _, err := b.Adopt(b.ctx, "tx_csat", bad); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("a probability of 0: %v", err)
		}
	}, tables...)
}
