package app

import (
	"fmt"
	"os"

	"omote/internal/customer/activation"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/outbox"
	"omote/internal/platform/send"
)

// wireOutbox makes the outbox with a sender for each channel that is set up, and
// the gates that modules put before it.
func (a *App) wireOutbox() error {
	senders := map[string]outbox.Sender{send.WebhookChannel: send.NewWebhooks(a.Clock, a.Config.SendLocal), activation.SQLChannel: a.activationSender()}
	if a.Config.Mail != "" {
		mail, err := send.NewMail(a.Config.Mail, a.Config.MailFrom)
		if err != nil {
			return err
		}
		senders[send.MailChannel] = mail
	}
	if a.Config.Channels != "" {
		raw, err := os.ReadFile(a.Config.Channels)
		if err != nil {
			return errs.Invalid("send.error.channels", "channels", "cannot read the channels' file").Because(err)
		}
		gateways, err := send.ParseGateways(raw, os.Getenv, a.Config.SendLocal)
		if err != nil {
			return fmt.Errorf("channels: %w", err)
		}
		for name, g := range gateways {
			senders[name] = g
		}
		a.services.gateways = gateways
	}
	a.services.gates = &outbox.Gates{}
	a.services.outbox = outbox.New(a.Store, a.Box, senders, outbox.Options{Gate: a.services.gates})
	return nil
}

func (a *App) outboxModule() module.Module {
	return module.Module{Name: "outbox", Routes: a.deliveryRoutes, Work: []module.Work{{Name: "outbox", Role: config.Worker, Run: a.services.outbox.Run}}}
}
