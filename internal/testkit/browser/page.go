package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// run does one action within its time and fails the test when it cannot.
func run[T any](p *Page, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, step)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		p.Shot("failed")
		p.t.Fatalf("%s: %v\nproblems so far: %v", what, err, p.Problems())
	}
	return v
}

// Resize changes the window and what its reader prefers.
func (p *Page) Resize(v Viewport) {
	p.t.Helper()
	run(p, "set the window", emulate(v))
	p.view = v
	scheme, motion, media := "light", "no-preference", ""
	if v.Print {
		media = "print"
	}
	if v.Dark {
		scheme = "dark"
	}
	if v.Still {
		motion = "reduce"
	}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media, Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion},
	}})
	if err == nil {
		_, err = chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.NoScript})
	}
	if err != nil {
		p.t.Fatalf("set preferences: %v", err)
	}
}

// emulate sets the size and kind of the window.
func emulate(v Viewport) chromedp.Action[chromedp.Void] {
	if v.Phone {
		return chromedp.EmulateViewport(v.Width, v.Height, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	return chromedp.EmulateViewport(v.Width, v.Height, chromedp.EmulateScale(1))
}

// Goto opens an address of the site and waits until it and its fonts are there.
func (p *Page) Goto(path string) {
	p.t.Helper()
	run(p, "open "+path, chromedp.Navigate(p.base+path))
	p.Settle()
}

// Settle waits until fonts are loaded, htmx rests, and two frames are drawn. A
// navigation under way restarts the wait in the new page.
func (p *Page) Settle() {
	p.t.Helper()
	if p.view.NoScript { // promises of the page would wait for ever
		run(p, "settle", chromedp.Sleep(150*time.Millisecond))
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, step)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](settleScript, chromedp.EvalAwaitPromise))
		if err == nil {
			return
		}
		if ctx.Err() != nil || !navigated(err) {
			p.t.Fatalf("settle: %v\nproblems so far: %v", err, p.Problems())
		}
	}
}

// navigated tells that a script ended because its page went away.
func navigated(err error) bool {
	text := err.Error()
	return strings.Contains(text, "navigated") || strings.Contains(text, "context") || strings.Contains(text, "destroyed")
}

// settleScript begins with one turn of the event loop, in which a press may
// begin a navigation.
const settleScript = `(async () => {
	await new Promise((r) => setTimeout(r, 30));
	if (document.readyState !== "complete") await new Promise((r) => addEventListener("load", r, { once: true }));
	await document.fonts.ready;
	for (let i = 0; i < 200 && document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling"); i++) await new Promise((r) => setTimeout(r, 20));
	await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
	return true;
})()`

// Click presses the first visible element of a CSS selector.
func (p *Page) Click(selector string) {
	p.t.Helper()
	run(p, "click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
	p.Settle()
}

// ClickText presses the first visible link or button whose text contains text.
func (p *Page) ClickText(text string) {
	p.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		p.t.Fatal(err)
	}
	found := Eval[bool](p, `(() => {
		const e = [...document.querySelectorAll("a,button,summary,label")].find((e) => e.checkVisibility() && e.textContent.includes(`+string(quoted)+`));
		if (e) e.click();
		return !!e;
	})()`)
	if !found {
		p.Shot("failed")
		p.t.Fatalf("nothing visible can be pressed that says %q", text)
	}
	p.Settle()
}

// Type writes into a field as a person does.
func (p *Page) Type(selector, text string) {
	p.t.Helper()
	run(p, "type into "+selector, chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Send fills in the form that posts to an address ending in action, by name and value
// in turn, and presses its button. The name of a button, such as "verdict" with
// "approve", presses that one. A choice of several is set by naming it once for each.
func (p *Page) Send(action string, fields ...string) {
	p.t.Helper()
	quoted, err := json.Marshal(append([]string{action}, fields...))
	if err != nil {
		p.t.Fatal(err)
	}
	if wrong := Eval[string](p, sendScript+`(`+string(quoted)+`)`); wrong != "" {
		p.Shot("failed")
		p.t.Fatalf("send %s on %s: %s", action, p.Path(), wrong)
	}
	ctx, cancel := context.WithTimeout(p.ctx, step)
	defer cancel()
	for { // until the page that answers is there
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](`!window.omoteSent && document.readyState === "complete"`))
		if err == nil {
			break
		}
		if ctx.Err() != nil || !navigated(err) {
			p.Shot("failed")
			p.t.Fatalf("send %s: no answer: %v", action, err)
		}
	}
	p.Settle()
}

// sendScript says what keeps it from sending, or nothing.
const sendScript = `(([action, ...fields]) => {
	const form = [...document.forms].find((f) => f.getAttribute("method") === "post" && f.getAttribute("action").endsWith(action));
	if (!form) return "there is no such form";
	let press = form.querySelector("button[type=submit], button:not([type])");
	for (let i = 0; i < fields.length; i += 2) {
		const [name, value] = [fields[i], fields[i + 1]];
		const all = [...form.elements].filter((e) => e.name === name);
		if (!all.length) return "there is no field " + name;
		if (all[0].localName === "button") {
			press = all.find((e) => e.value === value);
		} else if (/^(checkbox|radio)$/.test(all[0].type)) {
			const one = all.find((e) => e.value === value);
			if (!one) return name + " cannot be " + value;
			one.checked = true;
		} else {
			all[0].value = value;
			if (all[0].value !== value) return name + " cannot be " + value;
		}
		all[0].dispatchEvent(new Event("input", { bubbles: true }));
		all[0].dispatchEvent(new Event("change", { bubbles: true }));
	}
	if (!press) return "there is no button to press";
	window.omoteSent = true;
	press.click();
	return "";
})`

// Attach chooses files in a file field.
func (p *Page) Attach(selector string, files ...string) {
	p.t.Helper()
	for i, f := range files {
		abs, err := filepath.Abs(f)
		if err != nil {
			p.t.Fatal(err)
		}
		files[i] = abs
	}
	run(p, "attach to "+selector, chromedp.SetUploadFiles(chromedp.CSS(selector), files))
}

// Press presses keys one after another: letters as themselves, others by name
// ("Enter", "ArrowLeft"), with modifiers before a plus sign ("Control+Enter",
// "Shift+X"). As with a real keyboard, a key that a script takes types nothing.
func (p *Page) Press(keys ...string) {
	p.t.Helper()
	for _, name := range keys {
		down, err := keyDown(name)
		if err != nil {
			p.t.Fatal(err)
		}
		up := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: down.Key, Code: down.Code,
			WindowsVirtualKeyCode: down.WindowsVirtualKeyCode, Modifiers: down.Modifiers}
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			ctx, cancel := context.WithTimeout(p.ctx, step)
			_, err := chromedp.Call(ctx, input.DispatchKeyEvent, event)
			cancel()
			if err != nil {
				p.t.Fatalf("press %s: %v", name, err)
			}
		}
		p.Settle()
	}
}

// special are the keys that have a name, with their codes and what they type.
var special = map[string]struct {
	code int64
	text string
}{
	"Enter": {13, "\r"}, "Escape": {27, ""}, "Tab": {9, ""}, "Space": {32, " "}, "Backspace": {8, ""},
	"ArrowLeft": {37, ""}, "ArrowUp": {38, ""}, "ArrowRight": {39, ""}, "ArrowDown": {40, ""}, "Delete": {46, ""}, "End": {35, ""}, "Home": {36, ""},
}

// keyDown describes the press of a key.
func keyDown(name string) (input.DispatchKeyEventParams, error) {
	e := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown}
	for {
		rest, control := strings.CutPrefix(name, "Control+")
		rest, shift := strings.CutPrefix(rest, "Shift+")
		rest, alt := strings.CutPrefix(rest, "Alt+")
		if !control && !shift && !alt {
			break
		}
		if alt {
			e.Modifiers |= 1
		}
		if control {
			e.Modifiers |= 2
		}
		if shift {
			e.Modifiers |= 8
		}
		name = rest
	}
	if k, ok := special[name]; ok {
		e.Key, e.Code, e.WindowsVirtualKeyCode, e.Text = name, name, k.code, k.text
		if name == "Space" {
			e.Key = " "
		}
	} else if runes := []rune(name); len(runes) == 1 {
		e.Key, e.Text = name, name
		if upper := unicode.ToUpper(runes[0]); upper >= 'A' && upper <= 'Z' {
			e.Code, e.WindowsVirtualKeyCode = "Key"+string(upper), int64(upper)
		}
	} else {
		return e, fmt.Errorf("no key is called %q", name)
	}
	if e.Modifiers&2 != 0 {
		e.Text = ""
	}
	return e, nil
}

// Text is the visible text of the first element of a selector.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	return run(p, "read "+selector, chromedp.Text(chromedp.CSS(selector)))
}

// Has tells whether an element of the selector is visible now.
func (p *Page) Has(selector string) bool {
	p.t.Helper()
	quoted, err := json.Marshal(selector)
	if err != nil {
		p.t.Fatal(err)
	}
	return Eval[bool](p, `[...document.querySelectorAll(`+string(quoted)+`)].some((e) => e.checkVisibility())`)
}

// WaitFor waits until an element of the selector is visible.
func (p *Page) WaitFor(selector string) {
	p.t.Helper()
	run(p, "wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
	p.Settle()
}

// WaitText waits until the page, or the one it leads to, shows a text.
func (p *Page) WaitText(text string) {
	p.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, step)
	defer cancel()
	poll := chromedp.Poll[bool](`!!document.body && document.body.innerText.replaceAll("\u00a0", " ").includes(` + string(quoted) + `)`)
	for {
		_, err := chromedp.Run(ctx, poll)
		if err == nil {
			break
		}
		if ctx.Err() != nil || !navigated(err) {
			p.Shot("failed")
			p.t.Fatalf("wait for text %s: %v\nproblems so far: %v", text, err, p.Problems())
		}
	}
	p.Settle()
}

// Path is the path and query of the page's address.
func (p *Page) Path() string {
	p.t.Helper()
	return strings.TrimPrefix(run(p, "read the address", chromedp.Location()), p.base)
}

// Eval runs a script in the page and gives its value.
func Eval[T any](p *Page, script string) T {
	p.t.Helper()
	return run(p, "run script", chromedp.Evaluate[T](script))
}

// Shot saves a picture of the whole page as NAME.png in the folder of
// OMOTE_SHOTS, when that is set. The window is made as high as the page for it, so
// that what sticks to an edge of the window stands where it belongs.
func (p *Page) Shot(name string) {
	p.t.Helper()
	dir := os.Getenv("OMOTE_SHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, step)
	defer cancel()
	png, err := p.whole(ctx)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		p.t.Errorf("screenshot %s: %v", name, err)
	}
}

// Picture saves what the window shows as a file, for documentation.
func (p *Page) Picture(file string) {
	p.t.Helper()
	png := run(p, "picture of "+p.Path(), chromedp.CaptureScreenshot())
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.WriteFile(file, png, 0o644)
	}
	if err != nil {
		p.t.Errorf("picture %s: %v", file, err)
	}
}

// whole photographs the page in a window of its full height.
func (p *Page) whole(ctx context.Context) ([]byte, error) {
	height, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`(scrollTo(0, 0), document.documentElement?.scrollHeight ?? 0)`))
	if err != nil {
		return nil, err
	}
	tall := p.view
	tall.Height = max(height, tall.Height)
	if err := chromedp.Do(ctx, emulate(tall), chromedp.Sleep(120*time.Millisecond)); err != nil {
		return nil, err
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return nil, err
	}
	return png, chromedp.Do(ctx, emulate(p.view))
}

// Problems are the errors and foreign requests recorded so far.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems)
}

// AssertNoProblemsBut fails the test on every recorded problem that does not
// contain one of the given texts, such as a status that the test provoked.
func (p *Page) AssertNoProblemsBut(expected ...string) {
	p.t.Helper()
	for _, problem := range p.Problems() {
		if !slices.ContainsFunc(expected, func(e string) bool { return strings.Contains(problem, e) }) {
			p.t.Error(problem)
		}
	}
}

// AssertSound fails the test when the page wrote an error, called another host,
// scrolls sideways, or shows text below WCAG AA contrast.
func (p *Page) AssertSound() {
	p.t.Helper()
	p.Settle()
	for _, problem := range p.Problems() {
		p.t.Error(problem)
	}
	for _, f := range p.Contrast() {
		p.t.Error("contrast: ", f)
	}
	if over := p.Overflow(); over > 0 {
		p.t.Errorf("%s is %d pixels wider than its window", p.Path(), over)
	}
}

// Overflow is by how many pixels the page is wider than its window.
func (p *Page) Overflow() int {
	p.t.Helper()
	return Eval[int](p, `Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)`)
}

// Cookie sets a cookie for the site, such as a session or a chosen language.
func (p *Page) Cookie(name, value string) {
	p.t.Helper()
	if !strings.HasPrefix(run(p, "read the address", chromedp.Location()), p.base) {
		p.Goto("/")
	}
	Eval[string](p, fmt.Sprintf("document.cookie = %q", name+"="+value+";path=/"))
}
