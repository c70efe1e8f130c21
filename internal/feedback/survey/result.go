package survey

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"omote/analytics/stats"
	"omote/internal/feedback/form"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
)

// level of the intervals of results.
const level = 0.95

// Period is the days a result covers, both in it.
type Period struct{ From, To time.Time }

// Result is what the answers of a period say. Estimates are weighted by the
// inverse of the probability of being asked.
type Result struct {
	Document *form.Document
	Period   Period
	Done     int64 // completed responses
	Items    []ItemResult
	Daily    []DayResult // of the score
	Latest   time.Time   // day of the newest answer
}

// ItemResult is one question's answers.
type ItemResult struct {
	Item *form.Item
	// Part names a row of a matrix or a side of a pair; "" for the question.
	Part     string
	N        int64
	Estimate stats.Estimate // of scored questions
	Answers  []AnswerCount
	// Few tells that an anonymous group is below its minimum and shows nothing.
	Few bool
}

// AnswerCount is one answer of a question, with its weighted share.
type AnswerCount struct {
	Answer string
	N      int64
	Share  stats.Estimate
}

// DayResult is the score of a day.
type DayResult struct {
	Day      time.Time
	Estimate stats.Estimate
}

// GroupResult is the score of one value of a dimension.
type GroupResult struct {
	Value    string
	N        int64
	Estimate stats.Estimate
	Few      bool
}

// Result gives a questionnaire's results of a period. It reads tallies, not
// responses, so it takes as long for ten million as for ten.
func (s *Service) Result(ctx context.Context, id string, p Period) (r *Result, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		v, err := s.current(ctx, tx, id)
		if err != nil {
			return err
		}
		cells, err := summed(ctx, tx, id, "", "*", day(p.From, s.Zone), day(p.To, s.Zone), false)
		if err != nil {
			return err
		}
		r = &Result{Document: v.Document, Period: p}
		r.fill(cells)
		score := v.Document.Score()
		if score == nil {
			return nil
		}
		daily, err := summed(ctx, tx, id, "", score.ID, day(p.From, s.Zone), day(p.To, s.Zone), true)
		r.Daily = r.days(score, daily, s.Zone)
		return err
	})
	return r, err
}

// current is the live version, else the newest.
func (s *Service) current(ctx context.Context, tx store.Tx, id string) (*Version, error) {
	live, err := s.lives(ctx, tx)
	if err != nil {
		return nil, err
	}
	if v := live[id]; v != nil {
		return v, nil
	}
	v, err := latest(ctx, tx, id)
	if err == nil && v == nil {
		err = notFound(id)
	}
	return v, err
}

func (r *Result) few(n int64) bool {
	return r.Document.Anonymity == form.Anonymous && n < int64(r.Document.MinGroup)
}

func (r *Result) fill(cells []cell) {
	byItem := map[string][]cell{}
	for _, c := range cells {
		if c.Item == "" {
			r.Done += c.N
			continue
		}
		byItem[c.Item] = append(byItem[c.Item], c)
	}
	for i := range r.Document.Items {
		it := &r.Document.Items[i]
		switch it.Type {
		case form.Paired:
			r.item(it, "importance", it.Scale, byItem[it.ID+".importance"])
			r.item(it, "satisfaction", it.Second, byItem[it.ID+".satisfaction"])
		case form.Matrix:
			for _, row := range it.Rows {
				r.item(it, row.ID, it.Scale, byItem[it.ID+"."+row.ID])
			}
		default:
			r.item(it, "", it.Scale, byItem[it.ID])
		}
	}
}

func (r *Result) item(it *form.Item, part string, scale *form.Scale, cells []cell) {
	out := ItemResult{Item: it, Part: part}
	var all stats.WeightSum
	for _, c := range cells {
		if c.Answer == given || scale != nil {
			all = all.Add(c.weights())
		}
	}
	out.N = all.N
	if out.Few = r.few(out.N); out.Few {
		r.Items = append(r.Items, out)
		return
	}
	if scale != nil {
		out.Estimate = estimate(it, scale, cells)
	}
	for _, c := range cells {
		if c.Answer == given {
			continue
		}
		hit := c.weights()
		miss := stats.WeightSum{N: all.N - hit.N, W: all.W - hit.W, WW: max(0, all.WW-hit.WW)}
		out.Answers = append(out.Answers, AnswerCount{c.Answer, c.N, stats.WeightedProportion(hit, miss, level)})
	}
	slices.SortFunc(out.Answers, func(a, b AnswerCount) int {
		if scale != nil {
			x, _ := strconv.Atoi(a.Answer)
			y, _ := strconv.Atoi(b.Answer)
			return cmp.Compare(x, y)
		}
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Answer, b.Answer))
	})
	r.Items = append(r.Items, out)
}

func (c cell) weights() stats.WeightSum { return stats.WeightSum{N: c.N, W: c.W, WW: c.WW} }

// estimate is NPS, or the mean of a scale, from weighted counts of points.
func estimate(it *form.Item, scale *form.Scale, cells []cell) stats.Estimate {
	if it.Type == form.NPS {
		var promoters, passives, detractors stats.WeightSum
		for _, c := range cells {
			switch p, _ := strconv.Atoi(c.Answer); {
			case p >= 9:
				promoters = promoters.Add(c.weights())
			case p >= 7:
				passives = passives.Add(c.weights())
			default:
				detractors = detractors.Add(c.weights())
			}
		}
		return stats.WeightedNPS(promoters, passives, detractors, level)
	}
	var m stats.WeightedMoments
	for _, c := range cells {
		p, _ := strconv.Atoi(c.Answer)
		x := float64(p)
		m = m.Add(stats.WeightedMoments{N: c.N, W: c.W, WX: c.W * x, WXX: c.W * x * x, WW: c.WW, WWX: c.WW * x, WWXX: c.WW * x * x})
	}
	return stats.WeightedScaleMean(m, float64(scale.Min), float64(scale.Max), level)
}

func (r *Result) days(score *form.Item, cells []cell, zone *time.Location) (out []DayResult) {
	byDay := map[int64][]cell{}
	for _, c := range cells {
		byDay[c.Day] = append(byDay[c.Day], c)
	}
	for d, list := range byDay {
		var n int64
		for _, c := range list {
			n += c.N
		}
		y, m, dd := time.Unix(d*86400, 0).UTC().Date()
		at := time.Date(y, m, dd, 0, 0, 0, 0, zone)
		if at.After(r.Latest) {
			r.Latest = at
		}
		if !r.few(n) {
			out = append(out, DayResult{at, estimate(score, score.Scale, list)})
		}
	}
	slices.SortFunc(out, func(a, b DayResult) int { return a.Day.Compare(b.Day) })
	return out
}

// Groups gives the score by a dimension. Weeks lie in it whole.
func (s *Service) Groups(ctx context.Context, id, dim string, p Period) (out []GroupResult, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		v, err := s.current(ctx, tx, id)
		if err != nil {
			return err
		}
		score := v.Document.Score()
		if score == nil || !slices.Contains(Dims, dim) {
			return nil
		}
		cells, err := summed(ctx, tx, id, dim, score.ID, monday(day(p.From, s.Zone)), day(p.To, s.Zone), false)
		if err != nil {
			return err
		}
		r := &Result{Document: v.Document}
		byValue := map[string][]cell{}
		for _, c := range cells {
			byValue[c.Value] = append(byValue[c.Value], c)
		}
		out = nil
		for value, list := range byValue {
			g := GroupResult{Value: value}
			for _, c := range list {
				g.N += c.N
			}
			if g.Few = r.few(g.N); !g.Few {
				g.Estimate = estimate(score, score.Scale, list)
			}
			out = append(out, g)
		}
		slices.SortFunc(out, func(a, b GroupResult) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value)) })
		return nil
	})
	return out, err
}

// Report is how the asking went: what became of those who could have been asked.
type Report struct {
	Counts []AskCount
	Units  []UnitCount
	// Gaming are units whose rate of asking or answering is far from the others',
	// after false-discovery control (requirement 000-17).
	Gaming []Gaming
	Since  time.Time
}

// Gaming is a unit that stands out.
type Gaming struct {
	Unit     string
	What     string // "asked" or "answered"
	Rate     stats.Estimate
	Expected float64
	P        float64
}

// gamingFDR is the share of false accusations that is borne.
const gamingFDR = 0.05

// Report tells how the asking of a questionnaire went since a time.
func (s *Service) Report(ctx context.Context, id string, since time.Time) (r *Report, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	r = &Report{Since: since}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		if r.Counts, err = askCounts(ctx, tx, id, store.At(since)); err != nil {
			return err
		}
		r.Units, err = unitCounts(ctx, tx, id, store.At(since))
		return err
	})
	if err == nil {
		r.Gaming = gaming(r.Units)
	}
	return r, err
}

// WhyNot gives the askings of a customer's records for a questionnaire, newest
// first: each with every rule's word.
func (s *Service) WhyNot(ctx context.Context, id string, records []string) (out []*Invitation, err error) {
	if err := auth.Require(ctx, PermRead, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = s.invitationsOf(ctx, tx, id, records)
		return err
	})
	return out, err
}

// Recent gives the newest completed responses.
func (s *Service) Recent(ctx context.Context, id string, before time.Time, limit int) (out []*Response, err error) {
	if err := auth.Require(ctx, PermAnswers, ""); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, func(ctx context.Context, tx store.Tx) error {
		out, err = s.recent(ctx, tx, id, micros(before), limit)
		return err
	})
	return out, err
}
