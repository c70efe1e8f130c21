// Package module says what a module brings to the program: tables, texts,
// routes, API operations, event handlers, background work and places in the
// navigation. Every module has a New that returns one Module; package app holds
// the list of them and wires them together.
package module

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/platform/auth"
	"omote/internal/platform/config"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/projector"
	"omote/internal/platform/store"
	"omote/internal/ui"
)

// Module is what one module brings. Fields that it has no use for stay empty.
type Module struct {
	Name       string
	Migrations []store.Migrations
	Locales    []i18n.Source
	// Routes adds the module's pages.
	Routes func(*httpx.Router)
	// API adds the module's operations under /api/v1.
	API func(huma.API)
	// Handlers take up events in the state projector, in this order.
	Handlers []projector.Handler
	// Work runs in the background of processes with the role.
	Work []Work
	Nav  []Nav
	// Home are its parts of the first page.
	Home []Home
}

// Work is a background task. It runs until its context ends; an error before
// that stops the process.
type Work struct {
	Name string
	Role config.Role
	Run  func(ctx context.Context) error
}

// Nav is a place in the navigation, shown to whoever has the permission. Its key
// is one of package ui, or the module's own with a label and a layer.
type Nav struct {
	Key        string
	Href       string
	Permission auth.Permission
	Label      string // translation key; by default that of the key
	Layer      ui.Layer
}
