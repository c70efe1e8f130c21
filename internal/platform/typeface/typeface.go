// Package typeface holds the font with which the program draws letters itself, in PDF
// files and pictures: DejaVu Sans Condensed, which has every Vietnamese letter and may
// be passed on (LICENSE.txt).
package typeface

import _ "embed"

// The two weights, as TrueType.
var (
	//go:embed DejaVuSansCondensed.ttf
	Plain []byte
	//go:embed DejaVuSansCondensed-Bold.ttf
	Bold []byte
)
