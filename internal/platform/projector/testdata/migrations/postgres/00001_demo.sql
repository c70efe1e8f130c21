-- +goose Up
CREATE TABLE demo_count (
	handler TEXT NOT NULL,
	person TEXT NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (handler, person)
);
CREATE TABLE demo_effect (
	handler TEXT NOT NULL,
	person TEXT NOT NULL,
	n BIGINT NOT NULL,
	message TEXT NOT NULL,
	entity TEXT NOT NULL,
	PRIMARY KEY (handler, person, n)
);

-- +goose Down
DROP TABLE demo_effect;
DROP TABLE demo_count;
