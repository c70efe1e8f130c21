package ui

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"omote/internal/platform/money"
	"omote/internal/testkit"
)

// components are examples of every component, for golden files in both languages.
func components() map[string]templ.Component {
	columns := []Column{{Key: "name", Label: "Name", Sortable: true}, {Key: "n", Label: "n", Numeric: true, Sortable: true}, {Key: "note", Label: "Note", Optional: true, Off: true}}
	u := &url.URL{Path: "/metrics", RawQuery: "sort=-n&q=vay&unit=hn"}
	table := TableProps{Label: "Measures", Columns: columns, Query: ParseTableQuery(u, "", columns, "name"),
		Rows:   []Row{{ID: "m1", Panel: "/metrics/1/panel", Cells: []Cell{{Text: "**NPS**", Sub: "bank", Href: "/metrics/1"}, {Text: "12"}, {Text: "x"}}}, {ID: "m2", Open: true, Cells: []Cell{{Text: "CES"}, {Text: "7", Care: true}, {}}}},
		Filter: "Find", Choice: true, CSV: true, Foot: "2 of 9", Next: "c2", NextN: 7}
	selectable := table
	selectable.Selectable, selectable.Bulk = true, []ButtonProps{{Label: "Assign", Key: "A", Href: "/assign"}}
	errors := FieldErrors{{Field: "owner", Text: "Choose one owner."}, {Text: "The draft is older than the saved one."}}
	state := Worse
	return map[string]templ.Component{
		"actions":          Actions("draft saved at 09:47", ButtonProps{Label: "Send", Kind: Ink, Submit: true, Key: "Ctrl ↵"}),
		"bar":              Bar(BarProps{Share: 0.42, Tick: 0.8, Care: true}),
		"buttons":          Buttons(ButtonProps{Label: "Save", Kind: Ink}, ButtonProps{Label: "Go", Href: "/go", Key: "G"}, ButtonProps{Label: "Close", Why: "needs an outcome first"}, ButtonProps{Label: "Delete", Dialog: "del", Small: true}),
		"check":            Check(CheckProps{Name: "tell", Label: "Tell **her**", Checked: true}),
		"choice":           Choice(ChoiceProps{Name: "lane", Legend: "Lane", Hint: "One.", Error: "Choose one.", Options: []Option{{Value: "a", Label: "A", Note: "first"}, {Value: "b", Label: "B"}}, Chosen: []string{"b"}}),
		"clock":            Clock(ClockProps{Label: "6 h 20 left", Used: 0.82, State: ClockSoon}),
		"code":             Code("SQL", "select 1 < 2"),
		"dialog":           Dialog(DialogProps{ID: "del", Title: "Delete?", Text: "Gone.", Action: "/del", Verb: "Delete it", Confirm: "a.b"}),
		"docket":           Docket(DocketProps{Due: "Due tomorrow", Late: true, Evidence: Grade(Pattern), Question: "Night desk?", Worth: Worth(WorthProps{Booked: money.VND(4_300_000_000), Other: money.VND(6_900_000_000), After: "a year"}), Act: ButtonProps{Label: "Decide", Href: "/d"}}),
		"empty":            Empty(EmptyProps{Kind: EmptyFiltered, Title: "No case", Text: "128 outside.", Acts: []ButtonProps{{Label: "All", Href: "/all"}}}),
		"errors":           ErrorSummary(errors),
		"estimate":         Estimate(EstimateProps{Name: "worth", Legend: "Worth", Unit: "m", Low: "1", Mid: "2", High: "0", Error: "High is low.", Wrong: "high"}),
		"failure":          Failure(FailureProps{Title: "It did not load.", Cause: "Too slow.", Reference: "7F3K", RetryHref: "/again"}),
		"field":            Field(FieldProps{Name: "owner", Label: "Owner", Hint: "One person.", Error: errors.For("owner"), Value: `"><script>`, Width: WidthMiddle, Required: true}),
		"field-select":     Field(FieldProps{Name: "j", Label: "Journey", Value: "b", Options: []Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}}),
		"field-text":       Field(FieldProps{Name: "t", Label: "Text", Rows: 3, Value: "a\nb", Affix: "x"}),
		"figure":           Figure(FigureProps{Value: "64.8", Unit: "%", State: &state, Interval: "63.9 – 65.7", Note: "**6.4** lower"}),
		"file":             FileDrop(FileDropProps{Name: "f", Label: "Log", Accept: ".xes", Hint: "XES"}),
		"filters":          Filters(FiltersProps{Chips: []ChipProps{{Label: "Due: **2 days**", RemoveHref: "/x"}, {Label: "Branch", Href: "/b", Pressed: true}, {Label: "Design", Href: "/d", Set: true}}, AddHref: "/add", Remark: "17 of 128"}),
		"funnel":           Funnel([]FunnelStep{{Name: "Begin", Share: 1, Count: 6820}, {Name: "Send", Share: 0.792, Lost: 0.208, Gone: 1418, Where: "**412** left", Care: true}}),
		"grade":            Grade(Adjusted),
		"key-values":       KeyValues([]KeyValue{{Key: "Owner", Value: "**Minh Hoạ**"}, {Key: "Grade", Node: Grade(Opinion)}}),
		"measures":         MetricRows([]MetricRowProps{{Name: "CES", Href: "/ces", State: Few, StateWord: "Not enough data", Value: "5.6", Interval: "5.3 – 5.9"}}),
		"meta":             Meta([]Item{Text("n = 12"), Anchor("CSV", "/csv"), Care("6 late")}),
		"note":             Note(NoteProps{Kind: NoteStale, Head: "Feed stopped.", Text: "Seven measures wait.", Link: Link{Label: "Health", Href: "/health"}, Ref: "A1"}),
		"palette":          overlays(Chrome{Nav: Nav{Items: []NavItem{{Key: NavCases, Href: "/cases", Count: 3}}}}, Page{}),
		"panel":            Panel(PanelProps{Title: "Charged twice", Meta: []Item{Text("CV-1")}, CloseHref: "/cases", NextHref: "/cases?open=2"}),
		"period":           Period(PeriodProps{Label: "22.10 – 18.11", BackHref: "?p=1"}),
		"progress":         Progress(ProgressProps{ID: "p", Title: "Mining", Done: 0.62, Left: "40 s", PauseHref: "/pause", CancelHref: "/cancel", PollHref: "/p"}),
		"progress-paused":  Progress(ProgressProps{Title: "Mining", Done: 0.2, Paused: true, PauseHref: "/go"}),
		"progress-unknown": Progress(ProgressProps{Title: "Reading", Done: -1, Left: "unknown length"}),
		"quote":            Quote("Tiền bị trừ **hai lần**.", "vi", "17 Nov"),
		"seal":             Seal(SealProbable),
		"section":          Section(SectionProps{Title: "Week by week", ID: "w", Cols: 8, Meta: []Item{Text("n = 9")}}),
		"skeleton":         Skeleton(2, 3, "Loading"),
		"state":            templ.Join(State(Noise), StateTag(Better), StateTag(Worse), StateTag(Few), StateTag(Stale)),
		"steps":            Steps([]Step{{Title: "1", Note: "done", State: StepDone}, {Title: "2", State: StepLate}, {Title: "3"}}),
		"table":            Table(table),
		"table-empty":      Table(TableProps{Columns: columns, Query: table.Query, Empty: Empty(EmptyProps{Title: "None", Text: "Yet."})}),
		"table-select":     Table(selectable),
		"tabs":             Tabs("Views", []Tab{{Label: "A", Href: "/a", Current: true}, {Label: "B", Href: "/b", Count: 12}}),
		"toast":            Toast(ToastProps{Text: "Done.", UndoHref: "/undo"}, true),
		"variant":          templ.Join(Variant([]Mark{{Label: "1"}, {Label: "G", Kind: Unplanned, Title: "Asks"}, {Label: "4", Kind: Repeated, Times: 3}, {Label: "6", Kind: Skipped}}), VariantKey("G asks")),
		"voice":            Voice("A promise.", "en"),
	}
}

// TestGolden compares each component with its golden file, in both languages.
// Run with -update to accept a change after looking at it in the style guide.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, locale := range []string{"en", "vi"} {
		ctx := speak(t, locale)
		for name, c := range components() {
			var b strings.Builder
			if err := c.Render(ctx, &b); err != nil {
				t.Fatal(err)
			}
			html := strings.ReplaceAll(b.String(), "><", ">\n<") + "\n"
			if strings.Contains(html, " style=") {
				t.Errorf("%s has a style attribute", name)
			}
			testkit.Golden(t, "golden/"+name+"."+locale+".html", []byte(html))
		}
	}
}

// TestGoldenPage holds the frame around pages.
func TestGoldenPage(t *testing.T) {
	t.Parallel()
	chrome := Chrome{Bank: "Bến Lành", Path: "/cases?open=1", Theme: ThemeDark, Now: time.Date(2026, 11, 19, 9, 0, 0, 0, time.UTC),
		Person: Person{Name: "Lê Hư Cấu", Href: "/account"}, Scope: Link{Label: "Whole bank"},
		Nav: Nav{Items: []NavItem{{Key: NavSignals, Href: "/signals", Count: 3, Care: true}, {Key: NavMeasures, Href: "/metrics"}, {Key: NavCases, Href: "/cases", Count: 128}, {Key: "own", Label: "Own", Layer: LayerGuarantee, Href: "/own"}}}}
	page := Page{Title: "Open cases", Finding: "**6** are late.", Crumbs: []Link{{Label: "Cases", Href: "/cases"}, {Label: "Open"}}, At: NavCases,
		Meta: []Item{Text("128 open"), Care("6 late")}, Actions: []ButtonProps{{Label: "New case", Href: "/cases/new", Key: "N", Kind: Ink}},
		Side: Panel(PanelProps{Title: "CV-1", CloseHref: "/cases"}), SideLabel: "Case CV-1", Toast: &ToastProps{Text: "Saved."}, Draws: true}
	for name, c := range map[string]templ.Component{"page": Layout(page), "door": Door("Sign in", Voice("Promise.", "")), "bare": Bare(Page{Title: "First set-up"})} {
		var b strings.Builder
		if err := c.Render(WithChrome(speak(t, "vi"), chrome), &b); err != nil {
			t.Fatal(err)
		}
		testkit.Golden(t, "golden/"+name+".html", []byte(hashes.ReplaceAllString(strings.ReplaceAll(b.String(), "><", ">\n<"), ".HASH.")+"\n"))
	}
}
