package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"go.yaml.in/yaml/v3"

	"omote/analytics/worktime"
	"omote/internal/feedback/cases/packs"
	"omote/internal/feedback/condition"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/errs"
	"omote/internal/platform/store"
)

// The kinds of settings: content that the bank may replace, version by version.
const (
	SettingPack     = "pack"     // id: of the pack
	SettingCalendar = "calendar" // id: of the calendar
	SettingLadder   = "ladder"   // id: of the ladder
	SettingRules    = "rules"    // id: "rules"
	SettingWallet   = "wallet"   // id: "wallet"
	SettingRouting  = "routing"  // id: "routing"
)

// Setting is one version of a piece of content.
type Setting struct {
	bun.BaseModel `bun:"table:cases_setting"`

	Entity   string `bun:",pk"`
	Kind     string `bun:",pk"`
	ID       string `bun:",pk"`
	Version  int    `bun:",pk"`
	Body     string // YAML
	SignedBy string
	At       store.Micros
	ByActor  string
}

// Content is everything that rules cases, compiled: the built-in packs and what the
// bank put in their place. It does not change.
type Content struct {
	packs     map[string]Pack // by key, every version
	current   []Pack          // the version in force of each, in the order of the files
	rules     map[string]ClockRule
	calendars map[string]*worktime.Calendar // by key and, the newest, by id
	specs     map[string]CalendarSpec       // the newest by id
	order     []string                      // ids of calendars
	ladders   map[string]Ladder             // the newest by id
	ladderIDs []string
	Signals   []SignalRule
	Causes    []Choice
	Actions   []Choice
	Letters   []Letter
	Macros    []Macro
	Wallet    Wallet
	Routing   Routing
	hooks     []Hook
	listens   map[string]bool // events that may make a case or set a mark
}

// Routing says which unit, skill and person a new case goes to.
type Routing struct {
	Routes []Route  `yaml:"routes" json:"routes"`
	Team   []Member `yaml:"team" json:"team"`
}

// Route sends cases on which its condition holds; the first match counts.
type Route struct {
	When  string `yaml:"when" json:"when"`
	Unit  string `yaml:"unit" json:"unit"`
	Skill string `yaml:"skill" json:"skill"`

	when condition.Predicate
}

// Member is somebody to whom cases are given.
type Member struct {
	Account string   `yaml:"account" json:"account"`
	Unit    string   `yaml:"unit" json:"unit"` // takes cases of this unit and below
	Skills  []string `yaml:"skills" json:"skills"`
	Max     int      `yaml:"max" json:"max"` // open cases at a time; 0 for no limit
}

// Packs are the rule packs in force at an instant.
func (c *Content) Packs(at time.Time) []Pack {
	day := at.Format(time.DateOnly)
	return slices.DeleteFunc(slices.Clone(c.current), func(p Pack) bool { return p.EffectiveFrom > day })
}

// Calendars are the calendars in force.
func (c *Content) Calendars() (out []CalendarSpec) {
	for _, id := range c.order {
		out = append(out, c.specs[id])
	}
	return out
}

// Ladders are the ladders in force.
func (c *Content) Ladders() (out []Ladder) {
	for _, id := range c.ladderIDs {
		out = append(out, c.ladders[id])
	}
	return out
}

// Rule gives a clock rule of a version of a pack.
func (c *Content) Rule(pack, rule string) (ClockRule, bool) {
	r, ok := c.rules[pack+"/"+rule]
	return r, ok
}

// RuleByID gives a clock rule of the packs in force.
func (c *Content) RuleByID(id string) (ClockRule, bool) {
	for _, p := range c.current {
		for _, r := range p.Rules {
			if r.ID == id {
				return r, true
			}
		}
	}
	return ClockRule{}, false
}

// Calendar gives a calendar by key, or the newest by id.
func (c *Content) Calendar(key string) *worktime.Calendar { return c.calendars[key] }

// BuiltIn compiles the packs that the program ships.
func BuiltIn() (*Content, error) { return compile(nil) }

// compile makes content of the built-in packs and the settings, oldest first.
func compile(settings []Setting) (*Content, error) {
	c := &Content{packs: map[string]Pack{}, rules: map[string]ClockRule{}, calendars: map[string]*worktime.Calendar{}, specs: map[string]CalendarSpec{}, ladders: map[string]Ladder{}}
	var files struct {
		clocks struct {
			Version int    `yaml:"version"`
			Checked string `yaml:"checked"`
			Packs   []Pack `yaml:"packs"`
		}
		calendars struct {
			Calendars []CalendarSpec `yaml:"calendars"`
		}
		ladders struct {
			Ladders []Ladder `yaml:"ladders"`
		}
		rules struct {
			Rules []SignalRule `yaml:"rules"`
		}
		causes struct {
			Causes  []Choice `yaml:"causes"`
			Actions []Choice `yaml:"actions"`
		}
		texts struct {
			Letters []Letter `yaml:"letters"`
			Macros  []Macro  `yaml:"macros"`
		}
	}
	for name, into := range map[string]any{"clock_rules": &files.clocks, "calendars": &files.calendars, "ladders": &files.ladders, "rules": &files.rules,
		"causes": &files.causes, "macros": &files.texts, "wallet": &c.Wallet} {
		raw, err := packs.Files.ReadFile(name + ".yaml")
		if err != nil {
			return nil, err
		}
		if err := decode(raw, into); err != nil {
			return nil, fmt.Errorf("%s.yaml: %w", name, err)
		}
	}
	c.Signals, c.Causes, c.Actions, c.Letters, c.Macros = files.rules.Rules, files.causes.Causes, files.causes.Actions, files.texts.Letters, files.texts.Macros
	for _, s := range files.calendars.Calendars {
		s.Version = 1
		if err := c.addCalendar(s); err != nil {
			return nil, err
		}
	}
	for _, l := range files.ladders.Ladders {
		l.Version = 1
		if err := c.addLadder(l); err != nil {
			return nil, err
		}
	}
	for _, p := range files.clocks.Packs {
		if err := c.addPack(p); err != nil {
			return nil, err
		}
	}
	for _, s := range settings {
		if err := c.add(s); err != nil {
			return nil, err
		}
	}
	for i := range c.Signals {
		if err := c.Signals[i].validate(); err != nil {
			return nil, err
		}
	}
	c.listens = map[string]bool{}
	for _, m := range c.Marks() {
		c.listens[m] = true
	}
	for _, r := range c.Signals {
		for _, name := range r.when.Values("event") {
			c.listens[name] = true
		}
		if slices.Contains(r.when.Values("signal"), "answer") || len(r.when.Values("event")) == 0 {
			c.listens["survey_answered"], c.listens["exit_survey_answered"], c.listens["response_completed"] = true, true, true
		}
	}
	return c, nil
}

// add puts a version that the bank made in the place of the one before.
func (c *Content) add(s Setting) error {
	raw := []byte(s.Body)
	switch s.Kind {
	case SettingPack:
		var p Pack
		if err := decode(raw, &p); err != nil {
			return err
		}
		p.Version, p.SignedBy = s.Version, s.SignedBy
		if p.ID != s.ID {
			return fmt.Errorf("the pack's id is %q and not %q", s.ID, p.ID)
		}
		return c.addPack(p)
	case SettingCalendar:
		var spec CalendarSpec
		if err := decode(raw, &spec); err != nil {
			return err
		}
		spec.Version = s.Version
		if spec.ID != s.ID {
			return fmt.Errorf("the calendar's id is %q and not %q", s.ID, spec.ID)
		}
		return c.addCalendar(spec)
	case SettingLadder:
		var l Ladder
		if err := decode(raw, &l); err != nil {
			return err
		}
		l.Version = s.Version
		if l.ID != s.ID {
			return fmt.Errorf("the ladder's id is %q and not %q", s.ID, l.ID)
		}
		return c.addLadder(l)
	case SettingRules:
		var f struct {
			Rules []SignalRule `yaml:"rules"`
		}
		if err := decode(raw, &f); err != nil {
			return err
		}
		for i := range f.Rules {
			if err := f.Rules[i].validate(); err != nil {
				return err
			}
		}
		c.Signals = f.Rules
	case SettingWallet:
		var w Wallet
		if err := decode(raw, &w); err != nil {
			return err
		}
		if w.Currency == "" || len(w.Limits) == 0 {
			return fmt.Errorf("a wallet needs a currency and a limit")
		}
		for _, l := range w.Limits {
			if l.ID == "" || l.PerCase <= 0 || l.PerCustomerYear < 0 || l.PerPersonMonth < 0 || len(l.Kinds) == 0 || len(l.Roles) == 0 {
				return fmt.Errorf("limit %q needs roles, kinds and an amount for each case", l.ID)
			}
		}
		c.Wallet = w
	case SettingRouting:
		var r Routing
		if err := decode(raw, &r); err != nil {
			return err
		}
		for i := range r.Routes {
			var err error
			if r.Routes[i].when, err = condition.Parse(r.Routes[i].When); err != nil {
				return err
			}
		}
		c.Routing = r
	default:
		return fmt.Errorf("there is no kind of setting %q", s.Kind)
	}
	return nil
}

func (c *Content) addCalendar(s CalendarSpec) error {
	built, err := s.Build()
	if err != nil {
		return err
	}
	if s.Name == "" || s.LabelVI == "" {
		return fmt.Errorf("calendar %s needs a name in both languages", s.ID)
	}
	if _, known := c.specs[s.ID]; !known {
		c.order = append(c.order, s.ID)
	}
	c.specs[s.ID] = s
	c.calendars[s.ID], c.calendars[s.ID+"@"+strconv.Itoa(s.Version)] = built, built
	return nil
}

func (c *Content) addLadder(l Ladder) error {
	if err := l.validate(); err != nil {
		return err
	}
	if _, known := c.ladders[l.ID]; !known {
		c.ladderIDs = append(c.ladderIDs, l.ID)
	}
	c.ladders[l.ID] = l
	return nil
}

func (c *Content) addPack(p Pack) error {
	if _, err := worktime.ParseDate(p.EffectiveFrom); err != nil {
		return fmt.Errorf("pack %s: %w", p.ID, err)
	}
	if p.ID == "" || p.Name == "" || p.LabelVI == "" || p.Jurisdiction == "" || p.Version < 1 {
		return fmt.Errorf("pack %q needs an id, a version, a jurisdiction and a name in both languages", p.ID)
	}
	for i := range p.Rules {
		if err := p.Rules[i].validate(c.calendars, c.ladders); err != nil {
			return fmt.Errorf("pack %s: %w", p.ID, err)
		}
		c.rules[p.Key()+"/"+p.Rules[i].ID] = p.Rules[i]
	}
	c.packs[p.Key()] = p
	if i := slices.IndexFunc(c.current, func(o Pack) bool { return o.ID == p.ID }); i >= 0 {
		c.current[i] = p
	} else {
		c.current = append(c.current, p)
	}
	return nil
}

// calendarKey names the version of a calendar in force.
func (c *Content) calendarKey(id string) string {
	return id + "@" + strconv.Itoa(c.specs[id].Version)
}

// cached remembers the compiled content of an entity until its settings change.
type cached struct {
	mu    sync.Mutex
	stamp map[string]string
	made  map[string]*Content
}

// content gives the content of the transaction's entity.
func (s *Service) content(ctx context.Context, tx store.Tx) (*Content, error) {
	stamp, err := settingStamp(ctx, tx)
	if err != nil {
		return nil, err
	}
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	if c := s.cache.made[tx.Scope.Entity]; c != nil && s.cache.stamp[tx.Scope.Entity] == stamp {
		return c, nil
	}
	settings, err := allSettings(ctx, tx)
	if err != nil {
		return nil, err
	}
	c, err := compile(settings)
	if err != nil {
		return nil, fmt.Errorf("cases: content: %w", err)
	}
	if c.hooks, err = hooksOf(ctx, tx); err != nil {
		return nil, err
	}
	if err := s.box.Open(ctx, tx, &c.hooks); err != nil {
		return nil, err
	}
	s.cache.made[tx.Scope.Entity], s.cache.stamp[tx.Scope.Entity] = c, stamp
	return c, nil
}

// Content gives what rules cases now, for pages that show it.
func (s *Service) Content(ctx context.Context) (c *Content, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		c, err = s.content(ctx, tx)
		return err
	})
	return c, err
}

// SettingText gives the YAML of a setting as it is in force, to be edited.
func (s *Service) SettingText(ctx context.Context, kind, id string) (text string, err error) {
	c, err := s.Content(ctx)
	if err != nil {
		return "", err
	}
	var v any
	switch kind {
	case SettingPack:
		for _, p := range c.current {
			if p.ID == id {
				return s.packText(ctx, p)
			}
		}
	case SettingCalendar:
		if spec, ok := c.specs[id]; ok {
			v = spec
		}
	case SettingLadder:
		if l, ok := c.ladders[id]; ok {
			v = l
		}
	case SettingRules:
		v = map[string]any{"rules": c.Signals}
	case SettingWallet:
		v = c.Wallet
	case SettingRouting:
		v = c.Routing
	}
	if v == nil {
		return "", errs.NotFound("feedback.case.error.setting", "there is no %s %q", kind, id)
	}
	raw, err := yaml.Marshal(v)
	return string(raw), err
}

// packText is a pack as YAML: the bank's own version as it was written, the
// built-in one out of its file.
func (s *Service) packText(ctx context.Context, p Pack) (text string, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		text, err = settingBody(ctx, tx, SettingPack, p.ID, p.Version)
		return err
	})
	if err != nil || text != "" {
		return text, err
	}
	raw, err := packs.Files.ReadFile("clock_rules.yaml")
	if err != nil {
		return "", err
	}
	var file struct {
		Packs []yaml.Node `yaml:"packs"`
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		return "", err
	}
	for i := range file.Packs {
		var head struct {
			ID string `yaml:"id"`
		}
		if err := file.Packs[i].Decode(&head); err == nil && head.ID == p.ID {
			out, err := yaml.Marshal(&file.Packs[i])
			return string(out), err
		}
	}
	return "", errs.NotFound("feedback.case.error.setting", "there is no pack %q", p.ID)
}

// MaxSetting bounds the YAML of a setting in bytes.
const MaxSetting = 256 << 10

// Publish puts a new version of a setting in force. Open clocks keep the version that
// they started under; calendars are counted again at once.
func (s *Service) Publish(ctx context.Context, kind, id, body, signedBy string) (version int, err error) {
	if err := auth.Require(ctx, PermSetup, ""); err != nil {
		return 0, err
	}
	if len(body) > MaxSetting {
		return 0, errs.TooLarge("feedback.case.error.setting_size", "a setting has at most %d bytes", MaxSetting).With("max", MaxSetting)
	}
	if bad(signedBy, 0, MaxName) || bad(id, 1, 60) {
		return 0, errs.Invalid("feedback.case.error.signed", "signed_by", "the name of who signed is too long")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		now, err := s.content(ctx, tx)
		if err != nil {
			return err
		}
		version = now.versionOf(kind, id) + 1
		all, err := allSettings(ctx, tx)
		if err != nil {
			return err
		}
		row := Setting{Entity: tx.Scope.Entity, Kind: kind, ID: id, Version: version, Body: body, SignedBy: strings.TrimSpace(signedBy), At: tx.Now(), ByActor: tx.Scope.Actor}
		made, err := compile(append(all, row))
		if err != nil {
			return errs.Invalid("feedback.case.error.setting_wrong", "body", "%v", err).With("cause", err.Error())
		}
		if err := insertSetting(ctx, tx, &row); err != nil {
			return err
		}
		if kind == SettingCalendar {
			if err := s.recount(ctx, tx, made, id); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, audit.Entry{Action: "feedback.case.publish", Object: kind + "/" + id, After: json.RawMessage(strconv.Quote(body))})
	})
	return version, err
}

func (c *Content) versionOf(kind, id string) int {
	switch kind {
	case SettingPack:
		for _, p := range c.current {
			if p.ID == id {
				return p.Version
			}
		}
	case SettingCalendar:
		return c.specs[id].Version
	case SettingLadder:
		return c.ladders[id].Version
	}
	return 0
}
