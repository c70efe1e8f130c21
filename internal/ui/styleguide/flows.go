package styleguide

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"omote/internal/platform/i18n"
	"omote/internal/ui/flow"
)

// dispute is a designed journey with what customers made of it.
func dispute(ctx context.Context) flow.MapProps {
	f := i18n.Fmt(ctx)
	hours := func(h float64) string { return f.Duration(time.Duration(h * float64(time.Hour))) }
	p := flow.MapProps{ID: "dispute", Total: 6820, Coverage: 1, Unit: say(ctx, "customers", "khách"), Show: flow.ByTime,
		Label: say(ctx, "Eight designed steps of a disputed payment and the real ways of 6,820 customers. 34% send papers again, 33% have to ask.", "Tám bước thiết kế của tra soát giao dịch và đường đi thật của 6.820 khách. 34% nộp lại chứng từ, 33% phải gọi hỏi.")}
	for i, n := range []struct {
		en, vi           string
		cases            int64
		ends, open, loop int64
	}{
		{"Report a payment", "Báo giao dịch lạ", 6820, 0, 0, 0}, {"First answer", "Nhận phản hồi đầu", 6514, 0, 0, 0}, {"Block the card", "Khoá thẻ", 5931, 0, 0, 0},
		{"Send papers", "Nộp chứng từ", 5402, 529, 117, 1837}, {"Bank checks", "Ngân hàng xác minh", 5120, 0, 0, 0}, {"Answer", "Trả lời", 4906, 0, 0, 0},
		{"Refund", "Hoàn tiền", 3388, 0, 0, 0}, {"Customer confirms", "Khách xác nhận", 2914, 2914, 0, 0},
	} {
		node := flow.Node{Key: string(rune('1' + i)), Name: say(ctx, n.en, n.vi), Cases: n.cases, Step: i + 1, Ends: n.ends, Open: n.open}
		if n.loop > 0 {
			node.Care, node.Note = true, say(ctx, "sent again 34%", "nộp lại 34%")
			p.Edges = append(p.Edges, flow.Edge{From: node.Key, To: node.Key, Count: n.loop})
		}
		p.Nodes = append(p.Nodes, node)
	}
	p.Nodes = append(p.Nodes,
		flow.Node{Key: "G", Name: say(ctx, "Asks for the result", "Gọi hỏi kết quả"), Cases: 2250, Events: 2930, Care: true, Note: say(ctx, "33% have to ask, usual 9 – 14%", "33% số khách phải gọi, dải thường 9 – 14%")},
		flow.Node{Key: "B", Name: say(ctx, "Comes to a branch", "Ra chi nhánh"), Cases: 760, Events: 812},
		flow.Node{Key: "T", Name: say(ctx, "Sent to other desk", "Chuyển tổ khác"), Cases: 1010, Events: 1104})
	times := []struct {
		count       int64
		took, limit float64
		care        bool
	}{{6514, 7.17, 4, true}, {5931, 0.1, 1.0 / 6, false}, {5402, 34, 48, false}, {5120, 91, 120, false}, {4906, 17, 24, false}, {3388, 14, 24, false}, {2914, 46, 72, false}}
	for i, t := range times {
		p.Edges = append(p.Edges, flow.Edge{From: string(rune('1' + i)), To: string(rune('2' + i)), Count: t.count, Time: hours(t.took), Promise: "≤ " + hours(t.limit), Care: t.care})
	}
	p.Edges = append(p.Edges, []flow.Edge{
		{From: "2", To: "4", Count: 529}, {From: "6", To: "8", Count: 1518},
		{From: "1", To: "G", Count: 1980, Care: true}, {From: "G", To: "2", Count: 640}, {From: "3", To: "G", Count: 310},
		{From: "4", To: "B", Count: 500}, {From: "B", To: "5", Count: 430}, {From: "5", To: "T", Count: 640}, {From: "T", To: "6", Count: 560},
	}...)
	return p
}

// loanSteps are the activities of an example loan process that nobody designed.
var loanSteps = [][2]string{
	{"Application sent", "Nộp đơn"}, {"Application partly sent", "Nộp đơn thiếu"}, {"Lead handled", "Xử lý đầu mối"}, {"Pre-accepted", "Duyệt sơ bộ"},
	{"Completing application", "Bổ sung đơn"}, {"Accepted", "Chấp nhận đơn"}, {"Offer selected", "Chọn đề nghị"}, {"Finalised", "Hoàn tất đơn"},
	{"Offer created", "Lập đề nghị"}, {"Offer sent", "Gửi đề nghị"}, {"Calling about offer", "Gọi về đề nghị"}, {"Offer sent back", "Khách trả đề nghị"},
	{"Validating application", "Thẩm định đơn"}, {"Calling for missing papers", "Gọi giấy tờ thiếu"}, {"Offer accepted", "Nhận đề nghị"}, {"Approved", "Phê duyệt"},
	{"Registered", "Ghi nhận"}, {"Activated", "Giải ngân"}, {"Declined", "Từ chối"}, {"Cancelled", "Huỷ đơn"},
	{"Offer cancelled", "Huỷ đề nghị"}, {"Offer declined", "Từ chối đề nghị"}, {"Assessing fraud", "Kiểm tra gian lận"}, {"Changing contract", "Sửa hợp đồng"},
}

// loanNext are the usual next steps with their odds in percent; the rest of a
// hundred goes anywhere, which makes many rare moves. -1 ends the case.
var loanNext = [][][2]int{
	{{1, 99}}, {{2, 35}, {3, 35}, {18, 28}}, {{2, 38}, {3, 20}, {18, 36}}, {{4, 98}}, {{4, 66}, {5, 14}, {18, 8}, {19, 7}}, {{6, 70}, {7, 28}},
	{{7, 55}, {20, 18}, {8, 25}}, {{6, 25}, {8, 73}}, {{9, 99}}, {{10, 96}}, {{10, 68}, {11, 10}, {19, 8}, {20, 6}, {6, 5}}, {{12, 96}},
	{{12, 26}, {13, 30}, {14, 18}, {18, 8}, {21, 6}, {-1, 8}}, {{13, 70}, {12, 22}}, {{15, 60}, {16, 36}}, {{16, 55}, {17, 42}}, {{15, 34}, {17, 60}},
	{{-1, 75}, {12, 22}}, {{-1, 97}}, {{-1, 60}, {20, 36}}, {{-1, 50}, {6, 45}}, {{18, 70}, {-1, 25}}, {{22, 50}, {18, 20}, {12, 26}}, {{-1, 70}, {23, 20}},
}

// loans is a log of 4,000 invented loan cases walked from a fixed seed, with 24
// activities and far more than a hundred different moves.
func loans(ctx context.Context) flow.MapProps {
	r := rand.New(rand.NewPCG(20, 12))
	const cases = 4000
	count := map[[2]int]int64{}
	reached, events, ends := make([]int64, 24), make([]int64, 24), make([]int64, 24)
	for range cases {
		seen := map[int]bool{}
		at := 0
		for step := 0; ; step++ {
			events[at]++
			if !seen[at] {
				seen[at] = true
				reached[at]++
			}
			next := walk(r, at)
			if next < 0 || step > 60 {
				ends[at]++
				break
			}
			count[[2]int{at, next}]++
			at = next
		}
	}
	f := i18n.Fmt(ctx)
	p := flow.MapProps{ID: "loans", Total: cases, Unit: say(ctx, "cases", "hồ sơ"),
		Label: say(ctx, "24 activities of 4,000 loan cases; the most frequent way leads from the application over the offer to the loan.", "24 hoạt động của 4.000 hồ sơ vay; lối phổ biến nhất đi từ nộp đơn qua đề nghị tới giải ngân.")}
	for i, names := range loanSteps {
		n := flow.Node{Key: names[0], Name: say(ctx, names[0], names[1]), Cases: reached[i], Events: events[i], Ends: ends[i]}
		if i == 0 {
			n.Starts = cases
		}
		p.Nodes = append(p.Nodes, n)
	}
	for move, n := range count {
		hours := float64(1+(move[0]*7+move[1]*13)%90) / 2
		p.Edges = append(p.Edges, flow.Edge{From: loanSteps[move[0]][0], To: loanSteps[move[1]][0], Count: n, Time: f.Duration(time.Duration(hours * float64(time.Hour)))})
	}
	slices.SortFunc(p.Edges, func(a, b flow.Edge) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return p
}

func walk(r *rand.Rand, at int) int {
	odds := r.IntN(100)
	for _, next := range loanNext[at] {
		if odds < next[1] {
			return next[0]
		}
		odds -= next[1]
	}
	return r.IntN(24)
}
