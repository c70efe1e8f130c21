package ui

import (
	"strings"

	"github.com/a-h/templ"
)

// htmxConfig keeps htmx within the Content-Security-Policy (no inline indicator
// style, no eval), lets it talk to this host only, and swaps without animation. A
// form that comes back with errors (422) is swapped in; other failures are told in
// a toast, and the page stays as it was.
const htmxConfig = `{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,"historyCacheSize":0,"refreshOnHistoryMiss":true,"defaultSwapDelay":0,"defaultSettleDelay":0,"scrollBehavior":"auto",` +
	`"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},{"code":"422","swap":true},{"code":"[45]..","swap":false,"error":true}]}`

func documentTitle(title string) string {
	if title == "" {
		return "Omote"
	}
	return title + " · Omote"
}

func themeAttr(t Theme) templ.Attributes {
	if t == ThemeSystem {
		return nil
	}
	return templ.Attributes{"data-theme": string(t)}
}

func currentPage(yes bool) templ.Attributes {
	if !yes {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}

func currentTrue(yes bool) templ.Attributes {
	if !yes {
		return nil
	}
	return templ.Attributes{"aria-current": "true"}
}

// languageCode is how a locale is shown in the top bar: VI, EN.
func languageCode(locale string) string {
	base, _, _ := strings.Cut(locale, "-")
	return strings.ToUpper(base)
}

// languageKey names a language that the catalogue knows, or "other".
func languageKey(locale string) string {
	switch locale {
	case "vi", "en":
		return locale
	}
	return "other"
}
