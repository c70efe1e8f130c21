-- +goose Up
-- What a journey is: where it starts, when it has succeeded or failed, and after
-- how much silence it counts as abandoned. Built-in templates need no row.
CREATE TABLE journey_definition (
    entity     TEXT NOT NULL,
    journey    TEXT NOT NULL,
    body       JSONB NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (entity, journey)
);

-- +goose Down
DROP TABLE journey_definition;
