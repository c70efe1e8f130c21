// Package packs holds the content that insight ships with: definitions as YAML,
// which a bank reads, proposes changes to, and never edits in place.
package packs

import _ "embed"

// Metrics are the built-in metric definitions (see package metric).
//
//go:embed metrics.yaml
var Metrics []byte

// Worth are the chains from a measure to money (see package signal).
//
//go:embed worth.yaml
var Worth []byte
