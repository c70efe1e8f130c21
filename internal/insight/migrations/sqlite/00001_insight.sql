-- +goose Up
-- Metric definitions. A version's body never changes; only its state does.
CREATE TABLE insight_metric (
    entity     TEXT NOT NULL,
    metric_id  TEXT NOT NULL,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    origin     TEXT NOT NULL,
    body       JSON_TEXT NOT NULL,
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    decision   TEXT NOT NULL,
    PRIMARY KEY (entity, metric_id, version)
);
CREATE INDEX insight_metric_state ON insight_metric (entity, state);

-- +goose Down
DROP TABLE insight_metric;
