-- +goose Up
ALTER TABLE outbox_message ADD COLUMN delivery TEXT NOT NULL DEFAULT ''; -- what the channel reported later: failed, delivered, read
ALTER TABLE outbox_message ADD COLUMN delivery_at BIGINT;
CREATE INDEX outbox_message_receipt ON outbox_message (channel, receipt) WHERE receipt <> '';
CREATE INDEX outbox_message_key ON outbox_message (channel, idempotency_key);

-- +goose Down
DROP INDEX outbox_message_key;
DROP INDEX outbox_message_receipt;
ALTER TABLE outbox_message DROP COLUMN delivery_at;
ALTER TABLE outbox_message DROP COLUMN delivery;
