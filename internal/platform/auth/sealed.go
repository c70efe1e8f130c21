package auth

import "omote/internal/platform/store/sealed"

// Sealed is where accounts and sessions keep what is encrypted.
func Sealed() sealed.Inventory {
	account := func(column string) sealed.Marked {
		return sealed.Marked{Column: sealed.Column{Table: "auth_account", Name: column}, PK: []string{"id"}}
	}
	return sealed.Inventory{
		Fields: []sealed.Marked{account("email"), account("name"), account("totp"),
			{Column: sealed.Column{Table: "auth_session", Name: "address"}, PK: []string{"id"}},
			{Column: sealed.Column{Table: "auth_flow", Name: "verifier"}, PK: []string{"state"}}},
		Blind: []sealed.Indexed{{Index: emailColumn, Source: sealed.Column{Table: "auth_account", Name: "email"}, PK: []string{"id"}, Normalise: NormaliseEmail}},
	}
}
