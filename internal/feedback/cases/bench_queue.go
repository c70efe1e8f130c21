package cases

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// QueueOptions say how many agents work on one queue; zero values take the defaults.
type QueueOptions struct {
	Dir    string        // folder for the store; default a temporary one
	Agents int           // default 5,000
	Cases  int           // free cases in the queue at the start; default 20,000
	Every  time.Duration // how often an agent takes a case; default 3 min
	Span   time.Duration // of the even part; default 20 s
}

// QueueResult is what was measured. In the rush every agent takes a case at the same
// moment, as at the start of a shift; in the even part each reads the queue, takes the
// next case and notes a contact, at random times, Every apart in the mean.
type QueueResult struct {
	Agents      int     `json:"agents"`
	RushPerS    float64 `json:"rush_takes_per_s"`
	RushP99     float64 `json:"rush_p99_ms"` // from pressing to having it, the whole crowd before oneself
	EvenPerS    float64 `json:"even_agents_per_s"`
	ListP99     float64 `json:"list_p99_ms"`
	TakeP50     float64 `json:"take_p50_ms"`
	TakeP99     float64 `json:"take_p99_ms"`
	ContactP99  float64 `json:"contact_p99_ms"`
	Taken       int     `json:"taken"`
	Twice       int     `json:"twice"`        // cases that two agents were given
	WrongOwner  int     `json:"wrong_owner"`  // cases whose owner is not who was given them
	OutOfOrder  int     `json:"out_of_order"` // cases left in the queue that were more urgent than one taken in the rush
	Errors      int     `json:"errors"`
	Cores       int     `json:"cores"`
	CasesAtOnce int     `json:"cases"`
}

// BenchQueue measures many agents on one queue, on an embedded store with the service,
// rules and tables of production.
func BenchQueue(ctx context.Context, o QueueOptions) (r QueueResult, err error) {
	if o.Agents <= 0 {
		o.Agents = 5_000
	}
	if o.Cases <= 0 {
		o.Cases = 20_000
	}
	if o.Every <= 0 {
		o.Every = 3 * time.Minute
	}
	if o.Span <= 0 {
		o.Span = 20 * time.Second
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "omote-bench"); err != nil {
			return r, err
		}
		defer os.RemoveAll(o.Dir)
	}
	b, err := newBench(ctx, BenchOptions{Dir: o.Dir})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.db.Close()) }()
	if err := b.fill(BenchOptions{Open: o.Cases}); err != nil {
		return r, err
	}
	q := &queueBench{bench: b, o: o, owner: map[string]string{}}
	r.Agents, r.CasesAtOnce, r.Cores = o.Agents, o.Cases, runtime.NumCPU()
	q.rush(&r)
	if err := q.order(&r); err != nil {
		return r, err
	}
	q.even(&r)
	r.Taken, r.Twice, r.Errors = len(q.owner), q.twice, q.errors
	return r, q.owners(&r)
}

type queueBench struct {
	*bench
	o                    QueueOptions
	mu                   sync.Mutex
	owner                map[string]string // case → agent
	twice, errors        int
	takes, lists, speaks []float64 // ms
}

// agent is somebody with the right to work on cases of the whole bank.
func (q *queueBench) agent(i int) (context.Context, string) {
	id := fmt.Sprintf("agent%05d", i)
	return auth.WithActor(context.WithoutCancel(q.ctx), auth.Actor{Kind: auth.Person, ID: id, Entity: scope.DefaultEntity, Grants: []auth.Grant{{Role: auth.Agent, Unit: scope.Root}}}), id
}

func (q *queueBench) take(ctx context.Context, me string) (id string) {
	began := time.Now()
	id, err := q.service.TakeNext(ctx)
	took := float64(time.Since(began).Microseconds()) / 1000
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case err != nil:
		q.errors++
	case id != "" && q.owner[id] != "":
		q.twice++
	case id != "":
		q.owner[id] = me
	}
	q.takes = append(q.takes, took)
	return id
}

func (q *queueBench) rush(r *QueueResult) {
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range q.o.Agents {
		ctx, me := q.agent(i)
		group.Go(func() {
			<-start
			q.take(ctx, me)
		})
	}
	began := time.Now()
	close(start)
	group.Wait()
	r.RushPerS = float64(q.o.Agents) / time.Since(began).Seconds()
	r.RushP99 = percentile(q.takes, 99)
}

// even lets agents come at random times, on average Every apart for each.
func (q *queueBench) even(r *QueueResult) {
	q.takes = nil
	random := rand.New(rand.NewPCG(1, uint64(q.o.Agents)))
	pause := q.o.Every / time.Duration(q.o.Agents)
	end := time.Now().Add(q.o.Span)
	next := time.Now()
	var group sync.WaitGroup
	n := 0
	for i := 0; ; i++ {
		next = next.Add(time.Duration(random.ExpFloat64() * float64(pause)))
		if next.After(end) {
			break
		}
		time.Sleep(time.Until(next))
		ctx, me := q.agent(i % q.o.Agents)
		n++
		group.Go(func() { q.visit(ctx, me) })
	}
	group.Wait()
	r.EvenPerS = float64(n) / q.o.Span.Seconds()
	r.TakeP50, r.TakeP99, r.ListP99, r.ContactP99 = percentile(q.takes, 50), percentile(q.takes, 99), percentile(q.lists, 99), percentile(q.speaks, 99)
}

// visit is one turn of an agent's work.
func (q *queueBench) visit(ctx context.Context, me string) {
	timed := func(into *[]float64, fn func() error) {
		began := time.Now()
		err := fn()
		took := float64(time.Since(began).Microseconds()) / 1000
		q.mu.Lock()
		defer q.mu.Unlock()
		*into = append(*into, took)
		if err != nil {
			q.errors++
		}
	}
	timed(&q.lists, func() error {
		_, err := q.service.List(ctx, Query{Limit: 50})
		return err
	})
	id := q.take(ctx, me)
	if id == "" {
		return
	}
	timed(&q.speaks, func() error {
		return q.service.RecordContact(ctx, id, Contact{Reached: true, Channel: "phone", Words: "Đã gọi lại"})
	})
}

// order counts free cases that were due before one that was taken in the rush.
func (q *queueBench) order(r *QueueResult) error {
	return q.db.Read(q.ctx, func(ctx context.Context, tx store.Tx) error {
		return tx.NewRaw("SELECT COUNT(*) FROM cases_case WHERE is_open AND owner = '' AND next_due < (SELECT MAX(next_due) FROM cases_case WHERE owner <> '')").Scan(ctx, &r.OutOfOrder)
	})
}

// owners counts cases that do not belong to whom they were given.
func (q *queueBench) owners(r *QueueResult) error {
	return q.db.Read(q.ctx, func(ctx context.Context, tx store.Tx) error {
		var rows []struct{ ID, Owner string }
		if err := tx.NewRaw("SELECT id, owner FROM cases_case WHERE owner <> ''").Scan(ctx, &rows); err != nil {
			return err
		}
		for _, c := range rows {
			if q.owner[c.ID] != c.Owner {
				r.WrongOwner++
			}
		}
		r.WrongOwner += max(0, len(q.owner)-len(rows))
		return nil
	})
}

func percentile(ms []float64, p int) float64 {
	if len(ms) == 0 {
		return 0
	}
	slices.Sort(ms)
	return ms[min(len(ms)*p/100, len(ms)-1)]
}
