package cli

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestBenchWarehouse(t *testing.T) {
	t.Parallel()
	cmd := newBenchWarehouseCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--events", "20000", "--json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	var r warehouseBench
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Append <= 0 || r.Answers == 0 || r.MinedEvents+r.Answers != r.Events {
		t.Errorf("%s: %v", out.String(), err)
	}
}
