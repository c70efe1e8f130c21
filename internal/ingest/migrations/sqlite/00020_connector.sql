-- +goose Up
-- Connectors that bring records of other systems in. config holds no secret.
CREATE TABLE ingest_connector (
    entity      TEXT NOT NULL,
    id          TEXT NOT NULL,
    config      JSON_TEXT NOT NULL,
    secret      BLOB,
    paused      BOOLEAN NOT NULL,
    mark        TEXT NOT NULL,
    mark_key    TEXT NOT NULL,
    due         BIGINT NOT NULL,
    lease       BIGINT NOT NULL,
    last_run    BIGINT,
    last_good   BIGINT,
    newest      BIGINT,
    rows        BIGINT NOT NULL,
    sent        BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    last_rows   BIGINT NOT NULL,
    error       TEXT NOT NULL,
    columns     JSON_TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    PRIMARY KEY (entity, id)
);
CREATE INDEX ingest_connector_due ON ingest_connector (entity, due);

-- Files that a folder connector has taken, by content.
CREATE TABLE ingest_connector_file (
    entity       TEXT NOT NULL,
    connector_id TEXT NOT NULL,
    hash         TEXT NOT NULL,
    name         TEXT NOT NULL,
    import_id    TEXT NOT NULL,
    done         BOOLEAN NOT NULL,
    at           BIGINT NOT NULL,
    PRIMARY KEY (entity, connector_id, hash)
);

-- +goose Down
DROP TABLE ingest_connector_file;
DROP TABLE ingest_connector;
