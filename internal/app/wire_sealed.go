package app

import (
	"omote/internal/customer/activation"
	"omote/internal/feedback/cases"
	"omote/internal/feedback/survey"
	"omote/internal/feedback/voice"
	"omote/internal/ingest/connect"
	"omote/internal/ingest/quarantine"
	"omote/internal/platform/auth"
	"omote/internal/platform/idempotency"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store/sealed"
)

// Sealed lists where all modules keep what is encrypted: what a rotation of keys moves
// to the newest.
func (a *App) Sealed() []sealed.Inventory {
	return append(a.services.customers.sealed(a), auth.Sealed(), outbox.Sealed(), privacySealed(), cases.Sealed(), voice.Sealed(), survey.Sealed(),
		idempotency.Sealed(), quarantine.Sealed(), connect.Sealed(), activation.Sealed())
}
