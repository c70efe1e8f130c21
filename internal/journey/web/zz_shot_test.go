package web

import (
	"os"
	"strings"
	"testing"
	"time"

	"omote/internal/platform/i18n"
	"omote/internal/testkit/browser"
	"omote/internal/ui"
)

func TestZZShot(t *testing.T) {
	if os.Getenv("SHOT_PAGES") == "" {
		t.Skip()
	}
	b := browser.Start(t)
	for _, look := range strings.Split(os.Getenv("SHOT_LOOKS"), ",") {
		parts := strings.Split(look, "-") // desk-en-light
		view := browser.Desk
		if parts[0] == "phone" {
			view = browser.Phone
		}
		p := b.Open(os.Getenv("SHOT_BASE"), view)
		p.Goto("/sign-in")
		p.Cookie(i18n.CookieName, parts[1])
		p.Cookie(ui.ThemeCookie, parts[2])
		p.Goto("/sign-in")
		p.Type(`input[name=email]`, "cxlead@demo.example")
		p.Press("Tab")
		p.Type(`input[name=password]`, os.Getenv("SHOT_PW"))
		p.Press("Enter")
		p.WaitFor("nav, .rail, [data-key]")
		for range 50 {
			if p.Path() != "/sign-in" {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		p.Cookie(i18n.CookieName, parts[1])
		for _, page := range strings.Split(os.Getenv("SHOT_PAGES"), ",") {
			name, path, _ := strings.Cut(page, "=")
			p.Goto(path)
			p.AssertSound()
			p.Shot("obs-" + name + "-" + look)
		}
	}
}
