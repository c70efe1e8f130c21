package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	surveyapi "omote/internal/feedback/survey/api"
)

func newSurveyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "survey", Short: "List questionnaires and bring in those of other programs"}
	cmd.AddCommand(newSurveyListCommand(), newSurveyImportCommand())
	return cmd
}

func newSurveyListCommand() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "List questionnaires", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return withClient(cmd, func(ctx context.Context, c *client) error {
			var page struct {
				Items []surveyapi.Survey `json:"items"`
			}
			if err := c.call(ctx, http.MethodGet, "/api/v1/surveys", nil, &page); err != nil {
				return err
			}
			return print(cmd, page.Items, func(w io.Writer) error {
				t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
				for _, s := range page.Items {
					fmt.Fprintf(t, "%s\t%d\t%s\n", s.ID, s.Version, s.State)
				}
				return t.Flush()
			})
		})
	}}
}

func newSurveyImportCommand() *cobra.Command {
	var id string
	var check bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a draft of a questionnaire of LimeSurvey (.lss) or of a CSV table",
		Long:  "Prints what could not be carried over. The draft goes live when another person approves it; - reads standard input.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := readInput(cmd, args[0])
			if err != nil {
				return err
			}
			return withClient(cmd, func(ctx context.Context, c *client) error {
				var done surveyapi.SurveyImport
				in := map[string]any{"name": filepath.Base(args[0]), "content": string(raw), "id": id, "check": check}
				if err := c.call(ctx, http.MethodPost, "/api/v1/surveys/import", in, &done); err != nil {
					return err
				}
				return print(cmd, done, func(w io.Writer) error {
					fmt.Fprintf(w, "%s: %d questions carried over, %d left behind\n", done.ID, done.Questions, done.Left)
					t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					for _, n := range done.Notes {
						fmt.Fprintf(t, "  %s\t%s\t%s\n", n.At, n.Code, n.Detail)
					}
					return t.Flush()
				})
			})
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "id of the new questionnaire (default: made of its title)")
	cmd.Flags().BoolVar(&check, "check", false, "only tell what would become of it")
	return cmd
}
