// Package web is the pages through which people reach the installation and look
// after it: sign-in, first-run set-up, the own account, people, organisation, API
// keys, the audit trail and the health of the system.
//
// Each action has a file with its handlers (.go) and one with its page (.templ).
// Handlers change nothing themselves: they read a form, ask a service of package
// admin or auth, and lead on. A change answers with a redirect (303) and a toast;
// a refused form comes back with what was typed. What may be shown once only
// (an invitation, a key, recovery codes) travels in an encrypted cookie; see
// sealed.go.
package web

import (
	"context"
	"net/http"
	"strings"

	"omote/internal/admin"
	"omote/internal/admin/account"
	"omote/internal/admin/key"
	"omote/internal/admin/org"
	"omote/internal/admin/trail"
	"omote/internal/platform/auth"
	"omote/internal/platform/clock"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/i18n"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/ui"
)

// Pages are the pages of the module.
type Pages struct {
	Auth   *auth.Service
	Web    *auth.Web
	SSO    *SSO // nil without the bank's own sign-in
	Admin  *admin.Admin
	Health Health
	Keys   keyring.Provider
	Clock  clock.Clock
	// BaseURL is the address under which people reach the installation; empty takes
	// that of the request.
	BaseURL string
	// Version of the program, shown at the door.
	Version string
}

// Addresses of the pages.
const (
	signInPath  = "/sign-in"
	setupPath   = "/setup"
	accountPath = "/account"
	peoplePath  = "/admin/people"
	orgPath     = "/admin/organisation"
	keysPath    = "/admin/keys"
	auditPath   = "/admin/audit"
	healthPath  = "/admin/health"
)

// Keys of the navigation entries.
const (
	NavPeople       = "people"
	NavOrganisation = "organisation"
	NavAudit        = "audit"
	NavKeys         = "keys"
	NavSystem       = "system"
)

// Routes adds the pages.
func (p Pages) Routes(r *httpx.Router) {
	const door = "the door: whoever comes here has no session yet"
	r.Public("GET /sign-in", door, p.signIn)
	r.Public("POST /sign-in", door, p.signInSend)
	r.Public("GET /sign-in/oidc", door, p.ssoStart)
	r.Public("GET /sign-in/oidc/callback", door, p.ssoBack)
	r.Public("POST /sign-out", "ends the session of the request, if there is one", p.signOut)
	r.Public("GET /setup", "first run: needs the token that the server printed", p.setup)
	r.Public("POST /setup", "first run: needs the token that the server printed", p.setupSend)
	r.Public("GET "+forgotPath, door, p.forgot)
	r.Public("POST "+forgotPath, door, p.forgotSend)
	r.Public("GET /invitation/{token}", "the link's token is the key", p.invitation)
	r.Public("POST /invitation/{token}", "the link's token is the key", p.invitationSend)

	r.Handle("GET /account", account.PermOwn, p.account)
	r.Handle("POST /account/profile", account.PermOwn, p.accountProfile)
	r.Handle("POST /account/password", account.PermOwn, p.accountPassword)
	r.Handle("POST /account/place", account.PermOwn, p.accountPlace)
	r.Handle("POST /account/code/begin", account.PermOwn, p.codeBegin)
	r.Handle("POST /account/code/confirm", account.PermOwn, p.codeConfirm)
	r.Handle("POST /account/code/end", account.PermOwn, p.codeEnd)
	r.Handle("POST /account/sessions/{id}/end", account.PermOwn, p.sessionEnd)

	r.Handle("GET /admin/people", account.PermRead, p.people)
	r.Handle("GET /admin/people/new", account.PermEdit, p.personNew)
	r.Handle("POST /admin/people/new", account.PermEdit, p.personInvite)
	r.Handle("GET /admin/people/{id}", account.PermRead, p.person)
	r.Handle("POST /admin/people/{id}/profile", account.PermEdit, p.personProfile)
	r.Handle("POST /admin/people/{id}/grants", account.PermEdit, p.personGrants)
	r.Handle("POST /admin/people/{id}/{act}", account.PermEdit, p.personAct)

	r.Handle("GET /admin/organisation", org.PermRead, p.organisation)
	r.Handle("POST /admin/organisation/add", org.PermEdit, p.unitAdd)
	r.Handle("POST /admin/organisation/{id}/{act}", org.PermEdit, p.unitChange)

	r.Handle("GET /admin/keys", key.PermRead, p.keys)
	r.Handle("GET /admin/keys/new", key.PermEdit, p.keyNew)
	r.Handle("POST /admin/keys/new", key.PermEdit, p.keyCreate)
	r.Handle("GET /admin/keys/{id}", key.PermRead, p.keyShow)
	r.Handle("POST /admin/keys/{id}/revoke", key.PermEdit, p.keyRevoke)

	r.Handle("GET /admin/audit", trail.PermRead, p.audit)
	r.Handle("POST /admin/audit/verify/upload", trail.PermRead, p.auditVerify)
	r.Handle("GET /admin/audit/seals.jsonl", trail.PermRead, p.auditSeals)

	r.Handle("GET /admin/health", PermSystem, p.health)
	r.Handle("GET /admin/health/live", PermSystem, p.healthLive)
	r.Handle("GET /admin/health/letter", PermSystemEdit, p.letter)
	r.Handle("POST /admin/health/letters/{act}", PermSystemEdit, p.letterAct)
	r.Handle("POST /admin/health/jobs/{id}/{act}", PermJobEdit, p.jobAct)
}

// pageSize is how many rows a list shows at once.
const pageSize = 50

func seeOther(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// refused tells errors that a person can correct in the form they came from.
func refused(err error) bool {
	switch errs.KindOf(err) {
	case errs.KindInvalid, errs.KindConflict, errs.KindTooLarge, errs.KindDenied:
		return true
	}
	return false
}

// localPath keeps only addresses of this host, so that a sign-in cannot be made
// to end elsewhere.
func localPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// units are the open units that the actor may choose from, in the order of the
// tree: those of the place and below.
func (p Pages) units(ctx context.Context) ([]org.Unit, error) {
	all, err := p.Admin.Org.Tree(ctx)
	if err != nil {
		return nil, err
	}
	open := all[:0]
	for _, u := range all {
		if u.Open() {
			open = append(open, u)
		}
	}
	return open, nil
}

// entire reads the whole tree whatever the place: for naming the units of
// somebody's grants, which may lie above it.
func entire(ctx context.Context) context.Context {
	s, _ := scope.From(ctx)
	s.Unit = scope.Root
	return scope.With(ctx, s)
}

// names are the names of all units by path.
type names map[string]string

func (p Pages) names(ctx context.Context) (names, error) {
	all, err := p.Admin.Org.Tree(entire(ctx))
	out := make(names, len(all))
	for _, u := range all {
		out[u.Path] = u.Name
	}
	return out, err
}

// of gives the name of a unit, or its path where it has none.
func (n names) of(path string) string {
	if name := n[path]; name != "" {
		return name
	}
	return path
}

// unitOptions are units as the choices of a select, indented as they lie.
func unitOptions(units []org.Unit) []ui.Option {
	out := make([]ui.Option, len(units))
	for i, u := range units {
		out[i] = ui.Option{Value: u.Path, Label: strings.Repeat("\u2003", u.Depth()-units[0].Depth()) + u.Name}
	}
	return out
}

// roleName names a role in the language of the context.
func roleName(ctx context.Context, r auth.Role) string {
	if scopeName, isKey := strings.CutPrefix(string(r), "key:"); isKey {
		return i18n.T(ctx, "key.scope."+scopeName)
	}
	return i18n.T(ctx, "role."+string(r))
}

// roleOptions are the roles that people can have.
func roleOptions(ctx context.Context) []ui.Option {
	out := []ui.Option{{Label: i18n.T(ctx, "admin.web.role.choose")}}
	for _, r := range auth.PersonRoles {
		out = append(out, ui.Option{Value: string(r), Label: roleName(ctx, r)})
	}
	return out
}

// languages are the languages that a person's account can have.
func languages() []ui.Option {
	return []ui.Option{{Value: "vi", Label: "Tiếng Việt"}, {Value: "en", Label: "English"}}
}
