-- +goose Up
-- One test of everything at once. The newest is what the pages show.
CREATE TABLE moment_run (
    entity    TEXT NOT NULL,
    tested_at BIGINT NOT NULL,
    body      JSONB NOT NULL,
    PRIMARY KEY (entity, tested_at)
);

-- What each test said of each hypothesis: the history of a moment of truth.
CREATE TABLE moment_finding (
    entity    TEXT NOT NULL,
    journey   TEXT NOT NULL,
    step      TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    tested_at BIGINT NOT NULL,
    verdict   TEXT NOT NULL,
    body      JSONB NOT NULL,
    PRIMARY KEY (entity, journey, step, outcome, tested_at)
);

CREATE INDEX moment_finding_at ON moment_finding (entity, tested_at);

-- The pains and curves of the newest test.
CREATE TABLE moment_pain (
    entity  TEXT NOT NULL,
    id      TEXT NOT NULL,
    journey TEXT NOT NULL,
    place   BIGINT NOT NULL,
    body    JSONB NOT NULL,
    PRIMARY KEY (entity, id)
);

CREATE TABLE moment_curve (
    entity  TEXT NOT NULL,
    journey TEXT NOT NULL,
    body    JSONB NOT NULL,
    PRIMARY KEY (entity, journey)
);

-- What a loss is worth, as the bank states it.
CREATE TABLE moment_worth (
    entity     TEXT NOT NULL PRIMARY KEY,
    body       JSONB NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);

-- +goose Down
DROP TABLE moment_worth;
DROP TABLE moment_curve;
DROP TABLE moment_pain;
DROP TABLE moment_finding;
DROP TABLE moment_run;
