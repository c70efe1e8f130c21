-- +goose Up
CREATE TABLE admin_unit (
	id TEXT NOT NULL PRIMARY KEY,
	entity TEXT NOT NULL,
	code TEXT NOT NULL,      -- '' for the entity itself
	path TEXT NOT NULL,      -- codes from the top: /north/b1/
	kind TEXT NOT NULL,      -- entity, region, unit
	name TEXT NOT NULL,
	created BIGINT NOT NULL,
	closed BIGINT,
	UNIQUE (entity, path),
	UNIQUE (entity, code)
);

-- +goose Down
DROP TABLE admin_unit;
