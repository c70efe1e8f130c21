-- +goose Up
-- Designed journeys. The draft is the working copy; its revision counts the
-- operations. base is the edition of the template it was made from, in full, so
-- that later improvements can be merged.
CREATE TABLE journey_blueprint (
    entity       TEXT NOT NULL,
    journey      TEXT NOT NULL,
    draft        JSON_TEXT NOT NULL,
    rev          BIGINT NOT NULL,
    live_version BIGINT NOT NULL,
    live_rev     BIGINT NOT NULL,
    base         JSON_TEXT NOT NULL,
    locale       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    updated_at   BIGINT NOT NULL,
    updated_by   TEXT NOT NULL,
    PRIMARY KEY (entity, journey)
);

-- What was put forward, and what became of it. A version's body never changes.
CREATE TABLE journey_blueprint_version (
    entity      TEXT NOT NULL,
    journey     TEXT NOT NULL,
    version     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    body        JSON_TEXT NOT NULL,
    rev         BIGINT NOT NULL,
    note        TEXT NOT NULL,
    request     TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    proposed_by TEXT NOT NULL,
    decided_at  BIGINT,
    decided_by  TEXT NOT NULL,
    decision    TEXT NOT NULL,
    PRIMARY KEY (entity, journey, version)
);
CREATE INDEX journey_blueprint_version_state ON journey_blueprint_version (entity, state);

-- Every operation on a draft; those that met a conflict keep their value too.
CREATE TABLE journey_blueprint_op (
    entity  TEXT NOT NULL,
    journey TEXT NOT NULL,
    op      TEXT NOT NULL,
    rev     BIGINT NOT NULL,
    state   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    target  TEXT NOT NULL,
    field   TEXT NOT NULL,
    body    JSON_TEXT NOT NULL,
    before  JSON_TEXT NOT NULL,
    actor   TEXT NOT NULL,
    client  TEXT NOT NULL,
    at      BIGINT NOT NULL,
    undoes  TEXT NOT NULL,
    undone  BOOLEAN NOT NULL,
    PRIMARY KEY (entity, journey, op)
);
CREATE INDEX journey_blueprint_op_rev ON journey_blueprint_op (entity, journey, rev);

CREATE TABLE journey_blueprint_comment (
    entity      TEXT NOT NULL,
    journey     TEXT NOT NULL,
    comment     TEXT NOT NULL,
    step        TEXT NOT NULL,
    body        TEXT NOT NULL,
    actor       TEXT NOT NULL,
    at          BIGINT NOT NULL,
    resolved_at BIGINT,
    resolved_by TEXT NOT NULL,
    PRIMARY KEY (entity, journey, comment)
);

-- Who has an editor open, and where they stand in it.
CREATE TABLE journey_blueprint_presence (
    entity  TEXT NOT NULL,
    journey TEXT NOT NULL,
    client  TEXT NOT NULL,
    actor   TEXT NOT NULL,
    place   TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (entity, journey, client)
);

-- Designed against observed, of the whole bank, as last computed.
CREATE TABLE journey_conformance (
    entity      TEXT NOT NULL,
    journey     TEXT NOT NULL,
    version     BIGINT NOT NULL,
    body        JSON_TEXT NOT NULL,
    computed_at BIGINT NOT NULL,
    PRIMARY KEY (entity, journey)
);

-- Maps that no longer tell what happens, or that nobody has looked at for a
-- year: one open task for each journey and reason.
CREATE TABLE journey_refresh (
    entity    TEXT NOT NULL,
    task      TEXT NOT NULL,
    journey   TEXT NOT NULL,
    reason    TEXT NOT NULL,
    version   BIGINT NOT NULL,
    body      JSON_TEXT NOT NULL,
    owner     TEXT NOT NULL,
    found_at  BIGINT NOT NULL,
    closed_at BIGINT,
    closed_by TEXT NOT NULL,
    outcome   TEXT NOT NULL,
    PRIMARY KEY (entity, task)
);
CREATE UNIQUE INDEX journey_refresh_open ON journey_refresh (entity, journey, reason) WHERE closed_at IS NULL;

-- What the bank had defined becomes a map in force: the code reads its form.
INSERT INTO journey_blueprint (entity, journey, draft, rev, live_version, live_rev, base, locale, created_at, created_by, updated_at, updated_by)
SELECT entity, journey, body, 0, 1, 0, 'null', 'vi', updated_at, updated_by, updated_at, updated_by FROM journey_definition;
INSERT INTO journey_blueprint_version (entity, journey, version, state, body, rev, note, request, proposed_at, proposed_by, decided_at, decided_by, decision)
SELECT entity, journey, 1, 'live', body, 0, '', '', updated_at, updated_by, updated_at, updated_by, '' FROM journey_definition;
DROP TABLE journey_definition;

-- +goose Down
CREATE TABLE journey_definition (
    entity     TEXT NOT NULL,
    journey    TEXT NOT NULL,
    body       JSON_TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (entity, journey)
);
DROP TABLE journey_refresh;
DROP TABLE journey_conformance;
DROP TABLE journey_blueprint_presence;
DROP TABLE journey_blueprint_comment;
DROP TABLE journey_blueprint_op;
DROP TABLE journey_blueprint_version;
DROP TABLE journey_blueprint;
