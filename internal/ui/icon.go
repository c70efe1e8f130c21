package ui

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// IconName names a drawing of the icon set. Icons carry meaning or are left out;
// they never stand alone without a label for screen readers beside them.
type IconName string

// The icon set.
const (
	IconLogo         IconName = "logo"
	IconBetter       IconName = "better"
	IconWorse        IconName = "worse"
	IconNoise        IconName = "noise"
	IconFew          IconName = "few"
	IconStale        IconName = "stale"
	IconFind         IconName = "find"
	IconAlert        IconName = "alert"
	IconLock         IconName = "lock"
	IconCheck        IconName = "check"
	IconClose        IconName = "close"
	IconFile         IconName = "file"
	IconSun          IconName = "sun"
	IconMoon         IconName = "moon"
	IconPhone        IconName = "phone"
	IconChat         IconName = "chat"
	IconApp          IconName = "app"
	IconBranch       IconName = "branch"
	IconSurvey       IconName = "survey"
	IconSwap         IconName = "swap"
	IconMail         IconName = "mail"
	IconHome         IconName = "home"
	IconList         IconName = "list"
	IconBook         IconName = "book"
	IconMe           IconName = "me"
	IconSealProven   IconName = "seal-proven"
	IconSealProbable IconName = "seal-probable"
	IconSealUnproven IconName = "seal-unproven"
	IconSealFew      IconName = "seal-few"
)

const thin = ` fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"`

// drawings hold the inside of each svg; the view box is 16 unless it says so.
var drawings = map[IconName]string{
	IconLogo:         `<rect width="26" height="26" rx="6" fill="var(--ink)"/><path d="M6 8h14" stroke="#F0663A" stroke-width="2.6" stroke-linecap="round"/><path d="M6 12.2h14M6 16h10M6 19.8h6" stroke="var(--on-ink)" stroke-width="1.7" stroke-linecap="round"/>`,
	IconBetter:       `<circle cx="8" cy="8" r="5" fill="currentColor"/>`,
	IconWorse:        `<path d="M8 1.8 14.2 8 8 14.2 1.8 8z" fill="currentColor"/>`,
	IconNoise:        `<path d="M1.8 9.4c2-4 4.2-4 6.2-1.4s4.2 2.6 6.2-1.4"` + thin + `/>`,
	IconFew:          `<circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2.4 2.1"/>`,
	IconStale:        `<circle cx="8" cy="8" r="6"` + thin + `/><path d="M8 4.6V8l2.2 1.6"` + thin + `/>`,
	IconFind:         `<circle cx="7" cy="7" r="4.5"` + thin + `/><path d="m10.5 10.5 3.5 3.5"` + thin + `/>`,
	IconAlert:        `<path d="M8 4.8v3.8M8 11.2v.1"` + thin + `/><path d="M8 1.8 14.2 8 8 14.2 1.8 8z"` + thin + `/>`,
	IconLock:         `<rect x="3.5" y="7" width="9" height="6.5" rx="1"` + thin + `/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"` + thin + `/>`,
	IconCheck:        `<path d="m3 8.5 3.2 3.2L13 4.8"` + thin + `/>`,
	IconClose:        `<path d="m4 4 8 8M12 4l-8 8"` + thin + `/>`,
	IconFile:         `<path d="M4 1.8h5.2L12.5 5v9.2H4zM9 2v3.2h3.3"` + thin + `/>`,
	IconSun:          `<circle cx="8" cy="8" r="3"` + thin + `/><path d="M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1"` + thin + `/>`,
	IconMoon:         `<path d="M13.2 9.8A5.6 5.6 0 0 1 6.2 2.8a5.6 5.6 0 1 0 7 7z"` + thin + `/>`,
	IconPhone:        `<path d="M3.5 2.5h2.4l1.1 3-1.5 1.2a8 8 0 0 0 3.8 3.8l1.2-1.5 3 1.1v2.4c0 .6-.4 1-1 1A10 10 0 0 1 2.5 3.5c0-.6.4-1 1-1z"` + thin + `/>`,
	IconChat:         `<path d="M2.5 3.5h11V11h-6l-3 2.5V11h-2z"` + thin + `/>`,
	IconApp:          `<rect x="4.5" y="1.8" width="7" height="12.4" rx="1.5"` + thin + `/><path d="M7.3 12h1.4"` + thin + `/>`,
	IconBranch:       `<path d="M2 6.5 8 2.5l6 4M3.5 6.8v6M12.5 6.8v6M6.5 6.8v6M9.5 6.8v6M2 13.3h12"` + thin + `/>`,
	IconSurvey:       `<path d="M2.5 2.5h11v11h-11zM5 6h6M5 9h4"` + thin + `/>`,
	IconSwap:         `<path d="M3 5.5h9.5L10 3M13 10.5H3.5L6 13"` + thin + `/>`,
	IconMail:         `<path d="M2 4h12v8.5H2zM2.3 4.5 8 9l5.7-4.5"` + thin + `/>`,
	IconHome:         `<path d="M2.5 7.5 8 3l5.5 4.5M4 6.8v6.5h8V6.8"` + thin + `/>`,
	IconList:         `<path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1"` + thin + `/>`,
	IconBook:         `<path d="M8 4c-1.5-1-3.5-1.2-5.5-1v9.5c2-.2 4 0 5.5 1 1.5-1 3.5-1.2 5.5-1V3c-2-.2-4 0-5.5 1zm0 0v9.5"` + thin + `/>`,
	IconMe:           `<circle cx="8" cy="5.5" r="2.8"` + thin + `/><path d="M2.8 13.5c.6-2.6 2.6-4 5.2-4s4.6 1.4 5.2 4"` + thin + `/>`,
	IconSealProven:   `<rect x="1.5" y="1.5" width="15" height="15" rx="2.5" fill="currentColor"/><path d="M5.2 9.2l2.6 2.6 5-5.4" fill="none" stroke="var(--sheet)" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"/>`,
	IconSealProbable: `<rect x="2.25" y="2.25" width="13.5" height="13.5" rx="2" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M2.5 15.5 15.5 2.5v13z" fill="currentColor"/>`,
	IconSealUnproven: `<rect x="2.25" y="2.25" width="13.5" height="13.5" rx="2" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="3 2.2"/><path d="M7 7.2c.1-1.3 1-1.9 2.1-1.9 1.2 0 2 .7 2 1.8 0 1.6-2 1.7-2 3.1M9.1 12.6v.1" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/>`,
	IconSealFew:      `<rect x="2.25" y="2.25" width="13.5" height="13.5" rx="2" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="1 2.6" stroke-linecap="round"/>`,
}

// layerMark draws four strokes with the layer's own one inked.
func layerMark(l Layer) string {
	out := ""
	for i, y := range [...]string{"3", "6.4", "9.8", "13.2"} {
		if Layer(i+1) == l {
			out += `<path d="M2 ` + y + `h12" stroke="currentColor" stroke-width="2.6"/>`
		} else {
			out += `<path d="M2 ` + y + `h12" stroke="currentColor" stroke-width="1" opacity="0.5"/>`
		}
	}
	return out
}

func svg(class, viewBox, inside string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, `<svg class="`+class+`" viewBox="`+viewBox+`" aria-hidden="true">`+inside+`</svg>`)
		return err
	})
}

// Icon draws an icon at the size of the text around it. It is hidden from screen
// readers: the word beside it carries the meaning.
func Icon(name IconName) templ.Component {
	box := "0 0 16 16"
	switch name {
	case IconLogo:
		return svg("logo", "0 0 26 26", drawings[name])
	case IconSealProven, IconSealProbable, IconSealUnproven, IconSealFew:
		box = "0 0 18 18"
	}
	return svg("i", box, drawings[name])
}

// LayerMark draws the mark of a layer: four strokes, its own one inked.
func LayerMark(l Layer) templ.Component { return svg("mark", "0 0 16 16", layerMark(l)) }
