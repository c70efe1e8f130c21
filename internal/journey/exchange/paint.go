package exchange

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	stddraw "image/draw"
	"image/png"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"

	"omote/internal/journey/blueprint"
)

func durationOf(d blueprint.Duration) time.Duration { return time.Duration(d) }

func hex(c colour) string {
	v := colours[c]
	return fmt.Sprintf("#%02X%02X%02X", v[0], v[1], v[2])
}

// drawSVG writes the drawing as SVG, with the map's name as its title.
func drawSVG(d *blueprint.Document, locale string) ([]byte, error) {
	bands, err := draw(d, locale)
	if err != nil {
		return nil, err
	}
	w, h := sizeOf(bands)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" font-family="'DejaVu Sans Condensed','Noto Sans',sans-serif">`, w, h, w, h)
	fmt.Fprintf(&b, `<title>%s</title><rect width="100%%" height="100%%" fill="#fff"/>`, esc(clean(say(d.Name, locale))))
	y := margin
	for _, band := range bands {
		for _, s := range band.shapes {
			x, y := s.x+margin, s.y+y
			switch {
			case s.text != "":
				weight := ""
				if s.bold {
					weight = ` font-weight="bold"`
				}
				fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-size="%.1f"%s fill="%s">%s</text>`, x, y, s.size, weight, hex(s.fill), esc(clean(s.text)))
			case s.w == 0 || s.h == 0:
				fmt.Fprintf(&b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="%s" stroke-width=".75"/>`, x, y, x+s.w, y+s.h, hex(s.fill))
			default:
				fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x, y, s.w, s.h, hex(s.fill))
			}
		}
		y += band.h + margin
	}
	b.WriteString("</svg>\n")
	return []byte(b.String()), nil
}

// sizeOf is the size of bands one below the other, with margins.
func sizeOf(bands []band) (w, h float64) {
	h = margin
	for _, b := range bands {
		w, h = max(w, b.w+2*margin), h+b.h+margin
	}
	return w, h
}

// pngScale is how many pixels a point has; maxPixels bounds the picture, larger
// ones are drawn smaller.
const (
	pngScale  = 2.0
	maxPixels = 60_000_000
)

func drawPNG(d *blueprint.Document, locale string) ([]byte, error) {
	bands, err := draw(d, locale)
	if err != nil {
		return nil, err
	}
	w, h := sizeOf(bands)
	scale := pngScale
	for w*h*scale*scale > maxPixels {
		scale *= .8
	}
	img := image.NewRGBA(image.Rect(0, 0, int(w*scale), int(h*scale)))
	stddraw.Draw(img, img.Bounds(), image.White, image.Point{}, stddraw.Src)
	held := map[string]font.Face{}
	y := margin
	for _, band := range bands {
		for _, s := range band.shapes {
			if err := paint(img, held, s, margin, y, scale); err != nil {
				return nil, err
			}
		}
		y += band.h + margin
	}
	var b bytes.Buffer
	err = png.Encode(&b, img)
	return b.Bytes(), err
}

func paint(img *image.RGBA, held map[string]font.Face, s shape, dx, dy, scale float64) error {
	v := colours[s.fill]
	src := image.NewUniform(color.RGBA{v[0], v[1], v[2], 255})
	x, y := (s.x+dx)*scale, (s.y+dy)*scale
	if s.text == "" {
		r := image.Rect(int(x), int(y), int(x+max(1, s.w*scale)), int(y+max(1, s.h*scale)))
		stddraw.Draw(img, r, src, image.Point{}, stddraw.Src)
		return nil
	}
	key := fmt.Sprint(s.bold, s.size)
	f := held[key]
	if f == nil {
		ttf := plainTTF
		if s.bold {
			ttf = boldTTF
		}
		var err error
		if f, err = face(ttf, s.size*scale); err != nil {
			return err
		}
		held[key] = f
	}
	drawer := font.Drawer{Dst: img, Src: src, Face: f, Dot: fixed.P(int(x), int(y))}
	drawer.DrawString(clean(s.text))
	return nil
}

// drawPDF writes one band a page, on A4 across, as large as fits.
func drawPDF(d *blueprint.Document, locale string) ([]byte, error) {
	bands, err := draw(d, locale)
	if err != nil {
		return nil, err
	}
	const pageW, pageH = 841.89, 595.28
	pdf := fpdf.New("L", "pt", "A4", "")
	pdf.SetCompression(true)
	pdf.SetCreationDate(time.Unix(0, 0).UTC()) // the same map gives the same file
	pdf.SetModificationDate(time.Unix(0, 0).UTC())
	pdf.SetCatalogSort(true)
	pdf.SetTitle(clean(say(d.Name, locale)), true)
	pdf.SetAutoPageBreak(false, 0)
	pdf.AddUTF8FontFromBytes("dejavu", "", plainTTF)
	pdf.AddUTF8FontFromBytes("dejavu", "B", boldTTF)
	for _, b := range bands {
		pdf.AddPage()
		scale := min(1.15, (pageW-2*margin)/b.w, (pageH-2*margin)/b.h)
		for _, s := range b.shapes {
			v := colours[s.fill]
			x, y := margin+s.x*scale, margin+s.y*scale
			switch {
			case s.text != "":
				style := ""
				if s.bold {
					style = "B"
				}
				pdf.SetFont("dejavu", style, s.size*scale)
				pdf.SetTextColor(int(v[0]), int(v[1]), int(v[2]))
				pdf.Text(x, y, clean(s.text))
			case s.w == 0 || s.h == 0:
				pdf.SetDrawColor(int(v[0]), int(v[1]), int(v[2]))
				pdf.SetLineWidth(.6)
				pdf.Line(x, y, x+s.w*scale, y+s.h*scale)
			default:
				pdf.SetFillColor(int(v[0]), int(v[1]), int(v[2]))
				pdf.Rect(x, y, s.w*scale, s.h*scale, "F")
			}
		}
	}
	var b bytes.Buffer
	err = pdf.Output(&b)
	return b.Bytes(), err
}
