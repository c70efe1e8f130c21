-- +goose Up
-- What somebody proposed and somebody else must decide.
CREATE TABLE approval_request (
	id TEXT NOT NULL PRIMARY KEY,
	entity TEXT NOT NULL,
	unit TEXT NOT NULL,              -- path of the subtree it reaches
	kind TEXT NOT NULL,
	object TEXT NOT NULL,            -- kind/id of the thing
	version BIGINT NOT NULL,
	title_vi TEXT NOT NULL,
	title_en TEXT NOT NULL,
	details TEXT NOT NULL,           -- JSON: what the checker must know, in both languages
	href TEXT NOT NULL,
	payload TEXT NOT NULL,           -- what is carried out, exactly as proposed
	digest TEXT NOT NULL,            -- SHA-256 of the payload
	permission TEXT NOT NULL,        -- of the checker
	maker TEXT NOT NULL,
	proposed BIGINT NOT NULL,
	expires BIGINT NOT NULL,
	state TEXT NOT NULL,             -- waiting, approved, refused, withdrawn, expired
	checker TEXT NOT NULL DEFAULT '',
	decided BIGINT,
	reason TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX approval_request_waiting ON approval_request (entity, kind, object) WHERE state = 'waiting';
CREATE INDEX approval_request_state ON approval_request (entity, state, id);
CREATE INDEX approval_request_maker ON approval_request (entity, maker, id);
CREATE INDEX approval_request_expires ON approval_request (expires) WHERE state = 'waiting';

-- +goose Down
DROP TABLE approval_request;
