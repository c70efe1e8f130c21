-- +goose Up
CREATE TABLE survey_version (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	version BIGINT NOT NULL,
	state TEXT NOT NULL,          -- draft, live, retired
	document TEXT NOT NULL,       -- JSON
	note TEXT NOT NULL DEFAULT '',
	origin TEXT NOT NULL DEFAULT '', -- pack:… of a shipped one
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	published BIGINT,
	PRIMARY KEY (entity, id, version)
);
CREATE TABLE survey_invitation (
	customer_id TEXT NOT NULL,    -- record that the asking is about; '' for a link to anybody
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	survey TEXT NOT NULL,
	version BIGINT NOT NULL,
	cause TEXT NOT NULL,          -- event id, round or person that started it
	state TEXT NOT NULL,          -- waiting, asked, not_asked, answered, expired
	channel TEXT NOT NULL DEFAULT '',
	probability DOUBLE PRECISION NOT NULL, -- of being asked
	unit TEXT NOT NULL DEFAULT '',
	via TEXT NOT NULL DEFAULT '', -- channel of the event
	journey TEXT NOT NULL DEFAULT '',
	product TEXT NOT NULL DEFAULT '',
	who BYTEA,                     -- encrypted: system and id there
	reason TEXT NOT NULL DEFAULT '',
	reasons TEXT NOT NULL DEFAULT '', -- JSON: every rule's word
	created BIGINT NOT NULL,
	due BIGINT NOT NULL,
	asked BIGINT,
	reminded BIGINT,
	expires BIGINT NOT NULL,
	PRIMARY KEY (customer_id, id),
	UNIQUE (customer_id, entity, survey, cause)
);
CREATE INDEX survey_invitation_survey ON survey_invitation (entity, survey, state, created);
CREATE TABLE survey_response (
	customer_id TEXT NOT NULL,    -- '' when anonymous
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	survey TEXT NOT NULL,
	version BIGINT NOT NULL,
	invitation TEXT NOT NULL DEFAULT '', -- '' when anonymous
	channel TEXT NOT NULL,
	locale TEXT NOT NULL,
	probability DOUBLE PRECISION NOT NULL,
	unit TEXT NOT NULL DEFAULT '',
	via TEXT NOT NULL DEFAULT '',
	journey TEXT NOT NULL DEFAULT '',
	product TEXT NOT NULL DEFAULT '',
	answers BYTEA,                 -- encrypted JSON
	score BIGINT,
	flags TEXT NOT NULL DEFAULT '',
	who BYTEA,                     -- encrypted: system and id there
	started BIGINT NOT NULL,      -- day only when anonymous
	updated BIGINT NOT NULL,
	completed BIGINT,
	told BOOLEAN NOT NULL DEFAULT FALSE, -- its events are in the log
	PRIMARY KEY (customer_id, id)
);
CREATE INDEX survey_response_survey ON survey_response (entity, survey, completed);
CREATE INDEX survey_response_untold ON survey_response (completed) WHERE told = FALSE AND completed IS NOT NULL;
CREATE TABLE survey_tally (
	entity TEXT NOT NULL,
	survey TEXT NOT NULL,
	item TEXT NOT NULL,           -- question; '' counts responses
	dim TEXT NOT NULL,            -- '' for all; unit, via, journey, product, channel
	value TEXT NOT NULL,
	day BIGINT NOT NULL,          -- days since 1970 in the reporting zone; for a dimension the Monday
	answer TEXT NOT NULL,         -- point or option
	n BIGINT NOT NULL,
	w DOUBLE PRECISION NOT NULL,  -- sum of inverse probabilities
	ww DOUBLE PRECISION NOT NULL, -- sum of their squares
	PRIMARY KEY (entity, survey, dim, item, day, value, answer)
);

-- +goose Down
DROP TABLE survey_tally;
DROP TABLE survey_response;
DROP TABLE survey_invitation;
DROP TABLE survey_version;
