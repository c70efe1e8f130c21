-- +goose Up
-- What is written back into the bank's other systems. config holds no secret.
CREATE TABLE customer_activation (
    entity     TEXT NOT NULL,
    id         TEXT NOT NULL,
    config     JSON_TEXT NOT NULL,
    secret     BLOB,
    paused     BOOLEAN NOT NULL,
    scan       TEXT NOT NULL,
    due        BIGINT NOT NULL,
    lease      BIGINT NOT NULL,
    next       BIGINT NOT NULL,
    last_run   BIGINT,
    last_good  BIGINT,
    error      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (entity, id)
);
CREATE INDEX customer_activation_due ON customer_activation (entity, due);

-- What a system was told of one of its records, and what became of it.
CREATE TABLE customer_activation_row (
    entity        TEXT NOT NULL,
    record_id     TEXT NOT NULL,
    activation_id TEXT NOT NULL,
    digest        TEXT NOT NULL,
    member        BOOLEAN NOT NULL,
    told          BOOLEAN NOT NULL,
    version       BIGINT NOT NULL,
    state         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    attempts      BIGINT NOT NULL,
    message_id    TEXT NOT NULL,
    recheck       BOOLEAN NOT NULL,
    queued_at     BIGINT NOT NULL,
    settled_at    BIGINT,
    PRIMARY KEY (entity, record_id, activation_id)
);
CREATE INDEX customer_activation_row_state ON customer_activation_row (entity, activation_id, state, record_id);
CREATE INDEX customer_activation_row_recheck ON customer_activation_row (entity, activation_id, record_id) WHERE recheck;

-- +goose Down
DROP TABLE customer_activation_row;
DROP TABLE customer_activation;
