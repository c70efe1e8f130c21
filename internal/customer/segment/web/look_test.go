package web

import (
	"os"
	"strings"
	"testing"

	"omote/internal/platform/i18n"
	"omote/internal/testkit/browser"
)

func TestLook(t *testing.T) {
	base := os.Getenv("LOOK")
	if base == "" {
		t.Skip()
	}
	b := browser.Start(t)
	for _, lang := range []string{"vi", "en"} {
		for name, view := range map[string]browser.Viewport{"desk": browser.Desk, "phone": browser.Phone.InDark()} {
			if (lang == "vi") != (name == "desk") && os.Getenv("LOOKALL") == "" {
				continue
			}
			p := b.Open(base, view)
			p.Goto("/sign-in")
			p.Cookie(i18n.CookieName, lang)
			p.Goto("/sign-in")
			p.Type(`input[name=email]`, "cxlead@demo.example")
			p.Type(`input[name=password]`, "thuyen-nan-1965")
			p.Press("Enter")
			for _, path := range strings.Fields(os.Getenv("LOOKAT")) {
				p.Goto(path)
				p.Shot(strings.NewReplacer("/", "_", "?", "_", "=", "_").Replace(path) + "-" + name + "-" + lang)
				p.AssertSound()
			}
		}
	}
}
