-- +goose Up
-- A campaign of behaviour that comes to branches in an order drawn at random.
CREATE TABLE program_wave (
	entity TEXT NOT NULL,
	id TEXT NOT NULL,
	unit TEXT NOT NULL,
	state TEXT NOT NULL,
	version BIGINT NOT NULL,
	body JSONB NOT NULL,
	created BIGINT NOT NULL,
	created_by TEXT NOT NULL,
	changed BIGINT NOT NULL,
	changed_by TEXT NOT NULL,
	PRIMARY KEY (entity, id)
);
CREATE INDEX program_wave_state ON program_wave (entity, state, unit);
-- What a branch says of a behaviour on a day: kept or not, with a reason.
CREATE TABLE program_checkin (
	entity TEXT NOT NULL,
	wave TEXT NOT NULL,
	unit TEXT NOT NULL,
	day TEXT NOT NULL,
	behaviour TEXT NOT NULL,
	kept BOOLEAN NOT NULL,
	reason TEXT NOT NULL,
	by TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (entity, wave, unit, day, behaviour)
);
-- What an observer saw at a time that was drawn; seat 2 is the blind second observer.
CREATE TABLE program_observation (
	entity TEXT NOT NULL,
	wave TEXT NOT NULL,
	unit TEXT NOT NULL,
	slot TEXT NOT NULL,
	seat BIGINT NOT NULL,
	day TEXT NOT NULL,
	behaviour TEXT NOT NULL,
	answers TEXT NOT NULL,
	met BOOLEAN NOT NULL,
	known BOOLEAN NOT NULL,
	by TEXT NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (entity, wave, unit, slot, seat)
);
-- What the campaign had done by a day.
CREATE TABLE program_reading (
	entity TEXT NOT NULL,
	wave TEXT NOT NULL,
	day TEXT NOT NULL,
	final BOOLEAN NOT NULL,
	body JSONB NOT NULL,
	at BIGINT NOT NULL,
	PRIMARY KEY (entity, wave, day)
);

-- +goose Down
DROP TABLE program_reading;
DROP TABLE program_observation;
DROP TABLE program_checkin;
DROP TABLE program_wave;
