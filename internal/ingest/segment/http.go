package segment

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"omote/internal/platform/errs"
	"omote/internal/platform/event"
)

// paths are the calls and the short forms that browser SDKs use.
var paths = map[string]call{
	"identify": {kind: event.Identify}, "i": {kind: event.Identify},
	"track": {kind: event.Track}, "t": {kind: event.Track},
	"page": {kind: event.Page}, "p": {kind: event.Page},
	"screen": {kind: event.Screen}, "s": {kind: event.Screen},
	"group": {kind: event.Group}, "g": {kind: event.Group},
	"alias": {kind: event.Alias}, "a": {kind: event.Alias},
	"batch": {}, "b": {},
	"import": {history: true},
}

// ServeHTTP implements http.Handler for /v1/{call}.
func (d *Door) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	header := rw.Header()
	// Any page of the bank may send: the write key says who it is, no cookie does.
	header.Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodOptions {
		header.Set("Access-Control-Allow-Methods", "POST")
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding, Idempotency-Key, AnonymousId")
		header.Set("Access-Control-Max-Age", "86400")
		rw.WriteHeader(http.StatusNoContent)
		return
	}
	c, known := paths[strings.TrimPrefix(r.URL.Path, "/v1/")]
	if !known {
		d.fail(rw, errs.NotFound("segment.error.path", "there is no call %s", r.URL.Path))
		return
	}
	w := pool.Get().(*work)
	defer func() {
		w.reset()
		pool.Put(w)
	}()
	if err := d.serve(w, c, r); err != nil {
		d.fail(rw, err)
		return
	}
	d.answer(rw, w)
}

func (d *Door) serve(w *work, c call, r *http.Request) error {
	key, _, hasKey := r.BasicAuth()
	if err := w.read(r); err != nil {
		return err
	}
	if !hasKey {
		key = bodyKey(w.body)
	}
	source, err := d.Keys.WriteKey(r.Context(), key)
	if err != nil {
		return err
	}
	if err := d.decode(w, c, source); err != nil {
		return err
	}
	if len(w.rejected) > 0 {
		if err := d.Quarantine.Put(r.Context(), w.rejected); err != nil {
			return err
		}
	}
	if len(w.events) == 0 {
		return nil
	}
	_, err = d.Log.Append(r.Context(), w.events)
	return err
}

// read takes the body, unpacked, within the limit.
func (w *work) read(r *http.Request) error {
	body := io.Reader(r.Body)
	if r.ContentLength > MaxBody {
		return tooLarge()
	}
	if strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		zr, err := gzip.NewReader(r.Body)
		if err != nil {
			return errs.Invalid("segment.error.gzip", "", "the body is not gzip, though Content-Encoding says so")
		}
		defer zr.Close()
		body = zr
	}
	buf := bytes.NewBuffer(w.body)
	_, err := buf.ReadFrom(io.LimitReader(body, MaxBody+1))
	w.body = buf.Bytes()
	switch {
	case err != nil && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader)):
		return errs.Invalid("segment.error.cut", "", "the body ended early or is damaged")
	case err != nil:
		return errs.Invalid("segment.error.read", "", "the body could not be read").Because(err)
	case len(w.body) > MaxBody:
		return tooLarge()
	case !utf8.Valid(w.body):
		return errs.Invalid("segment.error.utf8", "", "the body is not UTF-8")
	}
	w.nul = bytes.IndexByte(w.body, 0) >= 0 || bytes.Contains(w.body, []byte(`\u0000`))
	return nil
}

func tooLarge() error {
	return errs.TooLarge("segment.error.size", "a request holds at most %d KB after unpacking", MaxBody>>10).With("max", MaxBody>>10)
}

// bodyKey is the writeKey member that browser SDKs put into the body.
func bodyKey(body []byte) string {
	var b struct {
		WriteKey string `json:"writeKey"`
	}
	if json.Unmarshal(body, &b) != nil {
		return ""
	}
	return b.WriteKey
}

// result is the answer to a request that was understood.
type result struct {
	Success  bool     `json:"success"`
	Accepted int      `json:"accepted"`
	Rejected []answer `json:"rejected,omitempty"`
}

var allAccepted = []byte(`{"success":true}`)

func (d *Door) answer(rw http.ResponseWriter, w *work) {
	rw.Header().Set("Content-Type", "application/json")
	if len(w.answers) == 0 {
		_, _ = rw.Write(allAccepted)
		return
	}
	if len(w.events) == 0 {
		rw.WriteHeader(http.StatusBadRequest)
	}
	_ = json.NewEncoder(rw).Encode(result{Success: len(w.events) > 0, Accepted: len(w.events), Rejected: w.answers})
}

// RetryAfter is what a client that was asked to wait waits, unless the error says.
const RetryAfter = time.Second

func (d *Door) fail(rw http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	text := "the message could not be stored; send it again"
	switch errs.KindOf(err) {
	case errs.KindInvalid:
		status, text = http.StatusBadRequest, err.Error()
	case errs.KindUnauthenticated:
		status, text = http.StatusUnauthorized, err.Error()
		rw.Header().Set("WWW-Authenticate", `Basic realm="omote"`)
	case errs.KindDenied:
		status, text = http.StatusForbidden, err.Error()
	case errs.KindNotFound:
		status, text = http.StatusNotFound, err.Error()
	case errs.KindTooLarge:
		status, text = http.StatusRequestEntityTooLarge, err.Error()
	case errs.KindUnavailable:
		status, text = http.StatusTooManyRequests, "too much is waiting; send it again later"
		rw.Header().Set("Retry-After", strconv.Itoa(int(RetryAfter/time.Second)))
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(map[string]any{"success": false, "code": errs.KindOf(err).String(), "message": text})
}
