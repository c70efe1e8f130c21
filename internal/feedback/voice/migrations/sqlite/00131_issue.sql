-- +goose Up
ALTER TABLE voice_item ADD COLUMN step TEXT NOT NULL DEFAULT '';    -- of the journey, where it is known
ALTER TABLE voice_item ADD COLUMN reader BIGINT NOT NULL DEFAULT 0; -- version of the reader that filled the themes
CREATE INDEX voice_item_reader ON voice_item (reader, id);
-- what a voice speaks of, with which feeling: one row a theme
CREATE TABLE voice_theme (
	customer_id TEXT NOT NULL,
	voice_id TEXT NOT NULL,
	theme TEXT NOT NULL,
	entity TEXT NOT NULL,
	unit TEXT NOT NULL,           -- the columns of the item that issues are cut by
	journey TEXT NOT NULL,
	step TEXT NOT NULL,
	kind TEXT NOT NULL,
	feeling BIGINT NOT NULL,      -- -1 unhappy, 0 neither, 1 happy
	at BIGINT NOT NULL,
	PRIMARY KEY (customer_id, voice_id, theme)
);
CREATE INDEX voice_theme_issue ON voice_theme (entity, theme, at);
CREATE INDEX voice_theme_at ON voice_theme (entity, at);
-- you said, we did: what was changed, told to those who spoke of it
CREATE TABLE voice_notice (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	theme TEXT NOT NULL,
	journey TEXT NOT NULL,
	step TEXT NOT NULL,
	unit TEXT NOT NULL,
	since BIGINT NOT NULL,        -- whoever spoke of it from then on
	text_vi TEXT NOT NULL,
	text_en TEXT NOT NULL,
	by_actor TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE TABLE voice_told (
	customer_id TEXT NOT NULL,
	notice_id TEXT NOT NULL,
	entity TEXT NOT NULL,
	voice_id TEXT NOT NULL,       -- the last thing that the customer said about it
	state TEXT NOT NULL,          -- waiting, told, held, unreachable
	reason TEXT NOT NULL,         -- of the contact policy, while it is held
	due BIGINT NOT NULL,          -- when to ask the policy (again)
	at BIGINT NOT NULL,
	PRIMARY KEY (customer_id, notice_id)
);
CREATE INDEX voice_told_due ON voice_told (entity, state, due);
CREATE INDEX voice_told_notice ON voice_told (entity, notice_id, state);

-- +goose Down
DROP TABLE voice_told;
DROP TABLE voice_notice;
DROP TABLE voice_theme;
DROP INDEX voice_item_reader;
ALTER TABLE voice_item DROP COLUMN reader;
ALTER TABLE voice_item DROP COLUMN step;
