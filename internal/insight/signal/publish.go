package signal

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"omote/internal/platform/approval"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
)

// ruleKind is the kind of proposal of a rule, and ruleObject its one object.
const (
	ruleKind   = "insight.signal_rule"
	ruleObject = "signal_rule/bank"
)

// BuiltIn is the reason of the rule that came with the program.
const BuiltIn = "built in"

// scanLife is how long a reading of all series serves back-tests.
const scanLife = 15 * time.Minute

// shortDays: an episode of a back-test that returned within them is counted apart.
const shortDays = 7

// testedLines bounds the episodes that a back-test lists.
const testedLines = 60

// Install puts the built-in rule into force where the bank has none.
func (s *Service) Install(ctx context.Context) error {
	if err := auth.Require(ctx, PermApprove, ""); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		past, err := rules(ctx, tx)
		if err != nil || len(past) > 0 {
			return err
		}
		return addRule(ctx, tx, &RuleVersion{Version: 1, Status: Live, Body: DefaultRule(), Reason: BuiltIn, CreatedAt: tx.Now().Time(), CreatedBy: tx.Scope.Actor})
	})
}

// Rules gives all versions of the rule, newest first, each with how many signals it
// opened and how many of them people explained as noise.
func (s *Service) Rules(ctx context.Context) (out []*RuleVersion, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = rules(ctx, tx)
		return err
	})
	return out, err
}

// rule gives the version in force.
func (s *Service) rule(ctx context.Context) (*RuleVersion, error) {
	all, err := s.Rules(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(v *RuleVersion) bool { return v.Status == Live })
	if i < 0 {
		return nil, errs.NotFound("insight.signal.error.rule", "no rule of signals is in force")
	}
	return all[i], nil
}

// BackTest says what a rule would have raised over its days, by what was known on
// each of them. Reach is counted in cases there, which are never fewer than
// customers.
func (s *Service) BackTest(ctx context.Context, r Rule) (Tested, error) {
	if err := auth.Require(ctx, PermEdit, scope.Root); err != nil {
		return Tested{}, err
	}
	if err := wholeBank(ctx); err != nil {
		return Tested{}, err
	}
	if err := r.Validate(); err != nil {
		return Tested{}, err
	}
	taken, err := s.recent(ctx)
	if err != nil {
		return Tested{}, err
	}
	found, _ := judge(taken.series, r)
	since := taken.at.AddDate(0, 0, -r.Days)
	out := Tested{At: taken.at, Days: r.Days, Series: len(taken.series)}
	var admitted []Finding
	for i := range found {
		f := &found[i]
		if !f.Detected.Before(since) {
			out.Found++
		}
		if r.Admits(f, taken.at) {
			admitted = append(admitted, *f)
		}
	}
	for _, e := range episodes(admitted, func(*Finding) bool { return false }) {
		f := e.Lead
		out.Raised++
		if f.Outcome == Returned && f.Ended.Sub(f.Onset) <= shortDays*24*time.Hour {
			out.Short++
		}
		out.List = append(out.List, TestedLine{Metric: f.Metric, Place: f.Place, Detected: f.Detected, Before: f.Before, After: f.After, Outcome: f.Outcome})
	}
	slices.SortFunc(out.List, func(a, b TestedLine) int {
		return cmp.Or(b.Detected.Compare(a.Detected), cmp.Compare(a.Metric, b.Metric))
	})
	out.List = out.List[:min(len(out.List), testedLines)]
	return out, nil
}

// recent gives a reading of all series that is not old.
func (s *Service) recent(ctx context.Context) (*scan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scan != nil && s.db.Clock().Now().Sub(s.scan.at) < scanLife {
		return s.scan, nil
	}
	taken, err := s.take(ctx, func(int, int) {})
	if err != nil {
		return nil, err
	}
	s.scan = taken
	return taken, nil
}

// Propose puts a new rule forward with its back-test; another person puts it into
// force.
func (s *Service) Propose(ctx context.Context, r Rule, reason string) (q approval.Request, err error) {
	tested, err := s.BackTest(ctx, r)
	if err != nil {
		return q, err
	}
	if reason = strings.TrimSpace(reason); reason == "" || utf8.RuneCountInString(reason) > MaxReason {
		return q, errs.Invalid("insight.signal.error.reason", "reason", "say why, in at most %d characters", MaxReason)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		past, err := rules(ctx, tx)
		if err != nil {
			return err
		}
		v := &RuleVersion{Version: 1, Status: Proposed, Body: r, Reason: reason, Tested: tested, CreatedAt: tx.Now().Time(), CreatedBy: tx.Scope.Actor}
		var live *RuleVersion
		for _, p := range past {
			v.Version = max(v.Version, p.Version+1)
			if p.Status == Live {
				live = p
			}
		}
		if live != nil && live.Body == r {
			return errs.Conflict("insight.signal.error.unchanged", "the rule in force says the same")
		}
		if err := addRule(ctx, tx, v); err != nil {
			return err
		}
		q, err = s.approvals.Propose(ctx, tx, approval.Proposal{Kind: ruleKind, Object: ruleObject, Version: v.Version, Href: "/insight/signals/rule", Unit: scope.Root,
			Title:   approval.Text{EN: fmt.Sprintf("Rule of signals, version %d", v.Version), VI: fmt.Sprintf("Quy tắc tín hiệu, bản %d", v.Version)},
			Details: details(v, live), Payload: v.Version})
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "insight.signal_rule.propose", Object: fmt.Sprintf("signal_rule/%d", v.Version), Reason: reason, After: r})
	})
	return q, err
}

// details tell the checker what changes and what the back-test found.
func details(v, live *RuleVersion) (out []approval.Text) {
	add := func(vi, en string, args ...any) {
		out = append(out, approval.Text{VI: fmt.Sprintf(vi, args...), EN: fmt.Sprintf(en, args...)})
	}
	if live != nil {
		a, b := live.Body, v.Body
		if a.Limit != b.Limit {
			add("Mức lệch tối thiểu: %g → %g độ lệch chuẩn", "Limit: %g → %g standard deviations", a.Limit, b.Limit)
		}
		if a.Persist != b.Persist {
			add("Kéo dài tối thiểu: %d → %d kỳ", "Persistence: %d → %d periods", a.Persist, b.Persist)
		}
		if a.Reach != b.Reach {
			add("Số khách tối thiểu: %d → %d", "Reach: %d → %d customers", a.Reach, b.Reach)
		}
		if a.Share != b.Share {
			add("Tỷ lệ báo sai cho phép: %g%% → %g%%", "False share allowed: %g%% → %g%%", 100*a.Share, 100*b.Share)
		}
		if a.PerThousand != b.PerThousand {
			add("Báo sai trên 1.000 kỳ: %g → %g", "False per 1,000 periods: %g → %g", a.PerThousand, b.PerThousand)
		}
		if a.Both != b.Both || a.Days != b.Days {
			add("Báo cả khi tốt lên: %t → %t; nhìn lại %d → %d ngày", "Improvements too: %t → %t; looks back %d → %d days", a.Both, b.Both, a.Days, b.Days)
		}
		add("Bản đang dùng: %d tín hiệu, %d báo sai", "The rule in force: %d signals, %d false alarms", live.Opened, live.FalseAlarms)
	}
	t := v.Tested
	add("Thử lại %d ngày qua: %d thay đổi, %d thành tín hiệu, %d trong đó trở lại trong một tuần", "Back-test of %d days: %d changes, %d become signals, %d of them returned within a week",
		t.Days, t.Found, t.Raised, t.Short)
	return out
}

// ruleApproved puts a proposed rule into force.
func (s *Service) ruleApproved(ctx context.Context, tx store.Tx, r approval.Request) error {
	past, err := rules(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range past {
		if p.Status == Live {
			if err := setRule(ctx, tx, p.Version, Retired); err != nil {
				return err
			}
		}
	}
	return s.settleRule(ctx, tx, r, Live)
}

// ruleClosed takes note that a proposed rule was refused, withdrawn or expired.
func (s *Service) ruleClosed(ctx context.Context, tx store.Tx, r approval.Request) error {
	return s.settleRule(ctx, tx, r, Refused)
}

func (s *Service) settleRule(ctx context.Context, tx store.Tx, r approval.Request, to Status) error {
	var version int
	if err := r.Decode(&version); err != nil {
		return err
	}
	if err := setRule(ctx, tx, version, to); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{Action: "insight.signal_rule." + string(to), Object: fmt.Sprintf("signal_rule/%d", version), Reason: r.Reason})
}
