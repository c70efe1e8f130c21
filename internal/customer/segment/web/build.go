package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"omote/analytics/rule"
	"omote/internal/customer/segment"
	"omote/internal/platform/errs"
	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

// builder is a segment that is being made: what the form holds, what it means,
// and what is wrong.
type builder struct {
	Def    segment.Definition
	Reason string
	New    bool
	words  *phrase
	rule   rule.Rule
	check  *segment.Check
	wrong  ui.FieldErrors
	// lists to choose from
	attributes []ui.Option
	events     []string
	segments   []ui.Option
	names      map[string]string
}

func (p Pages) edit(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	b := &builder{New: true, Def: segment.Definition{Uses: []string{"service", "analysis"}, Owner: "cx_lead", Review: 180}}
	// Other pages lead here with a rule and what it is for.
	b.Def.Rule = r.FormValue("rule")
	b.Def.Intent = segment.Text{En: r.FormValue("intent"), Vi: r.FormValue("intent")}
	if id := r.PathValue("id"); id != "" {
		versions, err := p.Segments.Versions(ctx, id)
		if err != nil {
			return err
		}
		b.Def, b.New = versions[0].Definition, false
	}
	return p.renderBuilder(w, r, http.StatusOK, b)
}

// read takes the form up.
func read(r *http.Request) *builder {
	b := &builder{New: r.FormValue("new") == "1", Reason: strings.TrimSpace(r.FormValue("reason"))}
	d := &b.Def
	d.ID = strings.TrimSpace(r.FormValue("id"))
	d.Name = segment.Text{En: strings.TrimSpace(r.FormValue("name.en")), Vi: strings.TrimSpace(r.FormValue("name.vi"))}
	d.Intent = segment.Text{En: strings.TrimSpace(r.FormValue("intent.en")), Vi: strings.TrimSpace(r.FormValue("intent.vi"))}
	d.Rule = strings.TrimSpace(strings.ReplaceAll(r.FormValue("rule"), "\r", ""))
	d.Exit = strings.TrimSpace(strings.ReplaceAll(r.FormValue("exit"), "\r", ""))
	d.Group, d.Owner = strings.TrimSpace(r.FormValue("group")), strings.TrimSpace(r.FormValue("owner"))
	d.Rank, _ = strconv.Atoi(r.FormValue("rank"))
	d.Stage = segment.Stage(r.FormValue("stage"))
	d.Review, _ = strconv.Atoi(r.FormValue("review"))
	days, _ := strconv.Atoi(r.FormValue("hold"))
	d.Hold = rule.Days(days)
	d.Uses = r.Form["uses"]
	d.Metrics, d.Forbidden = words(r.FormValue("metrics")), words(r.FormValue("forbidden"))
	return b
}

func words(text string) (out []string) {
	for _, w := range strings.Split(text, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// build changes the rule by a button of the form and shows the form again;
// nothing is saved.
func (p Pages) build(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("segment.error.form", "", "the form cannot be read").Because(err)
	}
	b := read(r)
	act, at, _ := strings.Cut(r.FormValue("act"), ":")
	current, err := rule.Parse(b.Def.Rule)
	empty := b.Def.Rule == ""
	if err != nil && !empty {
		return p.renderBuilder(w, r, http.StatusOK, b) // the text is mended first
	}
	parts, any := split(current)
	if empty {
		parts = nil
	}
	index, _ := strconv.Atoi(at)
	switch act {
	case "add":
		part, err := p.condition(r, at)
		if err != nil {
			b.wrong = ui.ErrorsFrom(r.Context(), err)
			return p.renderBuilder(w, r, http.StatusOK, b)
		}
		parts = append(parts, part)
	case "remove":
		if index >= 0 && index < len(parts) {
			parts = slices.Delete(slices.Clone(parts), index, index+1)
		}
	case "not":
		if index >= 0 && index < len(parts) {
			parts = slices.Clone(parts)
			parts[index] = negated(parts[index])
		}
	case "joint":
		any = at == "any"
	default:
		return p.renderBuilder(w, r, http.StatusOK, b)
	}
	b.Def.Rule = ""
	if len(parts) > 0 {
		b.Def.Rule = together(parts, any).Lines()
	}
	return p.renderBuilder(w, r, http.StatusOK, b)
}

// split takes a rule's top level apart.
func split(r rule.Rule) (parts []rule.Rule, any bool) {
	switch {
	case len(r.All) > 0:
		return r.All, false
	case len(r.Any) > 0:
		return r.Any, true
	}
	return []rule.Rule{r}, false
}

func together(parts []rule.Rule, any bool) rule.Rule {
	switch {
	case len(parts) == 1:
		return parts[0]
	case any:
		return rule.Rule{Any: parts}
	}
	return rule.Rule{All: parts}
}

func negated(r rule.Rule) rule.Rule {
	if r.Not != nil {
		return *r.Not
	}
	if r.Did != nil && r.Did.Times <= 1 {
		d := *r.Did
		d.None, d.Times = !d.None, 0
		if !d.None {
			d.Times = 1
		}
		return rule.Rule{Did: &d}
	}
	return rule.Rule{Not: &r}
}

// condition makes a part of a rule from the fields of one of the form's panels.
func (p Pages) condition(r *http.Request, kind string) (rule.Rule, error) {
	within := func(name string) rule.Span {
		n, _ := strconv.Atoi(strings.TrimSpace(r.FormValue(name)))
		return rule.Days(n)
	}
	pattern := func(name string) rule.Pattern {
		return rule.Pattern{Events: []string{strings.TrimSpace(r.FormValue(name))}}
	}
	var out rule.Rule
	switch kind {
	case "attr":
		c := &rule.Compare{Value: rule.Value{Attr: r.FormValue("attr")}, Op: rule.Op(r.FormValue("attr_op"))}
		a, _ := p.Segments.Attributes.Get(c.Value.Attr)
		c.Values = constants(r.FormValue("attr_value"), c.Op, a)
		out = rule.Rule{Is: c}
	case "did":
		d := &rule.Did{Pattern: pattern("did_event"), Within: within("did_within")}
		d.Times, _ = strconv.Atoi(r.FormValue("did_times"))
		d.Times = max(d.Times, 1)
		out = rule.Rule{Did: d}
	case "no":
		out = rule.Rule{Did: &rule.Did{Pattern: pattern("no_event"), Within: within("no_within"), None: true}}
	case "then":
		out = rule.Rule{Then: &rule.Sequence{First: pattern("then_first"), Second: pattern("then_second"), Gap: within("then_gap"), Within: within("then_within")}}
	case "in":
		out = rule.Rule{In: r.FormValue("in_segment")}
	}
	if err := out.Validate(); err != nil {
		return out, segment.RuleError("add_"+kind, err)
	}
	return out, nil
}

// constants reads what was typed as the values of a comparison.
func constants(typed string, op rule.Op, a *segment.Attribute) (out []rule.Const) {
	if op == rule.Known {
		return nil
	}
	parts := []string{typed}
	if op == rule.In {
		parts = strings.Split(typed, ",")
	}
	for _, t := range parts {
		t = strings.TrimSpace(t)
		plain := strings.NewReplacer(" ", "", "\u00a0", "", "_", "").Replace(t)
		if strings.Count(plain, ".") > 1 {
			plain = strings.ReplaceAll(plain, ".", "") // 1.250.000
		}
		plain = strings.Replace(plain, ",", ".", 1)
		switch n, err := strconv.ParseFloat(plain, 64); {
		case a != nil && a.Boolean():
			out = append(out, rule.Bool(t == "" || t == "true" || t == "1"))
		case err == nil && op != rule.Contains:
			out = append(out, rule.Num(n))
		default:
			out = append(out, rule.Str(t))
		}
	}
	return out
}

func (p Pages) save(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return errs.Invalid("segment.error.form", "", "the form cannot be read").Because(err)
	}
	b := read(r)
	v, err := p.Segments.Save(r.Context(), b.Def, b.Reason)
	if k := errs.KindOf(err); k == errs.KindInvalid || k == errs.KindTooLarge {
		b.wrong = ui.ErrorsFrom(r.Context(), err)
		return p.renderBuilder(w, r, http.StatusUnprocessableEntity, b)
	}
	if err != nil {
		return err
	}
	return see(w, r, segmentPath(v.Definition.ID)+"?version="+strconv.Itoa(v.Version))
}

func (p Pages) renderBuilder(w http.ResponseWriter, r *http.Request, status int, b *builder) error {
	ctx := r.Context()
	t, all, err := p.teller(ctx)
	if err != nil {
		return err
	}
	if err := p.lists(ctx, b, all); err != nil {
		return err
	}
	if b.Def.Rule != "" {
		if parsed, err := rule.Parse(b.Def.Rule); err != nil {
			b.fault(ctx, "rule", err)
		} else {
			said := t.tell(ctx, &parsed)
			b.rule, b.words = parsed, &said
			if b.check, err = p.Segments.Check(ctx, b.Def.Rule, true); err != nil {
				if errs.KindOf(err) != errs.KindInvalid {
					return err
				}
				b.fault(ctx, "rule", err)
			}
		}
	}
	if b.check != nil && p.Names != nil && len(b.check.Sample) > 0 {
		if b.names, err = p.Names(ctx, b.check.Sample); err != nil {
			return err
		}
	}
	title := i18n.T(ctx, "segment.build.new")
	path := crumbs(ctx)
	if !b.New {
		name := b.Def.Name.In(i18n.Locale(ctx))
		title, path = i18n.T(ctx, "segment.build.title", "name", name), crumbs(ctx, ui.Link{Label: name, Href: segmentPath(b.Def.ID)})
	}
	return ui.RenderStatus(w, r, status, buildPage(ui.Page{Title: title, At: ui.NavSegments, Crumbs: path, Finding: i18n.T(ctx, "segment.build.finding")}, b))
}

func (b *builder) fault(ctx context.Context, field string, err error) {
	if b.wrong.For(field) == "" {
		b.wrong = append(b.wrong, ui.ErrorsFrom(ctx, segment.RuleError(field, err))...)
	}
}

// lists fills what can be chosen from.
func (p Pages) lists(ctx context.Context, b *builder, all []segment.Summary) (err error) {
	lang := i18n.Locale(ctx)
	for i := range p.Segments.Attributes.List {
		a := &p.Segments.Attributes.List[i]
		b.attributes = append(b.attributes, ui.Option{Value: a.ID, Label: a.Label.In(lang)})
	}
	for _, s := range all {
		if s.Version.Status == segment.Live && s.Version.Definition.ID != b.Def.ID {
			b.segments = append(b.segments, ui.Option{Value: s.Version.Definition.ID, Label: s.Version.Definition.Name.In(lang)})
		}
	}
	if p.Segments.Seen != nil {
		b.events, err = p.Segments.Seen(ctx)
	}
	return err
}

// parts are the conditions of the top level in words, and whether any suffices.
func (b *builder) parts() (said []phrase, any bool) {
	if b.words == nil {
		return nil, false
	}
	if _, any = split(b.rule); len(b.rule.All) > 0 || any {
		return b.words.Parts, any
	}
	return []phrase{*b.words}, false
}

// opOptions are the comparisons of an attribute.
func opOptions(ctx context.Context) (out []ui.Option) {
	for _, op := range []rule.Op{rule.Ge, rule.Gt, rule.Le, rule.Lt, rule.Eq, rule.Ne, rule.In, rule.Known} {
		out = append(out, ui.Option{Value: string(op), Label: i18n.T(ctx, "segment.build.op_word."+opNames[op])})
	}
	return out
}

func useOptions(ctx context.Context) (out []ui.Option) {
	for _, u := range segment.Uses {
		out = append(out, ui.Option{Value: u, Label: i18n.T(ctx, "segment.use."+u)})
	}
	return out
}

// acting makes a button change the form at once, or by the server without script.
func acting() templ.Attributes {
	return templ.Attributes{"formaction": listPath + "/build", "formnovalidate": true, "hx-post": listPath + "/build", "hx-target": "#seg-editor", "hx-select": "#seg-editor", "hx-swap": "outerHTML"}
}

// typing has the rule checked while it is typed.
func typing() templ.Attributes {
	return templ.Attributes{"spellcheck": "false", "hx-post": listPath + "/build", "hx-trigger": "keyup changed delay:500ms", "hx-target": "#seg-check", "hx-select": "#seg-check", "hx-swap": "outerHTML",
		"aria-describedby": "seg-check"}
}

func holdDays(s rule.Span) string {
	if s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(s/rule.Days(1)), 10)
}
