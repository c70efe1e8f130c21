// Package assets serves the style sheets, scripts and libraries of the user
// interface from the binary: nothing comes from another host.
//
// Each file has a URL that contains a hash of its content, so browsers may keep
// it for ever and a new version is fetched at once. Files are compressed once, at
// first use.
//
//	omote.css   all of css/, in the order of the file names
//	omote.js    all of js/, in the order of the file names (progressive enhancement)
//	htmx.js     htmx 2, unmodified
//	map.js      the editor of designed journeys, loaded only there
//	charts.js   the ECharts theme and time chart, loaded only where one is drawn
//	echarts.js  Apache ECharts, a build of the parts in use (see vendor/README.md)
//
// Layout puts the first three into every page. Own scripts never run inline: the
// Content-Security-Policy of this package allows only files of this host.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Prefix is the path under which Handler is mounted.
const Prefix = "/assets/"

// ContentSecurityPolicy suits every page of the product: no inline script, no
// inline style, nothing from elsewhere. Widths and positions that depend on data
// are SVG geometry, not style attributes. Images may be data URIs (QR codes).
const ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

//go:embed css js charts maps vendor icon.svg
var files embed.FS

// asset is one file as it is sent.
type asset struct {
	url, contentType string
	body             []byte
	zipped           func() []byte
}

// table is built once from the embedded files and never changes.
var table = sync.OnceValue(func() map[string]*asset {
	out := map[string]*asset{}
	add := func(name, contentType string, patterns ...string) {
		body := join(patterns)
		base, ext, _ := strings.Cut(name, ".")
		sum := sha256.Sum256(body)
		out[name] = &asset{
			url:         Prefix + base + "." + hex.EncodeToString(sum[:6]) + "." + ext,
			contentType: contentType,
			body:        body,
			zipped:      sync.OnceValue(func() []byte { return compress(body) }),
		}
	}
	add("omote.css", "text/css; charset=utf-8", "css/*.css")
	add("omote.js", "text/javascript; charset=utf-8", "js/*.js")
	add("map.js", "text/javascript; charset=utf-8", "maps/*.js")
	add("charts.js", "text/javascript; charset=utf-8", "charts/*.js")
	add("htmx.js", "text/javascript; charset=utf-8", "vendor/htmx.min.js")
	add("echarts.js", "text/javascript; charset=utf-8", "vendor/echarts.min.js")
	add("icon.svg", "image/svg+xml", "icon.svg")
	return out
})

// join concatenates the files that match, in the order of their names.
func join(patterns []string) []byte {
	var b bytes.Buffer
	for _, pattern := range patterns {
		names, err := fs.Glob(files, pattern)
		if err != nil || len(names) == 0 {
			panic(fmt.Sprintf("assets: pattern %q matches no embedded file", pattern)) // a defect of this package
		}
		for _, name := range names {
			data, err := files.ReadFile(name)
			if err != nil {
				panic(fmt.Sprintf("assets: read %s: %v", name, err))
			}
			b.Write(data)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(body); err != nil {
		return nil
	}
	if err := w.Close(); err != nil {
		return nil
	}
	return b.Bytes()
}

// URL gives the address of an asset by its short name, such as "omote.css". It
// panics on a name that does not exist, which only a defect can cause.
func URL(name string) string {
	a, ok := table()[name]
	if !ok {
		panic("assets: no asset named " + strconv.Quote(name))
	}
	return a.url
}

// Styles is the style sheet as text, for a page that must stand alone.
func Styles() string { return string(table()["omote.css"].body) }

// Size gives the number of bytes of an asset as sent to a browser (compressed).
func Size(name string) int { return len(table()[name].zipped()) }

// Handler serves the assets. Mount it at Prefix. An address with an old hash is
// answered with 404, so that a stale page cannot mix versions.
func Handler() http.Handler {
	byURL := map[string]*asset{}
	for _, a := range table() {
		byURL[a.url] = a
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := byURL[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept-Encoding")
		body := a.body
		if zipped := a.zipped(); len(zipped) > 0 && len(zipped) < len(body) && acceptsGzip(r) {
			h.Set("Content-Encoding", "gzip")
			body = zipped
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(body) // the client may have gone; nothing is left to do
		}
	})
}

// acceptsGzip reads Accept-Encoding; "gzip;q=0" refuses.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding != "gzip" && coding != "*" {
			continue
		}
		q := strings.TrimPrefix(strings.ReplaceAll(quality, " ", ""), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return q == "" || err == nil && v > 0
	}
	return false
}
