package app

import (
	"omote/internal/customer"
	"omote/internal/module"
	"omote/internal/platform/config"
	"omote/internal/platform/i18n"
)

// customerModule is who the bank's customers are.
func (a *App) customerModule() module.Module {
	return module.Module{
		Name:    "customer",
		Locales: []i18n.Source{customer.Locales()},
		Work:    []module.Work{{Name: "identity links", Role: config.Warehouse, Run: a.syncLinks}},
	}
}
