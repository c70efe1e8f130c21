package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"omote/analytics/text/model"
)

// shippedModel says how one shipped model is made.
type shippedModel struct {
	file        string
	train, test string // below the data folder
	part        string // of labels such as ASPECT#POLARITY
	features    int    // most features kept
}

var shippedModels = []shippedModel{
	{"vi_aspect.omtx", "uts2017_bank/train.jsonl", "uts2017_bank/test.jsonl", "first", 100_000},
	{"vi_sentiment.omtx", "uts2017_bank/train.jsonl", "uts2017_bank/test.jsonl", "second", 100_000},
	{"en_intent.omtx", "banking77/train.csv", "banking77/test.csv", "", 100_000},
}

func newTextShippedCommand() *cobra.Command {
	var data, out, lexicon string
	cmd := &cobra.Command{
		Use:   "train-shipped --data DIR --out DIR",
		Short: "Train again the models that ship with the program",
		Long: `Train the shipped models from UTS2017_Bank (Apache-2.0) and Banking77 (CC BY 4.0),
laid out below --data as uts2017_bank/{train,test}.jsonl and
banking77/{train,test}.csv. Copies of test texts are left out, so that the models
can be tested fairly. The same data and program give the same bytes.

With --lexicon, first the list of leaning words is learned from
vi_bank_app_reviews/cleaned_reviews.csv (MIT) and written there; the models use
the list that the program was built with.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lexicon != "" {
				if err := writeLearned(lexicon, data); err != nil {
					return err
				}
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, s := range shippedModels {
				m, err := s.make(data)
				if err != nil {
					return fmt.Errorf("%s: %w", s.file, err)
				}
				if err := writeModel(filepath.Join(out, s.file), m); err != nil {
					return err
				}
				fmt.Fprintf(w, "%s\t%d labels\t%d features\t%d bytes\n", s.file, len(m.Labels()), m.Features(), m.Bytes())
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "folder of the corpora")
	cmd.Flags().StringVar(&out, "out", "", "folder to write the models to")
	cmd.Flags().StringVar(&lexicon, "lexicon", "", "file to write the learned word list to")
	cmd.MarkFlagRequired("data")
	cmd.MarkFlagRequired("out")
	return cmd
}

// make trains one model on all training texts but copies of test texts.
func (s shippedModel) make(data string) (*model.Model, error) {
	columns := textColumns{text: "text", label: "label"}
	if filepath.Ext(s.train) == ".csv" {
		columns.label = "category"
	}
	train, err := readExamples(nil, filepath.Join(data, s.train), columns, true)
	if err != nil {
		return nil, err
	}
	test, err := readExamples(nil, filepath.Join(data, s.test), columns, true)
	if err != nil {
		return nil, err
	}
	train, _ = model.WithoutCopies(train, test)
	if err := partLabels(s.part, train); err != nil {
		return nil, err
	}
	o := model.DefaultOptions()
	o.MaxFeatures = s.features
	return model.Train(slices.Clip(train), o)
}

// writeLearned learns the word list from the reviews' stars.
func writeLearned(path, data string) error {
	reviews, err := readExamples(nil, filepath.Join(data, "vi_bank_app_reviews/cleaned_reviews.csv"), textColumns{text: "content", label: "score"}, true)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := learnLexicon(f, reviews); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
