package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/spf13/cobra"

	connectapi "omote/internal/ingest/connect/api"
)

func newConnectorCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "connector", Short: "Fetch records of other systems"}
	cmd.AddCommand(newConnectorListCommand(), newConnectorShowCommand(), newConnectorSaveCommand(),
		newConnectorActCommand("run", "Read now"), newConnectorActCommand("pause", "Hold a connector"), newConnectorActCommand("resume", "Let it go on"),
		&cobra.Command{Use: "remove ID", Short: "Take a connector away; what it brought in stays", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return withClient(cmd, func(ctx context.Context, c *client) error {
				return c.call(ctx, http.MethodDelete, "/api/v1/connectors/"+url.PathEscape(args[0]), nil, nil)
			})
		}})
	return cmd
}

func newConnectorListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List connectors and how each does", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var all connectapi.ConnectorList
			if err := c.call(ctx, http.MethodGet, "/api/v1/connectors", nil, &all); err != nil {
				return err
			}
			return print(cmd, all.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, one := range all.Items {
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d rows, %d set aside\t%s\n", one.ID, one.State, one.Setup.Name, one.Place, one.Rows, one.Quarantined, one.Error)
				}
				return t.Flush()
			})
		})
	}}
}

func newConnectorShowCommand() *cobra.Command {
	return &cobra.Command{Use: "show ID", Short: "Print a connector with the coverage of its columns", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var one connectapi.Connector
			if err := c.call(ctx, http.MethodGet, "/api/v1/connectors/"+url.PathEscape(args[0]), nil, &one); err != nil {
				return err
			}
			return print(cmd, one, func(w io.Writer) error {
				fmt.Fprintf(w, "%s, %s, %s\n%d rows, %d sent, %d set aside\n", one.Setup.Name, one.State, one.Place, one.Rows, one.Sent, one.Quarantined)
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, col := range one.Columns {
					to := col.To
					if to == "" {
						to = "(left out)"
					}
					fmt.Fprintf(t, "%s\t%s\t%d\n", col.Name, to, col.Filled)
				}
				return t.Flush()
			})
		})
	}}
}

func newConnectorSaveCommand() *cobra.Command {
	var id string
	cmd := &cobra.Command{Use: "save FILE", Short: "Make or change a connector from a YAML file",
		Long: "FILE holds the fields of the API's operation make-connector; - reads standard input. A password is better given there than on a command line.",
		Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readYAML(cmd, args[0])
			if err != nil {
				return err
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				method, path := http.MethodPost, "/api/v1/connectors"
				if id != "" {
					method, path = http.MethodPut, path+"/"+url.PathEscape(id)
				}
				return callConnector(ctx, cmd, c, method, path, body)
			})
		}}
	cmd.Flags().StringVar(&id, "id", "", "change this one")
	return cmd
}

func newConnectorActCommand(act, short string) *cobra.Command {
	return &cobra.Command{Use: act + " ID", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			return callConnector(ctx, cmd, c, http.MethodPost, "/api/v1/connectors/"+url.PathEscape(args[0])+"/"+act, nil)
		})
	}}
}

func callConnector(ctx context.Context, cmd *cobra.Command, c *client, method, path string, body any) error {
	var one connectapi.Connector
	if err := c.call(ctx, method, path, body, &one); err != nil {
		return err
	}
	return print(cmd, one, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "connector %s is %s\n", one.ID, one.State)
		return err
	})
}
