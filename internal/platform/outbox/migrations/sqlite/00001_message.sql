-- +goose Up
CREATE TABLE outbox_message (
	customer_id TEXT NOT NULL,   -- '' for a message to no customer
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	channel TEXT NOT NULL,
	purpose TEXT NOT NULL,       -- what consent is asked for
	idempotency_key TEXT NOT NULL,
	payload BLOB,                -- encrypted
	state TEXT NOT NULL,         -- pending, claimed, sent, failed, unknown, void
	reason TEXT NOT NULL DEFAULT '',
	due BIGINT NOT NULL,
	attempts BIGINT NOT NULL DEFAULT 0,
	fence BIGINT NOT NULL DEFAULT 0,
	claimed_by TEXT NOT NULL DEFAULT '',
	first_claim BIGINT,
	lease_until BIGINT,
	receipt TEXT NOT NULL DEFAULT '',
	created BIGINT NOT NULL,
	settled BIGINT,
	PRIMARY KEY (customer_id, id),
	UNIQUE (customer_id, idempotency_key)
);
CREATE INDEX outbox_message_due ON outbox_message (due) WHERE state = 'pending';
CREATE INDEX outbox_message_lease ON outbox_message (lease_until) WHERE state = 'claimed';
CREATE INDEX outbox_message_list ON outbox_message (entity, state, id);
CREATE INDEX outbox_message_settled ON outbox_message (settled);

-- +goose Down
DROP TABLE outbox_message;
