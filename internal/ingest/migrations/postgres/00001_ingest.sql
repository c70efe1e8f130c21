-- +goose Up
CREATE TABLE ingest_plan (
    entity     TEXT NOT NULL,
    version    BIGINT NOT NULL,
    body       JSONB NOT NULL,
    note       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (entity, version)
);

-- How often facts broke the plan, by day: at most a bounded number of rows a day.
CREATE TABLE ingest_violation (
    entity   TEXT NOT NULL,
    day      TEXT NOT NULL,
    source   TEXT NOT NULL,
    event    TEXT NOT NULL,
    property TEXT NOT NULL,
    reason   TEXT NOT NULL,
    n        BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (entity, day, source, event, property, reason)
);

CREATE TABLE ingest_import (
    id          TEXT NOT NULL,
    entity      TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    file_hash   TEXT NOT NULL,
    size        BIGINT NOT NULL,
    format      TEXT NOT NULL,
    mapping     JSONB NOT NULL,
    history     BOOLEAN NOT NULL,
    retry_of    TEXT NOT NULL,
    state       TEXT NOT NULL,
    read_bytes  BIGINT NOT NULL,
    read_rows   BIGINT NOT NULL,
    sent        BIGINT NOT NULL,
    accepted    BIGINT NOT NULL,
    duplicates  BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    dropped     JSONB NOT NULL,
    error       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT,
    PRIMARY KEY (id)
);
CREATE INDEX ingest_import_recent ON ingest_import (entity, created_at);
CREATE INDEX ingest_import_file ON ingest_import (entity, file_hash);

-- Facts set aside with their reason. raw is encrypted.
CREATE TABLE ingest_quarantine (
    id         TEXT NOT NULL,
    entity     TEXT NOT NULL,
    source     TEXT NOT NULL,
    import_id  TEXT NOT NULL,
    row_number BIGINT NOT NULL,
    message_id TEXT NOT NULL,
    reason     TEXT NOT NULL,
    field      TEXT NOT NULL,
    detail     TEXT NOT NULL,
    raw        BYTEA,
    state      TEXT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ingest_quarantine_row ON ingest_quarantine (import_id, row_number, id);
CREATE INDEX ingest_quarantine_recent ON ingest_quarantine (entity, state, at);

-- +goose Down
DROP TABLE ingest_quarantine;
DROP TABLE ingest_import;
DROP TABLE ingest_violation;
DROP TABLE ingest_plan;
