package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// SurveyOptions set a run.
type SurveyOptions struct {
	Dir     string // where the data folder is made; it is removed at the end
	Seconds int    // of each load; default 5
	Results int    // responses behind the results; default 10,000,000
}

// SurveyResult is what was measured, with the load generator on the same processors.
type SurveyResult struct {
	Cores         int     `json:"cores"`
	ResponsesPerS float64 `json:"responses_per_s"` // complete and durable, all answers in one request
	AnswersPerS   float64 `json:"answers_per_s"`   // page posts, one answer each, durable
	PageP50MS     float64 `json:"page_p50_ms"`     // of GET, at 300 pages a second
	PageP99MS     float64 `json:"page_p99_ms"`
	PageBytes     int     `json:"page_compressed_bytes"`
	Results10MMS  float64 `json:"results_10m_ms"` // score and five dimensions
	ResultsN      int     `json:"results_n"`
	PeakRSSMB     float64 `json:"peak_rss_mb"`
}

// Survey measures answering: whole responses, single taps, the page, and results.
func Survey(ctx context.Context, o SurveyOptions) (res SurveyResult, err error) {
	if o.Seconds <= 0 {
		o.Seconds = 5
	}
	if o.Results <= 0 {
		o.Results = 10_000_000
	}
	res.Cores, res.ResultsN = runtime.NumCPU(), o.Results
	r, err := newRig(ctx, filepath.Join(o.Dir, "survey"))
	if err != nil {
		return res, err
	}
	defer r.close()
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { _ = r.app.Surveys().RunIntake(run); close(done) }()
	r.stop = append(r.stop, func() { cancel(); <-done })
	address, err := r.app.Surveys().OpenLink(ctx, r.app.Config.Entity, "rel_nps", "B1", "qr", time.Now().Add(time.Hour))
	if err != nil {
		return res, err
	}
	token := address[strings.LastIndexByte(address, '/')+1:]
	span := time.Duration(o.Seconds) * time.Second
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128, MaxConnsPerHost: 128},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	whole := func(rnd *rand.Rand) error {
		score := rnd.IntN(7)
		body, err := json.Marshal(map[string]any{"token": token, "visit": uuid.NewString(), "locale": "vi", "answers": map[string][]string{
			"rn_score": {fmt.Sprint(score)}, "rn_reason": {"r_fee"}, "rn_fix": {"Phí chuyển khoản quá cao"}, "rn_callback": {"no"}}})
		if err != nil {
			return err
		}
		return post(ctx, client, r.address+"/s/answers", "application/json", body, http.StatusOK)
	}
	if res.ResponsesPerS, err = rate(span, 64, whole); err != nil {
		return res, err
	}
	tap := func(rnd *rand.Rand) error {
		return post(ctx, client, r.address+"/s/"+token, "application/x-www-form-urlencoded", fmt.Appendf(nil, "q=rn_score&rn_score=%d", rnd.IntN(11)), http.StatusSeeOther)
	}
	if res.AnswersPerS, err = rate(span, 64, tap); err != nil {
		return res, err
	}
	if res.PageP50MS, res.PageP99MS, res.PageBytes, err = pages(ctx, client, r.address+"/s/"+token, span); err != nil {
		return res, err
	}
	took, err := r.app.Surveys().BenchResults(r.app.System(ctx), "tx_csat", o.Results)
	res.Results10MMS = float64(took.Microseconds()) / 1000
	res.PeakRSSMB = peakRSS()
	return res, err
}

func post(ctx context.Context, c *http.Client, address, kind string, body []byte, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("%s: %s", res.Status, raw)
	}
	return err
}

// rate runs fn on many connections for a span and gives how often it succeeded in
// a second; the first failure ends it.
func rate(span time.Duration, connections int, fn func(*rand.Rand) error) (float64, error) {
	var mu sync.Mutex
	var failed error
	n, begin := 0, time.Now()
	var all sync.WaitGroup
	for c := range connections {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(c), 9))
			for time.Since(begin) < span {
				err := fn(rnd)
				mu.Lock()
				if n++; err != nil {
					failed = errors.Join(failed, err)
				}
				stop := failed != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	all.Wait()
	return float64(n) / time.Since(begin).Seconds(), failed
}

// pagesPerS is the load at which the page's latency is measured.
const pagesPerS = 300

func pages(ctx context.Context, c *http.Client, address string, span time.Duration) (p50, p99 float64, size int, err error) {
	var ms []float64
	var mu sync.Mutex
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / pagesPerS)
	defer tick.Stop()
	for begin := time.Now(); time.Since(begin) < span; <-tick.C {
		all.Go(func() {
			at := time.Now()
			req, reqErr := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if reqErr != nil {
				return
			}
			req.Header.Set("Accept-Encoding", "gzip")
			res, getErr := c.Do(req)
			if getErr != nil {
				mu.Lock()
				err = errors.Join(err, getErr)
				mu.Unlock()
				return
			}
			defer res.Body.Close()
			n, _ := io.Copy(io.Discard, res.Body)
			mu.Lock()
			ms, size = append(ms, float64(time.Since(at).Microseconds())/1000), int(n)
			mu.Unlock()
		})
	}
	all.Wait()
	if len(ms) == 0 {
		return 0, 0, 0, err
	}
	slices.Sort(ms)
	return ms[len(ms)/2], ms[len(ms)*99/100], size, err
}
