-- +goose Up
CREATE TABLE jobs_job (
	id TEXT NOT NULL PRIMARY KEY,
	entity TEXT NOT NULL,
	kind TEXT NOT NULL,
	args JSON_TEXT,
	state TEXT NOT NULL,                -- queued, running, done, failed, cancelled
	due BIGINT NOT NULL,                -- when it may be taken: its time, or the end of the runner's lease
	attempts BIGINT NOT NULL DEFAULT 0, -- since the last checkpoint
	fence BIGINT NOT NULL DEFAULT 0,
	node TEXT NOT NULL DEFAULT '',
	stop BOOLEAN NOT NULL DEFAULT FALSE, -- cancellation was asked for
	unique_key TEXT,                     -- NULL once it has ended
	done BIGINT NOT NULL DEFAULT 0,
	total BIGINT NOT NULL DEFAULT 0,
	note TEXT NOT NULL DEFAULT '',
	checkpoint JSON_TEXT,
	result JSON_TEXT,
	error_key TEXT NOT NULL DEFAULT '',
	error_text TEXT NOT NULL DEFAULT '',
	actor TEXT NOT NULL,
	created BIGINT NOT NULL,
	started BIGINT,
	ended BIGINT,
	UNIQUE (entity, unique_key)
);
CREATE INDEX jobs_job_due ON jobs_job (state, due);
CREATE INDEX jobs_job_list ON jobs_job (entity, kind, id);
CREATE INDEX jobs_job_ended ON jobs_job (ended);
CREATE TABLE jobs_periodic (
	name TEXT NOT NULL PRIMARY KEY,
	due BIGINT NOT NULL,
	last BIGINT
);
CREATE TABLE jobs_lease (
	name TEXT NOT NULL PRIMARY KEY,
	owner TEXT NOT NULL,
	fence BIGINT NOT NULL,
	until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE jobs_lease;
DROP TABLE jobs_periodic;
DROP TABLE jobs_job;
