package demo

import (
	"math"
	"math/rand/v2"

	"omote/analytics/assess"
)

// views are how each group sees the bank: those who lead see more than those who
// serve. What the platform sees is computed, not played.
var views = []struct {
	group  string
	people []string // accounts that rate; else sheets on paper
	sheets int
	level  float64
}{
	{"council", []string{"hoidong", "congnghe", "nhansu", "tongdai"}, 0, 4.1},
	{"cx_lead", []string{"cxlead", "hanhtrinh", "analyst"}, 0, 3.6},
	{"champion", nil, 14, 3.2},
	{"frontline", nil, 27, 2.7},
	{"support_functions", []string{"taichinh", "ruiro", "steward", "dpo", "admin"}, 0, 3.3},
	{"assessor", []string{"auditor"}, 0, 2.9},
}

// leans are how far a pillar lies from the whole, as people see it.
var leans = map[string]float64{"strategy": 0.2, "governance": 0.3, "voc_data": 0.2, "journeys": 0.1, "capability": -0.6, "measurement": 0.1}

// proofs are what was handed in, by indicator.
var proofs = []struct {
	indicator string
	grade     int
	note      string
}{
	{"str_2", 1, "Danh sách phân khúc và hành trình ưu tiên, bản tháng 6"}, {"str_4", 1, "Bộ thông tin khách hàng cho kế hoạch năm"},
	{"gov_3", 2, "Nhật ký leo thang trong mục Vụ việc"}, {"gov_4", 1, "Biên bản thống nhất chỉ tiêu giữa Khối bán lẻ và Vận hành"}, {"gov_5", 1, "Biên bản hai kỳ rà soát quý"},
	{"voc_1", 2, "Bảng phủ lắng nghe 30 ngày"}, {"voc_2", 2, "Trang khách hàng và báo cáo ghép hồ sơ"}, {"voc_5", 1, "Báo cáo mẫu kiểm của cây chủ đề"},
	{"jou_2", 2, "Trang Khoảnh khắc quyết định"}, {"jou_5", 1, "Lịch rà soát bản đồ"}, {"cap_1", 1, "Khung chương trình bốn vai trò"}, {"cap_4", 1, "Quy chế quỹ khắc phục tại chỗ"},
	{"mea_1", 2, "Sổ định nghĩa chỉ số"}, {"mea_2", 1, "Mô hình động lực cho vay cá nhân"}, {"mea_4", 1, "Bộ tài liệu Hội đồng quản trị quý trước"},
}

// seedMaturity plays one assessment from its opening to its publication.
func (s *steerer) seedMaturity(seed uint64) {
	s.at(16)
	d, err := s.Maturity.Begin(s.as("cxlead"), bi("Độ chín CX năm nay", "Maturity this year"), s.bank.Config().End.AddDate(0, 0, -4), nil)
	if !s.note(err) {
		return
	}
	r := rand.New(rand.NewPCG(seed, 14))
	lean := map[string]float64{}
	for _, q := range s.Instrument.Questions {
		lean[q.ID] = leans[q.Pillar] + r.NormFloat64()*0.35
	}
	answer := func(level float64) map[string]int {
		own, out := r.NormFloat64()*0.3, map[string]int{}
		for _, q := range s.Instrument.Questions {
			if r.Float64() < 0.04 {
				out[q.ID] = assess.DontKnow
				continue
			}
			out[q.ID] = min(assess.Top, max(1, int(math.Round(level+own+lean[q.ID]+r.NormFloat64()*0.7))))
		}
		return out
	}
	s.at(11)
	for _, v := range views {
		for _, who := range v.people {
			s.note(s.Maturity.Rate(s.as(who), d.ID, answer(v.level)))
		}
		var sheets []map[string]int
		for range v.sheets {
			sheets = append(sheets, answer(v.level))
		}
		if len(sheets) > 0 {
			s.note(s.Maturity.EnterSheets(s.as("cxlead"), d.ID, v.group, sheets))
		}
	}
	for _, p := range proofs {
		s.note(s.Maturity.Prove(s.as("cxlead"), d.ID, p.indicator, p.grade, p.note))
	}
	if s.err != nil {
		return
	}
	s.at(4)
	q, err := s.Maturity.Close(s.as("cxlead"), d.ID)
	s.approve("hoidong", q, err)
}
