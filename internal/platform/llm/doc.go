// Package llm connects to a language model on the bank's own premises that
// speaks the common chat-completions protocol. It is off unless configured.
//
// Four rules stand between a text and the model, and none can be switched off:
//
//   - Only masked text leaves: every message is passed through pii.Mask first.
//   - A budget bounds requests and tokens a day; beyond it calls fail as
//     unavailable and the caller goes on without.
//   - Equal questions are answered from a cache, so that a report that is
//     opened again costs nothing and says the same.
//   - A task may act on answers only after its answers were compared with
//     people's: [Gate] demands a number of judged cases and a lower confidence
//     bound of the agreement. Until then answers are shown as suggestions.
//
// The linear models of analytics/text do the work by default; this package is
// for what they cannot do, such as drafting a summary.
package llm
