// Package outbox is the only way by which a side effect leaves Omote: e-mail,
// SMS, push, webhook, task. It makes "sent once" as true as the channel allows,
// and shows as unknown what cannot be known.
//
// A message is a row, enqueued in the transaction that decided it. It then takes
// three steps:
//
//	claim   transaction: the Gate checks consent, caps and quiet hours again and
//	        reserves the cap; the row gets a lease and a higher fence
//	send    outside any transaction: the Sender of the channel, with the
//	        message's idempotency key
//	result  transaction: accepted only from the holder of the latest fence
//
// A process that dies between claim and result leaves a claim without result.
// When its lease ends, the message is sent again with the same key where the
// channel honours idempotency keys (Sender.KeyWindow), and becomes unknown where
// it does not: a person decides (Resolve). The same holds for an error that does
// not say whether the message went out; a Sender says so with Rejected or
// NotSent when it knows.
//
//	pending ─claim→ claimed ─result→ sent | failed
//	   │ ↑             │  └ no result, key not honoured → unknown ─Resolve→ sent | failed
//	   │ └─ not sent ──┘
//	   └ Void, Gate → void
//
// Void withdraws everything that is not yet claimed; a withdrawal of consent
// calls it in its own transaction.
//
// Files: message.go (types), outbox.go (enqueue, void, list), dispatch.go (the
// three steps), sender.go (what a channel is), store.go (all SQL).
// Table: outbox_message. Payloads are encrypted.
package outbox
