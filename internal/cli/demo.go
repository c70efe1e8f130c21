package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"omote/internal/app"
	"omote/internal/demo"
	"omote/internal/platform/config"
)

func newDemoCommand() *cobra.Command {
	var o demo.Options
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a simulated bank with a year of history and live traffic",
		Long: "Fills a data folder of its own with a simulated Vietnamese bank and serves it, with live traffic. Nobody in it exists. The folder is made anew " +
			"each time unless --keep is given.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, logger, err := settings(cmd)
			if err != nil {
				return err
			}
			if !cmd.Flags().Changed("data") {
				c.Data = "omote-demo"
				c.Keys = c.Data + ".keys.json"
			}
			if !cmd.Flags().Changed("bank") {
				c.Bank = "Ngân hàng Bến Lành"
			}
			if c.Mail == "" { // letters are written where the visitor can look at them
				c.Mail, c.MailFrom = "folder:"+c.Data+"/mail", c.Bank+" <no-reply@bank.example>"
			}
			fresh, err := prepare(c, keep)
			if err != nil {
				return err
			}
			a, err := app.Open(cmd.Context(), app.Options{Config: c, Logger: quiet(c, logger)})
			if err != nil {
				return err
			}
			o.Say = func(format string, args ...any) { fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...) }
			runErr := runDemo(cmd.Context(), a, o, fresh)
			ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), closeTimeout)
			defer cancel()
			return errors.Join(runErr, a.Close(ctx))
		},
	}
	cmd.Flags().IntVar(&o.Customers, "customers", 7_000, "customers of the bank")
	cmd.Flags().IntVar(&o.Months, "months", 12, "months of history")
	cmd.Flags().Float64Var(&o.Speed, "speed", 1, "speed of the live traffic; 60 plays an hour in a minute")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of the bank")
	cmd.Flags().BoolVar(&keep, "keep", false, "go on with the demo that is there")
	return cmd
}

// marker says that a folder holds nothing but a demo, so that it may be removed.
const marker = "this-is-a-demo"

// prepare gives an empty folder, or the demo that is there when it is to be kept.
func prepare(c config.Config, keep bool) (fresh bool, err error) {
	_, err = os.Stat(c.Data)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return false, err
	default:
		if _, err := os.Stat(filepath.Join(c.Data, marker)); err != nil {
			return false, usageError{fmt.Errorf("%s is there and is no demo; choose another folder with --data", c.Data)}
		}
		if keep {
			return false, nil
		}
		if err := errors.Join(os.RemoveAll(c.Data), os.RemoveAll(c.Keys)); err != nil {
			return false, err
		}
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return false, err
	}
	return true, os.WriteFile(filepath.Join(c.Data, marker), nil, 0o600)
}

// runDemo serves while the history is loading, then plays live traffic.
func runDemo(ctx context.Context, a *app.App, o demo.Options, fresh bool) error {
	run, stop := context.WithCancel(ctx)
	defer stop()
	var group errgroup.Group
	group.Go(func() error {
		defer stop()
		return a.Run(run, true)
	})
	group.Go(func() error {
		defer stop()
		b, err := demo.Begin(run, a, o, fresh)
		if err != nil {
			return err
		}
		o.Say("\nOpen %s and sign in with the password %s as", a.Config.BaseURL, demo.Password)
		for _, s := range demo.SignIns() {
			o.Say("  %-24s %-12s %s", s.Email, s.Role, s.Name)
		}
		o.Say("\nLive traffic is coming in. Ctrl C ends the demo.")
		return demo.Live(run, a, b, o)
	})
	err := group.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}
