package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func load(t *testing.T, args ...string) (Config, error) {
	t.Helper()
	set := pflag.NewFlagSet("x", pflag.ContinueOnError)
	Flags(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(set)
}

func TestTheLaterWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "omote.yaml")
	if err := os.WriteFile(path, []byte("addr: 1.1.1.1:1\nbank: File\nentity: e\nrole: [web, ingest]\nlog_retention: 48h\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OMOTE_BANK", "Env")
	t.Setenv("OMOTE_ENTITY", "env")
	t.Setenv("OMOTE_KAFKA_BROKERS", "a:1,b:2")
	t.Setenv("OMOTE_TEST_POSTGRES", "not a setting")
	c, err := load(t, "--config", path, "--entity", "flag")
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "1.1.1.1:1" || c.Bank != "Env" || c.Entity != "flag" || len(c.KafkaBrokers) != 2 || c.Retention.Hours() != 48 || !c.Has(Web) || c.Has(Worker) {
		t.Errorf("%+v", c)
	}
}

func TestUnknownAndWrongSettingsAreRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "omote.yaml")
	if err := os.WriteFile(path, []byte("adr: typo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--config", path}, {"--config", path + ".not"}, {"--role", "chef"}, {"--zone", "Mars/Base"}, {"--locale", "fr"}} {
		if _, err := load(t, args...); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
}

func TestPrintHidesSecrets(t *testing.T) {
	t.Parallel()
	c, err := load(t, "--store", "postgres://u:hunter2@h/db", "--oidc-secret", "hunter2")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Print() {
		if strings.Contains(s.Value, "hunter2") {
			t.Errorf("%s shows its secret: %s", s.Name, s.Value)
		}
	}
}
