CREATE TABLE warehouse.event (
    event_id       UUID      NOT NULL,
    entity         VARCHAR   NOT NULL,
    source         VARCHAR   NOT NULL,
    record_id      UUID      NOT NULL,
    occurred_at    TIMESTAMP NOT NULL,
    received_at    TIMESTAMP NOT NULL,
    kind           VARCHAR   NOT NULL,
    name           VARCHAR   NOT NULL,
    journey        VARCHAR   NOT NULL,
    case_key       VARCHAR   NOT NULL,
    channel        VARCHAR   NOT NULL,
    unit           VARCHAR   NOT NULL,
    product        VARCHAR   NOT NULL,
    outcome        VARCHAR   NOT NULL,
    amount         BIGINT,
    currency       VARCHAR   NOT NULL,
    schema_version INTEGER   NOT NULL,
    history        BOOLEAN   NOT NULL,
    props          VARCHAR,
    import_id      VARCHAR   NOT NULL,
    log_partition  INTEGER   NOT NULL,
    log_seq        BIGINT    NOT NULL,
    log_index      INTEGER   NOT NULL
);

CREATE TABLE warehouse.response (
    event_id       UUID      NOT NULL,
    entity         VARCHAR   NOT NULL,
    source         VARCHAR   NOT NULL,
    record_id      UUID      NOT NULL,
    occurred_at    TIMESTAMP NOT NULL,
    received_at    TIMESTAMP NOT NULL,
    journey        VARCHAR   NOT NULL,
    case_key       VARCHAR   NOT NULL,
    channel        VARCHAR   NOT NULL,
    unit           VARCHAR   NOT NULL,
    product        VARCHAR   NOT NULL,
    history        BOOLEAN   NOT NULL,
    import_id      VARCHAR   NOT NULL,
    instrument     VARCHAR   NOT NULL,
    item           VARCHAR   NOT NULL,
    trigger_event  VARCHAR   NOT NULL,
    score          DOUBLE,
    comment        VARCHAR,
    language       VARCHAR   NOT NULL,
    aspect         VARCHAR   NOT NULL,
    polarity       VARCHAR   NOT NULL,
    log_partition  INTEGER   NOT NULL,
    log_seq        BIGINT    NOT NULL,
    log_index      INTEGER   NOT NULL
);

CREATE TABLE warehouse.identity_link (
    entity       VARCHAR NOT NULL,
    record_id    UUID    NOT NULL,
    customer_id  UUID    NOT NULL,
    from_version BIGINT  NOT NULL,
    to_version   BIGINT,
    reason       VARCHAR NOT NULL,
    made_by      VARCHAR NOT NULL
);

CREATE TABLE warehouse.unit (
    entity VARCHAR NOT NULL,
    code   VARCHAR NOT NULL,
    path   VARCHAR NOT NULL
);

CREATE TABLE warehouse.event_day (
    entity  VARCHAR   NOT NULL,
    day     DATE      NOT NULL,
    name    VARCHAR   NOT NULL,
    channel VARCHAR   NOT NULL,
    unit    VARCHAR   NOT NULL,
    n       BIGINT    NOT NULL,
    latest  TIMESTAMP NOT NULL
);

CREATE TABLE warehouse.response_day (
    entity        VARCHAR   NOT NULL,
    day           DATE      NOT NULL,
    instrument    VARCHAR   NOT NULL,
    item          VARCHAR   NOT NULL,
    trigger_event VARCHAR   NOT NULL,
    channel       VARCHAR   NOT NULL,
    unit          VARCHAR   NOT NULL,
    product       VARCHAR   NOT NULL,
    score         DOUBLE,
    n             BIGINT    NOT NULL,
    latest        TIMESTAMP NOT NULL
);

CREATE TABLE warehouse.feed (
    entity  VARCHAR   NOT NULL,
    source  VARCHAR   NOT NULL,
    name    VARCHAR   NOT NULL,
    n       BIGINT    NOT NULL,
    last_at TIMESTAMP NOT NULL,
    latest  TIMESTAMP NOT NULL
);

CREATE TABLE warehouse.watermark (
    log_partition INTEGER PRIMARY KEY,
    position      BIGINT  NOT NULL
);

CREATE TABLE warehouse.setting (
    name  VARCHAR PRIMARY KEY,
    value VARCHAR NOT NULL
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
