// Package api offers the administration's operations under /api/v1: accounts,
// units, keys and the audit trail.
package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/admin"
	"omote/internal/admin/account"
	"omote/internal/admin/key"
	"omote/internal/admin/org"
	"omote/internal/admin/trail"
	"omote/internal/platform/httpx"
)

// API is the module's operations.
type API struct {
	*admin.Admin
}

// Register adds the typed operations.
func (a API) Register(api huma.API) {
	a.registerAccounts(api)
	a.registerUnits(api)
	a.registerKeys(api)
	a.registerTrail(api)
}

// op is an operation of a tag.
func op(id, method, path, tag, summary string, errors ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Tags: []string{tag}, Summary: summary, Errors: errors}
}

func (a API) registerAccounts(api huma.API) {
	const tag = "Accounts"
	httpx.Operation(api, op("list-accounts", http.MethodGet, "/accounts", tag, "List accounts"), account.PermRead, a.listAccounts)
	httpx.Operation(api, op("get-account", http.MethodGet, "/accounts/{id}", tag, "One account with its roles", 404), account.PermRead, a.getAccount)
	httpx.Operation(api, op("create-account", http.MethodPost, "/accounts", tag, "Add an account and invite its owner", 409), account.PermEdit, a.createAccount)
	httpx.Operation(api, op("update-account", http.MethodPatch, "/accounts/{id}", tag, "Change name and language", 404), account.PermEdit, a.updateAccount)
	httpx.Operation(api, op("set-account-grants", http.MethodPut, "/accounts/{id}/grants", tag, "Replace the roles of an account", 404, 409), account.PermEdit, a.setGrants)
	httpx.Operation(api, op("set-account-password", http.MethodPut, "/accounts/{id}/password", tag, "Set a password outright; sessions end", 404), account.PermEdit, a.setPassword)
	httpx.Operation(api, op("invite-account", http.MethodPost, "/accounts/{id}/invitation", tag, "Make a new link for choosing a password", 404, 409), account.PermEdit, a.invite)
	httpx.Operation(api, op("steer-account", http.MethodPost, "/accounts/{id}/{act}", tag, "Disable, enable, sign out everywhere, or remove the one-time code", 404, 409),
		account.PermEdit, a.steerAccount)
}

func (a API) registerUnits(api huma.API) {
	const tag = "Organisation"
	httpx.Operation(api, op("list-units", http.MethodGet, "/units", tag, "List units in the order of the tree"), org.PermRead, a.listUnits)
	httpx.Operation(api, op("get-unit", http.MethodGet, "/units/{id}", tag, "One unit", 404), org.PermRead, a.getUnit)
	httpx.Operation(api, op("add-unit", http.MethodPost, "/units", tag, "Add a region or unit", 404, 409), org.PermEdit, a.addUnit)
	httpx.Operation(api, op("rename-unit", http.MethodPatch, "/units/{id}", tag, "Rename a unit", 404), org.PermEdit, a.renameUnit)
	httpx.Operation(api, op("move-unit", http.MethodPost, "/units/{id}/move", tag, "Move a unit with all below it", 404, 409), org.PermEdit, a.moveUnit)
	httpx.Operation(api, op("steer-unit", http.MethodPost, "/units/{id}/{act}", tag, "Close or reopen a unit", 404, 409), org.PermEdit, a.steerUnit)
}

func (a API) registerKeys(api huma.API) {
	const tag = "Keys"
	httpx.Operation(api, op("list-keys", http.MethodGet, "/keys", tag, "List API keys, newest first"), key.PermRead, a.listKeys)
	httpx.Operation(api, op("create-key", http.MethodPost, "/keys", tag, "Make an API key; its secret is shown this once", 404), key.PermEdit, a.createKey)
	httpx.Operation(api, op("revoke-key", http.MethodPost, "/keys/{id}/revoke", tag, "Revoke an API key", 404, 409), key.PermEdit, a.revokeKey)
}

func (a API) registerTrail(api huma.API) {
	const tag = "Audit"
	httpx.Operation(api, op("list-audit", http.MethodGet, "/audit", tag, "Read the audit trail, newest first"), trail.PermRead, a.listTrail)
	httpx.Operation(api, op("verify-audit", http.MethodPost, "/audit/verify", tag, "Verify the audit trail, also against heads kept elsewhere"), trail.PermRead, a.verifyTrail)
}

// Routes adds what streams.
func (a API) Routes(r *httpx.Router) {
	r.Handle("GET /api/v1/audit/heads", trail.PermRead, a.heads)
}

// ByID names the object of an operation.
type ByID struct {
	ID string `path:"id"`
}

// Paging is the position in a list.
type Paging struct {
	After string `query:"after" doc:"cursor: next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// list is a page of a list.
type list[T any] struct {
	Body struct {
		Items []T    `json:"items"`
		Next  string `json:"next,omitempty" doc:"cursor of the next page"`
		Total int    `json:"total" doc:"items on all pages; 0 where it is not counted"`
	}
}

func listOf[A, B any](items []A, next string, total int, view func(A) B) *list[B] {
	out := &list[B]{}
	out.Body.Items = make([]B, len(items))
	for i, item := range items {
		out.Body.Items[i] = view(item)
	}
	out.Body.Next, out.Body.Total = next, total
	return out
}

// one is a single object.
type one[T any] struct{ Body T }

// nothing is the answer of operations that only do something.
type nothing struct{}

// at is a time that may be absent.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
