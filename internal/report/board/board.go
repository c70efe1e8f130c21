// Package board makes the board pack: one page, from live data, that a board can
// read in five minutes.
//
// A Pack gathers what the bank's management of customer experience has to show:
// the promises with the measures that keep them and the money beside them, signals
// that nobody has settled, decisions with how well they were foreseen, what
// campaigns did to customers, the value ledger at its lower bound, how mature the
// management is, and what is not known. It asks the services in the reader's own
// scope and shows nothing that they would not.
//
// It is a page, a print of one or two sheets of A4, and one HTML file that needs
// nothing else (Download). Permission: report.board.read.
//
// Files: board.go (Pack), pages.go, board.templ.
package board

import (
	"context"
	"embed"
	"fmt"
	"time"

	"omote/internal/governance"
	"omote/internal/governance/council"
	"omote/internal/governance/ledger"
	"omote/internal/governance/maturity"
	"omote/internal/governance/measure"
	"omote/internal/governance/strategy"
	"omote/internal/insight/signal"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/program/wave"
)

// PermRead lets one read the pack.
const PermRead auth.Permission = "report.board.read"

//go:embed locales
var localeFiles embed.FS

// Locales are the texts of the pack.
func Locales() i18n.Source { return i18n.Source{Name: "board", FS: localeFiles, Dir: "locales"} }

// Campaign is a campaign with its last reading.
type Campaign struct {
	wave.Doc
	Reading *wave.Reading
	Final   bool
}

// Pack is what the board reads.
type Pack struct {
	Made     time.Time
	Tree     strategy.Tree
	Now      map[string]measure.Reading
	Signals  []*signal.Signal // that wait or are worked on
	Record   council.Record
	Scored   []council.Doc
	Waves    []Campaign
	Ledger   ledger.Sums
	Maturity *maturity.Doc
}

// Service gathers packs.
type Service struct {
	Governance *governance.Governance
	Waves      *wave.Service
	Signals    *signal.Service
	Now        func() time.Time
}

// maxScored is how many decisions are shown.
const maxScored = 5

// Pack gathers the pack of now.
func (s Service) Pack(ctx context.Context) (p Pack, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return p, err
	}
	p.Made = s.Now()
	if p.Tree, err = s.Governance.Strategy.Tree(ctx); err != nil {
		return p, fmt.Errorf("board: strategy: %w", err)
	}
	if p.Now, err = s.Governance.Registry.Now(ctx); err != nil {
		return p, fmt.Errorf("board: measures: %w", err)
	}
	if p.Signals, err = s.Signals.List(ctx, signal.Open, signal.Taken, signal.Work); err != nil {
		return p, fmt.Errorf("board: signals: %w", err)
	}
	decisions, err := s.Governance.Council.Decisions(ctx)
	if err != nil {
		return p, fmt.Errorf("board: decisions: %w", err)
	}
	p.Record = council.Calibration(decisions)
	for k := len(decisions) - 1; k >= 0 && len(p.Scored) < maxScored; k-- {
		if o := decisions[k].Body.Outcome; o != nil && o.Known {
			p.Scored = append(p.Scored, decisions[k])
		}
	}
	waves, err := s.Waves.List(ctx)
	if err != nil {
		return p, fmt.Errorf("board: campaigns: %w", err)
	}
	for _, d := range waves {
		if d.State != wave.Drawn {
			continue
		}
		one := Campaign{Doc: d}
		all, err := s.Waves.Readings(ctx, d.ID)
		if err != nil {
			return p, fmt.Errorf("board: campaigns: %w", err)
		}
		for i := range all {
			one.Reading, one.Final = &all[i], one.Final || all[i].Final
		}
		p.Waves = append(p.Waves, one)
	}
	lines, err := s.Governance.Ledger.List(ctx)
	if err != nil {
		return p, fmt.Errorf("board: ledger: %w", err)
	}
	p.Ledger = ledger.Sum(lines)
	if p.Maturity, err = s.Governance.Maturity.Latest(ctx); err != nil {
		return p, fmt.Errorf("board: maturity: %w", err)
	}
	return p, nil
}

// Promise is a promise with the measures that keep it.
type Promise struct {
	*strategy.Branch
	Measures []*strategy.Branch
}

// Promises are the promises with their measures, in the order of the tree.
func (p Pack) Promises() (out []Promise) {
	for _, b := range p.Tree.Roots {
		one := Promise{Branch: b}
		var walk func(*strategy.Branch)
		walk = func(b *strategy.Branch) {
			if b.Body.Kind == strategy.Measure {
				one.Measures = append(one.Measures, b)
			}
			for _, c := range b.Below {
				walk(c)
			}
		}
		walk(b)
		out = append(out, one)
	}
	return out
}

// Unknown counts measures of the strategy that cannot be judged now.
func (p Pack) Unknown() (n, all int) {
	for _, one := range p.Promises() {
		for _, m := range one.Measures {
			all++
			if r, ok := p.Now[m.Body.Metric]; !ok || !r.Known || r.State == "few" || r.State == "stale" {
				n++
			}
		}
	}
	return n, all
}

// Worse counts measures of the strategy that got worse beyond noise.
func (p Pack) Worse() (n int) {
	for _, one := range p.Promises() {
		for _, m := range one.Measures {
			if p.Now[m.Body.Metric].State == "worse" {
				n++
			}
		}
	}
	return n
}
