package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	ingest "omote/internal/ingest/api"
	"omote/internal/ingest/mapping"
)

// importResult is what the command prints.
type importResult struct {
	ID          string           `json:"id"`
	Accepted    int64            `json:"accepted"`
	Duplicates  int64            `json:"duplicates"`
	Quarantined int64            `json:"quarantined"`
	Seconds     float64          `json:"seconds"`
	Dropped     map[string]int64 `json:"dropped,omitempty"`
}

func newImportCommand() *cobra.Command {
	var kind, mode, mapFile string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Bring a file in: CSV, NDJSON, Parquet or XES",
		Long: "Brings a file in and waits until every figure can see it. What the columns mean is guessed from their names unless --map says it. " +
			"Rows that do not fit are set aside with their reason; omote import prints how many, and the import page lets them be corrected.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := readMapping(mapFile)
			if err != nil {
				return err
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				im, err := runImport(ctx, c, args[0], kind, mode, m, progressTo(cmd))
				if err != nil {
					return err
				}
				r := importResult{im.ID, im.Accepted, im.Duplicates, im.Quarantined, im.Seconds, im.Dropped}
				return print(cmd, r, func(w io.Writer) error { return printImport(w, r) })
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "what the file is: eventlog, events, customers or feedback")
	cmd.Flags().StringVar(&mode, "mode", "history", "live, or history, which starts nothing")
	cmd.Flags().StringVar(&mapFile, "map", "", "file that says what the columns mean (YAML)")
	_ = cmd.MarkFlagRequired("kind")
	return cmd
}

func readMapping(path string) (json.RawMessage, error) {
	if path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, usageError{fmt.Errorf("read the mapping: %w", err)}
	}
	var m mapping.Mapping
	if err := yaml.Unmarshal(raw, &m); err != nil {
		return nil, mapping.BadDocument(err)
	}
	return json.Marshal(m)
}

// runImport uploads, starts and waits. When the command is interrupted the
// import goes on where a process serves, and is resumed later where not.
func runImport(ctx context.Context, c *client, path, kind, mode string, m json.RawMessage, progress func(ingest.Import)) (im ingest.Import, err error) {
	f, err := os.Open(path)
	if err != nil {
		return im, usageError{err}
	}
	defer f.Close()
	if err := c.call(ctx, http.MethodPost, "/api/v1/imports?name="+url.QueryEscape(filepath.Base(path)), io.Reader(f), &im); err != nil {
		return im, err
	}
	body := map[string]any{"kind": kind, "mode": mode}
	if m != nil {
		body["mapping"] = m
	}
	if err := c.call(ctx, http.MethodPost, "/api/v1/imports/"+im.ID+"/start", body, &im); err != nil {
		return im, err
	}
	for wait := 5 * time.Millisecond; ; wait = min(wait*2, 250*time.Millisecond) {
		if err := c.call(ctx, http.MethodGet, "/api/v1/imports/"+im.ID, nil, &im); err != nil {
			return im, err
		}
		progress(im)
		switch im.State {
		case "done":
			return im, nil
		case "failed", "cancelled", "paused":
			return im, fmt.Errorf("the import is %s: %s", im.State, im.Error)
		}
		select {
		case <-ctx.Done():
			return im, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// progressTo shows progress on a terminal.
func progressTo(cmd *cobra.Command) func(ingest.Import) {
	info, err := os.Stderr.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || asJSON(cmd) {
		return func(ingest.Import) {}
	}
	return func(im ingest.Import) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%3.0f%%  %d rows, %d set aside", im.Progress*100, im.Rows, im.Quarantined)
		if im.State == "done" {
			fmt.Fprintln(os.Stderr)
		}
	}
}

func printImport(w io.Writer, r importResult) error {
	_, err := fmt.Fprintf(w, "accepted %d, duplicates %d, quarantined %d, %.2f s\n", r.Accepted, r.Duplicates, r.Quarantined, r.Seconds)
	for name, n := range r.Dropped {
		_, err = fmt.Fprintf(w, "not declared and left out: %s (%d values)\n", name, n)
	}
	return err
}
