package api

import (
	"context"
	"strings"
	"time"

	"omote/internal/admin/key"
	"omote/internal/platform/auth"
)

// APIKey is a program that may act.
type APIKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Prefix    string     `json:"prefix" doc:"the public beginning of the secret"`
	Scopes    []string   `json:"scopes" doc:"ingest, read, export, admin"`
	Unit      string     `json:"unit"`
	Source    string     `json:"source" doc:"the feed that its events belong to"`
	System    string     `json:"system,omitempty" doc:"the system whose customer ids it uses"`
	CreatedAt time.Time  `json:"created_at"`
	UsedAt    *time.Time `json:"used_at,omitempty" doc:"last use, to a minute"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

const scopePrefix = "key:"

func viewKey(k auth.APIKey) APIKey {
	v := APIKey{ID: k.ID, Name: k.Name, Prefix: k.Prefix, Unit: k.Unit, Source: k.Source, System: k.System, CreatedAt: k.Created,
		UsedAt: at(k.Used), ExpiresAt: at(k.Expires), RevokedAt: at(k.Revoked)}
	for _, r := range k.Roles {
		v.Scopes = append(v.Scopes, strings.TrimPrefix(string(r), scopePrefix))
	}
	return v
}

func (a API) listKeys(ctx context.Context, in *struct {
	Paging
	Search string `query:"search" doc:"part of a name, source or prefix"`
	Scope  string `query:"scope" enum:"ingest,read,export,admin"`
	Active bool   `query:"active" doc:"neither revoked nor expired"`
}) (*list[APIKey], error) {
	q := key.Query{Search: in.Search, Active: in.Active, After: in.After, Limit: in.Limit}
	if in.Scope != "" {
		q.Role = auth.Role(scopePrefix + in.Scope)
	}
	p, err := a.Keys.List(ctx, q)
	if err != nil {
		return nil, err
	}
	return listOf(p.Items, p.Next, p.Total, viewKey), nil
}

// NewAPIKey is a key with its secret.
type NewAPIKey struct {
	APIKey
	Secret string `json:"key" doc:"the secret; it is shown this once"`
}

func (a API) createKey(ctx context.Context, in *struct {
	Body struct {
		Name      string    `json:"name"`
		Scopes    []string  `json:"scopes" doc:"ingest, read, export, admin"`
		Unit      string    `json:"unit,omitempty" doc:"path of the unit; / by default"`
		Source    string    `json:"source,omitempty" doc:"the feed that events belong to; the name by default"`
		System    string    `json:"system,omitempty" doc:"the system whose customer ids it uses; the source by default"`
		ExpiresAt time.Time `json:"expires_at,omitempty"`
	}
}) (*one[NewAPIKey], error) {
	b := in.Body
	n := auth.NewKey{Name: b.Name, Unit: b.Unit, Source: b.Source, System: b.System, Expires: b.ExpiresAt}
	for _, s := range b.Scopes {
		n.Roles = append(n.Roles, auth.Role(scopePrefix+s))
	}
	made, secret, err := a.Keys.Create(ctx, n)
	if err != nil {
		return nil, err
	}
	return &one[NewAPIKey]{NewAPIKey{viewKey(made), secret}}, nil
}

func (a API) revokeKey(ctx context.Context, in *struct {
	ByID
	Body Because
}) (*nothing, error) {
	return nil, a.Keys.Revoke(ctx, in.ID, in.Body.Reason)
}
