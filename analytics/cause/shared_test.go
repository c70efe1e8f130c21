package cause

import (
	"archive/tar"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"omote/internal/testkit/shared"
)

// xsCases reads the published cases with their causes.
func xsCases(t testing.TB) []truth {
	t.Helper()
	f, err := os.Open(shared.Path(t, "stats/rca_xs/rca_xs.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]*Table{}
	labels := xsLabels(t)
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(h.Name)
		if !strings.HasSuffix(name, ".csv") {
			continue
		}
		rows, err := csv.NewReader(archive).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		n := len(rows[0]) - 2
		table := NewTable(rows[0][:n]...)
		for _, row := range rows[1:] {
			v, _ := strconv.ParseFloat(row[n], 64)
			e, _ := strconv.ParseFloat(row[n+1], 64)
			table.Add(row[:n], v, e)
		}
		tables[strings.TrimSuffix(name, ".csv")] = table
	}
	var out []truth
	for name, table := range tables {
		out = append(out, truth{table, labels[name]})
	}
	return out
}

func xsLabels(t testing.TB) map[string][]string {
	t.Helper()
	f, err := os.Open(shared.Path(t, "stats/rca_xs/injection_info.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string][]string{}
	for _, row := range rows[1:] {
		labels[row[0]] = strings.Split(row[1], ";")
	}
	return labels
}
