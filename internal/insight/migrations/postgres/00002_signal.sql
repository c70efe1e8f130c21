-- +goose Up
-- Changes beyond noise, one row for each episode of a measure in one place.
CREATE TABLE insight_signal (
    entity       TEXT NOT NULL,
    id           TEXT NOT NULL,
    metric_id    TEXT NOT NULL,
    dim          TEXT NOT NULL,
    place        TEXT NOT NULL,
    episode      BIGINT NOT NULL,
    unit         TEXT NOT NULL,
    state        TEXT NOT NULL,
    worth        BIGINT NOT NULL,
    rule_version BIGINT NOT NULL,
    body         JSONB NOT NULL,
    opened       BIGINT NOT NULL,
    changed      BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    PRIMARY KEY (entity, id),
    UNIQUE (entity, metric_id, dim, place, episode)
);
CREATE INDEX insight_signal_state ON insight_signal (entity, state);

-- Who did what with a signal.
CREATE TABLE insight_signal_event (
    entity    TEXT NOT NULL,
    signal_id TEXT NOT NULL,
    id        TEXT NOT NULL,
    at        BIGINT NOT NULL,
    actor     TEXT NOT NULL,
    what      TEXT NOT NULL,
    note      TEXT NOT NULL,
    PRIMARY KEY (entity, signal_id, id)
);

-- The rule by which changes become signals. A version's body never changes.
CREATE TABLE insight_signal_rule (
    entity     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    body       JSONB NOT NULL,
    tested     JSONB NOT NULL,
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (entity, version)
);

-- Runs: what was watched, and how long it took.
CREATE TABLE insight_signal_run (
    entity TEXT NOT NULL,
    at     BIGINT NOT NULL,
    body   JSONB NOT NULL,
    PRIMARY KEY (entity, at)
);

-- +goose Down
DROP TABLE insight_signal_run;
DROP TABLE insight_signal_rule;
DROP TABLE insight_signal_event;
DROP TABLE insight_signal;
