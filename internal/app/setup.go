package app

import (
	"context"
	"net/url"
	"strings"

	"omote/internal/platform/config"
)

// baseURL is the address under which people reach this process.
func (a *App) baseURL() string {
	if a.Config.BaseURL != "" {
		return a.Config.BaseURL
	}
	return "http://" + a.Config.Addr
}

// announceSetup tells the operator where to set the installation up, as long as
// it has no account. Whoever reads it may do so; the token works for a day, and
// each start makes a new one.
func (a *App) announceSetup(served string) {
	if !a.Config.Has(config.Web) {
		return
	}
	token, err := a.services.auth.SetupToken(context.Background())
	if err != nil {
		a.Logger.Error("the set-up token could not be made", "error", err)
		return
	}
	if token == "" {
		return
	}
	at := a.Config.BaseURL
	if at == "" {
		at = "http://" + served
	}
	at = strings.TrimSuffix(at, "/") + "/setup?" + url.Values{"token": {token}}.Encode()
	a.Logger.Info("nobody can sign in yet: set the installation up", "address", at)
	if a.OnSetup != nil {
		a.OnSetup(at)
	}
}
