package demo

import (
	"path"
	"strings"
	"time"

	"omote/analytics/decision"
	"omote/analytics/value"
	"omote/bank"
	"omote/internal/governance/initiative"
	"omote/internal/governance/ledger"
	"omote/internal/platform/approval"
	"omote/internal/platform/errs"
)

// roll is how the bank brought a change to its branches: when the first wave began,
// which branches had it, and when the last wave had it.
type roll struct {
	start, last time.Time
	units       []string
	found       bool
}

// rollOut reads the roll-out of an effect from the bank's plan: the calendar that
// its staff work by, not what it does.
func (s *steerer) rollOut(id string) (r roll) {
	plan := s.bank.Config().Plan
	for i := range plan.Effects {
		e := &plan.Effects[i]
		if e.ID != id {
			continue
		}
		r.found = true
		r.start, _ = s.bank.Span(e)
		r.last = r.start.AddDate(0, 0, max(0, e.Waves-1)*e.EveryDays)
		for k, b := range bank.Branches() {
			if s.bank.WaveOf(i, k) >= 0 {
				r.units = append(r.units, strings.ToLower(path.Base(strings.TrimSuffix(b.Path, "/"))))
			}
		}
	}
	return r
}

// caseOf is a business case of the demo's size: money in dong.
func caseOf(customers, churn, contacts, oneOff, running float64) decision.Case {
	wide := func(mid, below, above float64) decision.Range {
		return decision.Range{Low: mid * below, Mid: mid, High: mid * above}
	}
	return decision.Case{Customers: wide(customers, 0.8, 1.15), ChurnDrop: wide(churn, 0.4, 1.6), Margin: wide(1_200_000, 0.8, 1.25), ContactsAvoided: wide(contacts, 0.4, 1.6),
		ContactCost: wide(25_000, 0.6, 1.3), OneOff: wide(oneOff, 0.9, 1.4), Running: wide(running, 0.9, 1.4), Fade: decision.Range{Low: 0.05, Mid: 0.15, High: 0.35},
		Rate: 0.11, Years: 3, Seed: 1}
}

// open opens an initiative of the demo.
func (s *steerer) open(who, unit, node string, i initiative.Initiative) string {
	if i.Currency == "" {
		i.Currency = "VND"
	}
	d, err := s.Initiatives.Open(s.as(who), unit, s.nodes[node], i)
	s.note(err)
	return d.ID
}

func (s *steerer) seedWork() {
	s.appointments()
	s.training()
	s.others()
	s.smallOnes()
}

// days counts from an instant of the history to its end.
func (s *steerer) days(t time.Time) int {
	return max(0, int(s.bank.Config().End.Sub(t).Hours()/24))
}

// appointments went the whole way: four gates, an effect told apart by the waves,
// money that finance signed, and an early booking that was taken back.
func (s *steerer) appointments() {
	r := s.rollOut("appointments")
	if !r.found {
		return
	}
	begin := s.days(r.start)
	s.at(begin + 75)
	id := s.open("hanhtrinh", "/", "wait", initiative.Initiative{Title: bi("Đặt lịch hẹn trên ứng dụng", "Appointments in the app"), Owner: "journey_owner", Journey: "branch_visit",
		Why:  "Một phần mười khách phải chờ hơn nửa giờ; nhiều người bỏ về. Đặt hẹn san đều giờ đến.",
		Days: 150, Units: len(r.units), CoreChange: true, Budget: 260_000_000, Steps: []string{"branch_ticket_issued"}, Start: r.start,
		Source: initiative.Source{Kind: "pain", Label: "Chờ lâu tại quầy"}})
	s.note(s.Initiatives.SetCase(s.as("hanhtrinh"), id, caseOf(15_000, 0.008, 0.1, 180_000_000, 20_000_000),
		initiative.StopRule{Metric: "branch_wait_p90", Value: 40, Day: r.last.AddDate(0, 0, 60)}))
	s.at(begin + 60)
	s.pass(id, "412 góp ý nhắc đến chờ lâu; phỏng vấn 24 khách tại ba chi nhánh")
	s.at(begin + 30)
	s.note(s.Initiatives.Register(s.as("analyst"), id, "staggered"))
	s.pass(id, "Bản mẫu thử với 8 khách, 7 người tự đặt được; danh sách nhóm trong biên bản")
	s.at(begin + 3)
	s.pass(id, "Danh mục sẵn sàng đã ký; đã tập quay lui; 93% nhân viên đạt bài kiểm tra")
	early := s.line(id, r, r.start.AddDate(0, 0, 8), r.start.AddDate(0, 0, 36), "branch_wait_p90", "did", waitLinks, 2e6,
		bi("Đặt hẹn: đo sớm sau đợt đầu", "Appointments: early reading after the first wave"))
	final := s.line(id, r, r.last.AddDate(0, 0, 7), r.last.AddDate(0, 0, 67), "branch_wait_p90", "staggered", waitLinks, 6e6,
		bi("Đặt lịch hẹn trên ứng dụng", "Appointments in the app"))
	if early.State == ledger.Booked {
		q, err := s.Ledger.ProposeReversal(s.as("analyst"), early.ID, "Được thay bằng phép đo sau cả ba đợt")
		s.approve("taichinh", q, err)
	}
	if final.ID == "" {
		return
	}
	s.note(s.Initiatives.Conclude(s.as("hanhtrinh"), id, "scale", "Giảm chờ rõ ở giờ cao điểm; chi nhánh nhỏ ít lợi hơn dự kiến."))
	s.pass(id, "Chỉ số đối trọng không xấu đi trong kỳ đo; sai số dự báo trong biên bản")
}

// waitLinks turn minutes of waiting into money.
func waitLinks(asOf time.Time) ([]value.Estimate, []ledger.Link) {
	return []value.Estimate{{Value: 0.0006, SE: 0.00012}, {Value: 1_200_000, SE: 60_000}}, []ledger.Link{
		{Name: bi("khách giữ lại khi chờ ít hơn một phút", "customers kept per minute less to wait"), Unit: bi("khách mỗi lượt", "customers a visit"),
			Method: bi("hồi quy có hiệu chỉnh trên lịch sử rời bỏ", "adjusted regression on past leaving"), AsOf: asOf},
		{Name: bi("lợi nhuận của một khách", "margin of a customer"), Unit: bi("đồng mỗi năm", "dong a year"), Method: bi("Khối Tài chính, bản 7", "Finance, version 7"), AsOf: asOf}}
}

// satisfiedLinks turn a satisfied visit into money.
func satisfiedLinks(asOf time.Time) ([]value.Estimate, []ledger.Link) {
	est, links := waitLinks(asOf)
	est[0] = value.Estimate{Value: 0.035, SE: 0.006}
	links[0].Name, links[0].Unit = bi("khách giữ lại khi một lượt hài lòng thay vì không", "customers kept per visit that satisfies"), bi("khách mỗi lượt", "customers a visit")
	return est, links
}

// line measures an effect from the registry, enters it, and has finance sign it. It
// gives an empty line where the simulated bank is too small to tell.
func (s *steerer) line(initiativeID string, r roll, from, to time.Time, metric, method string, links func(time.Time) ([]value.Estimate, []ledger.Link), cost float64, title approval.Text) ledger.Doc {
	end := s.bank.Config().End
	if to.After(end) {
		to = end
	}
	if !to.After(from) {
		return ledger.Doc{}
	}
	s.at(max(0, s.days(to)-3))
	analyst := s.as("analyst")
	effect, figures, version, err := s.Ledger.Measure(analyst, ledger.Spec{Metric: metric, Units: r.units, BeforeFrom: r.start.AddDate(0, 0, -70), BeforeTo: r.start, AfterFrom: from, AfterTo: to})
	if errs.KindOf(err) == errs.KindConflict { // too few facts in a small demo
		return ledger.Doc{}
	}
	if !s.note(err) {
		return ledger.Doc{}
	}
	est, named := links(s.clock.Now())
	// What was served in the window, as many in a year.
	perYear := float64(figures[1].N) * 365 / (to.Sub(from).Hours() / 24)
	l := ledger.Line{Title: title, Metric: metric, MetricVersion: version, Method: method, Grade: ledger.Methods[method], Figures: figures, Currency: "VND", Links: named,
		Chain: value.Chain{Effect: effect, Links: est, Volume: value.Estimate{Value: perYear, SE: perYear * 0.03}, Months: 12, Rate: 0.11, Fade: 0.2, Cost: value.Known(cost)}}
	d, err := s.Ledger.Enter(analyst, "/", initiativeID, l)
	if !s.note(err) {
		return d
	}
	q, err := s.Ledger.ProposeBooking(analyst, d.ID)
	s.approve("taichinh", q, err)
	d, err = s.Ledger.Get(analyst, d.ID)
	s.note(err)
	return d
}

// training came in waves too: one that the registry sees, one that it does not.
func (s *steerer) training() {
	for _, x := range []struct {
		id, why string
		title   approval.Text
		cost    float64
	}{
		{"training_care", "Khách chờ lâu mà không ai hỏi han.", bi("Đào tạo: hỏi thăm khi khách chờ lâu", "Training: a word when the wait grows"), 3e6},
		{"training_products", "Giao dịch viên trả lời chưa chắc về sản phẩm.", bi("Đào tạo: thi kiến thức sản phẩm", "Training: product quiz"), 4e6},
	} {
		r := s.rollOut(x.id)
		if !r.found || s.err != nil {
			continue
		}
		begin := s.days(r.start)
		s.at(begin + 40)
		id := s.open("cxlead", "/", "branchcsat", initiative.Initiative{Title: x.title, Why: x.why, Owner: "journey_owner", Journey: "branch_visit", Days: 120, Units: len(r.units),
			Budget: 90_000_000, Steps: []string{"branch_service_completed"}, Start: r.start, Source: initiative.Source{Kind: "idea", Label: "Chi nhánh đề xuất"}})
		s.note(s.Initiatives.SetCase(s.as("cxlead"), id, caseOf(15_000, 0.006, 0.05, 60_000_000, 10_000_000), initiative.StopRule{Metric: "csat_branch", Value: 0.6, Day: r.last.AddDate(0, 0, 90)}))
		s.at(begin + 30)
		s.pass(id, "Phân tích lời khách trong sáu tháng")
		s.note(s.Initiatives.Register(s.as("analyst"), id, "staggered"))
		s.at(begin + 15)
		s.pass(id, "Giáo án thử tại hai chi nhánh")
		s.at(begin + 2)
		s.pass(id, "Người dạy, lịch và danh sách đã chốt")
		d := s.line(id, r, r.last.AddDate(0, 0, 7), r.last.AddDate(0, 0, 77), "csat_branch", "staggered", satisfiedLinks, x.cost, x.title)
		if d.State == ledger.Booked {
			s.note(s.Initiatives.Conclude(s.as("cxlead"), id, "keep", "Khách chờ được hỏi han hài lòng hơn; hiệu quả phai dần, cần nhắc lại sau nửa năm."))
			s.pass(id, "Chỉ số đối trọng không xấu đi trong kỳ đo")
		}
		if d.ID != "" && d.State == ledger.Nothing {
			s.note(s.Initiatives.StopIt(s.as("cxlead"), id, "Không thấy hiệu quả so với chi nhánh chưa học; dừng, chuyển tiền sang việc khác."))
		}
	}
}

// others stand at different gates.
func (s *steerer) others() {
	s.at(175)
	owner := s.open("hanhtrinh", "/", "close", initiative.Initiative{Title: bi("Mỗi khiếu nại có một người lo đến cùng", "One named owner for each complaint"), Owner: "journey_owner",
		Why: "Khách phải kể lại câu chuyện cho nhiều người.", Journey: "complaint", Steps: []string{"complaint_received"}, Days: 120, Units: 8, Budget: 150_000_000,
		Start: s.clock.Now().AddDate(0, 0, 40), Source: initiative.Source{Kind: "pain", Label: "Kể lại nhiều lần"}})
	s.note(s.Initiatives.SetCase(s.as("hanhtrinh"), owner, caseOf(4_000, 0.02, 0.4, 90_000_000, 15_000_000),
		initiative.StopRule{Metric: "complaint_time_to_close_p50", Value: 6, Day: s.clock.Now().AddDate(0, 6, 0)}))
	s.pass(owner, "38 cuộc gọi được nghe lại; khách kể lại trung bình 2,4 lần")
	s.note(s.Initiatives.Register(s.as("analyst"), owner, "matched"))
	s.at(150)
	s.pass(owner, "Quy trình thử với 6 vụ; RACI đã ban hành")
	s.at(137)
	s.pass(owner, "Đã phân công 14 người; phương án quay lui là hàng đợi cũ")

	s.at(14)
	s.note(s.Initiatives.Join(s.as("hanhtrinh"), owner, "analyst", ""))
	s.note(s.Initiatives.Prove(s.as("hanhtrinh"), owner, initiative.Evidence{Criterion: "g4_counter", Grade: initiative.Record, Note: "Tỷ lệ mở lại không tăng trong ba tháng"}))

	s.at(120)
	tracker := s.open("hanhtrinh", "/", "decision", initiative.Initiative{Title: bi("Theo dõi hồ sơ vay trên ứng dụng", "Loan tracker in the app"), Owner: "journey_owner", Journey: "personal_loan",
		Why: "Bốn trong mười cuộc gọi về vay chỉ để hỏi hồ sơ đến đâu.", Steps: []string{"loan_decision_made"}, Days: 200, Units: 60, CoreChange: true, Budget: 320_000_000,
		Start: s.clock.Now().AddDate(0, 1, 0), Source: initiative.Source{Kind: "signal", Label: "Số cuộc gọi hỏi hồ sơ vay"}})
	s.note(s.Initiatives.SetCase(s.as("hanhtrinh"), tracker, caseOf(9_000, 0.01, 0.8, 220_000_000, 30_000_000),
		initiative.StopRule{Metric: "loan_time_to_decision_p50", Value: 4, Day: s.clock.Now().AddDate(0, 7, 0)}))
	s.pass(tracker, "Đếm lý do gọi trong ba tháng")
	s.note(s.Initiatives.Register(s.as("analyst"), tracker, "rct"))
	s.at(95)
	s.pass(tracker, "Bản mẫu thử với 9 khách, 8 người hiểu ngay")
	s.at(10)
	s.note(s.Initiatives.Prove(s.as("hanhtrinh"), tracker, initiative.Evidence{Criterion: "g3_back", Grade: initiative.Record, Note: "Đã tắt thử tính năng trong môi trường thật lúc 2 giờ sáng"}))

	s.at(70)
	s.open("cxlead", "/", "decision", initiative.Initiative{Title: bi("Gọi báo kết quả vay trong ngày", "Call with the loan decision the same day"), Owner: "contact_centre_head", Journey: "personal_loan",
		Why: "Khách muốn nghe giải thích, không chỉ nhận tin nhắn.", Steps: []string{"loan_decision_made"}, Days: 120, Units: 3, Budget: 180_000_000, Start: s.clock.Now(),
		Source: initiative.Source{Kind: "case", Label: "Vụ việc về lý do từ chối vay"}})
	s.at(64)
	redesign := s.open("hanhtrinh", "/", "complete", initiative.Initiative{Title: bi("Chụp giấy tờ dễ hơn khi mở tài khoản", "Easier photo of the ID when opening an account"), Owner: "digital_squad", Journey: "onboarding_ekyc",
		Why: "Một phần tư người bỏ dở ở bước chụp khuôn mặt.", Days: 90, Units: 1, CoreChange: true, Budget: 240_000_000, Start: s.clock.Now().AddDate(0, 2, 0), Method: "rct",
		Source: initiative.Source{Kind: "pain", Label: "Chụp khuôn mặt nhiều lần"}})
	s.note(s.Initiatives.SetCase(s.as("hanhtrinh"), redesign, caseOf(6_000, 0.03, 0.2, 150_000_000, 20_000_000),
		initiative.StopRule{Metric: "onboarding_completion", Value: 0.6, Day: s.clock.Now().AddDate(0, 6, 0)}))
	s.pass(redesign, "Xem lại 60 phiên bỏ dở")
	s.at(58)
	s.note(s.Initiatives.Join(s.as("hanhtrinh"), redesign, "digital_squad", ""))
	s.at(50)
	s.open("cxlead", "/", "", initiative.Initiative{Title: bi("Phiếu quà sinh nhật", "Birthday vouchers"), Owner: "journey_owner", Why: "Đối thủ có tặng.", Days: 365, Units: 60,
		Budget: 120_000_000, Start: s.clock.Now(), Source: initiative.Source{Kind: "idea"}, Assumption: true})
}

// smallOnes are quick wins of one branch.
func (s *steerer) smallOnes() {
	unit := unitPath(bank.Branches()[0].Path)
	small := func(vi, en, why string) initiative.Initiative {
		return initiative.Initiative{Title: bi(vi, en), Why: why, Owner: "unit_head", Journey: "branch_visit", Days: 21, Units: 1, Budget: 12_000_000, Start: s.clock.Now().AddDate(0, 0, 3),
			Source: initiative.Source{Kind: "idea", Label: "Góp ý tại quầy"}}
	}
	s.at(90)
	one := s.open("champion", unit, "walkout", small("Bảng số to, đọc được từ cuối phòng", "A board that can be read from the back", "Khách lớn tuổi không thấy số."))
	s.note(s.Initiatives.SetCase(s.as("champion"), one, caseOf(900, 0.004, 0.02, 8_000_000, 1_000_000), initiative.StopRule{Metric: "branch_walkout_rate", Value: 0.2, Day: s.clock.Now().AddDate(0, 0, 30)}))
	s.pass(one, "11 góp ý trong sổ của chi nhánh")
	s.pass(one, "Đã ướm tại quầy số 3")
	s.pass(one, "Bảng cũ còn giữ, thay lại trong một giờ")
	s.at(25)
	s.note(s.Initiatives.Conclude(s.as("champion"), one, "keep", "Rẻ, khách khen; không đo được thay đổi về bỏ về."))
	s.at(18)
	s.open("champion", unit, "branchcsat", small("Ghế riêng cho người đi cùng trẻ nhỏ", "Seats for people with small children", "Khách có con nhỏ đứng chờ ngoài cửa."))
	s.at(12)
	s.open("champion", unit, "wait", small("Phân luồng nộp tiền nhanh buổi sáng", "A fast lane for deposits in the morning", "Hộ kinh doanh xếp hàng cùng hồ sơ vay."))
}
