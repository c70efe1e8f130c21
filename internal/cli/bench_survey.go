package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"omote/internal/bench"
)

// newBenchSurveyCommand measures answering of surveys.
func newBenchSurveyCommand() *cobra.Command {
	var o bench.SurveyOptions
	cmd := &cobra.Command{
		Use:   "survey",
		Short: "Measure answers, the respondent's page, and results of ten million responses",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp(o.Dir, "omote-bench-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			o.Dir = dir
			r, err := bench.Survey(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%.0f complete responses/s, %.0f answers/s, page p99 %.1f ms (%d bytes), results of %d responses %.0f ms, %d cores\n",
				r.ResponsesPerS, r.AnswersPerS, r.PageP99MS, r.PageBytes, r.ResultsN, r.Results10MMS, r.Cores)
			return err
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", "", "folder to work in (default: the temporary one)")
	cmd.Flags().IntVar(&o.Seconds, "seconds", 0, "length of each load (default 5)")
	cmd.Flags().IntVar(&o.Results, "results", 0, "responses behind the results (default 10,000,000)")
	return cmd
}
