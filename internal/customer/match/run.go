package match

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"omote/analytics/linkage"
	"omote/internal/customer/identity"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// JobKind is the kind of the job that weighs all records.
const JobKind = "customer.match"

// leastRecords is how many records that state enough are needed to learn from.
const leastRecords = 300

// Result is what a run did.
type Result struct {
	Records  int     `json:"records"` // that state enough to be compared
	People   int     `json:"people"`
	Merged   int     `json:"merged"`  // customers that came together
	Waiting  int     `json:"waiting"` // pairs that a steward was asked about
	Refused  int     `json:"refused"` // joins that identity did not make: rejected, or too large
	Coverage float64 `json:"coverage"`
	Version  uint64  `json:"version"` // of the model; 0 when there were too few records to learn from
}

// Job is the kind of the job. The service is asked for when a job runs.
func Job(service func() *Service) jobs.Kind {
	return jobs.Define(JobKind, 3, func(ctx context.Context, run *jobs.Run, l Limits) error {
		res, err := service().Run(ctx, l, func(p jobs.Progress) error { return run.Progress(ctx, p) })
		if err != nil {
			return err
		}
		return run.SetResult(res)
	})
}

// Start submits a run and gives the id of its job. One runs at a time.
func (s *Service) Start(ctx context.Context, l Limits) (id string, err error) {
	if err := auth.Require(ctx, identity.PermEdit, scope.Root); err != nil {
		return "", err
	}
	if l == (Limits{}) {
		l = Default
	}
	if err := l.Validate(); err != nil {
		return "", err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		id, err = s.submit(ctx, tx, JobKind, l, jobs.Submission{Unique: JobKind + "/" + tx.Scope.Entity})
		return err
	})
	return id, err
}

// Run reads what all records of the entity state, learns, and decides about all
// likely pairs. progress may be nil.
func (s *Service) Run(ctx context.Context, l Limits, progress func(jobs.Progress) error) (res Result, err error) {
	if err := auth.Require(ctx, identity.PermEdit, scope.Root); err != nil {
		return res, err
	}
	if l == (Limits{}) {
		l = Default
	}
	if err := l.Validate(); err != nil {
		return res, err
	}
	r := &run{Service: s, limits: l, progress: progress}
	if progress == nil {
		r.progress = func(jobs.Progress) error { return nil }
	}
	defer func() {
		if err != nil { // the stream goes on with the model before
			stop := context.WithoutCancel(ctx)
			_ = s.db.Write(stop, func(ctx context.Context, tx store.Tx) error { return dropUnready(ctx, tx, tx.Scope.Entity) })
		}
	}()
	if err := r.read(ctx); err != nil {
		return r.Result, err
	}
	if r.Records < leastRecords {
		return r.Result, s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return dropUnready(ctx, tx, tx.Scope.Entity) })
	}
	for _, step := range []func(context.Context) error{r.learn, r.writeKeys, r.publish, r.join, r.ask, r.finish} {
		if err := step(ctx); err != nil {
			return r.Result, err
		}
	}
	return r.Result, nil
}

// run is one run under way.
type run struct {
	*Service
	Result
	limits   Limits
	progress func(jobs.Progress) error
	table    *linkage.Table
	ids      []string // record of each row
	cal      calibrated
	found    *linkage.Result
	model    Model
	known    *known
}

// read takes up what records state, page by page.
func (r *run) read(ctx context.Context) error {
	r.table = newTable()
	err := r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		r.model = Model{Entity: tx.Scope.Entity, At: tx.Now(), MadeBy: tx.Scope.Actor, Upper: r.limits.Upper, Lower: r.limits.Lower}
		return beginModel(ctx, tx, &r.model)
	})
	if err != nil {
		return err
	}
	for after := ""; ; {
		n := 0
		err := r.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			var err error
			if r.cal.Slope == 0 {
				if r.cal, err = calibration(ctx, tx, tx.Scope.Entity); err != nil {
					return err
				}
			}
			rows, err := traitsAfter(ctx, tx, after, 2000)
			if err != nil || len(rows) == 0 {
				return err
			}
			if err := r.box.Open(ctx, tx, &rows); err != nil {
				return err
			}
			n, after = len(rows), rows[len(rows)-1].RecordID
			for _, t := range rows {
				if row, ok := rowOf(t.Traits.Plain); ok {
					r.ids = append(r.ids, t.RecordID)
					if err := r.table.Add(0, row...); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.Records = len(r.ids)
		if n == 0 {
			return nil
		}
		if err := r.progress(jobs.Progress{Done: int64(r.Records), Note: "customer.review.reading"}); err != nil {
			return err
		}
	}
}

func (r *run) learn(ctx context.Context) error {
	if err := r.progress(jobs.Progress{Done: 0, Note: "customer.review.learning"}); err != nil {
		return err
	}
	var err error
	r.found, err = linkage.Link(ctx, r.table, linkage.Options{Seed: 1, Workers: max(1, runtime.GOMAXPROCS(0)/2),
		Threshold: r.cal.Invert(r.limits.Upper), Near: r.cal.Invert(r.limits.Lower)})
	if err != nil {
		return errs.Invalid("customer.review.error.learn", "", "records cannot be compared").Because(err)
	}
	r.People, r.Coverage = r.found.Clusters, r.found.Coverage
	r.known = &known{Model: &r.model, linkage: r.found.Model}
	return nil
}

// writeKeys makes the blind keys of all records, page by page. Those of the model
// before stay until this one is published.
func (r *run) writeKeys(ctx context.Context) error {
	c, err := r.found.Model.Compare(r.table)
	if err != nil {
		return err
	}
	holders := map[string]int{}
	for from := 0; from < len(r.ids); from += 500 {
		to := min(from+500, len(r.ids))
		err := r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			var texts, of []string
			for i := from; i < to; i++ {
				for _, t := range keyTexts(tx.Scope.Entity, r.model.Version, c.Keys(i)) {
					if holders[t] > maxHolders {
						continue
					}
					texts, of = append(texts, t), append(of, r.ids[i])
				}
			}
			if len(texts) == 0 {
				return nil
			}
			ix, err := r.box.Tokens(ctx, tx, keyColumn, texts)
			if err != nil {
				return err
			}
			rows := make([]blindKey, len(ix))
			for i := range ix {
				rows[i] = blindKey{Entity: tx.Scope.Entity, KeyIx: ix[i], RecordID: of[i], Version: r.model.Version}
			}
			tx.AfterCommit(func() {
				for _, t := range texts {
					holders[t]++
				}
			})
			return insertKeys(ctx, tx, distinctKeys(rows))
		})
		if err != nil {
			return err
		}
		if err := r.progress(jobs.Progress{Done: int64(to), Total: int64(len(r.ids)), Note: "customer.review.indexing"}); err != nil {
			return err
		}
	}
	return nil
}

// publish makes the model the one in use.
func (r *run) publish(ctx context.Context) error {
	var text strings.Builder
	if err := r.found.Model.Write(&text); err != nil {
		return err
	}
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		m := &r.model
		m.Model, m.Ready = sealedText(text.String()), true
		m.Records, m.People, m.Coverage = int64(r.Records), int64(r.People), r.Coverage
		r.Version = m.Version
		if err := r.box.Seal(ctx, tx, m); err != nil {
			return err
		}
		if err := putModel(ctx, tx, m); err != nil {
			return err
		}
		return deleteKeysBefore(ctx, tx, m.Entity, m.Version)
	})
}

// join brings together the customers of records that are of one person.
func (r *run) join(ctx context.Context) error {
	all := r.found.Joins
	for from := 0; from < len(all); from += 200 {
		some := all[from:min(from+200, len(all))]
		err := r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			var candidates []identity.Candidate
			score := map[identity.Pair]float64{}
			names := make([]string, 0, 2*len(some))
			for _, j := range some {
				names = append(names, r.ids[j.A], r.ids[j.B])
			}
			owners, err := identity.Owners(ctx, tx, names)
			if err != nil {
				return err
			}
			for _, j := range some {
				a, b := ordered(r.ids[j.A], r.ids[j.B])
				if owners[a] == owners[b] {
					continue
				}
				p := identity.Pair{A: a, B: b}
				score[p] = j.Probability
				candidates = append(candidates, identity.Candidate{Pair: p, Reason: Reason, Detail: detail(r.cal.Apply(j.Probability), r.model.Version), At: tx.Now()})
			}
			if len(candidates) == 0 {
				return nil
			}
			out, err := identity.Join(ctx, tx, candidates)
			if err != nil {
				return err
			}
			r.Merged += out.Made
			for _, f := range out.Refused {
				if f.Why != identity.RefusedConflict {
					r.Refused++
					continue
				}
				asked, err := r.pair(ctx, tx, f.RecordA, f.RecordB, min(score[identity.Pair{A: f.RecordA, B: f.RecordB}], 0.999))
				if err != nil {
					return err
				}
				if asked {
					r.Waiting++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := r.progress(jobs.Progress{Done: int64(from + len(some)), Total: int64(len(all)), Note: "customer.review.joining"}); err != nil {
			return err
		}
	}
	return nil
}

// pair asks about two records whose customers are not one.
func (r *run) pair(ctx context.Context, tx store.Tx, a, b string, score float64) (asked bool, err error) {
	sides, err := r.sides(ctx, tx, []string{a, b})
	if err != nil || len(sides) < 2 {
		return false, err
	}
	owners, err := identity.Owners(ctx, tx, []string{a, b})
	if err != nil {
		return false, err
	}
	x, y := sides[owners[a]], sides[owners[b]]
	if x == nil || y == nil || len(x.records) == 0 || len(y.records) == 0 {
		return false, nil
	}
	_, asked, err = decide(ctx, tx, x, y, a, b, score, r.known, r.cal, "run")
	return asked, err
}

// ask puts the pairs that stayed apart before a steward, the likeliest first.
func (r *run) ask(ctx context.Context) error {
	const most = 20_000
	all := r.found.Near[:min(len(r.found.Near), most)]
	for from := 0; from < len(all); from += 100 {
		some := all[from:min(from+100, len(all))]
		err := r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			for _, n := range some {
				asked, err := r.pair(ctx, tx, r.ids[n.A], r.ids[n.B], n.Probability)
				if err != nil {
					return err
				}
				if asked {
					r.Waiting++
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := r.progress(jobs.Progress{Done: int64(from + len(some)), Total: int64(len(all)), Note: "customer.review.asking"}); err != nil {
			return err
		}
	}
	return nil
}

// finish settles pairs that other evidence brought together meanwhile, and writes
// down what the run did.
func (r *run) finish(ctx context.Context) error {
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		rows, err := waitingPairs(ctx, tx, 50_000)
		if err != nil {
			return err
		}
		for from := 0; from < len(rows); from += 200 {
			some := rows[from:min(from+200, len(rows))]
			var names []string
			for _, p := range some {
				names = append(names, p.RecordA, p.RecordB)
			}
			owners, err := identity.Owners(ctx, tx, names)
			if err != nil {
				return err
			}
			for i := range some {
				if owners[some[i].RecordA] == owners[some[i].RecordB] {
					some[i].State = Settled
					if err := savePair(ctx, tx, &some[i]); err != nil {
						return err
					}
				}
			}
		}
		_, err = tx.NewRaw("UPDATE customer_match_model SET merged = ?, waiting = ? WHERE entity = ? AND version = ?", r.Merged, r.Waiting, r.model.Entity, r.model.Version).Exec(ctx)
		if err != nil {
			return fmt.Errorf("count what a run did: %w", err)
		}
		return nil
	})
}
