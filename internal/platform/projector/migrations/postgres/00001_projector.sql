-- +goose Up
CREATE TABLE projector_position (
	projector TEXT NOT NULL,
	log_partition BIGINT NOT NULL,
	position BIGINT NOT NULL,      -- sequence of the last message applied
	updated BIGINT NOT NULL,
	PRIMARY KEY (projector, log_partition)
);

CREATE TABLE projector_dead_letter (
	projector TEXT NOT NULL,
	handler TEXT NOT NULL,
	subject TEXT NOT NULL,         -- pseudonym of the record the event speaks of
	log_partition BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	idx BIGINT NOT NULL,           -- place within the message
	entity TEXT NOT NULL,
	state TEXT NOT NULL,           -- failed, waiting
	reason TEXT NOT NULL DEFAULT '',
	attempts BIGINT NOT NULL DEFAULT 0,
	event BYTEA NOT NULL,             -- encrypted
	created BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	PRIMARY KEY (projector, handler, subject, log_partition, seq, idx)
);
CREATE INDEX projector_dead_letter_failed ON projector_dead_letter (entity, projector, handler, subject) WHERE state = 'failed';

CREATE TABLE projector_import (
	entity TEXT NOT NULL,
	import TEXT NOT NULL,
	log_partition BIGINT NOT NULL,
	projector TEXT NOT NULL,
	accepted BIGINT NOT NULL,
	duplicates BIGINT NOT NULL,
	updated BIGINT NOT NULL,
	PRIMARY KEY (entity, import, projector, log_partition)
);

-- +goose Down
DROP TABLE projector_import;
DROP TABLE projector_dead_letter;
DROP TABLE projector_position;
