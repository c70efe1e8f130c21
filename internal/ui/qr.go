package ui

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/boombuler/barcode/qr"
)

// qrQuiet is the empty margin that readers need, in modules (ISO/IEC 18004).
const qrQuiet = 4

// QR draws text as a QR code: dark modules as runs of one path on a white
// ground, which it keeps in dark mode, too, because readers need it.
func QR(text, label string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		code, err := qr.Encode(text, qr.M, qr.Auto)
		if err != nil {
			return fmt.Errorf("ui: QR code: %w", err)
		}
		n := code.Bounds().Dx()
		var path strings.Builder
		for y := range n {
			for x := 0; x < n; {
				if r, _, _, _ := code.At(x, y).RGBA(); r != 0 {
					x++
					continue
				}
				from := x
				for x < n {
					if r, _, _, _ := code.At(x, y).RGBA(); r != 0 {
						break
					}
					x++
				}
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+qrQuiet, y+qrQuiet, x-from, x-from)
			}
		}
		side := strconv.Itoa(n + 2*qrQuiet)
		_, err = fmt.Fprintf(w, `<svg class="qr" viewBox="0 0 %s %s" width="180" height="180" role="img" aria-label="%s" shape-rendering="crispEdges"><rect width="%s" height="%s" fill="#fff"></rect><path d="%s" fill="#000"></path></svg>`,
			side, side, templ.EscapeString(label), side, side, path.String())
		return err
	})
}
