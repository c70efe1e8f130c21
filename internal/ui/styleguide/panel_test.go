package styleguide

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"omote/internal/platform/i18n"
	"omote/internal/testkit/browser"
	"omote/internal/ui"
	"omote/internal/ui/assets"
)

// caseSite is a page with a table beside a side panel, a form that fails, and an
// act that leaves a toast.
func caseSite(t *testing.T) string {
	t.Helper()
	b, err := i18n.New(ui.Locales())
	if err != nil {
		t.Fatal(err)
	}
	panel := func(id string) templ.Component {
		return ui.Panel(ui.PanelProps{Title: "Case " + id, CloseHref: "/cases"})
	}
	render := func(w http.ResponseWriter, r *http.Request, c templ.Component) {
		w.Header().Set("Content-Security-Policy", assets.ContentSecurityPolicy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := c.Render(r.Context(), w); err != nil {
			t.Error(err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle(assets.Prefix, assets.Handler())
	mux.HandleFunc("GET /panel/{id}", func(w http.ResponseWriter, r *http.Request) { render(w, r, panel(r.PathValue("id"))) })
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	mux.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		render(w, r, ui.ErrorSummary(ui.FieldErrors{{Field: "owner", Text: "Choose one owner."}}))
	})
	mux.HandleFunc("GET /cases", func(w http.ResponseWriter, r *http.Request) {
		table := ui.TableProps{Columns: []ui.Column{{Key: "id", Label: "Case"}}, Query: ui.QueryTable(r, "", nil, "")}
		for _, id := range []string{"A1", "A2", "A3"} {
			table.Rows = append(table.Rows, ui.Row{ID: id, Panel: "/panel/" + id, Open: id == r.URL.Query().Get("open"), Cells: []ui.Cell{{Text: id, Href: "/cases?open=" + id}}})
		}
		form := ui.Form(ui.FormProps{Action: "/form", ID: "f", Attrs: templ.Attributes{"hx-post": "/form", "hx-target": "#answer"}})
		page := ui.Page{Title: "Cases", Side: panel(r.URL.Query().Get("open")), SideLabel: "Case", Toast: &ui.ToastProps{Text: "3 cases handed over.", UndoHref: "/undo"},
			Actions: []ui.ButtonProps{{Label: "Broken", Attrs: templ.Attributes{"hx-get": "/broken", "id": "broken"}}}}
		draft := ui.Form(ui.FormProps{Action: "/draft", ID: "d", Draft: true})
		draftField := templ.WithChildren(r.Context(), templ.Join(ui.Field(ui.FieldProps{Name: "words", Label: "Words"}), ui.Check(ui.CheckProps{Name: "tell", Label: "Tell", Checked: true}), ui.Field(ui.FieldProps{Name: "secret", Label: "Secret", Type: "password"})))
		draft = inContext(draftField, draft)
		body := templ.Join(ui.Table(table), draft, form, ui.Section(ui.SectionProps{ID: "answer"}), ui.Button(ui.ButtonProps{Label: "Send", Form: "f", Submit: true}))
		render(w, r.WithContext(templ.WithChildren(r.Context(), body)), ui.Layout(page))
	})
	s := httptest.NewServer(b.Middleware(mux))
	t.Cleanup(s.Close)
	return s.URL
}

// inContext renders a component in a context of its own, here one with children.
func inContext(ctx context.Context, c templ.Component) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error { return c.Render(ctx, w) })
}

// TestDraft: what was typed is there again after a reload, and gone once sent;
// a password is never kept.
func TestDraft(t *testing.T) {
	p := browser.Start(t).Open(caseSite(t), browser.Desk)
	p.Goto("/cases")
	p.Type("#words", "đợi duyệt")
	p.Click("#tell")
	p.Type("#secret", "never")
	p.WaitText("kept in this tab")
	p.Goto("/cases")
	if got := browser.Eval[string](p, `words.value + "|" + tell.checked + "|" + secret.value`); got != "đợi duyệt|false|" {
		t.Errorf("after a reload the form holds %q", got)
	}
	browser.Eval[any](p, `document.querySelector("#d").requestSubmit()`)
	// The answer must have come before the next page is asked for, or it takes
	// that page's place.
	for deadline := time.Now().Add(10 * time.Second); p.Path() != "/draft" && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	p.Goto("/cases")
	if got := browser.Eval[string](p, `words.value`); got != "" {
		t.Errorf("after it was sent the draft still holds %q", got)
	}
}

// TestPanel opens rows beside their table by keyboard and pointer, sends a form
// that comes back with errors, and meets a request that fails.
func TestPanel(t *testing.T) {
	p := browser.Start(t).Open(caseSite(t), browser.Desk)
	p.Goto("/cases")
	p.Press("j", "j", "Enter")
	p.WaitText("Case A2")
	if p.Path() != "/cases?open=A2" || !p.Has("tr[data-row=A2][data-open]") {
		t.Errorf("Enter on the second row leads to %s", p.Path())
	}
	p.Click("tr[data-row=A3] a")
	p.WaitText("Case A3")
	if !p.Has(".toast .undo") {
		t.Error("no toast with undo")
	}
	p.Press("Escape")
	if p.Path() != "/cases" || strings.Contains(p.Text("#side"), "A3") {
		t.Errorf("Escape leaves %s", p.Path())
	}
	p.ClickText("Send")
	p.WaitFor("#answer .errsum")
	if got := browser.Eval[string](p, `document.activeElement.className`); got != "errsum" {
		t.Errorf("after a failed submit the focus is on %q", got)
	}
	p.AssertNoProblemsBut("422")
	p.Click("#broken")
	p.WaitText("That did not go through.")
}

// TestWidths: the style guide fits every window from a small phone to a wall.
func TestWidths(t *testing.T) {
	url := site(t)
	b := browser.Start(t)
	widths := []int64{320, 768, 2560}
	if os.Getenv("OMOTE_VERIFY") == "1" {
		widths = append(widths, 600, 1024, 1280, 1920)
	}
	for _, width := range widths {
		p := b.Open(url, browser.Viewport{Width: width, Height: 900, Still: true})
		p.Goto(Path)
		if over := p.Overflow(); over > 0 {
			t.Errorf("at %d pixels the page is %d too wide", width, over)
		}
	}
}
