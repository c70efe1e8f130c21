package form

import (
	"bytes"
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed packs/questionnaires.yaml
var shipped []byte

// Shipped gives the questionnaires that come with the program.
func Shipped() ([]*Document, error) { return ParsePack(shipped) }

// pack is the file's form; its head explains it.
type pack struct {
	Address struct {
		EN packAddress `yaml:"en"`
		VI struct {
			Default   packAddress       `yaml:"default"`
			Formal    packAddress       `yaml:"formal"`
			ByProfile map[string]string `yaml:"by_profile"`
		} `yaml:"vi"`
	} `yaml:"address"`
	Scales      []packScale         `yaml:"scales"`
	Reasons     []packReason        `yaml:"reasons"`
	ReasonLists map[string][]string `yaml:"reason_lists"`
	Instruments []instrument        `yaml:"instruments"`
}

type packAddress struct {
	You      string `yaml:"you"`
	YouStart string `yaml:"You"`
}

type packScale struct {
	ID     string                    `yaml:"id"`
	Min    int                       `yaml:"min"`
	Max    int                       `yaml:"max"`
	Labels map[string]map[int]string `yaml:"labels"`
}

type packReason struct {
	ID     string `yaml:"id"`
	Family string `yaml:"family"`
	Text   `yaml:",inline"`
}

type packOption struct {
	ID   string `yaml:"id"`
	Text `yaml:",inline"`
}

type instrument struct {
	ID            string       `yaml:"id"`
	Kind          string       `yaml:"kind"`
	Name          string       `yaml:"name"`
	LabelVI       string       `yaml:"label_vi"`
	Purpose       Text         `yaml:"purpose"`
	Anonymity     string       `yaml:"anonymity"`
	Quarantine    string       `yaml:"quarantine"`
	MaxItems      int          `yaml:"max_items"`
	Channels      []string     `yaml:"channels"`
	Trigger       packTrigger  `yaml:"trigger"`
	Delay         string       `yaml:"delay"`
	ValidFor      string       `yaml:"valid_for"`
	Sample        float64      `yaml:"sample"`
	Suits         []string     `yaml:"suits"`
	Draw          packDraw     `yaml:"draw"`
	Dimensions    []packOption `yaml:"dimensions"`
	Items         []packItem   `yaml:"items"`
	PairScale     pairScale    `yaml:"scale"`
	OnAnswer      []Reaction   `yaml:"on_answer"`
	Close         Text         `yaml:"close"`
	AddressChange struct {
		VI packAddress `yaml:"vi"`
	} `yaml:"address_override"`
}

type pairScale struct {
	Importance   string `yaml:"importance"`
	Satisfaction string `yaml:"satisfaction"`
}

type packTrigger struct {
	Event string `yaml:"event"`
}

type packDraw struct {
	Items  int      `yaml:"items_per_person"`
	PerDim int      `yaml:"per_dimension_max"`
	Anchor []string `yaml:"anchor"`
}

type packItem struct {
	ID          string            `yaml:"id"`
	Type        string            `yaml:"type"`
	Scale       string            `yaml:"scale"`
	Text        Text              `yaml:"text"`
	Help        Text              `yaml:"help"`
	Required    bool              `yaml:"required"`
	ShowIf      string            `yaml:"show_if"`
	Dim         string            `yaml:"dim"`
	Reasons     string            `yaml:"reasons"`
	MaxChoices  int               `yaml:"max_choices"`
	Options     []packOption      `yaml:"options"`
	OptionsFrom string            `yaml:"options_from"`
	ByChannel   map[string]string `yaml:"by_channel"`
	Reverse     bool              `yaml:"reverse"`
}

// The clocks of the pack are kinds of contact in the contact policy.
var contactKinds = map[string]string{"relationship_clock": "survey_relationship", "transaction_clock": "survey", "service_clock": "service",
	"research_clock": "survey_research"}

// The channels of the pack that are channels of contact; the others (a code at the
// counter, a panel) begin with the customer.
var contactChannels = map[string]string{"mobile_app": "push", "zalo": "zalo", "email": "email", "sms": "sms", "call": "call"}

// ParsePack reads questionnaires from a pack and makes each complete in itself.
func ParsePack(raw []byte) ([]*Document, error) {
	var p pack
	if err := yaml.NewDecoder(bytes.NewReader(raw)).Decode(&p); err != nil {
		return nil, fmt.Errorf("read the pack of questionnaires: %w", err)
	}
	var out []*Document
	for i := range p.Instruments {
		d, err := p.document(&p.Instruments[i])
		if err == nil {
			err = d.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("questionnaire %s: %w", p.Instruments[i].ID, err)
		}
		out = append(out, d)
	}
	return out, nil
}

func (p *pack) document(in *instrument) (*Document, error) {
	d := &Document{ID: in.ID, Kind: in.Kind, Name: Text{VI: in.LabelVI, EN: in.Name}, Purpose: in.Purpose, Close: in.Close, Anonymity: Known,
		Reactions: in.OnAnswer, Draw: Draw(in.Draw), Address: p.address(in)}
	if least, ok := strings.CutPrefix(in.Anonymity, "anonymous_min_"); ok {
		n, err := strconv.Atoi(least)
		if err != nil {
			return nil, fmt.Errorf("anonymity %q", in.Anonymity)
		}
		d.Anonymity, d.MinGroup = Anonymous, n
	}
	for _, o := range in.Dimensions {
		d.Dimensions = append(d.Dimensions, Option{ID: o.ID, Text: o.Text})
	}
	for i := range in.Items {
		it, err := p.item(in, &in.Items[i])
		if err != nil {
			return nil, fmt.Errorf("question %s: %w", in.Items[i].ID, err)
		}
		d.Items = append(d.Items, it)
	}
	return d, p.asking(in, &d.Asking)
}

func (p *pack) asking(in *instrument, a *Asking) (err error) {
	a.Contact, a.Sample = contactKinds[in.Quarantine], in.Sample
	if a.Contact == "" {
		return fmt.Errorf("unknown clock %q", in.Quarantine)
	}
	if a.Delay, err = isoDuration(in.Delay); err != nil {
		return err
	}
	if a.ValidFor, err = isoDuration(in.ValidFor); err != nil {
		return err
	}
	if in.Trigger.Event != "" {
		for _, suit := range in.Suits {
			if !strings.HasSuffix(suit, "/*") {
				a.Events = append(a.Events, suit)
			}
		}
		if in.Trigger.Event != "from_suits" && len(a.Events) == 0 {
			a.Events = []string{in.Trigger.Event}
		}
	}
	for _, c := range in.Channels {
		if known := contactChannels[c]; known != "" {
			a.Channels = append(a.Channels, known)
		}
	}
	return nil
}

func (p *pack) address(in *instrument) AddressBook {
	vi := p.Address.VI.Default
	if in.AddressChange.VI.You != "" {
		vi = in.AddressChange.VI
	}
	b := AddressBook{Default: map[string]Address{"en": Address(p.Address.EN), "vi": Address(vi)},
		Forms: map[string]map[string]Address{"vi": {"formal": Address(p.Address.VI.Formal)}}}
	for form, you := range p.Address.VI.ByProfile {
		r := []rune(you)
		b.Forms["vi"][form] = Address{you, strings.ToUpper(string(r[:1])) + string(r[1:])}
	}
	return b
}

func (p *pack) item(in *instrument, from *packItem) (it Item, err error) {
	it = Item{ID: from.ID, Type: Type(from.Type), Text: from.Text, Help: from.Help, Required: from.Required, ShowIf: from.ShowIf, Dim: from.Dim,
		Max: from.MaxChoices, Reverse: from.Reverse}
	switch {
	case it.Type == Paired:
		it.Scale, it.Second = p.scale(in.PairScale.Importance), p.scale(in.PairScale.Satisfaction)
	case from.Scale != "":
		it.Scale = p.scale(from.Scale)
	}
	for _, o := range from.Options {
		it.Options = append(it.Options, Option{ID: o.ID, Text: o.Text})
	}
	switch {
	case from.Reasons == "by_channel":
		it.Options, err = p.reasonsByChannel(from.ByChannel)
		it.Shuffle = true
	case from.Reasons != "":
		it.Options, err = p.reasons(from.Reasons)
		it.Shuffle = true
	case from.OptionsFrom == "journey_stages":
		it.Options = stages
	}
	return it, err
}

// stages stand for those of any journey, until a bank writes its own.
var stages = []Option{
	{ID: "start", Text: Text{VI: "Lúc bắt đầu", EN: "Getting started"}},
	{ID: "papers", Text: Text{VI: "Giấy tờ, thông tin cần cung cấp", EN: "Papers and information"}},
	{ID: "check", Text: Text{VI: "Xác minh, xét duyệt", EN: "Checks and approval"}},
	{ID: "wait", Text: Text{VI: "Lúc chờ đợi", EN: "Waiting"}},
	{ID: "end", Text: Text{VI: "Bước hoàn tất", EN: "Finishing"}},
	{ID: "after", Text: Text{VI: "Sau khi xong", EN: "Afterwards"}},
}

// reasonsByChannel joins the lists of all channels; each reason knows where it is offered.
func (p *pack) reasonsByChannel(lists map[string]string) ([]Option, error) {
	channels := slices.Sorted(maps.Keys(lists))
	var all []string
	for _, channel := range channels {
		all = append(all, lists[channel])
	}
	out, err := p.reasons(all...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		for _, channel := range channels {
			if slices.Contains(p.ReasonLists[lists[channel]], out[i].ID) {
				out[i].Via = append(out[i].Via, channel)
			}
		}
	}
	return out, nil
}

func (p *pack) scale(id string) *Scale {
	for _, s := range p.Scales {
		if s.ID == id {
			out := &Scale{ID: id, Min: s.Min, Max: s.Max, Labels: map[int]Text{}}
			for v, en := range s.Labels["en"] {
				out.Labels[v] = Text{VI: s.Labels["vi"][v], EN: en}
			}
			return out
		}
	}
	return nil
}

// reasons joins lists of reasons, each reason once, "something else" last.
func (p *pack) reasons(lists ...string) (out []Option, err error) {
	seen := map[string]bool{}
	for _, list := range lists {
		ids, ok := p.ReasonLists[list]
		if !ok {
			return nil, fmt.Errorf("no list of reasons %q", list)
		}
		for _, id := range ids {
			i := slices.IndexFunc(p.Reasons, func(r packReason) bool { return r.ID == id })
			if i < 0 {
				return nil, fmt.Errorf("no reason %q", id)
			}
			if !seen[id] {
				seen[id] = true
				out = append(out, Option{ID: id, Text: p.Reasons[i].Text, Family: p.Reasons[i].Family, Last: id == "r_other"})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Option) int {
		switch {
		case a.Last == b.Last:
			return 0
		case a.Last:
			return 1
		}
		return -1
	})
	return out, nil
}

var isoForm = regexp.MustCompile(`^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// isoDuration reads a duration of ISO 8601 in days, hours, minutes and seconds.
func isoDuration(text string) (time.Duration, error) {
	m := isoForm.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is no duration such as P3D or PT1H", text)
	}
	var d time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if m[i+1] != "" {
			n, err := strconv.Atoi(m[i+1])
			if err != nil || n > 100_000 {
				return 0, fmt.Errorf("%q is too long", text)
			}
			d += time.Duration(n) * unit
		}
	}
	return d, nil
}
