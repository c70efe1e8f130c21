-- +goose Up
CREATE TABLE idempotency_request (
	entity TEXT NOT NULL,
	actor TEXT NOT NULL,
	key TEXT NOT NULL,        -- as the client chose it
	request TEXT NOT NULL,    -- hash of method, address and body
	status BIGINT NOT NULL,   -- of the answer; 0 while it is carried out
	content_type TEXT NOT NULL,
	answer BLOB,                -- sealed
	created BIGINT NOT NULL,
	PRIMARY KEY (entity, actor, key)
);
CREATE INDEX idempotency_request_created ON idempotency_request (created);
-- +goose Down
DROP TABLE idempotency_request;
