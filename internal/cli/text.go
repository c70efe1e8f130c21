package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"omote/analytics/text/model"
	"omote/analytics/text/pii"
)

// newTextCommand gathers the commands that read customers' words.
func newTextCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "text",
		Short: "Train and run text models; mask personal data; find themes",
		Long: `Work with customers' words on this machine: no text leaves it.

Files are JSON lines such as {"text":"…","label":"…"} or {"text":"…","labels":["…","…"]},
or CSV with the columns text and label. "-" reads standard input.`,
	}
	cmd.AddCommand(newTextTrainCommand(), newTextEvalCommand(), newTextClassifyCommand(), newTextMaskCommand(), newTextThemesCommand(), newTextBenchCommand(), newTextShippedCommand())
	return cmd
}

// textColumns names the columns of a CSV file.
type textColumns struct{ text, label string }

func (c *textColumns) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.text, "text-column", "text", "column of the text in a CSV file")
	cmd.Flags().StringVar(&c.label, "label-column", "label", "column of the label in a CSV file; several are parted by |")
}

// readExamples reads labelled texts from JSON lines or CSV, told apart by the
// first character.
func readExamples(stdin io.Reader, path string, c textColumns, needLabel bool) ([]model.Example, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	buffered := bufio.NewReader(in)
	head, err := buffered.Peek(3)
	if err != nil && len(head) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	if bytes.Equal(head, []byte("\xEF\xBB\xBF")) {
		buffered.Discard(3)
		head, _ = buffered.Peek(1)
	}
	read := func(in io.Reader) ([]model.Example, error) { return readTextCSV(in, c, needLabel) }
	if head[0] == '{' {
		read = func(in io.Reader) ([]model.Example, error) { return model.ReadJSONL(in, needLabel) }
	}
	examples, err := read(buffered)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(examples) == 0 {
		return nil, fmt.Errorf("%s holds no rows", path)
	}
	return examples, nil
}

func readTextCSV(in io.Reader, c textColumns, needLabel bool) ([]model.Example, error) {
	reader := csv.NewReader(in)
	header, err := reader.Read()
	if err != nil {
		return nil, err
	}
	text, label := slices.Index(header, c.text), slices.Index(header, c.label)
	if text < 0 {
		return nil, usageError{fmt.Errorf("no column %q; there are %s", c.text, strings.Join(header, ", "))}
	}
	if label < 0 && needLabel {
		return nil, usageError{fmt.Errorf("no column %q; there are %s", c.label, strings.Join(header, ", "))}
	}
	var examples []model.Example
	for {
		row, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return examples, nil
		}
		if err != nil {
			return nil, err
		}
		e := model.Example{Text: row[text]}
		if label >= 0 && row[label] != "" {
			e.Labels = strings.Split(row[label], "|")
			slices.Sort(e.Labels)
		}
		if needLabel && len(e.Labels) == 0 {
			line, _ := reader.FieldPos(text)
			return nil, fmt.Errorf("line %d: no label", line)
		}
		examples = append(examples, e)
	}
}

// trainingFlags are the settings of training that a person may want to change.
func trainingFlags(cmd *cobra.Command, o *model.Options) {
	cmd.Flags().Uint64Var(&o.Seed, "seed", o.Seed, "seed of the training order")
	cmd.Flags().Float64Var(&o.Cost, "cost", o.Cost, "penalty of a margin fault; larger fits the examples closer")
	cmd.Flags().Float64Var(&o.Balance, "balance", o.Balance, "0 to 1: how far rare labels are lifted to the weight of frequent ones")
	cmd.Flags().IntVar(&o.MaxFeatures, "features", o.MaxFeatures, "most features that the model keeps (0: as many as fit in 10 MB)")
}

func newTextTrainCommand() *cobra.Command {
	o := model.DefaultOptions()
	var c textColumns
	var train, out string
	cmd := &cobra.Command{
		Use:     "train --train FILE --model OUT",
		Short:   "Train a text model from labelled texts",
		Example: `  omote text train --train labelled.jsonl --model subject.omtx`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			examples, err := readExamples(cmd.InOrStdin(), train, c, true)
			if err != nil {
				return err
			}
			started := time.Now()
			m, err := model.Train(examples, o)
			if err != nil {
				return err
			}
			seconds := time.Since(started).Seconds()
			if err := writeModel(out, m); err != nil {
				return err
			}
			if asJSON(cmd) {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
					"examples": len(examples), "labels": len(m.Labels()), "features": m.Features(), "model_bytes": m.Bytes(), "train_s": seconds,
				})
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d examples, %d labels, %d features, %d bytes, %.1f s\n", len(examples), len(m.Labels()), m.Features(), m.Bytes(), seconds)
			return nil
		},
	}
	cmd.Flags().StringVar(&train, "train", "", "file of labelled texts")
	cmd.Flags().StringVar(&out, "model", "", "file to write the model to")
	cmd.MarkFlagRequired("train")
	cmd.MarkFlagRequired("model")
	trainingFlags(cmd, &o)
	c.flags(cmd)
	return cmd
}

// writeModel writes beside the target and renames, so that no half model is
// ever read.
func writeModel(path string, m *model.Model) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".model-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := m.WriteTo(f); err != nil {
		f.Close()
		return fmt.Errorf("writing the model: %w", err)
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func readModel(path string) (*model.Model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := model.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func newTextMaskCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mask [FILE]",
		Short: "Replace personal data in each line by its kind",
		Long: `Replace payment cards, phone numbers, citizen ids, account numbers, e-mail
addresses, names and home addresses in each line of FILE (or standard input) by
[card], [phone], [id], [account], [email], [name] and [address].`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			return maskLines(cmd.OutOrStdout(), in, asJSON(cmd))
		},
	}
	return cmd
}

// maskedLine is the JSON of one line; offsets are bytes of the line given.
type maskedLine struct {
	Text  string       `json:"text"`
	Found []maskedSpan `json:"found"`
}

type maskedSpan struct {
	Kind  string `json:"kind"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

func maskLines(out io.Writer, in io.Reader, asJSON bool) error {
	writer := bufio.NewWriter(out)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	scanner := bufio.NewScanner(in)
	scanner.Buffer(make([]byte, 64<<10), 16<<20)
	for scanner.Scan() {
		masked, spans := pii.Mask(scanner.Text())
		if !asJSON {
			fmt.Fprintln(writer, masked)
			continue
		}
		line := maskedLine{Text: masked, Found: []maskedSpan{}}
		for _, s := range spans {
			line.Found = append(line.Found, maskedSpan{s.Kind.String(), s.Start, s.End})
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("reading lines: %w", err)
	}
	return writer.Flush()
}
