package ui

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// The drawing has exactly the dark modules of the code, moved by the margin.
func TestQRCode(t *testing.T) {
	t.Parallel()
	const url = "otpauth://totp/Example%20Bank:chief@example.org?issuer=Example+Bank&secret=WLABWU6B2C2BFKHF2JSC5OYGV3GSXCC6"
	code, err := qr.Encode(url, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	var drawn bytes.Buffer
	if err := QR(url, "QR").Render(t.Context(), &drawn); err != nil {
		t.Fatal(err)
	}
	dark := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(drawn.String(), -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		if m[3] != m[4] {
			t.Fatalf("run %q does not close", m[0])
		}
		for i := range n {
			dark[[2]int{x + i - qrQuiet, y - qrQuiet}] = true
		}
	}
	for y := range code.Bounds().Dy() {
		for x := range code.Bounds().Dx() {
			r, _, _, _ := code.At(x, y).RGBA()
			if dark[[2]int{x, y}] != (r == 0) {
				t.Fatalf("module %d,%d is dark: %v, drawn: %v", x, y, r == 0, dark[[2]int{x, y}])
			}
			delete(dark, [2]int{x, y})
		}
	}
	if len(dark) > 0 {
		t.Errorf("%d modules are drawn outside of the code", len(dark))
	}
}
