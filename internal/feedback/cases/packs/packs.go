// Package packs holds the content of cases: clock rules, calendars, ladders, the
// recovery wallet, causes, case rules, letters and macros, as editable YAML. Each
// file explains itself at its top.
package packs

import "embed"

// Files are the packs by file name.
//
//go:embed *.yaml
var Files embed.FS
