package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"omote/internal/platform/i18n"
)

// Layer is one of the four layers of the system, from what customers feel down
// to what guarantees it. Zero means a page that belongs to no layer.
type Layer uint8

// The layers, in the only order in which they are ever shown.
const (
	LayerExperience Layer = 1 + iota
	LayerJourneys
	LayerPlatform
	LayerGuarantee
)

var layerKeys = [...]string{"", "nav.layer.experience", "nav.layer.journeys", "nav.layer.platform", "nav.layer.guarantee"}

// Name gives the layer's name in the language of the context.
func (l Layer) Name(ctx context.Context) string {
	if l < LayerExperience || l > LayerGuarantee {
		return ""
	}
	return i18n.T(ctx, layerKeys[l])
}

// Keys of the navigation entries. A module registers an entry under its key; an
// entry that no module registers is not shown.
const (
	NavHome = "home"

	NavMeasures = "measures"
	NavSignals  = "signals"
	NavVoices   = "voices"
	NavSurveys  = "surveys"
	NavCases    = "cases"

	NavJourneys    = "journeys"
	NavMoments     = "moments"
	NavPains       = "pains"
	NavInitiatives = "initiatives"
	NavExperiments = "experiments"

	NavCustomers = "customers"
	NavSegments  = "segments"
	NavFlows     = "flows"
	NavModels    = "models"
	NavData      = "data"

	NavDecisions   = "decisions"
	NavScorecards  = "scorecards"
	NavCampaigns   = "campaigns"
	NavLearning    = "learning"
	NavObligations = "obligations"
)

// navOrder is the order of all entries; layer by layer, five in each.
var navOrder = []string{
	NavMeasures, NavSignals, NavVoices, NavSurveys, NavCases,
	NavJourneys, NavMoments, NavPains, NavInitiatives, NavExperiments,
	NavCustomers, NavSegments, NavFlows, NavModels, NavData,
	NavDecisions, NavScorecards, NavCampaigns, NavLearning, NavObligations,
}

// NavItem is one entry of the rail.
type NavItem struct {
	Key   string // one of the Nav constants, or an own key with a Label and Layer
	Href  string
	Label string // translated; by default the text of "nav.<key>"
	Layer Layer  // by default the layer of the key
	Count int    // an amount, shown in grey; 0 shows nothing
	Care  bool   // the count needs the person: shown warm; at most three of these
}

// Nav is the rail of one person: the home of their role and the entries that
// their permissions let them see, in any order.
type Nav struct {
	HomeLabel string // "CX Lead home"; by default the text of "nav.home"
	HomeHref  string // by default "/"
	Items     []NavItem
}

// navLayer is one layer as drawn.
type navLayer struct {
	Layer Layer
	Name  string
	Items []NavItem
}

// layers sorts the entries into their layers and fills in labels. Layers
// without an entry are left out.
func (n Nav) layers(ctx context.Context) []navLayer {
	out := make([]navLayer, 0, 4)
	for layer := LayerExperience; layer <= LayerGuarantee; layer++ {
		var items []NavItem
		for _, item := range n.Items {
			if layerOf(item) != layer {
				continue
			}
			if item.Label == "" {
				item.Label = i18n.T(ctx, "nav."+item.Key)
			}
			items = append(items, item)
		}
		if len(items) == 0 {
			continue
		}
		slices.SortStableFunc(items, func(a, b NavItem) int { return cmp.Compare(rank(a.Key), rank(b.Key)) })
		out = append(out, navLayer{Layer: layer, Name: layer.Name(ctx), Items: items})
	}
	return out
}

func rank(key string) int {
	if i := slices.Index(navOrder, key); i >= 0 {
		return i
	}
	return len(navOrder)
}

func layerOf(item NavItem) Layer {
	if item.Layer != 0 {
		return item.Layer
	}
	if i := slices.Index(navOrder, item.Key); i >= 0 {
		return Layer(1 + i/5)
	}
	return 0
}

// current tells which entry is the page's: the key it names, else the entry
// whose address is the longest prefix of the page's path.
func (n Nav) current(at, path string) string {
	if at != "" {
		return at
	}
	path, _, _ = strings.Cut(path, "?")
	best, length := "", 0
	for _, item := range n.Items {
		if (path == item.Href || strings.HasPrefix(path, strings.TrimSuffix(item.Href, "/")+"/")) && len(item.Href) > length {
			best, length = item.Key, len(item.Href)
		}
	}
	return best
}
