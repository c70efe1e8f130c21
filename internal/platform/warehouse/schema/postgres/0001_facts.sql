CREATE TABLE warehouse.event (
    event_id       UUID      NOT NULL,
    entity         TEXT      NOT NULL,
    source         TEXT      NOT NULL,
    record_id      UUID      NOT NULL,
    occurred_at    TIMESTAMP NOT NULL,
    received_at    TIMESTAMP NOT NULL,
    kind           TEXT      NOT NULL,
    name           TEXT      NOT NULL,
    journey        TEXT      NOT NULL,
    case_key       TEXT      NOT NULL,
    channel        TEXT      NOT NULL,
    unit           TEXT      NOT NULL,
    product        TEXT      NOT NULL,
    outcome        TEXT      NOT NULL,
    amount         BIGINT,
    currency       TEXT      NOT NULL,
    schema_version INTEGER   NOT NULL,
    history        BOOLEAN   NOT NULL,
    props          JSONB,
    import_id      TEXT      NOT NULL,
    log_partition  INTEGER   NOT NULL,
    log_seq        BIGINT    NOT NULL,
    log_index      INTEGER   NOT NULL
);

CREATE TABLE warehouse.response (
    event_id       UUID      NOT NULL,
    entity         TEXT      NOT NULL,
    source         TEXT      NOT NULL,
    record_id      UUID      NOT NULL,
    occurred_at    TIMESTAMP NOT NULL,
    received_at    TIMESTAMP NOT NULL,
    journey        TEXT      NOT NULL,
    case_key       TEXT      NOT NULL,
    channel        TEXT      NOT NULL,
    unit           TEXT      NOT NULL,
    product        TEXT      NOT NULL,
    history        BOOLEAN   NOT NULL,
    import_id      TEXT      NOT NULL,
    instrument     TEXT      NOT NULL,
    item           TEXT      NOT NULL,
    trigger_event  TEXT      NOT NULL,
    score          DOUBLE PRECISION,
    comment        TEXT,
    language       TEXT      NOT NULL,
    aspect         TEXT      NOT NULL,
    polarity       TEXT      NOT NULL,
    log_partition  INTEGER   NOT NULL,
    log_seq        BIGINT    NOT NULL,
    log_index      INTEGER   NOT NULL
);

CREATE TABLE warehouse.identity_link (
    entity       TEXT NOT NULL,
    record_id    UUID    NOT NULL,
    customer_id  UUID    NOT NULL,
    from_version BIGINT  NOT NULL,
    to_version   BIGINT,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL
);

CREATE TABLE warehouse.unit (
    entity TEXT NOT NULL,
    code   TEXT NOT NULL,
    path   TEXT NOT NULL
);

CREATE TABLE warehouse.event_day (
    entity  TEXT      NOT NULL,
    day     DATE      NOT NULL,
    name    TEXT      NOT NULL,
    channel TEXT      NOT NULL,
    unit    TEXT      NOT NULL,
    n       BIGINT    NOT NULL,
    latest  TIMESTAMP NOT NULL
);

CREATE TABLE warehouse.response_day (
    entity        TEXT      NOT NULL,
    day           DATE      NOT NULL,
    instrument    TEXT      NOT NULL,
    item          TEXT      NOT NULL,
    trigger_event TEXT      NOT NULL,
    channel       TEXT      NOT NULL,
    unit          TEXT      NOT NULL,
    product       TEXT      NOT NULL,
    score         DOUBLE PRECISION,
    n             BIGINT    NOT NULL,
    latest        TIMESTAMP NOT NULL
);

CREATE TABLE warehouse.feed (
    entity  TEXT      NOT NULL,
    source  TEXT      NOT NULL,
    name    TEXT      NOT NULL,
    n       BIGINT    NOT NULL,
    last_at TIMESTAMP NOT NULL,
    latest  TIMESTAMP NOT NULL
);

CREATE TABLE warehouse.watermark (
    log_partition INTEGER PRIMARY KEY,
    position      BIGINT  NOT NULL
);

CREATE TABLE warehouse.setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE VIEW warehouse.event_customer AS
SELECT e.*, coalesce(l.customer_id, e.record_id) AS customer_id
FROM warehouse.event e
LEFT JOIN warehouse.identity_link l
  ON l.entity = e.entity AND l.record_id = e.record_id AND l.to_version IS NULL;

CREATE VIEW warehouse.response_customer AS
SELECT r.*, coalesce(l.customer_id, r.record_id) AS customer_id
FROM warehouse.response r
LEFT JOIN warehouse.identity_link l
  ON l.entity = r.entity AND l.record_id = r.record_id AND l.to_version IS NULL;

CREATE INDEX event_name_at ON warehouse.event (entity, name, occurred_at);
CREATE INDEX event_record ON warehouse.event (entity, record_id, occurred_at);
CREATE INDEX response_item_at ON warehouse.response (entity, instrument, item, occurred_at);
CREATE UNIQUE INDEX identity_link_current ON warehouse.identity_link (entity, record_id) WHERE to_version IS NULL;
CREATE UNIQUE INDEX unit_code ON warehouse.unit (entity, code);
CREATE INDEX event_day_name ON warehouse.event_day (entity, name, day);
CREATE INDEX response_day_item ON warehouse.response_day (entity, instrument, item, day);
