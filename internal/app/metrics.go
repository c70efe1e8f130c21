package app

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are what Prometheus reads at /metrics. Labels are route patterns and
// names of parts, never what a feed sent.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "omote_http_request_seconds", Help: "Time to answer requests.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
	}, []string{"method", "route", "status"})}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe notes one answered request.
func (m *metrics) observe(method, route string, status int, took time.Duration) {
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// watch registers the gauges of the parts that are open.
func (m *metrics) watch(a *App) {
	m.registry.MustRegister(logCollector{a})
}

// logCollector reports the event log and how far the projectors are.
type logCollector struct{ a *App }

var (
	lagEvents  = prometheus.NewDesc("omote_projector_lag_events", "Events not yet taken up.", []string{"projector", "partition"}, nil)
	lagSeconds = prometheus.NewDesc("omote_projector_lag_seconds", "Age of the oldest event not yet taken up.", []string{"projector", "partition"}, nil)
	logEvents  = prometheus.NewDesc("omote_log_events_total", "Events made durable by this process.", nil, nil)
	logBytes   = prometheus.NewDesc("omote_log_bytes_total", "Bytes made durable by this process.", nil, nil)
	logFailed  = prometheus.NewDesc("omote_log_failures_total", "Groups of events that could not be made durable.", nil, nil)
	isReady    = prometheus.NewDesc("omote_ready", "1 while all parts work.", nil, nil)
)

// Describe implements prometheus.Collector.
func (logCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lagEvents, lagSeconds, logEvents, logBytes, logFailed, isReady} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c logCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, name := range c.a.projectorNames() {
		for _, lag := range c.a.Log.Lag(name) {
			p := strconv.Itoa(lag.Partition)
			gauge(lagEvents, float64(lag.Events), name, p)
			gauge(lagSeconds, lag.Behind.Seconds(), name, p)
		}
	}
	stats := c.a.Log.Stats()
	for d, v := range map[*prometheus.Desc]uint64{logEvents: stats.Events, logBytes: stats.Bytes, logFailed: stats.Failures} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	ready := 0.0
	if c.a.check(context.Background()) == nil {
		ready = 1
	}
	gauge(isReady, ready)
}
