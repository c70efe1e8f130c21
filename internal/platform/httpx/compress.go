package httpx

import (
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

var zippers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
	return w
}}

// Compress packs pages and API answers for clients that can unpack them.
// Downloads and files that are packed already go through as they are.
func Compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Add("Vary", "Accept-Encoding")
		c := &compressor{ResponseWriter: w}
		defer c.close()
		next.ServeHTTP(c, r)
	})
}

// compressor decides at the first byte whether to pack.
type compressor struct {
	http.ResponseWriter
	zip     *gzip.Writer
	decided bool
}

func (c *compressor) WriteHeader(status int) {
	c.decide()
	c.ResponseWriter.WriteHeader(status)
}

func (c *compressor) Write(p []byte) (int, error) {
	c.decide()
	if c.zip != nil {
		return c.zip.Write(p)
	}
	return c.ResponseWriter.Write(p)
}

func (c *compressor) decide() {
	if c.decided {
		return
	}
	c.decided = true
	h := c.Header()
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if h.Get("Content-Encoding") != "" || (kind != "text/html" && kind != "application/json" && kind != "application/problem+json") {
		return
	}
	h.Del("Content-Length")
	h.Set("Content-Encoding", "gzip")
	c.zip = zippers.Get().(*gzip.Writer)
	c.zip.Reset(c.ResponseWriter)
}

func (c *compressor) close() {
	if c.zip != nil {
		_ = c.zip.Close() // the client is gone when this fails
		zippers.Put(c.zip)
	}
}

// Unwrap lets http.ResponseController reach the real writer.
func (c *compressor) Unwrap() http.ResponseWriter { return c.ResponseWriter }
