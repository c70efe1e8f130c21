-- +goose Up
ALTER TABLE survey_invitation ADD COLUMN delivery TEXT NOT NULL DEFAULT '';          -- what the gateway reported: delivered, read, failed
ALTER TABLE survey_invitation ADD COLUMN followup DOUBLE PRECISION NOT NULL DEFAULT 0; -- share of those without an answer who are called; 0: not drawn
ALTER TABLE survey_invitation ADD COLUMN calls BIGINT NOT NULL DEFAULT 0;             -- attempts to call
CREATE TABLE survey_file (
	customer_id TEXT NOT NULL,
	response_id TEXT NOT NULL,
	item TEXT NOT NULL,
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	kind TEXT NOT NULL,           -- media type
	size BIGINT NOT NULL,         -- bytes
	content BYTEA,                 -- encrypted
	created BIGINT NOT NULL,
	PRIMARY KEY (customer_id, response_id, item)
);
CREATE TABLE survey_weighting (
	entity TEXT NOT NULL,
	survey TEXT NOT NULL,
	settings TEXT NOT NULL,       -- JSON: dimensions, typed margins, bound of weights
	result TEXT NOT NULL DEFAULT '', -- JSON: the last raking
	computed BIGINT,
	set_by TEXT NOT NULL,
	PRIMARY KEY (entity, survey)
);

-- +goose Down
DROP TABLE survey_weighting;
DROP TABLE survey_file;
ALTER TABLE survey_invitation DROP COLUMN calls;
ALTER TABLE survey_invitation DROP COLUMN followup;
ALTER TABLE survey_invitation DROP COLUMN delivery;
