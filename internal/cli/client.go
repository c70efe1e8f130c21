package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"omote/internal/app"
	"omote/internal/platform/config"
	"omote/internal/platform/errs"
	"omote/internal/platform/httpx"
)

// client calls the API of the process that owns the data folder.
type client struct {
	http *http.Client
	// stop ends the process that was started for the moment, if one was.
	stop func() error
}

// withClient runs fn with a client of the command's data folder.
func withClient(cmd *cobra.Command, fn func(ctx context.Context, c *client) error) error {
	cfg, logger, err := settings(cmd)
	if err != nil {
		return err
	}
	c, err := connect(cmd.Context(), cfg, logger)
	if err != nil {
		return err
	}
	err = fn(cmd.Context(), c)
	return errors.Join(err, c.stop())
}

// connect reaches the running process, or starts one without an address.
func connect(ctx context.Context, cfg config.Config, logger *slog.Logger) (*client, error) {
	socket := filepath.Join(cfg.Data, app.SocketName)
	c := &client{http: socketClient(socket), stop: func() error { return nil }}
	if c.alive(ctx) {
		return c, nil
	}
	a, err := app.Open(ctx, app.Options{Config: cfg, Logger: quiet(cfg, logger)})
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- a.Run(run, false) }()
	c.stop = func() error {
		cancel()
		err := <-done
		closing, end := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer end()
		return errors.Join(err, a.Close(closing))
	}
	for deadline := time.Now().Add(startTimeout); !c.alive(ctx); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return nil, errors.Join(errs.Unavailable("cli.error.start", "the data folder %s did not open in time", cfg.Data), c.stop())
		}
	}
	return c, nil
}

// startTimeout bounds how long the engines may take to open.
const startTimeout = time.Minute

// quiet keeps the log of a process that serves one command to what is wrong,
// unless more was asked for.
func quiet(cfg config.Config, logger *slog.Logger) *slog.Logger {
	if cfg.LogLevel != config.Default().LogLevel {
		return logger
	}
	return slog.New(levelFilter{logger.Handler()})
}

type levelFilter struct{ slog.Handler }

func (levelFilter) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func socketClient(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}}
}

func (c *client) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://omote/readyz", nil)
	if err != nil {
		return false
	}
	res, err := c.http.Do(r)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}

// call sends in as JSON (or as it is, when it is a reader) and reads the answer
// into out (or copies it there, when it is a writer).
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	switch v := in.(type) {
	case nil:
	case io.Reader:
		body = v
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://omote"+path, body)
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("reach the data folder's process: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return problem(res)
	}
	switch v := out.(type) {
	case nil:
		_, err = io.Copy(io.Discard, res.Body)
	case io.Writer:
		_, err = io.Copy(v, res.Body)
	default:
		err = json.NewDecoder(res.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// problem turns a problem document back into an error of its kind.
func problem(res *http.Response) error {
	var p httpx.Problem
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p); err != nil || p.Status == 0 {
		return fmt.Errorf("the process answered %s", res.Status)
	}
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if p.Trace != "" && p.Status >= 500 {
		text += " (request " + p.Trace + ")"
	}
	e := &errs.Error{Text: text, Field: p.Field}
	switch p.Code {
	case "invalid":
		e.Kind = errs.KindInvalid
	case "not_found":
		e.Kind = errs.KindNotFound
	case "denied":
		e.Kind = errs.KindDenied
	case "conflict":
		e.Kind = errs.KindConflict
	case "unavailable":
		e.Kind = errs.KindUnavailable
	}
	return e
}
