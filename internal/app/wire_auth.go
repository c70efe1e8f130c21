package app

import (
	"context"
	"encoding/json"
	"fmt"

	"omote/internal/platform/auth"
	"omote/internal/platform/outbox"
	"omote/internal/platform/send"
	"omote/internal/platform/store"
)

// wireAuth makes the sign-in. Where e-mails leave, people who forgot their password
// help themselves.
func (a *App) wireAuth(ctx context.Context) (err error) {
	o := auth.Options{Entity: a.Config.Entity, Issuer: a.Config.Bank}
	if a.Config.Mail != "" {
		o.SendReset = a.sendReset
	}
	if a.services.auth, err = auth.New(ctx, a.Store, a.Box, o); err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	return nil
}

// sendReset writes to somebody who forgot the password, in their language.
func (a *App) sendReset(ctx context.Context, tx store.Tx, r auth.Reset) error {
	l := a.Bundle.Localizer(r.Locale)
	letter := send.Letter{To: r.Email, Subject: l.T("app.reset.subject", "bank", a.Config.Bank),
		Text: l.T("app.reset.text", "name", r.Name, "bank", a.Config.Bank, "link", a.baseURL()+"/invitation/"+r.Token, "life", l.Fmt().Duration(r.Life))}
	payload, err := json.Marshal(letter)
	if err != nil {
		return err
	}
	_, err = a.services.outbox.Enqueue(ctx, tx, outbox.Message{Channel: send.MailChannel, Purpose: "service", Key: "reset/" + r.ID, Payload: payload})
	return err
}
