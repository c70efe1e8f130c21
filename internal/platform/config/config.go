// Package config is the one configuration of a process: built-in defaults, then
// one YAML file, then environment variables, then flags; the later wins.
//
//	omote serve --config omote.yaml --addr 0.0.0.0:8080
//	OMOTE_STORE=postgres://… omote serve
//
// Every setting has one name: "log_retention" in the file, OMOTE_LOG_RETENTION in the
// environment, --log-retention as a flag. `omote doctor` prints what is in force,
// without secrets.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"omote/internal/platform/errs"
	"omote/internal/platform/scope"
)

// Role is a part of the program that a process runs.
type Role string

// The roles. A process without the setting runs all of them.
const (
	Web       Role = "web"       // pages and API
	Ingest    Role = "ingest"    // tracking doors and feeds
	Worker    Role = "worker"    // state projector, jobs, outbox
	Warehouse Role = "warehouse" // warehouse projector: one owner at a time
)

// Roles lists all roles.
var Roles = []Role{Web, Ingest, Worker, Warehouse}

// Config is what a process runs with. The tags name the setting; a tag "secret"
// hides it from print-outs.
type Config struct {
	Data      string   `koanf:"data" help:"folder of everything that is kept on this machine"`
	Addr      string   `koanf:"addr" help:"address to serve on"`
	BaseURL   string   `koanf:"base_url" help:"address under which people reach this installation"`
	Roles     []string `koanf:"role" help:"parts to run: web, ingest, worker, warehouse; empty runs all"`
	Store     string   `koanf:"store" help:"postgres://… of the system of record; empty uses SQLite in the data folder" secret:"url"`
	Log       string   `koanf:"log" help:"nats://… of the event log; empty runs it in this process" secret:"url"`
	Monitors  []string `koanf:"log_monitor" help:"HTTP monitoring addresses of the external log's servers"`
	Unsynced  bool     `koanf:"log_allow_unsynced" help:"accept an external log that cannot prove that it syncs before it acknowledges"`
	Warehouse string   `koanf:"warehouse" help:"postgres://… of the warehouse; empty uses DuckDB in the data folder" secret:"url"`
	Keys      string   `koanf:"keys" help:"file of the key ring; empty puts it beside the data folder"`
	Erasures  string   `koanf:"erasures" help:"file of the list of erasures, which restored back-ups are erased by; empty puts it beside the key ring"`

	Partitions int           `koanf:"log_partitions" help:"partitions of a new event log"`
	Retention  time.Duration `koanf:"log_retention" help:"how long the event log is kept"`

	Entity   string `koanf:"entity" help:"code of the bank entity"`
	Bank     string `koanf:"bank" help:"name of the bank, shown on every page"`
	Zone     string `koanf:"zone" help:"IANA time zone in which days are cut"`
	Currency string `koanf:"currency" help:"currency of amounts that name none (ISO 4217)"`
	Locale   string `koanf:"locale" help:"language of pages for people who have not chosen: vi or en"`
	Packs    string `koanf:"locale_packs" help:"folder of further languages and the bank's own terms"`

	OIDCIssuer string `koanf:"oidc_issuer" help:"issuer of the bank's single sign-on"`
	OIDCClient string `koanf:"oidc_client" help:"client id at the issuer"`
	OIDCSecret string `koanf:"oidc_secret" help:"client secret at the issuer" secret:"all"`

	KafkaBrokers []string `koanf:"kafka_brokers" help:"brokers of the Kafka source; empty switches it off"`
	KafkaTopics  []string `koanf:"kafka_topics" help:"topics to read"`
	KafkaGroup   string   `koanf:"kafka_group" help:"consumer group"`
	KafkaSource  string   `koanf:"kafka_source" help:"name of the feed that the topics are"`
	KafkaTLS     bool     `koanf:"kafka_tls" help:"reach the brokers by TLS"`
	KafkaCA      string   `koanf:"kafka_ca" help:"PEM file of the authorities of the brokers' certificates; empty uses the machine's"`
	KafkaCert    string   `koanf:"kafka_cert" help:"PEM file of this program's certificate for the brokers"`
	KafkaKey     string   `koanf:"kafka_key" help:"PEM file of that certificate's key"`
	KafkaSASL    string   `koanf:"kafka_sasl" help:"how to sign in at the brokers: plain, scram-sha-256 or scram-sha-512; empty signs in nowhere"`
	KafkaUser    string   `koanf:"kafka_user" help:"name at the brokers"`
	KafkaSecret  string   `koanf:"kafka_password" help:"password at the brokers" secret:"all"`

	Mail      string `koanf:"mail" help:"smtp://, smtps:// or folder: by which e-mails leave; empty sends none" secret:"url"`
	MailFrom  string `koanf:"mail_from" help:"sender of e-mails, such as Bank <no-reply@bank.example>"`
	Channels  string `koanf:"channels" help:"file (YAML) of the gateways for SMS, Zalo, push"`
	SendLocal bool   `koanf:"send_local" help:"let webhooks and gateways reach this machine"`
	Scanner   string `koanf:"scanner" help:"tcp://host:port or unix:///path of a ClamAV daemon that files are scanned by; empty scans none"`

	OTLP     string `koanf:"otlp_endpoint" help:"OTLP/HTTP endpoint for traces; empty switches them off"`
	LogLevel string `koanf:"log_level" help:"debug, info, warn or error"`

	WarehouseMemory  string `koanf:"warehouse_memory" help:"memory limit of DuckDB"`
	WarehouseThreads int    `koanf:"warehouse_threads" help:"threads of DuckDB"`
}

// Default is what holds without any setting.
func Default() Config {
	return Config{
		Data: "omote-data", Addr: "127.0.0.1:8080", Retention: 7 * 24 * time.Hour,
		Entity: scope.DefaultEntity, Bank: "Omote", Zone: "Asia/Ho_Chi_Minh", Currency: "VND", Locale: "vi",
		KafkaGroup: "omote", KafkaSource: "kafka", LogLevel: "info", WarehouseMemory: "4GB", WarehouseThreads: 2,
	}
}

// Flags adds a flag for every setting.
func Flags(set *pflag.FlagSet) {
	set.String("config", "", "configuration file (YAML)")
	eachField(Default(), func(name, help, _ string, value reflect.Value) {
		flag := strings.ReplaceAll(name, "_", "-")
		if set.Lookup(flag) != nil {
			return
		}
		switch v := value.Interface().(type) {
		case string:
			set.String(flag, v, help)
		case []string:
			set.StringSlice(flag, v, help)
		case bool:
			set.Bool(flag, v, help)
		case int:
			set.Int(flag, v, help)
		case time.Duration:
			set.Duration(flag, v, help)
		}
	})
}

// Load reads the configuration. set holds the flags of the command line, of
// which only those that were given count.
func Load(set *pflag.FlagSet) (Config, error) {
	k := koanf.New(".")
	if path, err := set.GetString("config"); err == nil && path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return Config{}, errs.Invalid("config.error.file", "config", "cannot read %s", path).Because(err)
		}
	}
	known := map[string]bool{}
	eachField(Default(), func(name, _, _ string, _ reflect.Value) { known[name] = true })
	for _, name := range k.Keys() {
		if !known[name] {
			return Config{}, errs.Invalid("config.error.unknown", name, "the configuration file has an unknown setting %q", name)
		}
	}
	fromEnv := env.Provider(".", env.Opt{Prefix: "OMOTE_", TransformFunc: func(key, value string) (string, any) {
		name := strings.ToLower(strings.TrimPrefix(key, "OMOTE_"))
		if !known[name] {
			return "", nil
		}
		if field := fieldOf(name); field.Kind() == reflect.Slice {
			return name, strings.Split(value, ",")
		}
		return name, value
	}})
	if err := k.Load(fromEnv, nil); err != nil {
		return Config{}, fmt.Errorf("read the environment: %w", err)
	}
	set.Visit(func(f *pflag.Flag) {
		name := strings.ReplaceAll(f.Name, "-", "_")
		if !known[name] {
			return
		}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			_ = k.Set(name, list.GetSlice())
			return
		}
		_ = k.Set(name, f.Value.String())
	})
	c := Default()
	if err := k.Unmarshal("", &c); err != nil {
		return Config{}, errs.Invalid("config.error.type", "", "a setting has the wrong type").Because(err)
	}
	return c, c.validate()
}

func fieldOf(name string) (found reflect.Value) {
	eachField(Default(), func(n, _, _ string, v reflect.Value) {
		if n == name {
			found = v
		}
	})
	return found
}

func (c *Config) validate() error {
	for _, r := range c.Roles {
		if !slices.Contains(Roles, Role(r)) {
			return errs.Invalid("config.error.role", "role", "unknown role %q; use web, ingest, worker or warehouse", r)
		}
	}
	if _, err := time.LoadLocation(c.Zone); err != nil {
		return errs.Invalid("config.error.zone", "zone", "%q is no IANA time zone", c.Zone)
	}
	if c.Locale != "vi" && c.Locale != "en" {
		return errs.Invalid("config.error.locale", "locale", "locale is vi or en, not %q", c.Locale)
	}
	if c.Data == "" {
		return errs.Invalid("config.error.data", "data", "the data folder needs a name")
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://" + c.Addr
	}
	if c.Keys == "" {
		c.Keys = filepath.Clean(c.Data) + ".keys.json"
	}
	return nil
}

// Has tells whether this process runs the role.
func (c *Config) Has(r Role) bool { return len(c.Roles) == 0 || slices.Contains(c.Roles, string(r)) }

// Location is the zone in which days are cut.
func (c *Config) Location() *time.Location {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Folder gives a folder of the data folder and makes it where it is missing.
func (c *Config) Folder(name string) (string, error) {
	path := filepath.Join(c.Data, name)
	if err := os.MkdirAll(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make the folder %s: %w", path, err)
	}
	return path, nil
}

// Setting is one setting as it is printed.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Print lists all settings in force, with secrets hidden.
func (c *Config) Print() (out []Setting) {
	eachField(*c, func(name, _, secret string, value reflect.Value) {
		text := fmt.Sprint(value.Interface())
		switch {
		case text == "" || text == "[]":
			text = ""
		case secret == "all":
			text = "(set)"
		case secret == "url":
			text = withoutPassword(text)
		}
		out = append(out, Setting{name, text})
	})
	return out
}

func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(set)"
	}
	return u.Redacted()
}

func eachField(c Config, fn func(name, help, secret string, value reflect.Value)) {
	v := reflect.ValueOf(c)
	for f := range v.Type().Fields() {
		fn(f.Tag.Get("koanf"), f.Tag.Get("help"), f.Tag.Get("secret"), v.FieldByIndex(f.Index))
	}
}
