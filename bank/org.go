package bank

import "fmt"

// Region is a sales region of the bank.
type Region struct {
	Code   string
	Vi, En string
	north  int // 0 north, 1 centre, 2 south: speech and family names
	income float64
}

// Regions are the eight sales regions. Income is the regional factor on wages
// (an assumption in the order of the published regional averages).
var Regions = []Region{
	{"HN", "Hà Nội", "Hanoi", 0, 1.30},
	{"DBSH", "Đồng bằng sông Hồng", "Red River Delta", 0, 1.05},
	{"MNPB", "Miền núi phía Bắc", "Northern midlands and mountains", 0, 0.78},
	{"BTB", "Bắc Trung Bộ", "North Central", 1, 0.85},
	{"NTB", "Nam Trung Bộ và Tây Nguyên", "South Central and Highlands", 1, 0.90},
	{"HCM", "Thành phố Hồ Chí Minh", "Ho Chi Minh City", 2, 1.35},
	{"DNB", "Đông Nam Bộ", "Southeast", 2, 1.15},
	{"DBSCL", "Đồng bằng sông Cửu Long", "Mekong Delta", 2, 0.85},
}

func regionIndex(code string) int {
	for i := range Regions {
		if Regions[i].Code == code {
			return i
		}
	}
	panic(fmt.Sprintf("bank: unknown region %q", code))
}

// Branch is a place where customers are served.
type Branch struct {
	Code     string
	Name     string
	Province string // before the merger of July 2025
	Region   string // code of Regions
	Path     string // place in the organisation, such as "/HN/HN002/"
	Counters int
	Saturday bool // open on Saturday morning

	size     float64
	province int
	region   int
}

// Branches lists the branches of the simulated bank.
func Branches() []Branch { return append([]Branch(nil), packs().branches...) }

// Units that are not branches. Their index follows the branches.
var centralUnits = []string{"/CC/", "/DIG/APP/", "/DIG/WEB/", "/HO/CARD/", "/HO/CREDIT/", "/HO/COMPLAINT/", "/HO/MARKETING/", "/HO/OPS/"}

const (
	unitContactCentre = iota
	unitApp
	unitWeb
	unitCard
	unitCredit
	unitComplaint
	unitMarketing
	unitOps
)

// unitPath gives the path of unit u: branches first, then the central units.
func (c *content) unitPath(u uint16) string {
	if int(u) < len(c.branches) {
		return c.branches[u].Path
	}
	return centralUnits[int(u)-len(c.branches)]
}

// central is the unit index of a central unit.
func (c *content) central(u int) uint16 { return uint16(len(c.branches) + u) }

// staffOf is the number of people of a unit who face customers.
func (c *content) staffOf(u uint16) int {
	if int(u) < len(c.branches) {
		return c.branches[u].Counters + 2
	}
	if int(u) == len(c.branches)+unitContactCentre {
		return 240
	}
	return 25
}

// staffKey names person n of unit u, such as "HN002-S03".
func (c *content) staffKey(dst []byte, u uint16, n uint16) []byte {
	if int(u) < len(c.branches) {
		dst = append(dst, c.branches[u].Code...)
	} else {
		dst = append(dst, [...]string{"CC", "APP", "WEB", "CARD", "CREDIT", "COMPLAINT", "MKT", "OPS"}[int(u)-len(c.branches)]...)
	}
	dst = append(dst, "-S"...)
	if n < 100 {
		dst = append(dst, '0')
	}
	if n < 10 {
		dst = append(dst, '0')
	}
	return appendInt(dst, int64(n))
}

// Product is something the bank sells.
type Product struct {
	Code, Vi, En string
}

// Products of the bank; the order is that of the product constants.
var Products = []Product{
	{"", "", ""},
	{"current_account", "Tài khoản thanh toán", "Current account"},
	{"debit_card", "Thẻ ghi nợ", "Debit card"},
	{"credit_card", "Thẻ tín dụng", "Credit card"},
	{"term_deposit", "Tiền gửi có kỳ hạn", "Term deposit"},
	{"personal_loan", "Vay tiêu dùng", "Personal loan"},
	{"home_loan", "Vay mua nhà", "Home loan"},
	{"transfer", "Chuyển khoản", "Transfer"},
	{"qr_merchant", "Nhận thanh toán QR", "Merchant QR"},
	{"insurance_linked", "Bảo hiểm liên kết", "Investment-linked insurance"},
}

const (
	prodNone = iota
	prodAccount
	prodDebit
	prodCredit
	prodDeposit
	prodLoan
	prodHome
	prodTransfer
	prodMerchant
	prodInsurance
)
