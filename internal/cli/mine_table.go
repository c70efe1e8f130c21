package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"omote/analytics/mining"
)

// mineText are the words of the table that the mine command prints.
type mineText struct {
	cases, events, activities, perCase, variants, singletons, cover string
	edges, transitions, unordered, period, duration, rework         string
	loops, returns, starts, ends, followed, path, funnel            string
	count, share, mean, median, most, days                          string
}

var (
	mineEnglish = mineText{
		cases: "cases", events: "events", activities: "activities", perCase: "events per case, median",
		variants: "variants", singletons: "variants with one case", cover: "variants that cover 80% of cases",
		edges: "edges", transitions: "transitions", unordered: "cases not in time order", period: "period (UTC)",
		duration: "case duration", rework: "cases with rework", loops: "repeats at once", returns: "returns after one step",
		starts: "begins with", ends: "ends with", followed: "followed by", path: "path", funnel: "funnel step",
		count: "count", share: "share", mean: "mean", median: "median", most: "max", days: "d",
	}
	mineVietnamese = mineText{
		cases: "hồ sơ", events: "sự kiện", activities: "hoạt động", perCase: "sự kiện mỗi hồ sơ, trung vị",
		variants: "biến thể", singletons: "biến thể chỉ có một hồ sơ", cover: "số biến thể phủ 80% hồ sơ",
		edges: "cung", transitions: "lượt chuyển bước", unordered: "hồ sơ không đúng thứ tự thời gian", period: "kỳ dữ liệu (UTC)",
		duration: "thời lượng hồ sơ", rework: "hồ sơ phải làm lại", loops: "lặp lại ngay", returns: "quay lại sau một bước",
		starts: "bắt đầu bằng", ends: "kết thúc bằng", followed: "tiếp theo là", path: "đường đi", funnel: "bước phễu",
		count: "số lượng", share: "tỷ lệ", mean: "trung bình", median: "trung vị", most: "lớn nhất", days: " ngày",
	}
)

// mineWords chooses by --lang or else by the environment.
func mineWords(language string) mineText {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if language == "" {
			language = os.Getenv(name)
		}
	}
	if strings.HasPrefix(language, "vi") {
		return mineVietnamese
	}
	return mineEnglish
}

func printReport(out io.Writer, r *mining.Report, w mineText) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(cells ...any) {
		for i, c := range cells {
			if i > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, c)
		}
		fmt.Fprintln(t)
	}
	section := func(cells ...any) {
		t.Flush()
		fmt.Fprintln(t)
		row(cells...)
	}
	row(r.Log + ", " + r.Order)
	section(w.cases, r.Cases)
	row(w.events, r.Events)
	row(w.activities, r.Activities)
	row(w.perCase, r.EventsPerCase.Median)
	row(w.variants, r.Variants)
	row(w.singletons, r.VariantsSingleton)
	row(w.cover, r.VariantsToCover80)
	row(w.edges, r.Edges)
	row(w.transitions, r.EdgeTotal)
	row(w.unordered, r.CasesNotInOrder)
	row(w.period, r.FirstEvent+" – "+r.LastEvent)
	d := r.CaseDuration
	row(w.duration, fmt.Sprintf("%s %s, %s %s, p90 %s, %s %s", w.median, w.seconds(d.Median), w.mean, w.seconds(d.Mean), w.seconds(d.P90), w.most, w.seconds(d.Max)))
	row(w.rework, r.CasesWithRework)
	row(w.loops, r.SelfLoops)
	row(w.returns, r.Returns)
	for _, part := range []struct {
		title  string
		counts mining.NamedCounts
	}{{w.starts, r.StartActivities}, {w.ends, r.EndActivities}} {
		section(part.title, w.count)
		for _, c := range part.counts[:min(10, len(part.counts))] {
			row(c.Name, c.Count)
		}
	}
	section(w.activities, w.followed, w.count, w.median, w.mean)
	for _, e := range r.TopEdges {
		row(e.Source, e.Target, e.Count, w.seconds(e.Median), w.seconds(e.Mean))
	}
	section("#", w.count, w.share, w.path)
	for _, v := range r.TopVariants {
		row(v.Rank, v.Count, fmt.Sprintf("%.1f%%", 100*v.Share), shortPath(v.Path))
	}
	if len(r.Funnel) > 0 {
		section(w.funnel, w.cases, w.share)
		for _, s := range r.Funnel {
			row(s.Step, s.Cases, fmt.Sprintf("%.1f%%", 100*float64(s.Cases)/float64(max(1, r.Funnel[0].Cases))))
		}
	}
	return t.Flush()
}

// shortPath joins a path and cuts what would not fit a terminal.
func shortPath(path []string) string {
	const most = 6
	if len(path) > most {
		return strings.Join(path[:most], " → ") + fmt.Sprintf(" → … (+%d)", len(path)-most)
	}
	return strings.Join(path, " → ")
}

// seconds writes a duration in its two largest units, and with milliseconds
// below one minute.
func (w mineText) seconds(s float64) string {
	d := time.Duration(s * float64(time.Second))
	switch {
	case d.Abs() < time.Minute:
		return d.Round(time.Millisecond).String()
	case d.Abs() < 48*time.Hour:
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.1f%s", d.Hours()/24, w.days)
}
