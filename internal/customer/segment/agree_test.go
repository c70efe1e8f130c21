package segment

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"omote/analytics/rule"
	"omote/analytics/rule/ruletest"
	"omote/internal/platform/event"
	"omote/internal/testkit/shared"
)

// TestStreamWarehouseAndOracleAgree lets random rules run over random histories:
// facts late and out of order, in batches of any size, rules made before, amid
// and after the facts, customers merged and parted, time going on. At every stop
// the members that the stream keeps are those that SQL over the warehouse finds,
// and those that the oracle finds by reading everything.
func TestStreamWarehouseAndOracleAgree(t *testing.T) {
	t.Parallel()
	rounds := 6
	if shared.Verify() {
		rounds = 150
	}
	desks(t, func(t *testing.T, d *desk) {
		for round := range rounds {
			agree(t, d, uint64(round))
		}
	})
}

func drawRule(seed int) rule.Rule {
	return rapid.Custom(func(t *rapid.T) rule.Rule { return ruletest.Rule(t, 2) }).Example(seed)
}

func agree(t *testing.T, d *desk, seed uint64) {
	t.Helper()
	rng := newRand(seed)
	prefix := fmt.Sprintf("r%d_", seed)
	rules := map[string]rule.Rule{}
	for i := range 8 {
		r := drawRule(int(seed)*100 + i)
		rules[fmt.Sprintf("%s%d", prefix, i)] = r
	}
	ids := slices.Sorted(maps.Keys(rules))
	type told struct {
		record string
		fact   ruletest.Fact
	}
	var facts []told
	users := make([]string, 6)
	owner := map[string]string{}
	now := d.clock.Now().UnixMicro()
	var events []event.Event
	for i := range users {
		users[i] = fmt.Sprintf("%su%d", prefix, i)
		id := d.record(users[i])
		owner[id] = id
		drawn := rapid.Custom(func(t *rapid.T) []ruletest.Fact { return ruletest.Facts(t, now, "f") }).Example(int(seed)*50 + i)
		drawn = append(drawn, ruletest.Fact{At: now - int64(rng.IntN(40*24))*3_600_000_000, Name: "login"})
		for _, f := range drawn {
			if f.Name == rule.Profile {
				f.Score, f.Tag, f.Tags = 0, "", nil
			}
			facts = append(facts, told{id, f})
			events = append(events, asEvent(users[i], f))
		}
	}
	rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	made := map[string]bool{}
	step := func() {
		switch rng.IntN(6) {
		case 0:
			id := ids[rng.IntN(len(ids))]
			if !made[id] {
				made[id] = true
				d.define(id, rules[id].String())
			}
		case 1:
			a, b := d.record(users[rng.IntN(len(users))]), d.record(users[rng.IntN(len(users))])
			// A record without followers joins one that stands for itself.
			alone := true
			for r, c := range owner {
				alone = alone && (c != a || r == a)
			}
			if a != b && owner[a] == a && owner[b] == b && alone {
				owner[a] = b
				d.join(a, b)
			} else if owner[a] != a {
				owner[a] = a
				d.part(a)
			}
		case 2:
			d.catchUp()
		case 3:
			_, err := d.svc.Timer().Tick(d.ctx)
			d.must(err)
		case 4:
			if len(d.behind) == 0 {
				_, err := d.svc.Filler().Step(d.ctx)
				d.must(err)
			}
		}
	}
	for len(events) > 0 {
		n := min(len(events), 1+rng.IntN(12))
		batch := slices.Clone(events[:n])
		events = events[n:]
		d.feed(batch...)
		step()
	}
	for _, id := range ids {
		if !made[id] {
			d.define(id, rules[id].String())
		}
	}
	compare := func(stop string) {
		t.Helper()
		instant := d.clock.Now().UnixMicro()
		for _, id := range ids {
			p, err := rule.Compile(rules[id])
			d.must(err)
			said, err := answers(d.ctx, d.house, p, instant)
			d.must(err)
			stream := d.members(id)
			for _, u := range users {
				c := owner[d.record(u)]
				var of []ruletest.Fact
				for _, f := range facts {
					if owner[f.record] == c {
						of = append(of, f.fact)
					}
				}
				want := ruletest.Oracle(rules[id], of, instant)
				if said[c] != want {
					t.Fatalf("seed %d, %s: %s\ncustomer %s: SQL says %v, oracle %v\n%+v", seed, stop, rules[id], c, said[c], want, of)
				}
				if stream[c] != (want == rule.Yes) {
					t.Fatalf("seed %d, %s: %s\ncustomer %s: stream says %t, oracle %v\n%+v", seed, stop, rules[id], c, stream[c], want, of)
				}
				if own := d.record(u); owner[own] != own && stream[own] {
					t.Fatalf("seed %d: %s was merged away and is still a member", seed, own)
				}
			}
		}
	}
	for stop := range 4 {
		d.settle()
		compare(fmt.Sprint("stop ", stop))
		// Everything is live and nothing is due: what follows is the stream's alone.
		for more := range 2 {
			now := d.clock.Now().UnixMicro()
			var events []event.Event
			for i, u := range users {
				drawn := rapid.Custom(func(t *rapid.T) []ruletest.Fact { return ruletest.Facts(t, now, "f") }).Example(int(seed)*500 + stop*100 + more*10 + i)
				for _, f := range drawn {
					if f.Name == rule.Profile {
						f.Score, f.Tag, f.Tags = 0, "", nil
					}
					facts = append(facts, told{d.record(u), f})
					events = append(events, asEvent(u, f))
				}
			}
			rng.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			for part := range slices.Chunk(events, 1+rng.IntN(12)) {
				d.feed(part...)
			}
			d.catchUp()
			compare(fmt.Sprintf("stop %d, fed %d", stop, more))
		}
		d.clock.Advance(time.Duration(1+rng.IntN(40*24)) * time.Hour)
	}
	for _, id := range ids {
		d.must(d.svc.Retire(d.ctx, id, "test"))
	}
}

// asEvent makes the event that a fact came as.
func asEvent(user string, f ruletest.Fact) event.Event {
	e := event.Event{Kind: event.Track, Name: f.Name, UserID: user, At: f.At, Channel: f.Channel, Amount: f.Amount, History: rand.IntN(2) == 0}
	if f.Amount != 0 {
		e.Currency = "VND"
	}
	if f.Name == rule.Profile {
		e.Kind, e.Name = event.Identify, ""
		return e
	}
	props := map[string]any{}
	if f.Score != 0 {
		props["score"] = f.Score
	}
	if f.Tag != "" {
		props["tag"] = f.Tag
	}
	if len(f.Tags) > 0 {
		props["tags"] = f.Tags
	}
	e.Props, _ = json.Marshal(props)
	return e
}
