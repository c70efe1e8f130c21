package browser

import (
	"context"
	"encoding/json"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// Slow simulates a network and a processor: every answer comes LatencyMS later and at
// most at DownKBs kilobytes a second, and scripts, style and layout take Times as long.
type Slow struct {
	LatencyMS, DownKBs, UpKBs float64
	Times                     float64
}

// SlowPhone is a cheap phone on a slow 4G network, as Lighthouse simulates it.
var SlowPhone = Slow{LatencyMS: 150, DownKBs: 200, UpKBs: 90, Times: 4}

// Slow makes the page's network and processor slow from now on.
func (p *Page) Slow(s Slow) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: s.LatencyMS, DownloadThroughput: s.DownKBs * 1000, UploadThroughput: s.UpKBs * 1000}}})
	if err == nil {
		_, err = chromedp.Call(p.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: s.Times})
	}
	if err != nil {
		p.t.Fatalf("make the page slow: %v", err)
	}
}

// Load is what loading the page took.
type Load struct {
	PaintMS  float64 `json:"paint"`    // first contentful paint after the navigation began
	Bytes    float64 `json:"bytes"`    // of the page over the network, its headers and those of what it loads
	Body     float64 `json:"body"`     // of the page alone, compressed
	Requests float64 `json:"requests"` // beside the page
	Scripts  float64 `json:"scripts"`  // elements
}

// Loaded tells what the last navigation took.
func (p *Page) Loaded() (l Load) {
	p.t.Helper()
	return Eval[Load](p, `(() => {
		const nav = performance.getEntriesByType("navigation")[0], rest = performance.getEntriesByType("resource");
		return { paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? -1, body: nav.encodedBodySize,
			bytes: nav.transferSize + rest.reduce((n, r) => n + r.transferSize, 0), requests: rest.length, scripts: document.scripts.length };
	})()`)
}

// Spoken is one thing of a page as a screen reader has it.
type Spoken struct{ Role, Name, Description string }

// Spoken gives the page's accessibility tree in reading order, without what has no role
// of its own.
func (p *Page) Spoken() (out []Spoken) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, step)
	defer cancel()
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		p.t.Fatalf("read the accessibility tree: %v", err)
	}
	text := func(v *accessibility.Value) (s string) {
		if v != nil {
			_ = json.Unmarshal(v.Value, &s) // a value that is no text stays ""
		}
		return s
	}
	byID := map[accessibility.NodeID]*accessibility.Node{}
	for _, n := range tree.Nodes {
		byID[n.NodeID] = n
	}
	var walk func(n *accessibility.Node)
	walk = func(n *accessibility.Node) {
		if n == nil {
			return
		}
		if role := text(n.Role); !n.Ignored && role != "" && role != "generic" && role != "none" && role != "InlineTextBox" {
			out = append(out, Spoken{role, text(n.Name), text(n.Description)})
		}
		for _, id := range n.ChildIDs {
			walk(byID[id])
		}
	}
	if len(tree.Nodes) > 0 {
		walk(tree.Nodes[0])
	}
	return out
}
