package httpx

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"omote/internal/platform/errs"
)

// Problem is an error as the API tells it (RFC 9457). Code is the stable word to
// program against; Field names the wrong member of the request.
type Problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail,omitempty"`
	Code   string         `json:"code"`
	Field  string         `json:"field,omitempty"`
	Trace  string         `json:"trace_id,omitempty"`
	Args   map[string]any `json:"args,omitempty"`
}

// ProblemOf turns an error into a problem. The text of an internal error stays
// in the log; the trace id finds it there.
func ProblemOf(r *http.Request, err error) Problem {
	status := Status(err)
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: errs.KindOf(err).String(), Trace: RequestID(r.Context())}
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Kind != errs.KindInternal {
		p.Detail, p.Field, p.Args = e.Text, e.Field, e.Args
		if e.Key != "" {
			p.Type = "/help/problems#" + e.Key
		}
	}
	return p
}

// WriteProblem answers with a problem document.
func WriteProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := ProblemOf(r, err)
	LogFailure(r, err)
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// LogFailure notes an error with its cause: defects as errors, the rest quietly.
func LogFailure(r *http.Request, err error) {
	level := slog.LevelDebug
	if Status(err) >= 500 {
		level = slog.LevelError
	}
	slog.Log(r.Context(), level, "request failed", "method", r.Method, "path", r.URL.Path, "request", RequestID(r.Context()), "error", err)
}
