// Package cause finds what lies behind a change, and says how far that can be
// trusted.
//
// [Locate] answers "where": given what was expected and what came for each
// combination of attributes (branch × channel × product …), it names the
// attribute combinations that changed.
package cause
