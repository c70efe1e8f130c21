// Package report reads everything and hands it on: exports, the board pack, and
// feeds for other tools with later work.
//
// Sub-packages: export (rows as CSV, NDJSON and Parquet), board (the board pack).
package report
