package demo

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"omote/internal/governance/council"
	"omote/internal/governance/measure"
	"omote/internal/platform/approval"
)

// matter is one decision of the demo's council, with what its members hope of it, as
// factors of what the registry says on that day.
type matter struct {
	day                int // before the end of the history
	kind               string
	title              approval.Text
	question           string
	choices            [2]approval.Text
	low, mid, high     int64 // of the first choice, million dong
	metric             string
	down, hope, up     float64
	grade              int
	choose             int
	why                string // against the rank
	against            int
	dissent, risk, run string
}

// matters are in the order of their days.
var matters = []matter{
	{day: 290, kind: "dt_prioritise", title: bi("Ưu tiên chờ tại quầy hay tổng đài", "Branch wait or contact centre first"), question: "Quý này dồn sức cho thời gian chờ tại quầy hay cho tổng đài?",
		choices: [2]approval.Text{bi("Chờ tại quầy", "Wait at the counter"), bi("Tổng đài", "Contact centre")}, low: 60, mid: 130, high: 260, metric: "csat_branch", down: 0.99, hope: 1.02, up: 1.05, grade: 3, risk: "thấp"},
	{day: 290, kind: "dt_policy", title: bi("Báo trước khi tăng phí", "Tell customers before a fee rises"), question: "Có bắt buộc báo trước 30 ngày khi tăng phí không?",
		choices: [2]approval.Text{bi("Báo trước 30 ngày", "Tell 30 days before"), bi("Chỉ báo trên trang mạng", "Tell on the website only")}, low: 20, mid: 60, high: 120, metric: "nps_relationship", down: 0.98, hope: 1.05, up: 1.15, grade: 3},
	{day: 260, kind: "dt_launch", title: bi("Triển khai đặt lịch hẹn", "Roll appointments out"), question: "Triển khai đặt hẹn theo ba đợt chi nhánh?",
		choices: [2]approval.Text{bi("Ba đợt, chọn ngẫu nhiên", "Three random waves"), bi("Tất cả một lần", "All at once")}, low: 40, mid: 140, high: 300, metric: "branch_wait_p90", down: 0.85, hope: 0.92, up: 1.0, grade: 4},
	{day: 260, kind: "dt_prioritise", title: bi("Sửa bước chụp khuôn mặt", "Mend the face check"), question: "Bước nào của mở tài khoản cần sửa trước?",
		choices: [2]approval.Text{bi("Chụp khuôn mặt", "Face check"), bi("Nhập địa chỉ", "Address")}, low: 30, mid: 90, high: 150, metric: "onboarding_completion", down: 1.01, hope: 1.03, up: 1.06, grade: 3},
	{day: 230, kind: "dt_prioritise", title: bi("Giải thích quyết định vay", "Explain loan decisions"), question: "Ưu tiên giải thích hay rút ngắn thời gian quyết định vay?",
		choices: [2]approval.Text{bi("Giải thích quyết định", "Explain decisions"), bi("Tờ rơi mới", "A new leaflet")}, low: 50, mid: 80, high: 140, metric: "loan_decision_explained", down: 0.98, hope: 1.02, up: 1.06, grade: 3, choose: 1,
		why: "Chiến dịch quảng bá đã công bố tờ rơi với báo chí, chưa thể lùi.", dissent: "Phân tích: tờ rơi chưa từng làm giảm cuộc gọi."},
	{day: 230, kind: "dt_launch", title: bi("Kịch bản chào hỏi mới", "A new greeting script"), question: "Áp dụng kịch bản chào hỏi mới cho cả tổng đài?",
		choices: [2]approval.Text{bi("Áp dụng", "Use it"), bi("Thử một tháng", "Try for a month")}, low: 20, mid: 50, high: 90, metric: "contact_fcr_7d", down: 1.01, hope: 1.03, up: 1.05, grade: 4},
	{day: 200, kind: "dt_prioritise", title: bi("Nâng hành vi tại quầy", "Behaviour at the counter"), question: "Dạy hành vi hay thi kiến thức sản phẩm?",
		choices: [2]approval.Text{bi("Hành vi khi khách chờ", "Behaviour while customers wait"), bi("Thi kiến thức", "Product quiz")}, low: 25, mid: 70, high: 150, metric: "csat_branch", down: 1.0, hope: 1.03, up: 1.06, grade: 3},
	{day: 200, kind: "dt_prioritise", title: bi("Đúng hẹn tiền gửi đến hạn", "Deposits on the day"), question: "Nhắc khách trước ngày đến hạn bằng kênh nào?",
		choices: [2]approval.Text{bi("Ứng dụng rồi tin nhắn", "App, then message"), bi("Gọi điện", "Call")}, low: 30, mid: 60, high: 100, metric: "deposit_retention", down: 1.0, hope: 1.02, up: 1.04, grade: 3},
	{day: 170, kind: "dt_prioritise", title: bi("Đăng nhập lại nhanh", "Back into the app"), question: "Rút ngắn khôi phục mật khẩu bằng cách nào?",
		choices: [2]approval.Text{bi("Khuôn mặt", "Face"), bi("Tổng đài", "Contact centre")}, low: 15, mid: 45, high: 80, metric: "login_recovery_1h", down: 0.99, hope: 1.01, up: 1.03, grade: 3},
	{day: 170, kind: "dt_launch", title: bi("Kéo dài menu thoại", "A longer voice menu"), question: "Kéo dài menu thoại để giảm tải tổng đài?",
		choices: [2]approval.Text{bi("Giữ menu ngắn", "Keep it short"), bi("Kéo dài menu", "Make it longer")}, low: 10, mid: 20, high: 60, metric: "contact_abandon_rate", down: 0.85, hope: 0.95, up: 1.02, grade: 4, choose: 1,
		why: "Ngân sách nhân sự tổng đài đã bị cắt, cần giảm tải ngay trong tháng.", against: 2, dissent: "Tổng đài: khách sẽ gọi lại nhiều hơn."},
	{day: 140, kind: "dt_prioritise", title: bi("Một người lo một khiếu nại", "One owner per complaint"), question: "Giao mỗi khiếu nại cho một người?",
		choices: [2]approval.Text{bi("Một người lo đến cùng", "One named owner"), bi("Thêm hai người chung", "Two more people in the pool")}, low: 35, mid: 95, high: 180, metric: "complaint_time_to_close_p50", down: 0.7, hope: 0.85, up: 0.95, grade: 3},
	{day: 140, kind: "dt_prioritise", title: bi("Gửi phản hồi sau giao dịch", "Follow up after a visit"), question: "Phản hồi sau giao dịch tại quầy qua đâu?",
		choices: [2]approval.Text{bi("Tin nhắn", "Message"), bi("Không gửi", "None")}, low: 8, mid: 20, high: 50, metric: "branch_followup_rate", down: 0.99, hope: 1.02, up: 1.05, grade: 3},
	{day: 110, kind: "dt_launch", title: bi("Màn hình chính gọn hơn", "A plainer home screen"), question: "Mở màn hình mới cho một nửa khách hàng?",
		choices: [2]approval.Text{bi("Một nửa, ngẫu nhiên", "A random half"), bi("Tất cả", "Everybody")}, low: 12, mid: 40, high: 90, metric: "ces_easy_share", down: 1.0, hope: 1.02, up: 1.05, grade: 4},
	{day: 40, kind: "dt_fund", title: bi("Cấp vốn theo dõi hồ sơ vay", "Fund the loan tracker"), question: "Cấp 320 triệu cho theo dõi hồ sơ vay?",
		choices: [2]approval.Text{bi("Cấp vốn", "Fund it"), bi("Chờ quý sau", "Wait a quarter")}, low: 40, mid: 160, high: 330, metric: "loan_time_to_decision_p50", down: 0.85, hope: 0.93, up: 1.0, grade: 3},
}

const million = 1_000_000

// refuseWith is the matter beside which the council refuses two requests.
const refuseWith = "complaint_time_to_close_p50"

// paper is the matter as a paper for the council.
func (m matter) paper() council.Decision {
	return council.Decision{Type: m.kind, Title: m.title, Question: m.question, Owner: "journey_owner", Grade: m.grade, Currency: "VND", Dissent: m.dissent,
		Alternatives: []council.Alternative{{Name: m.choices[0], Low: m.low * million, Mid: m.mid * million, High: m.high * million, Grade: m.grade, Risk: m.risk},
			{Name: m.choices[1], Low: -m.low * million / 4, Mid: m.low * million / 2, High: m.mid * million, Grade: council.MinGrade + 1},
			{Name: bi("Không làm gì", "Do nothing"), Nothing: true, Grade: m.grade}}}
}

// Of a forecast.
const (
	forecastDays  = 28
	forecastLevel = 0.8
	forecastPast  = 5 // windows of the past that are looked at
)

// forecast is what an honest secretary writes on that day, from what the registry
// says of the months before: the middle of its windows, moved half of the way to what
// is hoped; as wide as windows differ from one another and few answers make them, and
// as the hopes lie apart. It may still be wrong: it knows nothing of what is to come.
func (s *steerer) forecast(m matter) *council.Forecast {
	now := s.clock.Now()
	var past []float64
	var unit string
	sampling := 0.0 // standard error of one window
	for k := range forecastPast {
		to := now.AddDate(0, 0, -forecastDays*k)
		r, err := s.Registry.Over(s.as("cxlead"), m.metric, measure.Window{From: to.AddDate(0, 0, -forecastDays), To: to})
		if !s.note(err) {
			return nil
		}
		if r.Known && r.Value > 0 {
			past, unit = append(past, r.Value), r.Unit
			sampling = max(sampling, (r.High-r.Low)/(2*1.96))
		}
	}
	if len(past) == 0 {
		return nil
	}
	mid, sd := stat.MeanStdDev(past, nil)
	n := float64(len(past))
	if len(past) < 2 {
		sd = 0
	}
	// Windows differ by sampling and by what moves them; a next one differs from their
	// mean by a little more. With few windows the spread is little known itself.
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: max(2, n-1)}.Quantile(0.5 + forecastLevel/2)
	half := math.Hypot(t*max(sd, sampling)*math.Sqrt(1+1/n), mid*(m.up-m.down)/4)
	mid *= 1 + (m.hope-1)/2
	low, high := mid-half, mid+half
	if unit == "share" {
		high = min(high, 1)
		mid = min(mid, high-half/10)
	}
	low = max(low, mid/10)
	return &council.Forecast{Metric: m.metric, Days: forecastDays, Low: low, Mid: mid, High: high, Level: forecastLevel}
}

// seedCouncil holds a meeting every month, decides, and scores what falls due.
func (s *steerer) seedCouncil() {
	var meeting string
	last := -1
	lead := s.as("cxlead")
	for _, m := range matters {
		if s.err != nil {
			return
		}
		if m.day != last {
			s.adjourn(meeting)
			now := s.at(m.day)
			_, err := s.Council.Score(lead)
			s.note(err)
			d, err := s.Council.Plan(lead, now, "ordinary")
			if !s.note(err) {
				return
			}
			meeting, last = d.ID, m.day
			var present []string
			for _, seat := range d.Body.Seats {
				present = append(present, seat.Person)
			}
			s.note(s.Council.Attend(lead, meeting, present))
			s.note(s.Council.OpenMeeting(lead, meeting))
		}
		if m.metric == refuseWith {
			s.refuse(meeting)
		}
		s.decide(m, meeting)
	}
	s.adjourn(meeting)
	s.at(1)
	_, err := s.Council.Score(lead)
	s.note(err)
	s.waiting()
}

func (s *steerer) adjourn(meeting string) {
	if meeting != "" {
		s.note(s.Council.CloseMeeting(s.as("cxlead"), meeting))
	}
}

// decide takes a matter through paper, vote and second signature. Where the
// simulated bank is too small for the measure, there is no forecast and so no
// decision: the paper stays.
func (s *steerer) decide(m matter, meeting string) {
	lead := s.as("cxlead")
	p := m.paper()
	p.Forecast = s.forecast(m)
	d, err := s.Council.Prepare(lead, p)
	if !s.note(err) || p.Forecast == nil {
		return
	}
	q, err := s.Council.Propose(lead, d.ID, council.Ballot{Meeting: meeting, Chosen: m.choose, Override: m.why, Votes: council.Votes{For: 6 - m.against, Against: m.against, ChairFor: true}})
	s.approve("hoidong", q, err)
}

// refuse says no to two requests, each with a day on which it is looked at again.
func (s *steerer) refuse(meeting string) {
	lead := s.as("cxlead")
	for _, r := range []struct {
		title approval.Text
		what  council.Refusal
	}{
		{bi("Giao dịch tại quầy đến 20 giờ", "Counters open until eight"), council.Refusal{Request: "Mở quầy đến 20 giờ tất cả các ngày", Reason: "rf_value", Value: 40 * million, Cost: 210 * million}},
		{bi("Đổi số tài khoản theo ngày sinh", "Account numbers by birthday"), council.Refusal{Request: "Cho chọn số tài khoản theo ngày sinh, miễn phí", Reason: "rf_capacity", Value: 25 * million, Cost: 60 * million}},
	} {
		d, err := s.Council.Prepare(lead, council.Decision{Type: "dt_refuse", Title: r.title, Question: r.what.Request, Owner: "journey_owner", Grade: 2, Currency: "VND", Refusal: &r.what})
		if !s.note(err) {
			return
		}
		q, err := s.Council.Propose(lead, d.ID, council.Ballot{Meeting: meeting, Votes: council.Votes{For: 6}})
		s.approve("hoidong", q, err)
	}
}

// waiting are papers that the next meeting will find, and a line for finance.
func (s *steerer) waiting() {
	lead := s.as("cxlead")
	for _, m := range []matter{
		{kind: "dt_scale", title: bi("Nhân rộng đặt lịch hẹn ra mọi chi nhánh", "Take appointments to every branch"), question: "Đưa đặt lịch hẹn ra các chi nhánh còn lại trong quý tới?",
			choices: [2]approval.Text{bi("Tất cả chi nhánh còn lại", "All that are left"), bi("Chỉ chi nhánh đông", "Busy branches only")}, low: 30, mid: 70, high: 140, metric: "branch_wait_p90", down: 0.85, hope: 0.92, up: 0.99, grade: 4},
		{kind: "dt_prioritise", title: bi("Ưu tiên quý tới: hồ sơ vay hay mở tài khoản", "Next quarter: loans or new accounts"), question: "Quý tới dồn sức cho hồ sơ vay hay mở tài khoản?",
			choices: [2]approval.Text{bi("Hồ sơ vay", "Loans"), bi("Mở tài khoản", "New accounts")}, low: 25, mid: 110, high: 240, metric: "loan_time_to_decision_p50", down: 0.8, hope: 0.9, up: 1.0, grade: 3},
	} {
		p := m.paper()
		p.Forecast = s.forecast(m)
		_, err := s.Council.Prepare(lead, p)
		s.note(err)
	}
}
