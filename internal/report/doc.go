// Package report reads everything and hands it on: exports today, packs and
// feeds for other tools with later work.
//
// Sub-packages: export (rows as CSV, NDJSON and Parquet).
package report
