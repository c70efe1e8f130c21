// Package warehouse keeps the facts that analysis reads: one row per event, one
// row per answered survey item, and the daily counts that people look at every
// morning. Behind one API lies DuckDB in the data folder (one machine, one
// owning process) or PostgreSQL (when one machine is outgrown).
//
// # How facts come in
//
// [Warehouse.Apply] is the warehouse projector of the event log. It turns a
// batch of log records into rows, appends them in columns (DuckDB's appender or
// PostgreSQL's COPY) and moves the partition's watermark, all in one
// transaction. After a crash the watermark says which records are inside, so
// the log is read on from there and nothing is counted twice.
//
// # What a fact may hold
//
// Nothing that names a person. A record is its pseudonym, comments are masked
// before they are written (without a mask they are not written at all), and
// properties are those that the tracking plan let pass.
//
// # Who the customer is
//
// A fact names a record and never changes. Which customer a record belongs to
// is in identity_link, copied from the store by [Warehouse.SyncLinks]; only
// merged records have a link, so the views event_customer and response_customer
// take coalesce(link.customer_id, record_id).
//
// # How facts are read
//
// [Warehouse.Query] takes SQL in which tables are named in braces:
//
//	SELECT count(*) FROM {event} WHERE name = $1
//
// Each name becomes the rows that the scope in the context may see: its bank
// entity, and its subtree of units. A table named without braces is refused, so
// a query cannot forget the scope. A fact holds the code of its unit; the table
// unit says which path the unit has in the organisation now, so a
// reorganisation moves old facts along without rewriting them. Facts of an
// unknown unit are seen only by whoever sees the whole entity.
//
// # Time
//
// Instants are UTC. Days, weeks and months are cut in a zone by adding the
// zone's offset, which [LocalTime] writes into the SQL from Go's embedded zone
// data; both engines therefore cut alike, also where clocks change.
//
// # Tables (schema "warehouse")
//
//	event          one row per event
//	response       one row per answered survey item or comment
//	identity_link  record → customer, for merged records
//	unit           unit code → path in the organisation
//	event_day      events by day, name, channel, unit
//	response_day   answers by day, instrument, item, score and dimensions
//	feed           last arrival by source and event name
//	watermark      the log position that is inside, by partition
//
// The three aggregate tables are written as increments in the transaction of the
// facts and folded now and then by [Warehouse.Compact]; readers sum n. They are
// checked against full recomputation by [Warehouse.CheckAggregates].
package warehouse
