-- +goose Up
CREATE TABLE demo_thing (
	id TEXT NOT NULL PRIMARY KEY,
	entity TEXT NOT NULL,
	name TEXT,
	n BIGINT NOT NULL DEFAULT 0,
	score DOUBLE PRECISION,
	open BOOLEAN NOT NULL DEFAULT TRUE,
	secret BYTEA,
	attrs JSONB,
	at BIGINT,
	UNIQUE (entity, name)
);
CREATE INDEX demo_thing_open ON demo_thing (entity, at DESC) WHERE open;
CREATE TABLE demo_part (
	customer_id TEXT NOT NULL,
	thing_id TEXT NOT NULL REFERENCES demo_thing (id) ON DELETE CASCADE,
	no BIGINT NOT NULL,
	PRIMARY KEY (customer_id, thing_id, no)
);

-- +goose Down
DROP TABLE demo_part;
DROP TABLE demo_thing;
