package demo

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"

	"omote/bank"
	"omote/internal/app"
	"omote/internal/feedback/form"
	"omote/internal/feedback/survey"
	"omote/internal/platform/event"
)

// askings are the bank's own invitations and answers of the last months, as its survey
// program before this one would hand them over: who was eligible, who was not asked
// and why, who answered what.
type askings struct {
	from, end int64
	entity    string
	list      []*asking
	open      map[string]*asking // the newest of a customer and instrument
}

// asking is one of them.
type asking struct {
	eligible, invited, answered int64
	instrument, trigger, item   string
	reason                      string // why not asked
	channel, via                string
	unit, journey, product      string
	system, user, message       string
	locale                      string
	score                       int
	why, words                  string
}

// askingDays is how far back the demo's askings go: the pages show 90 days, and the
// oldest of them began before.
const askingDays = 110

func newAskings(entity string, end time.Time) *askings {
	return &askings{from: end.AddDate(0, 0, -askingDays).UnixMicro(), end: end.UnixMicro(), entity: entity, open: map[string]*asking{}}
}

// surveyProps are what the bank's survey events say.
type surveyProps struct {
	Instrument string `json:"instrument"`
	Trigger    string `json:"trigger_event"`
	Code       string `json:"reason_code"`
	Item       string `json:"item"`
	Score      int    `json:"score"`
	Reason     string `json:"reason"`
	Language   string `json:"language"`
	Verbatim   string `json:"verbatim"`
}

// note keeps an event of the survey program.
func (k *askings) note(e *bank.Event) error {
	if e.At < k.from || e.Kind != bank.Track || !strings.HasPrefix(e.Name, "survey_") || e.UserID == "" {
		return nil
	}
	var p surveyProps
	if err := json.Unmarshal(e.Props, &p); err != nil {
		return err
	}
	key := e.UserID + "\x00" + p.Instrument
	a := k.open[key]
	switch {
	case e.Name == "survey_eligible":
		a = &asking{eligible: e.At, instrument: p.Instrument, trigger: p.Trigger, via: e.Channel, unit: e.Unit, journey: e.Journey, product: e.Product, system: e.System, user: e.UserID,
			message: e.MessageID}
		k.open[key] = a
		k.list = append(k.list, a)
	case a == nil:
	case e.Name == "survey_suppressed":
		a.reason = p.Code
	case e.Name == "survey_invited":
		a.invited, a.channel = e.At, e.Channel
	case e.Name == "survey_answered" && a.answered == 0:
		a.answered, a.item, a.score, a.why, a.words, a.locale = e.At, p.Item, p.Score, p.Reason, p.Verbatim, p.Language
	}
	return nil
}

// notAskedWhy and askedBy say the bank's words in those of the contact policy.
var (
	notAskedWhy = map[string]string{"quarantine": "cap_full", "opted_out": "objected", "no_consent": "withdrawn", "open_case": "excluded"}
	askedBy     = map[string]string{"mobile_app": "push", "qr_at_counter": "qr"}
)

// seed gives the askings to the questionnaires, with the further questions answered in
// the spirit of the score.
func (k *askings) seed(ctx context.Context, a *app.App) error {
	ctx = a.System(ctx)
	all, err := a.Surveys().List(ctx)
	if err != nil {
		return err
	}
	docs := map[string]*form.Document{}
	for _, v := range all {
		docs[v.Document.ID] = v.Document
	}
	past := map[string][]survey.Past{}
	unit := k.gaming()
	for _, one := range k.list {
		if d := docs[one.instrument]; d != nil {
			past[d.ID] = append(past[d.ID], k.past(a, d, one, one.hidden(unit)))
		}
	}
	past["emp_pulse"] = k.staff(docs["emp_pulse"])
	for _, id := range []string{"rel_nps", "tx_csat", "ces", "complaint_followup", "expectation_gap", "exit_short", "exp_dimensions", "emp_pulse"} {
		if _, err := a.Surveys().Adopt(ctx, id, past[id]); err != nil {
			return err
		}
	}
	return nil
}

// gaming is the branch with most askings after a transaction: it leaves the addresses of
// those out who do not look pleased, so that the check for such units has something to
// find.
func (k *askings) gaming() (unit string) {
	n, branch := map[string]int{}, map[string]bool{}
	for _, b := range bank.Branches() {
		branch[b.Path] = true
	}
	for _, o := range k.list {
		if branch[o.unit] && o.instrument == "tx_csat" && o.invited != 0 {
			if n[o.unit]++; n[o.unit] > n[unit] || n[o.unit] == n[unit] && o.unit < unit {
				unit = o.unit
			}
		}
	}
	return unit
}

// hidden tells an asking that the branch prevents.
func (o *asking) hidden(gaming string) bool {
	return o.unit == gaming && o.instrument == "tx_csat" && o.invited != 0 && (o.answered == 0 && o.message[0] > '1' || o.answered != 0 && o.score < 4)
}

func (k *askings) past(a *app.App, d *form.Document, o *asking, hidden bool) survey.Past {
	e := event.Event{System: o.system, Source: o.system, UserID: o.user}
	created := time.UnixMicro(o.eligible).UTC()
	in := &survey.Invitation{CustomerID: a.Names.Record(k.entity, e.RecordID()).String(), ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(o.message)).String(), Cause: "demo/" + o.message,
		State: survey.NotAsked, Probability: bank.SampleShare(o.trigger, o.instrument), Unit: unitCode(o.unit), Via: o.via, Journey: o.journey, Product: o.product, Created: created, Due: created,
		Expires: created.Add(d.Asking.ValidFor), Reason: notAskedWhy[o.reason], System: o.system, UserID: o.user}
	if hidden {
		in.Reason = survey.NoChannel
	}
	if o.invited == 0 || hidden {
		return survey.Past{Invitation: in}
	}
	in.State, in.Reason, in.Asked, in.Channel = survey.Asked, "", time.UnixMicro(o.invited).UTC(), o.channel
	if by := askedBy[o.channel]; by != "" {
		in.Channel = by
	}
	in.Due, in.Expires = in.Asked, in.Asked.Add(d.Asking.ValidFor)
	first := d.Item(o.item)
	if first == nil || first.Scale == nil || o.answered > k.end {
		if in.Expires.UnixMicro() < k.end {
			in.State = survey.Expired
		}
		return survey.Past{Invitation: in}
	}
	in.State = survey.Answered
	h := uuid.NewSHA1(uuid.NameSpaceURL, []byte(o.message))
	s := said{r: rand.New(rand.NewPCG(uint64(h[0])<<8|uint64(h[1]), uint64(h[2])<<8|uint64(h[3]))), why: o.why, words: o.words}
	s.answers(d, first, in.ID, o.via, o.score)
	completed := time.UnixMicro(o.answered).UTC()
	took := time.Duration(len(s.all)) * time.Duration(3+s.r.IntN(9)) * time.Second
	if s.r.IntN(40) == 0 { // somebody taps through
		took = time.Second
	}
	return survey.Past{Invitation: in, Response: &survey.Response{Channel: in.Channel, Locale: o.locale, Probability: in.Probability, Unit: in.Unit, Via: in.Via, Journey: in.Journey,
		Product: in.Product, Answers: s.all, Started: completed.Add(-took), Completed: completed, System: o.system, UserID: o.user}}
}

// said is one respondent, who answers the further questions as the first.
type said struct {
	r          *rand.Rand
	all        form.Answers
	feel       float64 // 0 to 1
	why, words string
}

// answers goes through the questionnaire as a person does.
func (s *said) answers(d *form.Document, first *form.Item, seed, via string, score int) {
	s.all = form.Answers{}
	score = min(max(score, first.Scale.Min), first.Scale.Max)
	s.feel = float64(score-first.Scale.Min) / float64(first.Scale.Max-first.Scale.Min)
	s.all[first.ID] = form.Answer{Number: &score}
	for it := d.Next(seed, s.all); it != nil; it = d.Next(seed, s.all) {
		s.all[it.ID] = s.say(it, seed, via)
	}
}

func (s *said) say(it *form.Item, seed, via string) form.Answer {
	skip := form.Answer{Skipped: true}
	switch it.Type {
	case form.Words:
		words := s.words
		s.words = ""
		return form.Answer{Text: words, Skipped: words == ""}
	case form.YesNo:
		yes := s.feel > 0.5 && s.r.Float64() < 0.8 || s.r.Float64() < 0.45
		return form.Answer{Chosen: []string{map[bool]string{true: "yes", false: "no"}[yes]}}
	case form.Single:
		o := it.Ordered(seed, via)
		if strings.HasSuffix(it.ID, "_settled") { // settled, partly, not
			return form.Answer{Chosen: []string{it.Options[min(int((1-s.feel)*3), 2)].ID}}
		}
		return form.Answer{Chosen: []string{o[s.r.IntN(len(o))].ID}}
	case form.Multi:
		if s.r.Float64() < 0.12 && !it.Required {
			return skip
		}
		o := it.Ordered(seed, via)
		chosen := o[s.r.IntN(len(o)-1)].ID
		for _, each := range o {
			if each.ID == s.why {
				chosen = s.why
			}
		}
		return form.Answer{Chosen: []string{chosen}}
	case form.Paired:
		a, b := s.point(it.Scale, 0.78, false), s.point(it.Second, s.feel, false)
		return form.Answer{Number: &a, Second: &b}
	}
	if it.Scale == nil {
		return skip
	}
	p := s.point(it.Scale, s.feel, it.Reverse)
	return form.Answer{Number: &p}
}

// point is about where the feeling lies on a scale.
func (s *said) point(scale *form.Scale, feel float64, reverse bool) int {
	x := min(max(feel+0.2*s.r.NormFloat64(), 0), 1)
	if reverse {
		x = 1 - x
	}
	return scale.Min + int(math.Round(x*float64(scale.Max-scale.Min)))
}

// staffWords are what staff write of what stands in the way.
var staffWords = []string{
	"Màn hình mở hồ sơ bắt nhập hai lần cùng một thông tin.", "Hạn mức hoàn phí tại quầy phải chờ duyệt cả buổi.", "Khách hỏi khoản tra soát, tôi không xem được tiến độ.",
	"Chỉ tiêu bán thẻ khiến chúng tôi mời cả người không cần.", "Giờ cao điểm chỉ có một quầy mở.", "The approval queue closes at four; the customer has to come back.",
	"Hệ thống chậm nhất đúng ngày trả lương.", "Nên cho quầy xem lịch sử cuộc gọi của khách.",
}

// staff lets people of each unit answer the pulse: they feel about as the customers of
// their unit do.
func (k *askings) staff(d *form.Document) (out []survey.Past) {
	if d == nil {
		return nil
	}
	sum, n := map[string]float64{}, map[string]float64{}
	for _, o := range k.list {
		if o.instrument == "tx_csat" && o.answered != 0 {
			sum[o.unit], n[o.unit] = sum[o.unit]+float64(o.score-1)/4, n[o.unit]+1
		}
	}
	r := rand.New(rand.NewPCG(11, 13))
	for _, b := range bank.Branches() {
		feel := 0.62 + 0.9*((sum[b.Path]+4*0.7)/(n[b.Path]+4)-0.7)
		for range 7 + r.IntN(12) {
			s := said{r: r}
			if r.IntN(6) == 0 {
				s.words = staffWords[r.IntN(len(staffWords))]
			}
			id := uuid.Must(uuid.NewRandomFromReader(randomBytes{r})).String()
			score := s.point(d.Score().Scale, feel, false)
			s.answers(d, d.Score(), id, "", score)
			at := time.UnixMicro(k.end).Add(-time.Duration(1+r.IntN(80)) * 24 * time.Hour).UTC()
			out = append(out, survey.Past{Response: &survey.Response{ID: id, Channel: "intranet", Locale: "vi", Probability: 1, Unit: unitCode(b.Path), Answers: s.all, Started: at, Completed: at}})
		}
	}
	return out
}

// randomBytes reads from a seeded generator.
type randomBytes struct{ r *rand.Rand }

func (b randomBytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b.r.Uint32())
	}
	return len(p), nil
}
