// Package telemetry sends traces to an OpenTelemetry collector, where one is
// configured: a span for each request, named by its route and never by its
// address, with the trace of the caller continued (W3C Trace Context).
//
// Without an endpoint nothing is recorded and nothing is sent.
package telemetry

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"omote/internal/platform/errs"
)

// Tracing makes spans. The zero value of a process without an endpoint makes
// spans that cost nothing.
type Tracing struct {
	tracer   trace.Tracer
	provider *sdktrace.TracerProvider
}

// Open connects to the OTLP/HTTP endpoint, an address such as
// http://collector:4318/v1/traces; "" switches tracing off. A collector that is
// down loses spans and disturbs nothing.
func Open(ctx context.Context, endpoint, version string) (*Tracing, error) {
	if endpoint == "" {
		return &Tracing{tracer: noop.NewTracerProvider().Tracer("omote")}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint))
	if err != nil {
		return nil, errs.Invalid("config.error.otlp", "otlp_endpoint", "the address for traces cannot be used").Because(err)
	}
	about := resource.NewSchemaless(attribute.String("service.name", "omote"), attribute.String("service.version", version))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return &Tracing{tracer: provider.Tracer("omote"), provider: provider}, nil
}

// Close sends what is waiting.
func (t *Tracing) Close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last spans: %w", err)
	}
	return nil
}

// Start begins a span of the program's own work; end it.
func (t *Tracing) Start(ctx context.Context, name string) (context.Context, trace.Span) {
	return t.tracer.Start(ctx, name)
}

// Request begins the span of a request and gives the function that ends it with
// the route and the status, once both are known.
func (t *Tracing) Request(r *http.Request) (context.Context, func(route string, status int)) {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(route string, status int) {
		if route != "" {
			span.SetName(route)
		}
		span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("http.route", route), attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
		span.End()
	}
}
