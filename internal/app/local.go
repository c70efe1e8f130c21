package app

import (
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"golang.org/x/sys/unix"

	"omote/internal/platform/auth"
	"omote/internal/platform/scope"
)

// localKind is the kind of actor that speaks through the socket.
const localKind = "local"

// operator is who speaks through the socket: a person with access to the machine's
// data folder, who could read everything there anyway. What they do is audited
// under this name.
func (a *App) operator() auth.Actor {
	var grants []auth.Grant
	for _, r := range []auth.Role{auth.Admin, auth.Analyst, auth.Steward, auth.CXLead, auth.DPO, auth.Auditor, auth.KeyIngest, auth.KeyExport, auth.KeyConsent} {
		grants = append(grants, auth.Grant{Role: r, Unit: scope.Root})
	}
	return auth.Actor{Kind: localKind, ID: "operator", Entity: a.Config.Entity, Grants: grants, Place: scope.Root, Source: "local"}
}

// asLocalOperator gives every request of the socket the operator's rights.
func (a *App) asLocalOperator(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(auth.WithActor(r.Context(), a.operator())))
	})
}

// listenPrivate opens a Unix socket that only its owner can use.
func listenPrivate(path string) (net.Listener, error) {
	before := unix.Umask(0o177)
	defer unix.Umask(before)
	return net.Listen("unix", path)
}

// quietServerLog takes what net/http has to say about broken connections into
// the debug log.
func quietServerLog(to *slog.Logger) *log.Logger {
	return log.New(lineWriter{to}, "", 0)
}

type lineWriter struct{ to *slog.Logger }

func (w lineWriter) Write(p []byte) (int, error) {
	w.to.Debug("http server", "says", strings.TrimSpace(string(p)))
	return len(p), nil
}
