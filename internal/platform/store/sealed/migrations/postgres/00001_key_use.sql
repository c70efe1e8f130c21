-- +goose Up
-- Which keys an index was written with: a search asks for the value under each.
CREATE TABLE sealed_key_use (
	column_name TEXT NOT NULL,
	purpose TEXT NOT NULL,
	key_id TEXT NOT NULL,
	since BIGINT NOT NULL,
	PRIMARY KEY (column_name, purpose, key_id)
);

-- +goose Down
DROP TABLE sealed_key_use;
