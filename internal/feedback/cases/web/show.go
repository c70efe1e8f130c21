package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"omote/internal/feedback/cases"
	"omote/internal/platform/auth"
	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
)

type showView struct {
	cases.View
	pages   Pages
	content *cases.Content
	people  map[string]string
	units   map[string]string
	said    string
	link    string // of the follow-up, once
	allow   []cases.Allowance
}

func (p Pages) show(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, err := p.view(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	v.said = said(w, r)
	if auth.Can(ctx, cases.PermEdit) && v.IsOpen {
		if v.allow, err = p.Cases.Allowances(ctx, v.ID); err != nil {
			return err
		}
	}
	name := v.Name.Plain
	if name == "" {
		name = i18n.T(ctx, "feedback.case.unnamed")
	}
	page := ui.Page{Title: v.Title.Plain, At: ui.NavCases, Crumbs: []ui.Link{{Label: i18n.T(ctx, "feedback.case.queue"), Href: queuePath}, {Label: v.Ref()}},
		Meta: []ui.Item{ui.Text(v.Ref()), ui.Text(word(ctx, "state", string(v.State))), ui.Text(word(ctx, "kind", string(v.Kind))), ui.Text(name),
			ui.Text(nameOf(v.units, v.Unit, v.Unit)), ui.Text(i18n.T(ctx, "feedback.case.opened_at", "when", ui.When(ctx, v.Opened.Time())))}}
	if v.Reopened > 0 {
		page.Meta = append(page.Meta, ui.Care(i18n.T(ctx, "feedback.case.reopened", "count", v.Reopened)))
	}
	return ui.Render(w, r, showPage(page, v))
}

func (p Pages) view(ctx context.Context, id string) (v showView, err error) {
	v = showView{pages: p, people: p.People(ctx), units: p.Units(ctx)}
	if v.View, err = p.Cases.Get(ctx, id); err != nil {
		return v, err
	}
	v.content, err = p.Cases.Content(ctx)
	return v, err
}

// mayOpen tells whether a file may be opened, by the result of its scan.
func (v showView) mayOpen(scan string) bool { return v.pages.Cases.MayOpen(scan) }

// next is the clock that runs out next; nil when none does.
func (v showView) next() *cases.ClockView {
	for i := range v.Clocks {
		if v.Clocks[i].Open() && v.Clocks[i].State != cases.ClockPaused && v.Clocks[i].Side != "customer" && !v.Clocks[i].Optional {
			return &v.Clocks[i]
		}
	}
	return nil
}

func (v showView) figure(ctx context.Context) ui.FigureProps {
	k := v.next()
	if k == nil {
		return ui.FigureProps{Value: i18n.T(ctx, "feedback.case.nothing_owed")}
	}
	due := k.Due.Time()
	f := i18n.Fmt(ctx)
	state := ui.Noise
	value, note := "", k.Rule.Label(i18n.Locale(ctx))+": "+v.pages.dueWords(ctx, due)
	unit := i18n.T(ctx, "feedback.case.unit_left")
	if d := due.Sub(v.pages.Clock.Now()); d >= 0 {
		value = f.DurationShort(d)
	} else {
		value, unit, state = f.DurationShort(-d), i18n.T(ctx, "feedback.case.unit_late"), ui.Worse
	}
	props := ui.FigureProps{Value: value, Unit: " " + unit, Note: note, Interval: k.Rule.Action.In(i18n.Locale(ctx))}
	if state == ui.Worse {
		props.State = &state
	}
	return props
}

// clock is one clock as drawn, with a line that says what it is.
func (v showView) clock(ctx context.Context, k cases.ClockView) ui.ClockProps {
	switch k.State {
	case cases.ClockMet:
		return ui.ClockProps{Label: i18n.T(ctx, "feedback.case.clock.met", "when", ui.When(ctx, k.Met.Time())), State: ui.ClockMet, Used: 1}
	case cases.ClockLate:
		return ui.ClockProps{Label: i18n.T(ctx, "feedback.case.clock.late", "when", ui.When(ctx, k.Met.Time())), State: ui.ClockLate, Used: 1}
	case cases.ClockPaused:
		return ui.ClockProps{Label: i18n.T(ctx, "feedback.case.clock.paused"), State: ui.ClockPaused, Used: k.Used}
	case cases.ClockOver, cases.ClockLapsed:
		return ui.ClockProps{Label: i18n.T(ctx, "feedback.case.clock."+string(k.State)), State: ui.ClockMet, Used: 1}
	}
	return ui.ClockProps{Label: v.pages.left(ctx, k.Due.Time()), Used: k.Used, State: v.pages.clockState(k.Due.Time(), k.Used)}
}

// source says where a clock's rule comes from and how sure that is.
func (v showView) source(ctx context.Context, k cases.ClockView) string {
	f := i18n.Fmt(ctx)
	text := k.Rule.Citation + " · " + i18n.T(ctx, "feedback.case.confidence."+k.Rule.Confidence)
	if k.From.Legal() && k.From.SignedBy == "" {
		text += " · " + i18n.T(ctx, "feedback.case.unsigned")
	}
	for _, former := range k.Changes.Former {
		text += " · " + i18n.T(ctx, "feedback.case.former", "why", i18n.T(ctx, "feedback.case.why."+former.Why), "day", f.DateTime(former.Due.Time().In(v.pages.Zone), v.pages.now()))
	}
	return text
}

// entryHead says who did what; the body follows.
func (v showView) entryHead(ctx context.Context, e cases.Entry) string {
	d := e.Detail
	who := v.actor(ctx, e.Actor)
	switch e.Kind {
	case cases.EntryContact:
		if d["reached"] == "true" {
			return i18n.T(ctx, "feedback.case.entry.reached", "who", who, "channel", word(ctx, "channel", d["channel"]))
		}
		return i18n.T(ctx, "feedback.case.entry.not_reached", "who", who, "channel", word(ctx, "channel", d["channel"]))
	case cases.EntryAssign:
		return i18n.T(ctx, "feedback.case.entry.assign", "who", who, "to", nameOf(v.people, d["owner"], i18n.T(ctx, "feedback.case.nobody")))
	case cases.EntryClosed:
		return i18n.T(ctx, "feedback.case.entry.closed", "who", who, "cause", choiceName(ctx, v.content.Causes, d["cause"]), "actions", v.actionNames(ctx, d["actions"]))
	case cases.EntryGesture:
		return i18n.T(ctx, "feedback.case.entry.gesture", "who", who, "amount", d["amount"], "kind", word(ctx, "gesture", d["kind"]))
	case cases.EntryClock:
		return i18n.T(ctx, "feedback.case.entry.clock", "who", who, "rule", ruleName(ctx, v.content, d["rule"]), "why", i18n.T(ctx, "feedback.case.why."+d["why"]))
	case cases.EntryBreach:
		return i18n.T(ctx, "feedback.case.entry.breach", "rule", ruleName(ctx, v.content, d["rule"]))
	case cases.EntryMark:
		return i18n.T(ctx, "feedback.case.entry.mark", "who", who, "mark", markName(ctx, d["mark"]))
	case cases.EntryEscalate:
		return i18n.T(ctx, "feedback.case.entry.escalate", "who", who, "step", d["step"], "why", i18n.T(ctx, "feedback.case.why."+d["why"]))
	case cases.EntryState:
		if d["severity"] != "" {
			return i18n.T(ctx, "feedback.case.entry.severity", "who", who, "severity", word(ctx, "severity", d["severity"]))
		}
		return i18n.T(ctx, "feedback.case.entry.state", "state", word(ctx, "state", d["state"]))
	case cases.EntryLink:
		if d["initiative"] != "" {
			return who + " · " + i18n.T(ctx, "feedback.case.link.initiative")
		}
		return i18n.T(ctx, "feedback.case.entry.link", "who", who, "link", i18n.T(ctx, "feedback.case.link."+d["link"]), "case", d["case"])
	}
	return i18n.T(ctx, "feedback.case.entry."+string(e.Kind), "who", who)
}

func (v showView) actionNames(ctx context.Context, list string) string {
	var out []string
	for _, id := range strings.Split(list, ",") {
		out = append(out, choiceName(ctx, v.content.Actions, id))
	}
	return strings.Join(out, ", ")
}

func choiceName(ctx context.Context, list []cases.Choice, id string) string {
	for _, c := range list {
		if c.ID == id {
			return c.In(i18n.Locale(ctx))
		}
	}
	return id
}

// markName is a mark in words.
func markName(ctx context.Context, mark string) string {
	if i18n.From(ctx).Has("feedback.case.mark." + mark) {
		return i18n.T(ctx, "feedback.case.mark."+mark)
	}
	return strings.ReplaceAll(mark, "_", " ")
}

func (v showView) actor(ctx context.Context, ref string) string {
	kind, id, _ := strings.Cut(ref, ":")
	if kind == "account" {
		return nameOf(v.people, id, i18n.T(ctx, "feedback.case.somebody"))
	}
	if ref == "process:customer_link" {
		return i18n.T(ctx, "feedback.case.customer")
	}
	return i18n.T(ctx, "feedback.case.system")
}

// voice tells entries that hold the customer's own words.
func voice(e cases.Entry) bool {
	return e.Kind == cases.EntryReply || e.Kind == cases.EntrySignal || e.Kind == cases.EntryReopened || e.Kind == cases.EntryVerified
}

func (v showView) facts(ctx context.Context) []ui.KeyValue {
	kv := func(key, value string) ui.KeyValue {
		return ui.KeyValue{Key: i18n.T(ctx, "feedback.case.field."+key), Value: value}
	}
	out := []ui.KeyValue{kv("owner", nameOf(v.people, v.Owner, i18n.T(ctx, "feedback.case.nobody"))), kv("severity", word(ctx, "severity", string(v.Severity))),
		kv("channel", word(ctx, "channel", v.Channel))}
	for _, each := range [][2]string{{"product", v.Product}, {"journey", v.Journey}, {"reason", v.Reason}, {"phone", v.Phone.Plain}, {"email", v.Email.Plain}, {"skill", v.Skill}} {
		if each[1] != "" {
			out = append(out, kv(each[0], each[1]))
		}
	}
	out = append(out, kv("signals", i18n.Fmt(ctx).Int(int64(v.Signals))))
	if v.Cause != "" {
		out = append(out, kv("cause", choiceName(ctx, v.content.Causes, v.Cause)))
	}
	if v.Outcome != "" {
		out = append(out, kv("outcome", i18n.T(ctx, "feedback.case.outcome."+v.Outcome)))
	}
	return out
}

// canExtend and canPause report what a clock's rule allows now.
func canExtend(k cases.ClockView) bool {
	return k.Open() && k.Rule.Extension.Allowed && len(k.Changes.Extensions) < k.Rule.Extension.Times && k.Rule.Extension.Amount.N > 0 && !(k.State == cases.ClockBreached && k.Clock.Legal)
}

func canPause(k cases.ClockView) bool { return k.State == cases.ClockRunning && k.Rule.Pause.Allowed }

func reasonOptions(ctx context.Context, reasons []string) (out []ui.Option) {
	for _, r := range reasons {
		out = append(out, ui.Option{Value: r, Label: i18n.T(ctx, "feedback.case.pause."+r)})
	}
	return out
}

// swapOptions are the rules in force that may take a clock's place.
func (v showView) swapOptions(ctx context.Context, k cases.ClockView) (out []ui.Option) {
	for _, pack := range v.content.Packs(v.pages.Clock.Now()) {
		for _, r := range pack.Rules {
			if r.Subject == k.Rule.Subject && (!k.Clock.Legal || pack.Legal()) {
				out = append(out, ui.Option{Value: r.ID, Label: r.Label(i18n.Locale(ctx)) + " (" + pack.Key() + ")"})
			}
		}
	}
	return out
}

func (v showView) causeOptions(ctx context.Context) []ui.Option {
	out := []ui.Option{{Label: i18n.T(ctx, "feedback.case.choose")}}
	for _, c := range v.content.Causes {
		out = append(out, ui.Option{Value: c.ID, Label: c.In(i18n.Locale(ctx))})
	}
	return out
}

func (v showView) actionOptions(ctx context.Context) (out []ui.Option) {
	for _, c := range v.content.Actions {
		out = append(out, ui.Option{Value: c.ID, Label: c.In(i18n.Locale(ctx))})
	}
	return out
}

func (v showView) ownerOptions(ctx context.Context) []ui.Option {
	out := []ui.Option{{Label: i18n.T(ctx, "feedback.case.nobody")}}
	var ids []string
	for id := range v.people {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return strings.Compare(v.people[a], v.people[b]) })
	for _, id := range ids {
		out = append(out, ui.Option{Value: id, Label: v.people[id]})
	}
	return out
}

// gestureOptions are the kinds that the reader may grant.
func (v showView) gestureOptions(ctx context.Context) (out []ui.Option) {
	seen := map[string]bool{}
	for _, a := range v.allow {
		for _, k := range a.Limit.Kinds {
			if !seen[k] && a.Left > 0 {
				seen[k] = true
				out = append(out, ui.Option{Value: k, Label: word(ctx, "gesture", k)})
			}
		}
	}
	return out
}

// allowed is the largest sum that the reader may still grant.
func (v showView) allowed(ctx context.Context) string {
	best := int64(0)
	for _, a := range v.allow {
		best = max(best, a.Left)
	}
	return i18n.Fmt(ctx).Money(money.Amount{Minor: best, Currency: v.content.Wallet.Currency})
}

func channelOptions(ctx context.Context) (out []ui.Option) {
	for _, c := range cases.Channels {
		if c != "feed" && c != "survey" && c != "cfpb_portal" {
			out = append(out, ui.Option{Value: c, Label: word(ctx, "channel", c)})
		}
	}
	return out
}

func severityOptions(ctx context.Context) (out []ui.Option) {
	for _, s := range cases.Severities {
		out = append(out, ui.Option{Value: string(s), Label: word(ctx, "severity", string(s))})
	}
	return out
}

// markOptions are the marks that stop a clock of the case.
func (v showView) markOptions(ctx context.Context) (out []ui.Option) {
	seen := map[string]bool{}
	for _, k := range v.Clocks {
		if !k.Open() {
			continue
		}
		for _, m := range strings.Split(k.Rule.Stop, " or ") {
			if !seen[m] {
				seen[m] = true
				out = append(out, ui.Option{Value: m, Label: markName(ctx, m)})
			}
		}
	}
	return out
}

func escalationWords(ctx context.Context, content *cases.Content, e cases.Escalation) string {
	text := fmt.Sprint(e.Step)
	for _, l := range content.Ladders() {
		if l.ID == e.Ladder && e.Step <= len(l.Steps) {
			text = cases.Text{EN: l.Name, VI: l.LabelVI}.In(i18n.Locale(ctx)) + ", " + i18n.T(ctx, "feedback.case.step", "n", e.Step) + ": " + cases.Text{EN: l.Steps[e.Step-1].EN, VI: l.Steps[e.Step-1].VI}.In(i18n.Locale(ctx))
		}
	}
	return text
}
