// Package wave runs a campaign of behaviour as a trial.
//
// A Wave names one or two observable behaviours, the branches they come to, and the
// measure of customers' experience that they should move. It is drafted by one
// person and approved by another; in the approval chance deals the branches into
// cohorts that begin some weeks apart (package rollout), and some that wait until
// the follow-up is over. Nobody chooses who begins when, and the seed is kept so
// that the order can be proved later: a reading is refused when it cannot.
//
// While it runs
//
//   - the champion of a branch checks in once a day: one tap per behaviour (CheckIn),
//   - observers watch interactions at times drawn at random, against the behaviour's
//     checklist; every fifth has a second observer who does not see the first's
//     answers (Slot, Observation),
//   - every night the effect so far is read (Reading): begun branches against those
//     that have not begun yet.
//
// Readings before the day that the design fixed are interim: shown, and no proof.
// The reading of that day is final. It may be entered in the value ledger, which
// books its lower bound. At day 120 of a cohort it is seen what remained.
//
// A branch that cannot go on drops out with a reason. It stays where it was drawn
// when the effect is read: leaving it out would undo the draw.
//
// Files: wave.go (types, design), service.go (draft, propose, draw, drop out, stop),
// checkin.go, observe.go, effect.go (readings), ledger.go, store.go (all SQL).
package wave
