package app

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// permSystem lets somebody act on the installation itself.
const permSystem auth.Permission = "admin.system.edit"

type backupInput struct {
	Body struct {
		Dir string `json:"dir" doc:"absolute path of an empty or new folder on the machine of the installation" minLength:"1"`
	}
}

type backupOutput struct{ Body Backup }

// registerSystem adds the operations on the installation itself.
func (a *App) registerSystem(api huma.API) {
	httpx.Operation(api, huma.Operation{OperationID: "take-backup", Method: http.MethodPost, Path: "/api/v1/backup", Tags: []string{"System"},
		Summary: "Back up while everything goes on; only through the socket of the data folder", Errors: []int{http.StatusConflict}}, permSystem, a.backup)
}

// backup writes to a folder of the machine, so it is asked for by who works on
// the machine: a key or a session that reaches the address must not choose paths.
func (a *App) backup(ctx context.Context, in *backupInput) (*backupOutput, error) {
	if who, ok := auth.From(ctx); !ok || who.Kind != localKind {
		return nil, errs.Denied("app.error.backup_local", "back-ups are taken on the machine itself: omote backup DIR")
	}
	b, err := a.Backup(ctx, in.Body.Dir)
	return &backupOutput{b}, err
}
