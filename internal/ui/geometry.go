package ui

import "strconv"

// percentWidth writes a share of 0 to 1 as a length of an SVG, "79.2%". Shares
// outside the range are held at its ends. SVG geometry is used for every width
// that depends on data, because style attributes are forbidden.
func percentWidth(share float64) string {
	if !(share > 0) {
		share = 0
	}
	return strconv.FormatFloat(min(share, 1)*100, 'f', 2, 64) + "%"
}
