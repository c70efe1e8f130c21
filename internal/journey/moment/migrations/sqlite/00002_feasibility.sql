-- +goose Up
-- How feasible a change of a journey is, as people state it.
CREATE TABLE moment_feasibility (
    entity     TEXT NOT NULL,
    journey    TEXT NOT NULL,
    body       JSON_TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (entity, journey)
);

-- +goose Down
DROP TABLE moment_feasibility;
