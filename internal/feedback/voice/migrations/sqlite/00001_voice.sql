-- +goose Up
CREATE TABLE voice_item (
	customer_id TEXT NOT NULL,    -- record that it comes from; '' where nobody is known
	id TEXT NOT NULL,
	entity TEXT NOT NULL,
	source TEXT NOT NULL,         -- survey, complaint, event feed, staff, import
	ref TEXT NOT NULL,            -- id there; with the source it counts once
	kind TEXT NOT NULL,           -- answer, complaint, contact, review, social, observation
	unit TEXT NOT NULL,           -- path
	channel TEXT NOT NULL,
	journey TEXT NOT NULL,
	product TEXT NOT NULL,
	locale TEXT NOT NULL,
	score DOUBLE PRECISION,       -- as said
	top DOUBLE PRECISION,         -- highest point of its scale
	mood BIGINT NOT NULL,         -- -1 unhappy, 0 neither or unknown, 1 happy
	words BLOB,                   -- encrypted
	same TEXT NOT NULL,           -- keyed hash of customer and words: the same said again
	times BIGINT NOT NULL,        -- how often it was said
	state TEXT NOT NULL,          -- new, taken, answered, done
	owner TEXT NOT NULL,          -- account
	case_id TEXT NOT NULL,
	at BIGINT NOT NULL,           -- when it was said
	touched BIGINT NOT NULL,
	PRIMARY KEY (customer_id, id),
	UNIQUE (customer_id, entity, source, ref)
);
CREATE INDEX voice_item_list ON voice_item (entity, at, id);
CREATE INDEX voice_item_same ON voice_item (customer_id, entity, same);
CREATE TABLE voice_entry (
	customer_id TEXT NOT NULL,
	voice_id TEXT NOT NULL,
	id TEXT NOT NULL,
	kind TEXT NOT NULL,           -- said, reply, answer, note, state
	actor TEXT NOT NULL,
	at BIGINT NOT NULL,
	body BLOB,                    -- encrypted
	PRIMARY KEY (customer_id, voice_id, id)
);
CREATE TABLE voice_token (
	customer_id TEXT NOT NULL,
	voice_id TEXT NOT NULL,
	entity TEXT NOT NULL,
	token TEXT NOT NULL,          -- keyed hash of a word
	PRIMARY KEY (customer_id, voice_id, token)
);
CREATE INDEX voice_token_find ON voice_token (entity, token, voice_id);

-- +goose Down
DROP TABLE voice_token;
DROP TABLE voice_entry;
DROP TABLE voice_item;
