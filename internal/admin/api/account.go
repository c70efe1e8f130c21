package api

import (
	"context"
	"time"

	"omote/internal/admin/account"
	"omote/internal/platform/auth"
)

// Grant is a role in a subtree of the organisation.
type Grant struct {
	Role string `json:"role" doc:"council, cx_lead, champion, agent, case_owner, analyst, steward, dpo, auditor, admin, finance_partner or risk_validator"`
	Unit string `json:"unit,omitempty" default:"/" doc:"path of the unit; / is the whole entity"`
}

// Account is a person who may sign in.
type Account struct {
	ID        string     `json:"id"`
	Email     string     `json:"email"`
	Name      string     `json:"name"`
	Locale    string     `json:"locale" enum:"vi,en"`
	State     string     `json:"state" enum:"invited,active,disabled"`
	Grants    []Grant    `json:"grants"`
	TwoFactor bool       `json:"two_factor" doc:"a one-time code is asked for"`
	CreatedAt time.Time  `json:"created_at"`
	SignedIn  *time.Time `json:"signed_in_at,omitempty"`
}

func viewAccount(a auth.Account) Account {
	v := Account{ID: a.ID, Email: a.Email, Name: a.Name, Locale: a.Locale, State: string(a.State), Grants: []Grant{}, TwoFactor: a.TwoFactor,
		CreatedAt: a.Created, SignedIn: at(a.SignedIn)}
	for _, g := range a.Grants {
		v.Grants = append(v.Grants, Grant{string(g.Role), g.Unit})
	}
	return v
}

func readGrants(in []Grant) []auth.Grant {
	out := make([]auth.Grant, len(in))
	for i, g := range in {
		out[i] = auth.Grant{Role: auth.Role(g.Role), Unit: g.Unit}
		if g.Unit == "" {
			out[i].Unit = "/"
		}
	}
	return out
}

func (a API) listAccounts(ctx context.Context, in *struct {
	Paging
	Search string `query:"search" doc:"part of a name or address"`
	Role   string `query:"role"`
	State  string `query:"state" enum:"invited,active,disabled"`
	Unit   string `query:"unit" doc:"with a role at this path or below"`
	Sort   string `query:"sort" enum:"name,email,signed_in,created" default:"name"`
	Desc   bool   `query:"desc"`
}) (*list[Account], error) {
	p, err := a.Accounts.List(ctx, account.Query{Search: in.Search, Role: auth.Role(in.Role), State: auth.AccountState(in.State), Unit: in.Unit,
		Sort: account.Sort(in.Sort), Desc: in.Desc, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return listOf(p.Items, p.Next, p.Total, viewAccount), nil
}

func (a API) getAccount(ctx context.Context, in *ByID) (*one[Account], error) {
	found, err := a.Accounts.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &one[Account]{viewAccount(found)}, nil
}

// Invited is an account with the token of its invitation.
type Invited struct {
	Account
	Invitation string `json:"invitation" doc:"token of the link with which the owner chooses a password; valid for seven days"`
}

func (a API) createAccount(ctx context.Context, in *struct {
	Body struct {
		Email  string  `json:"email"`
		Name   string  `json:"name"`
		Locale string  `json:"locale" enum:"vi,en" default:"vi"`
		Grants []Grant `json:"grants,omitempty"`
	}
}) (*one[Invited], error) {
	b := in.Body
	made, token, err := a.Accounts.Create(ctx, auth.NewAccount{Email: b.Email, Name: b.Name, Locale: b.Locale, Grants: readGrants(b.Grants)})
	if err != nil {
		return nil, err
	}
	return &one[Invited]{Invited{viewAccount(made), token}}, nil
}

func (a API) updateAccount(ctx context.Context, in *struct {
	ByID
	Body struct {
		Name   string `json:"name"`
		Locale string `json:"locale" enum:"vi,en"`
	}
}) (*one[Account], error) {
	if err := a.Accounts.Update(ctx, in.ID, in.Body.Name, in.Body.Locale); err != nil {
		return nil, err
	}
	return a.getAccount(ctx, &in.ByID)
}

func (a API) setGrants(ctx context.Context, in *struct {
	ByID
	Body struct {
		Grants []Grant `json:"grants"`
	}
}) (*one[Account], error) {
	if err := a.Accounts.SetGrants(ctx, in.ID, readGrants(in.Body.Grants)); err != nil {
		return nil, err
	}
	return a.getAccount(ctx, &in.ByID)
}

func (a API) setPassword(ctx context.Context, in *struct {
	ByID
	Body struct {
		Password string `json:"password"`
	}
}) (*nothing, error) {
	return nil, a.Accounts.SetPassword(ctx, in.ID, in.Body.Password)
}

func (a API) invite(ctx context.Context, in *ByID) (*one[Invited], error) {
	token, err := a.Accounts.Invite(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	found, err := a.getAccount(ctx, in)
	if err != nil {
		return nil, err
	}
	return &one[Invited]{Invited{found.Body, token}}, nil
}

// Because is why something was done, for the audit trail.
type Because struct {
	Reason string `json:"reason,omitempty" maxLength:"500" doc:"why; goes into the audit trail, without personal data"`
}

func (a API) steerAccount(ctx context.Context, in *struct {
	ByID
	Act  string `path:"act" enum:"disable,enable,sign-out,clear-two-factor"`
	Body Because
}) (*one[Account], error) {
	act := map[string]func(context.Context, string, string) error{"disable": a.Accounts.Disable, "enable": a.Accounts.Enable,
		"sign-out": a.Accounts.EndSessions, "clear-two-factor": a.Accounts.ClearTwoFactor}[in.Act]
	if err := act(ctx, in.ID, in.Body.Reason); err != nil {
		return nil, err
	}
	return a.getAccount(ctx, &in.ByID)
}
