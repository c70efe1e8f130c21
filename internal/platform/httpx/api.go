package httpx

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
)

// Error implements error, so that a Problem can be an API operation's failure.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Operation adds an API operation that needs a permission. The handler returns
// errors of package errs; they become problem documents.
func Operation[I, O any](api huma.API, op huma.Operation, perm auth.Permission, h func(ctx context.Context, in *I) (*O, error)) {
	op.Security = []map[string][]string{{"key": {}}}
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity)
	if op.Extensions == nil {
		op.Extensions = map[string]any{}
	}
	op.Extensions["x-permission"] = string(perm)
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := guarded(ctx, perm, in, h)
		if err != nil {
			return nil, asProblem(ctx, err)
		}
		return out, nil
	})
}

func guarded[I, O any](ctx context.Context, perm auth.Permission, in *I, h func(context.Context, *I) (*O, error)) (*O, error) {
	if err := auth.Require(ctx, perm, ""); err != nil {
		return nil, err
	}
	return h(ctx, in)
}

func asProblem(ctx context.Context, err error) error {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	r, reqErr := http.NewRequestWithContext(ctx, http.MethodGet, "/api/", nil)
	if reqErr != nil {
		return err
	}
	LogFailure(r, err)
	p := ProblemOf(r, err)
	return &p
}

// ValidationProblem is how huma's own refusals (schema, types) are told. It takes
// the place of huma.NewError.
func ValidationProblem(status int, message string, details ...error) huma.StatusError {
	p := &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: message, Code: codeOf(status)}
	var says []string
	for _, d := range details {
		if d == nil {
			continue
		}
		if detailed, ok := d.(huma.ErrorDetailer); ok {
			e := detailed.ErrorDetail()
			says = append(says, strings.TrimPrefix(e.Location, "body.")+": "+e.Message)
			if p.Field == "" {
				p.Field = strings.TrimPrefix(e.Location, "body.")
			}
			continue
		}
		says = append(says, d.Error())
	}
	if len(says) > 0 {
		p.Detail = message + ": " + strings.Join(says, "; ")
	}
	return p
}

func codeOf(status int) string {
	switch {
	case status == http.StatusNotFound:
		return errs.KindNotFound.String()
	case status == http.StatusRequestEntityTooLarge:
		return errs.KindTooLarge.String()
	case status < 500:
		return errs.KindInvalid.String()
	}
	return errs.KindInternal.String()
}
