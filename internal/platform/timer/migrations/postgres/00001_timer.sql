-- +goose Up
CREATE TABLE timer_timer (
	entity TEXT NOT NULL,
	kind TEXT NOT NULL,
	id TEXT NOT NULL,
	due BIGINT,              -- NULL: given up after too many failures
	payload TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	error TEXT NOT NULL,     -- of the last attempt
	PRIMARY KEY (entity, kind, id)
);
CREATE INDEX timer_timer_due ON timer_timer (due);

-- +goose Down
DROP TABLE timer_timer;
