package styleguide

import (
	"context"
	"math"
	"math/rand/v2"
	"net/url"
	"time"

	"omote/internal/platform/i18n"
	"omote/internal/platform/money"
	"omote/internal/ui"
	"omote/internal/ui/chart"
)

func percentFormat(ctx context.Context, digits int) chart.Format {
	f := i18n.Fmt(ctx)
	return func(v float64) string { return f.Percent(v, digits) }
}

// weeks is a share over 26 weeks: inside its band until it falls.
func weeks(ctx context.Context) chart.TimeProps {
	r := rand.New(rand.NewPCG(7, 11))
	first := time.Date(2026, 5, 25, 0, 0, 0, 0, time.UTC)
	var points []chart.Point
	for i := range 26 {
		season := 0.008 * math.Sin(float64(i)/4)
		v := 0.712 + season + 0.005*r.NormFloat64()
		q := chart.Point{At: first.AddDate(0, 0, 7*i), N: int64(1800 + r.IntN(400)),
			BandLow: 0.692 + season, BandHigh: 0.73 + season}
		if i == 13 {
			q.State, q.N = ui.Few, 18
		}
		if i >= 22 {
			v -= 0.022 * float64(min(i-21, 3))
			q.State = ui.Worse
		}
		half := 1.64 * math.Sqrt(v*(1-v)/float64(q.N))
		q.Value, q.Low, q.High = v, v-half, v+half
		points = append(points, q)
	}
	f := i18n.Fmt(ctx)
	at := first.AddDate(0, 0, 7*21+3)
	last := points[len(points)-1]
	return chart.TimeProps{
		ID: "weeks", Points: points, Format: percentFormat(ctx, 1), Tick: percentFormat(ctx, 0), Cols: 8, Bounds: [2]float64{0, 1},
		Label:    say(ctx, "Share completed within seven days by week: within its band until October, then about six points lower.", "Tỷ lệ hoàn tất trong 7 ngày theo tuần: trong dải đến tháng 10, sau đó thấp hơn khoảng 6 điểm."),
		EndLabel: f.Percent(last.Value, 1) + " " + f.PlusMinus(100*(last.High-last.Value), 1),
		Target:   &chart.Target{Value: 0.74, Label: say(ctx, "promise ≥ 74%", "hứa ≥ 74%")},
		Changes: []chart.Change{{At: at, From: at.AddDate(0, 0, -4), To: at.AddDate(0, 0, 4), Before: 0.713, After: 0.648,
			Label: say(ctx, "level change, ", "đổi mức, ") + f.Day(at) + " ± 4 " + say(ctx, "days", "ngày")}},
		Notes: []chart.Note{
			{At: first.AddDate(0, 0, 40), Label: say(ctx, "salary day", "nhận lương")},
			{At: first.AddDate(0, 0, 118), Label: say(ctx, "library 4.2", "thư viện 4.2"), Kind: chart.NoteRelease},
			{At: first.AddDate(0, 0, 146), Label: say(ctx, "step removed", "bỏ một bước"), Kind: chart.NoteDecision},
		},
	}
}

// sparkOf makes a line of 22 values that ends the way a state does.
func sparkOf(state ui.MetricState) chart.SparkProps {
	r := rand.New(rand.NewPCG(uint64(state)+3, 5))
	p := chart.SparkProps{BandLow: -1.6, BandHigh: 1.6}
	for i := range 22 {
		v, s := 0.75*r.NormFloat64(), ui.Noise
		switch {
		case state == ui.Better && i > 16:
			v, s = v+1.1*float64(min(i-15, 4)), ui.Better
		case state == ui.Worse && i > 16:
			v, s = v-1.1*float64(min(i-15, 4)), ui.Worse
		case state == ui.Few:
			s = ui.Few
			if i%2 == 1 {
				continue
			}
		}
		p.Values, p.States = append(p.Values, max(-5.5, min(5.5, v))), append(p.States, s)
	}
	if state == ui.Stale {
		p.StaleFrom = 15
	}
	return p
}

// branches are units of very different sizes around one centre.
func branches(ctx context.Context) chart.FunnelPlotProps {
	r := rand.New(rand.NewPCG(4, 9))
	const centre = 0.784
	limits := func(n float64) (float64, float64) {
		half := 3.1 * math.Sqrt(centre*(1-centre)/n)
		return centre - half, centre + half
	}
	p := chart.FunnelPlotProps{ID: "branches", Cols: 8, Centre: centre, MinN: 45, Limits: limits, Bounds: [2]float64{0, 1},
		Format: percentFormat(ctx, 1), Tick: percentFormat(ctx, 0), Mean: say(ctx, "bank ", "cả ngân hàng ") + i18n.Fmt(ctx).Percent(centre, 1),
		NName: say(ctx, "problems raised in the unit, 28 days", "số vấn đề của đơn vị, 28 ngày"),
		Label: say(ctx, "66 branches by number of problems and share solved: two lie below what chance explains, one above.", "66 chi nhánh theo số vấn đề và tỷ lệ giải quyết: hai nơi thấp hơn mức ngẫu nhiên, một nơi cao hơn.")}
	for i := range 63 {
		n := math.Floor(30 + 90*math.Exp(1.3*r.Float64()*r.Float64()*2))
		u := chart.Unit{Name: say(ctx, "Branch ", "Chi nhánh ") + string(rune('A'+i%26)), N: min(n, 1180), Value: centre + 0.8*r.NormFloat64()*math.Sqrt(centre*(1-centre)/n)}
		if u.N < 45 {
			u.State = ui.Few
		}
		p.Units = append(p.Units, u)
	}
	for _, u := range []chart.Unit{{Name: "Cầu Mới", N: 640, Value: 0.721, State: ui.Worse}, {Name: "Bến Trong", N: 410, Value: 0.709, State: ui.Worse}, {Name: "Lê Lợi", N: 905, Value: 0.839, State: ui.Better}} {
		half := 1.64 * math.Sqrt(u.Value*(1-u.Value)/u.N)
		u.Low, u.High = u.Value-half, u.Value+half
		p.Units = append(p.Units, u)
	}
	return p
}

// lengths is a long-tailed distribution of days.
func lengths(ctx context.Context) chart.HistogramProps {
	f := i18n.Fmt(ctx)
	p := chart.HistogramProps{ID: "lengths", Cols: 6, Over: 412,
		Format: func(v float64) string { return f.Decimal(v, 0) }, XName: say(ctx, "days from start to end", "số ngày từ đầu đến cuối"),
		Label: say(ctx, "Length of 6,820 journeys: half end within 8.1 days, one in ten takes more than 30.", "Độ dài 6.820 hành trình: một nửa xong trong 8,1 ngày, một phần mười quá 30 ngày."),
		Refs: []chart.Ref{{Value: 8.1, Label: say(ctx, "median 8.1 days", "trung vị 8,1 ngày")},
			{Value: 12, Label: say(ctx, "promise ≤ 12 days", "hứa ≤ 12 ngày"), Promise: true}}}
	for i := range 40 {
		x := float64(i)
		p.Bins = append(p.Bins, chart.Bin{From: x, To: x + 1, Count: int64(900 * math.Exp(-x/9) * (1 - math.Exp(-(x+0.4)/1.8)) * (1 + 0.25*math.Cos(2*math.Pi*x/7)))})
	}
	return p
}

// channels are values with intervals, one of them with too few answers.
func channels(ctx context.Context) chart.BarsProps {
	return chart.BarsProps{ID: "channels", Format: percentFormat(ctx, 1), Max: 1, Label: say(ctx, "Solved at first contact by channel", "Giải quyết ngay lần đầu theo kênh"),
		Items: []chart.BarItem{
			{Name: say(ctx, "Branch", "Chi nhánh"), Value: 0.842, Low: 0.828, High: 0.855, N: 4120},
			{Name: say(ctx, "Contact centre", "Tổng đài"), Value: 0.641, Low: 0.626, High: 0.655, N: 5204, State: ui.Worse, Note: say(ctx, "since 3 Nov", "từ 3.11")},
			{Name: say(ctx, "App chat", "Chat ứng dụng"), Value: 0.778, Low: 0.762, High: 0.793, N: 3560},
			{Name: say(ctx, "E-mail", "Thư điện tử"), N: 18, State: ui.Few},
		}}
}

func measures(ctx context.Context) []ui.MetricRowProps {
	f := i18n.Fmt(ctx)
	row := func(en, vi string, s ui.MetricState, value, interval string) ui.MetricRowProps {
		p := sparkOf(s)
		p.Width, p.Height = 136, 40
		return ui.MetricRowProps{Name: say(ctx, en, vi), Href: "#", State: s, Spark: chart.Spark(p), Value: value, Interval: interval}
	}
	few := row("Topped up within 14 days", "Nạp tiền trong 14 ngày", ui.Few, f.Percent(0.581, 1), f.Interval(49, 67, 0)+", n = 96")
	few.StateWord = i18n.T(ctx, "ui.state.fewdata")
	return []ui.MetricRowProps{
		row("Face scanned again", "Phải quét lại khuôn mặt", ui.Worse, f.Percent(0.314, 1), f.Interval(30.2, 32.6, 1)),
		row("Time to open, median", "Thời gian mở, trung vị", ui.Noise, f.Duration(400*time.Second), ""),
		few,
		row("No person needed", "Không cần người xử lý", ui.Stale, f.Percent(0.71, 1), say(ctx, "to ", "đến ")+f.DateTime(day.AddDate(0, 0, -3), day)),
	}
}

func funnel(ctx context.Context) []ui.FunnelStep {
	n := int64(6820)
	steps := []struct {
		en, vi       string
		share        float64
		wEn, wVi     string
		care, closed bool
	}{
		{"Report a payment", "Báo giao dịch lạ", 1, "", "", false, false},
		{"First answer", "Nhận phản hồi đầu", 0.955, "186 knew it after all; 120 called and stopped", "186 tự nhận ra giao dịch; 120 gọi rồi thôi", false, false},
		{"Block the card", "Khoá thẻ", 0.870, "529 went on without a block", "529 đi tiếp không khoá", false, false},
		{"Send papers", "Nộp chứng từ", 0.792, "**412 gave up**; 117 still open", "**412 bỏ dở**; 117 còn mở", true, false},
		{"Bank checks", "Ngân hàng xác minh", 0.751, "198 withdrew; 84 still open", "198 rút đơn; 84 còn mở", false, false},
		{"Refund", "Hoàn tiền", 0.497, "1,518 refused with a reason", "1.518 bị từ chối có lý do", false, true},
	}
	var out []ui.FunnelStep
	before := 1.0
	for _, s := range steps {
		out = append(out, ui.FunnelStep{Name: say(ctx, s.en, s.vi), Share: s.share, Lost: before - s.share, Count: int64(s.share * float64(n)),
			Gone: int64((before - s.share) * float64(n)), Where: say(ctx, s.wEn, s.wVi), Care: s.care})
		before = s.share
	}
	return out
}

// variant writes a way through a journey: "1 2 r4 s3 uG".
func variant(marks ...string) []ui.Mark {
	var out []ui.Mark
	for _, m := range marks {
		kind := ui.AsDesigned
		switch m[0] {
		case 'r':
			kind, m = ui.Repeated, m[1:]
		case 's':
			kind, m = ui.Skipped, m[1:]
		case 'u':
			kind, m = ui.Unplanned, m[1:]
		}
		out = append(out, ui.Mark{Label: m, Kind: kind})
	}
	return out
}

func variantTable(ctx context.Context) ui.TableProps {
	f := i18n.Fmt(ctx)
	t := ui.TableProps{Label: say(ctx, "Variants", "Các lối đi"), Columns: []ui.Column{
		{Key: "way", Label: say(ctx, "Way", "Lối đi")}, {Key: "n", Label: say(ctx, "Customers", "Khách"), Numeric: true},
		{Key: "share", Label: say(ctx, "Share", "Tỷ lệ"), Numeric: true}, {Key: "median", Label: say(ctx, "Median", "Trung vị"), Numeric: true},
		{Key: "score", Label: say(ctx, "Score", "Điểm cho"), Numeric: true}}}
	for _, v := range []struct {
		marks []ui.Mark
		n     int64
		days  float64
		score float64
	}{
		{variant("1", "2", "3", "4", "5", "6"), 1842, 8.1, 8.7},
		{variant("1", "uG", "2", "3", "4", "5", "6"), 934, 11.2, 6.9},
		{variant("1", "2", "3", "4", "r4", "5", "6"), 701, 12.6, 6.8},
		{variant("1", "uG", "2", "3", "r4", "uG", "5", "s6"), 352, 16.4, 4.1},
	} {
		t.Rows = append(t.Rows, ui.Row{Cells: []ui.Cell{{Node: ui.Variant(v.marks)}, {Text: f.Int(v.n)}, {Text: f.Percent(float64(v.n)/6820, 1)},
			{Text: f.Seconds(v.days * 86400)}, {Text: f.Decimal(v.score, 1), Care: v.score < 5}}})
	}
	return t
}

var caseColumns = []ui.Column{
	{Key: "customer", Sortable: true, Narrow: true}, {Key: "problem", Wide: true}, {Key: "first", Optional: true}, {Key: "due", Sortable: true}, {Key: "owner", Optional: true, Sortable: true},
}

func caseTable(ctx context.Context, u *url.URL) ui.TableProps {
	labels := []string{say(ctx, "Customer, case", "Khách, vụ việc"), say(ctx, "Problem and step", "Vấn đề và bước"), say(ctx, "First contact", "Liên hệ đầu"), say(ctx, "Resolution", "Giải quyết"), say(ctx, "Owner", "Người xử lý")}
	columns := make([]ui.Column, len(caseColumns))
	for i, c := range caseColumns {
		c.Label = labels[i]
		columns[i] = c
	}
	rows := []struct {
		name, id, problem, step string
		first, due              ui.ClockProps
		owner                   string
	}{
		{"Nguyễn Văn Mẫu", "CV-20402", say(ctx, "Loan declined, no reason given", "Từ chối vay, không nêu lý do"), say(ctx, "Loan · Explain decision", "Vay · Giải thích quyết định"), ui.ClockProps{Label: say(ctx, "in 3 h 40", "sau 3 giờ 40"), State: ui.ClockMet}, ui.ClockProps{Label: say(ctx, "1 d late", "trễ 1 ngày"), Used: 1, State: ui.ClockLate}, "Minh Hoạ"},
		{"Phạm Giả Định", "CV-20431", say(ctx, "Face match refused five times", "Đối chiếu khuôn mặt hỏng năm lần"), say(ctx, "eKYC · Match the face", "eKYC · Đối chiếu"), ui.ClockProps{Label: say(ctx, "in 2 h 10", "sau 2 giờ 10"), State: ui.ClockMet}, ui.ClockProps{Label: say(ctx, "3 h 05 left", "còn 3 giờ 05"), Used: 0.88, State: ui.ClockSoon}, "Văn Phỏng"},
		{"Trần Thị Thí Dụ", "CV-20417", say(ctx, "Charged twice, no call back", "Trừ tiền hai lần, không gọi lại"), say(ctx, "Dispute · Acknowledge", "Tra soát · Phản hồi"), ui.ClockProps{Label: say(ctx, "22 h late", "trễ 22 giờ"), Used: 1, State: ui.ClockLate}, ui.ClockProps{Label: say(ctx, "11 h left", "còn 11 giờ"), Used: 0.6}, ""},
		{"Lê Thị Ví Dụ", "CV-20388", say(ctx, "Card lost in delivery, second time", "Thẻ thất lạc khi giao, lần thứ hai"), say(ctx, "Card · Deliver", "Thẻ · Giao"), ui.ClockProps{Label: say(ctx, "in 55 min", "sau 55 phút"), State: ui.ClockMet}, ui.ClockProps{Label: say(ctx, "courier’s turn", "chờ bên giao"), State: ui.ClockPaused}, "Văn Phỏng"},
	}
	t := ui.TableProps{Label: say(ctx, "Open cases", "Vụ việc đang mở"), Columns: columns, Query: ui.ParseTableQuery(u, "", columns, "due"),
		Dense: true, Selectable: true, Bulk: []ui.ButtonProps{{Label: say(ctx, "Assign", "Giao việc"), Key: "A", Href: "#"}, {Label: say(ctx, "Link to cause", "Gắn nguyên nhân"), Href: "#"}},
		Filter: say(ctx, "Find in cases", "Tìm trong vụ việc"), Choice: true, CSV: true,
		Foot: say(ctx, "4 of 17, sorted by resolution clock", "4 trong 17, xếp theo hạn giải quyết"), Next: "cursor", NextN: 13}
	for i, r := range rows {
		owner := ui.Cell{Text: r.owner}
		if r.owner == "" {
			owner = ui.Cell{Text: say(ctx, "nobody", "chưa có ai"), Mute: true}
		}
		t.Rows = append(t.Rows, ui.Row{ID: r.id, Open: i == 2, Cells: []ui.Cell{{Text: r.name, Sub: r.id, Href: "#" + r.id}, {Text: r.problem, Sub: r.step},
			{Node: ui.Clock(r.first)}, {Node: ui.Clock(r.due)}, owner}})
	}
	return t
}

func bn(x float64) money.Amount { return money.VND(int64(x * 1e9)) }
