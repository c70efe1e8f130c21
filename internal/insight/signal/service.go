package signal

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"omote/analytics/spc"
	"omote/internal/insight/metric"
	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/jobs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// JobKind is the name of the job that looks for signals.
const JobKind = "insight.signal"

// MaxReason bounds what people write, in characters.
const MaxReason = 1000

// Ask is what an initiative needs that begins with a signal.
type Ask struct {
	Signal  string // id
	Href    string // of the signal's page
	Unit    string // path: where it runs
	Title   metric.Text
	Why     string
	Metric  string // that changed
	Name    metric.Text
	Owner   string // role that answers for the measure
	Journey string
	Days    int
	Units   int
}

// Initiatives begins initiatives. One that a signal has begun already is given back.
type Initiatives interface {
	Begin(ctx context.Context, a Ask) (id, href string, err error)
}

// Deps are what the service needs of others.
type Deps struct {
	Store       *store.DB
	Metrics     *metric.Service
	Facts       metric.Facts
	Zone        *time.Location // in which days are cut
	Chains      []Chain
	Approvals   *approval.Service
	Initiatives Initiatives
}

// Service looks for signals and keeps what people do with them. It is safe for
// concurrent use.
type Service struct {
	db          *store.DB
	metrics     *metric.Service
	facts       metric.Facts
	zone        *time.Location
	chains      []Chain
	approvals   *approval.Service
	initiatives Initiatives

	// scan is the last reading of all series, for back-tests.
	mu   sync.Mutex
	scan *scan
}

// NewService makes the service and registers its proposals.
func NewService(d Deps) *Service {
	s := &Service{db: d.Store, metrics: d.Metrics, facts: d.Facts, zone: d.Zone, chains: d.Chains, approvals: d.Approvals, initiatives: d.Initiatives}
	d.Approvals.Register(approval.Kind{Name: ruleKind, Permission: PermApprove, Approved: s.ruleApproved, Closed: s.ruleClosed})
	return s
}

// Run is the record of one run.
type Run struct {
	At      time.Time `json:"at"`
	Rule    int       `json:"rule"`
	Metrics int       `json:"metrics"` // measures watched
	Series  int       `json:"series"`
	Found   int       `json:"found"` // changes beyond noise
	Opened  int       `json:"opened"`
	Closed  int       `json:"closed"`
	Updated int       `json:"updated"`
	Seconds float64   `json:"seconds"`
}

// scan is one reading of all series.
type scan struct {
	at       time.Time
	measures []*watched
	series   []series
}

// take reads every series of the bank.
func (s *Service) take(ctx context.Context, say func(done, total int)) (*scan, error) {
	u, err := s.readUnits(ctx)
	if err != nil {
		return nil, err
	}
	out := &scan{at: s.db.Clock().Now()}
	if out.measures, err = s.read(ctx, u, say); err != nil {
		return nil, err
	}
	until := metric.DateIn(out.at, s.zone).Time()
	for _, w := range out.measures {
		out.series = append(out.series, w.split(u, until)...)
	}
	return out, nil
}

// wholeBank refuses readers of a part of the bank: series are compared with one
// another over all of it.
func wholeBank(ctx context.Context) error {
	if s, ok := scope.From(ctx); !ok || s.Unit != scope.Root {
		return errs.Denied("insight.signal.error.place", "signals are looked for over the whole bank")
	}
	return nil
}

// Look looks for signals over the whole bank: opens new ones, brings the others up
// to date, and closes those that ended by themselves.
func (s *Service) Look(ctx context.Context, say func(done, total int)) (run Run, err error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return run, err
	}
	if err := wholeBank(ctx); err != nil {
		return run, err
	}
	if say == nil {
		say = func(int, int) {}
	}
	started := time.Now()
	rule, err := s.rule(ctx)
	if err != nil {
		return run, err
	}
	taken, err := s.take(ctx, say)
	if err != nil {
		return run, err
	}
	found, results := judge(taken.series, rule.Body)
	l := &look{Service: s, rule: rule, scan: taken, results: results, now: taken.at, found: found}
	if err := s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		l.known, err = all(ctx, tx)
		return err
	}); err != nil {
		return run, err
	}
	if err := l.decide(ctx); err != nil {
		return run, err
	}
	run = Run{At: taken.at, Rule: rule.Version, Metrics: len(taken.measures), Series: len(taken.series), Found: len(found)}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		run.Opened, run.Closed, run.Updated = 0, 0, 0
		if err := l.keep(ctx, tx, &run); err != nil {
			return err
		}
		run.Seconds = time.Since(started).Seconds()
		return addRun(ctx, tx, run)
	})
	if err == nil {
		s.mu.Lock()
		s.scan = taken
		s.mu.Unlock()
	}
	return run, err
}

// Job is Look as a job.
func (s *Service) Job(ctx context.Context, run *jobs.Run) error {
	done, err := s.Look(ctx, func(done, total int) {
		_ = run.Progress(ctx, jobs.Progress{Done: int64(done), Total: int64(total)}) // progress is only for watching
	})
	if err != nil {
		return err
	}
	return run.SetResult(done)
}

// look is a run at work.
type look struct {
	*Service
	rule    *RuleVersion
	scan    *scan
	results []spc.Result
	now     time.Time
	found   []Finding
	known   []*Signal

	open   []*Signal
	change []change
}

// change is what a run does to a signal that was there.
type change struct {
	signal *Signal
	what   string // close, settle, "" for figures alone
	note   string
}

// decide works out what the run will write, with all queries it takes.
func (l *look) decide(ctx context.Context) error {
	for _, s := range l.known {
		l.follow(s)
	}
	var admitted []Finding
	for i := range l.found {
		if f := &l.found[i]; l.rule.Body.Admits(f, l.now) {
			admitted = append(admitted, *f)
		}
	}
	for _, e := range episodes(admitted, func(f *Finding) bool { return l.of(f) != nil }) {
		if l.of(&e.Lead) != nil {
			continue
		}
		s, err := l.signal(ctx, e)
		if err != nil {
			return err
		}
		if s.Body.Customers >= l.rule.Body.Reach {
			l.open = append(l.open, s)
		}
	}
	return nil
}

// of gives the signal whose episode a finding continues, nil when it is new.
func (l *look) of(f *Finding) *Signal {
	i := slices.IndexFunc(l.known, func(s *Signal) bool { return s.Body.sameEpisode(f, l.now) })
	if i < 0 {
		return nil
	}
	return l.known[i]
}

// follow brings a signal that has not ended up to date.
func (l *look) follow(s *Signal) {
	if s.State == Closed {
		return
	}
	at := slices.IndexFunc(l.scan.series, func(x series) bool { return x.of.def.ID == s.Body.Metric && x.place.Same(s.Body.Place) })
	if at < 0 {
		return // not watched today: stale, or too few
	}
	c := change{signal: s}
	i := slices.IndexFunc(l.found, func(f Finding) bool { return s.Body.sameEpisode(&f, l.now) })
	switch {
	case i < 0 && s.State.Waits():
		s.State, c.what, c.note = Closed, "close", "revised"
		l.change = append(l.change, c)
		return
	case i < 0:
		return
	}
	f, before := l.found[i], s.Body.Outcome
	onset := s.Body.Onset
	if !f.Onset.Equal(onset) { // a signal keeps the onset it was opened with within its interval
		f.OnsetLow, f.OnsetHigh = earlier(f.OnsetLow, s.Body.OnsetLow), later(f.OnsetHigh, s.Body.OnsetHigh)
	}
	s.Body.Finding = f
	l.fill(&s.Body, at)
	switch {
	case (f.Outcome == Returned || f.Outcome == Superseded) && s.State.Waits():
		s.State, c.what, c.note = Closed, "close", f.Outcome
	case f.Outcome != before && f.Outcome != StillOpen:
		c.what, c.note = "settle", f.Outcome
	}
	s.Worth = worthNumber(s.Body.Value)
	l.change = append(l.change, c)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// signal makes the signal of a new episode.
func (l *look) signal(ctx context.Context, e Episode) (*Signal, error) {
	at := slices.IndexFunc(l.scan.series, func(x series) bool { return x.of.def.ID == e.Lead.Metric && x.place.Same(e.Lead.Place) })
	s := &Signal{Unit: e.Lead.Place.unitOf(), State: Open, Opened: l.now, Changed: l.now, Body: Body{Finding: e.Lead, Rule: l.rule.Version}}
	for _, f := range e.Also {
		s.Body.Also = append(s.Body.Also, Also{Place: f.Place, Before: f.Before, After: f.After})
	}
	l.fill(&s.Body, at)
	s.Worth = worthNumber(s.Body.Value)
	if e.Lead.Outcome == Returned || e.Lead.Outcome == Superseded {
		s.State = Closed
	}
	reach, err := l.metrics.Reach(ctx, e.Lead.Metric, e.Lead.Version, l.period(&e.Lead), e.Lead.Place.Where())
	s.Body.Customers = reach.Customers
	return s, err
}

// period is that of an episode.
func (s *Service) period(f *Finding) metric.Period {
	now := s.db.Clock().Now()
	p := metric.Period{From: metric.DateIn(f.Onset, time.UTC), To: metric.DateIn(now, s.zone)}
	if !f.Ended.IsZero() {
		p.To = metric.DateIn(f.Ended, time.UTC)
	}
	if !p.From.Before(p.To) {
		p.To = p.From.AddDays(1)
	}
	return p
}

// fill computes what a signal shows beside its finding.
func (l *look) fill(b *Body, at int) {
	s := &l.scan.series[at]
	d := &s.of.def
	b.Name, b.Unit, b.Kind, b.Better, b.Owner, b.Journey, b.Fresh = d.Name, d.Unit, d.Kind, d.Direction, d.Owner, d.Journey, l.now
	b.Points = s.chart(&l.results[at], &b.Finding)
	b.Tree = s.of.grow(&b.Finding, metric.DateIn(l.now, l.zone).Time())
	b.Value = worthOf(chainOf(l.chains, d), d, &b.Finding, l.now)
}

func worthNumber(w *Worth) int64 {
	if w == nil {
		return 0
	}
	return max(0, w.Mid)
}

// keep writes what the run decided.
func (l *look) keep(ctx context.Context, tx store.Tx, run *Run) error {
	for _, c := range l.change {
		switch err := save(ctx, tx, c.signal); errs.KindOf(err) {
		case errs.KindConflict:
			continue // somebody acts on it just now; the next run brings it up to date
		default:
			if err != nil {
				return err
			}
		}
		run.Updated++
		if c.what == "" {
			continue
		}
		if c.what == "close" {
			run.Closed++
		}
		if err := l.record(ctx, tx, c.signal, c.what, c.note); err != nil {
			return err
		}
	}
	for _, s := range l.open {
		copied := *s
		added, err := insert(ctx, tx, &copied)
		if err != nil {
			return err
		}
		if !added {
			continue
		}
		run.Opened++
		if err := l.record(ctx, tx, &copied, "open", ""); err != nil {
			return err
		}
		if copied.State == Closed {
			run.Closed++
			if err := l.record(ctx, tx, &copied, "close", copied.Body.Outcome); err != nil {
				return err
			}
		}
	}
	return nil
}

// record keeps a step in the signal's trail and in the audit trail.
func (s *Service) record(ctx context.Context, tx store.Tx, sig *Signal, what, text string) error {
	if err := note(ctx, tx, sig.ID, what, text); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "insight.signal." + what, Object: "signal/" + sig.ID, Reason: text,
		After: map[string]any{"state": sig.State, "metric": sig.Body.Metric, "place": sig.Body.Place.Value, "initiative": sig.Body.Initiative}})
}

// List gives the signals of the reader's place and below in the given states, none
// for all, dearest first.
func (s *Service) List(ctx context.Context, states ...State) (out []*Signal, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = all(ctx, tx, states...)
		return err
	})
	return out, err
}

// Get gives one signal with its trail, oldest first.
func (s *Service) Get(ctx context.Context, id string) (sig *Signal, events []Event, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if sig, err = one(ctx, tx, id); err != nil {
			return err
		}
		events, err = trail(ctx, tx, id)
		return err
	})
	return sig, events, err
}

// Review is how signals were dealt with.
type Review struct {
	Judged int64     // people decided: work or noise
	Noise  int64     // of them, explained as noise
	Days   []float64 // from being opened to being taken up
}

// Review gives how the signals of the reader's place were dealt with.
func (s *Service) Review(ctx context.Context) (r Review, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return r, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		r = Review{}
		list, err := all(ctx, tx)
		if err != nil {
			return err
		}
		first, err := taken(ctx, tx)
		if err != nil {
			return err
		}
		for _, sig := range list {
			if sig.State == Noise || sig.State == Work {
				r.Judged++
			}
			if sig.State == Noise {
				r.Noise++
			}
			if at, ok := first[sig.ID]; ok {
				r.Days = append(r.Days, at.Sub(sig.Opened).Hours()/24)
			}
		}
		return nil
	})
	return r, err
}

// LastRun gives the record of the last run, and false when there was none.
func (s *Service) LastRun(ctx context.Context) (run Run, ok bool, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return run, false, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		run, ok, err = lastRun(ctx, tx)
		return err
	})
	return run, ok, err
}

// act changes a signal that the actor may act on, and keeps the step.
func (s *Service) act(ctx context.Context, id, what, text string, fn func(tx store.Tx, sig *Signal) error) (sig *Signal, err error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(text) > MaxReason {
		return nil, errs.Invalid("insight.signal.error.reason_long", "reason", "at most %d characters", MaxReason).With("max", MaxReason)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if sig, err = one(ctx, tx, id); err != nil {
			return err
		}
		if err := auth.Require(ctx, PermEdit, sig.Unit); err != nil {
			return err
		}
		if err := fn(tx, sig); err != nil {
			return err
		}
		if err := save(ctx, tx, sig); err != nil {
			return err
		}
		return s.record(ctx, tx, sig, what, text)
	})
	return sig, err
}

func over(sig *Signal) error {
	return errs.Conflict("insight.signal.error.over", "the signal is %s already", sig.State).With("state", string(sig.State))
}

// Acknowledge says that the actor looks at the signal.
func (s *Service) Acknowledge(ctx context.Context, id, text string) (*Signal, error) {
	return s.act(ctx, id, "acknowledge", strings.TrimSpace(text), func(tx store.Tx, sig *Signal) error {
		if sig.State != Open {
			return over(sig)
		}
		sig.State, sig.Body.By = Taken, tx.Scope.Actor
		return nil
	})
}

// Explain says that the signal is noise, and why: a false alarm of the rule that
// raised it. Also a signal that ended by itself can be explained.
func (s *Service) Explain(ctx context.Context, id, reason string) (*Signal, error) {
	if reason = strings.TrimSpace(reason); reason == "" {
		return nil, errs.Invalid("insight.signal.error.reason", "reason", "say why it is noise")
	}
	return s.act(ctx, id, "noise", reason, func(tx store.Tx, sig *Signal) error {
		if sig.State == Noise || sig.State == Work {
			return over(sig)
		}
		sig.State, sig.Body.Reason, sig.Body.By = Noise, reason, tx.Scope.Actor
		return nil
	})
}

// Turn makes the signal the work of an initiative, which the actor may begin.
func (s *Service) Turn(ctx context.Context, id string, a Ask) (*Signal, error) {
	if err := auth.Require(ctx, PermEdit, ""); err != nil {
		return nil, err
	}
	sig, _, err := s.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if sig.State == Noise || sig.State == Work {
		return nil, over(sig)
	}
	a.Signal, a.Unit, a.Metric, a.Name, a.Owner, a.Journey = id, sig.Unit, sig.Body.Metric, sig.Body.Name, sig.Body.Owner, sig.Body.Journey
	initiative, href, err := s.initiatives.Begin(ctx, a)
	if err != nil {
		return nil, err
	}
	return s.act(ctx, id, "work", initiative, func(tx store.Tx, sig *Signal) error {
		if sig.State == Noise || sig.State == Work {
			return over(sig)
		}
		sig.State, sig.Body.Initiative, sig.Body.Href, sig.Body.By = Work, initiative, href, tx.Scope.Actor
		return nil
	})
}
