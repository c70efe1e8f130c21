// Package auth says who acts and what they may do.
//
// A person signs in with a password and, when set up, a one-time code, or
// through the bank's own identity provider (OpenID Connect). A program sends an
// API key. Either way the middleware puts an Actor and a scope into the context;
// services begin with
//
//	if err := auth.Require(ctx, PermEdit, ""); err != nil {
//		return err
//	}
//
// # Roles, grants, places
//
// A permission is a word such as "ingest.plan.edit". Which role holds which
// permission stands in permissions.go, one line each. A grant gives a person a
// role in a subtree of the organisation. A person acts in one place at a time, a
// unit: there they hold the permissions of all grants at this unit or above it,
// and see rows of this unit and below it. So a branch champion who is also an
// analyst of the whole bank sees the bank's figures in the place "/" and the
// customers of the branch only in the place of the branch.
//
// # What is stored
//
// Passwords as argon2id hashes with their parameters; session tokens and API
// keys as SHA-256 hashes (they are random, so nothing slower is needed);
// one-time-code secrets encrypted; recovery codes as hashes, each used once.
// Names and e-mail addresses are encrypted; sign-in finds an account by the
// blind index of its address.
package auth
