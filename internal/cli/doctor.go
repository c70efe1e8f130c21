package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"omote/internal/app"
	"omote/internal/platform/config"
)

// checkup is what the doctor finds.
type checkup struct {
	Build    app.Build        `json:"build"`
	Settings []config.Setting `json:"settings"`
	Findings []finding        `json:"findings"`
	Healthy  bool             `json:"healthy"`
}

type finding struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// minFree is the free space below which the doctor warns.
const minFree = 2 << 30

func newDoctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Show the configuration in force, without secrets, and what is wrong",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, logger, err := settings(cmd)
			if err != nil {
				return err
			}
			d := checkup{Build: app.BuildInfo(), Settings: cfg.Print(), Healthy: true}
			note := func(name string, ok bool, format string, args ...any) {
				d.Findings = append(d.Findings, finding{name, ok, fmt.Sprintf(format, args...)})
				d.Healthy = d.Healthy && ok
			}
			examineMachine(cfg, note)
			c, err := connect(cmd.Context(), cfg, logger)
			if err != nil {
				note("engines", false, "%v", err)
			} else {
				note("engines", c.alive(cmd.Context()), "store, event log and warehouse answer")
				if err := c.stop(); err != nil {
					note("shutdown", false, "%v", err)
				}
			}
			if err := print(cmd, d, func(w io.Writer) error { return d.print(w) }); err != nil {
				return err
			}
			if !d.Healthy {
				return fmt.Errorf("something is wrong; see above")
			}
			return nil
		},
	}
}

// examineMachine looks at what the process will stand on.
func examineMachine(cfg config.Config, note func(name string, ok bool, format string, args ...any)) {
	note("machine", true, "%d processors, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	dir := cfg.Data
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		note("disk", false, "%s: %v", dir, err)
	} else {
		free := fs.Bavail * uint64(fs.Bsize)
		note("disk", free > minFree, "%.1f GB free in %s", float64(free)/(1<<30), dir)
	}
	if info, err := os.Stat(cfg.Keys); err == nil {
		note("keys", info.Mode().Perm()&0o077 == 0, "%s, mode %o", cfg.Keys, info.Mode().Perm())
	} else {
		note("keys", true, "%s will be made at the first start; keep a copy apart from back-ups", cfg.Keys)
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil {
		note("open files", limit.Cur >= 4096, "%d allowed", limit.Cur)
	}
}

func (d checkup) print(w io.Writer) error {
	fmt.Fprintf(w, "omote %s (%s)\n\n", d.Build.Version, d.Build.Go)
	for _, s := range d.Settings {
		fmt.Fprintf(w, "%-20s %s\n", s.Name, s.Value)
	}
	fmt.Fprintln(w)
	for _, f := range d.Findings {
		mark := "ok"
		if !f.OK {
			mark = "WRONG"
		}
		if _, err := fmt.Fprintf(w, "%-12s %-6s %s\n", f.Name, mark, f.Detail); err != nil {
			return err
		}
	}
	return nil
}
