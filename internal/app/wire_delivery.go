package app

import (
	"context"
	"io"
	"net/http"

	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
	"omote/internal/platform/store"
)

// maxReport bounds the body of a delivery report.
const maxReport = 1 << 20

// deliveryRoutes takes what gateways of SMS, Zalo and push report of messages later.
func (a *App) deliveryRoutes(r *httpx.Router) {
	r.Public("POST /hooks/delivery/{channel}", "gateways report deliveries under their own signature", a.deliveryReport)
}

func (a *App) deliveryReport(w http.ResponseWriter, r *http.Request) error {
	channel := r.PathValue("channel")
	g := a.services.gateways[channel]
	if g == nil {
		return errs.NotFound("send.error.reports", "there is no channel %q that takes reports", channel)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	if err != nil {
		return errs.TooLarge("send.error.report", "a report has at most %d bytes", maxReport)
	}
	reports, err := g.Reports(r.Header, body, a.Clock.Now())
	if err != nil {
		return err
	}
	for _, one := range reports {
		err := a.Store.Write(a.system(r.Context()), func(ctx context.Context, tx store.Tx) error {
			m, changed, err := a.services.outbox.Report(ctx, tx, channel, one.ID, one.Delivery)
			if err != nil || !changed {
				return err
			}
			return a.services.surveys.Delivered(ctx, tx, m.CustomerID, m.Key, string(m.Delivery))
		})
		if err != nil && errs.KindOf(err) != errs.KindNotFound { // a message that was purged, or another sender's
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
