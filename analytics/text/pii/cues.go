package pii

import (
	"strings"
	"unicode/utf8"
)

// cue says what a word announces about what stands beside it. Words are
// compared without diacritics.
type cue uint32

const (
	phoneCue   cue = 1 << iota // a phone number follows
	idCue                      // a citizen id follows
	accountCue                 // an account number follows
	refCue                     // a reference follows: neither phone nor id
	moneyCue                   // what stands before is an amount
	titleCue                   // a name follows
	nameCue                    // a name is announced: "tên", "name"
	familyName                 // a Vietnamese family name
	notName                    // capitalised often, but not a person's name
	laneCue                    // "ngõ", "hẻm": a number follows inside an address
	streetCue                  // "đường", "phố"
	streetEnd                  // "street", "road": closes a street name
	unitCue                    // "phường", "quận": an administrative unit
	addressCue                 // "địa chỉ"
	houseCue                   // "số nhà", "căn hộ"
	givenName                  // a given name, clear even in lower case
	joinCue                    // "và", "or": joins two of a kind
)

const numberCues = phoneCue | idCue | accountCue | refCue

// cueWords lists folded words and pairs (written without the blank) per cue.
var cueWords = map[cue]string{
	phoneCue: `sdt sodt sodienthoai dienthoai dt dtdd phone tel telephone mobile cell hotline alo zalo viber whatsapp
		goi lienhe lh contact call sms nhantin sdtdd phonenumber`,
	idCue: `cccd cmnd cmt cmtnd cancuoc chungminh chungminhthu giaytotuythan dinhdanh hochieu passport citizenid idcard
		identity nationalid idnumber idno id`,
	accountCue: `stk tk sotk sotaikhoan taikhoan account acct acc accountnumber iban sotietkiem`,
	refCue: `magiao magd madon maho makhach mahop matham mavan mahoa mave mabuu mayeu madat sothamchieu sohopdong sohoadon
		hopdong hoadon donhang vandon otp maotp order orderid ref reference invoice transaction transactionid trx txn ticket
		ticketid customerid userid tracking booking contract serial imei mst sothue msthue masothue case caseid magiaodich ft utr hd sohd mahd makh sogd soct sophieu solenh bienlai chungtu seri soseri maqr mavach mapin`,
	moneyCue:   `dong vnd vnđ d trieu ty nghin ngan usd eur tr k diem euro dollars points`,
	titleCue:   `mr mrs ms miss dr madam nhanvien nv gdv giaodichvien giamdoc truongphong`,
	nameCue:    `ten toiten minhten hoten tentoi name nameis chuthe chutk named`,
	laneCue:    `ngo ngach hem kiet to thon xom ap khu lo tang block toa`,
	streetCue:  `duong pho dailo quoclo tinhlo`,
	streetEnd:  `street st road rd avenue ave boulevard blvd lane`,
	unitCue:    `phuong xa thitran quan huyen thixa tp thanhpho tinh p q h tx tt district ward city province dist`,
	addressCue: `diachi address nhao thuongtru tamtru`,
	houseCue:   `sonha nhaso canho phongso`,
	joinCue:    `va hoac and or voi hay`,
}

var cues = buildCues()

func buildCues() map[string]cue {
	m := make(map[string]cue)
	for c, list := range cueWords {
		for w := range strings.FieldsSeq(list) {
			m[w] |= c
		}
	}
	return m
}

// maxPair bounds the bytes of a two-word cue.
const maxPair = 20

// readPair looks up the cue of the last two words together.
func (sc *scanner) readPair() {
	n := len(sc.tokens)
	if n < 2 {
		return
	}
	a, b := &sc.tokens[n-2], &sc.tokens[n-1]
	if a.class != word || b.foldE-a.fold > maxPair {
		return
	}
	if c := pairCues[string(sc.folded[a.fold:b.foldE])]; c != 0 {
		a.cue, b.cue = 0, b.cue&^(numberCues|unitCue|laneCue)|c
	}
}

// pairCues holds only the cues that are written as two words, so that two
// short words never meet a one-word cue by accident.
var pairCues = buildPairs(
	"so dt", "so dien", "dien thoai", "lien he", "nhan tin", "phone number", "can cuoc", "chung minh", "dinh danh", "ho chieu",
	"citizen id", "id card", "national id", "id number", "id no", "so tk", "so tai", "tai khoan", "account number",
	"customer id", "user id", "ma giao", "ma gd", "ma don", "ma ho", "ma khach", "ma hop", "ma tham",
	"ma van", "ma hoa", "ma ve", "ma buu", "ma yeu", "ma dat", "hop dong", "hoa don", "don hang", "van don", "ma otp", "order id",
	"transaction id", "ticket id", "case id", "so thue", "so hd", "ma hd",
	"ma kh", "so gd", "so ct", "so phieu", "so lenh", "bien lai", "chung tu", "so seri", "ma qr", "ma vach", "ma pin", "nhan vien", "giao dich", "giam doc", "truong phong", "toi ten", "minh ten",
	"ho ten", "ten toi", "name is", "chu the", "chu tk", "dai lo", "quoc lo", "tinh lo", "thi tran", "thi xa", "thanh pho", "dia chi",
	"nha o", "thuong tru", "tam tru", "so nha", "nha so", "can ho", "tiet kiem",
)

func buildPairs(pairs ...string) map[string]cue {
	special := map[string]cue{
		"so dien": phoneCue, "so tai": accountCue, "giao dich": 0, "giam doc": titleCue, "truong phong": titleCue,
		"nhan vien": titleCue, "chung minh": idCue, "tiet kiem": 0,
	}
	m := make(map[string]cue)
	for _, pair := range pairs {
		joined := strings.ReplaceAll(pair, " ", "")
		c, ok := special[pair]
		if !ok {
			c = cues[joined]
		}
		if c != 0 {
			m[joined] = c
		}
	}
	return m
}

// exactWords are compared with their diacritics, in lower case, with a capital
// and in capitals, because folding would confuse them ("cô" and "có", "Đỗ" and
// "Do").
var exactWords = map[cue]string{
	titleCue: `anh chị chi em cô chú bác ông bà bạn`,
	familyName: `nguyễn trần lê phạm hoàng huỳnh phan vũ võ đặng bùi đỗ hồ ngô dương lý đinh trịnh lương đào đoàn phùng
		châu tạ quách trương mai lâm triệu hà thái nguyen tran pham hoang huynh`,
	notName: `chị chi em anh ơi oi à ạ chào chao và va là la có co con cho hỏi hoi muốn muon không khong ko được duoc đc dc
		đã da đang dang sẽ se thì mà ma rồi roi này kia đó đây gì ai nhân nhan viên vien bank banking vietcombank bidv
		techcombank vpbank acb mb agribank vietinbank sacombank tpbank ngân hàng app ứng dụng dụng ung the thẻ tài tai khoản
		khoan ad admin vui lòng long xin cảm cám cam ơn on thứ trong tuần ngày ngay tháng năm giờ gio phút kể ke ngoài cũng
		cung my i you it we they is was are and or not can could please who what when why how customer support manager service
		branch staff team agent account card credit rất rat quá qua làm noi nói nghe gọi goi báo bao trả tra lời loi đẹp dep
		xinh tốt tot tệ nhiệt tình tinh dịch dich vụ vu chuyển chuyen tiền tien rút gửi vay lãi suất khách khach giao phục phuc
		vụ quận huyện phường xã đường duong phố tỉnh thành tổng đài giám đốc trưởng phòng trẻ gái trai mình tôi toi bạn bán
		internet mobile smart online visa master vcb vib msb shb ocb hdbank chi nhánh nhanh pgd hotline`,
	givenName: `tuấn hương dũng hùng thảo huyền quỳnh nhung yến oanh thủy thuỷ tùng cường trâm hiếu hằng nguyệt loan linh
		quynh`,
}

var exact = buildExact()

func buildExact() map[string]cue {
	m := make(map[string]cue)
	for c, list := range exactWords {
		for w := range strings.FieldsSeq(list) {
			_, size := utf8.DecodeRuneInString(w)
			m[w] |= c
			m[strings.ToUpper(w[:size])+w[size:]] |= c
			m[strings.ToUpper(w)] |= c
		}
	}
	return m
}

// places open like a full name and are none.
var places = []string{"hochiminh", "hoguom", "hotay", "hohoankiem", "hanoi", "hagiang", "hanam", "hatinh", "hadong", "halong", "thaibinh", "thainguyen", "thailan", "lamdong", "maichau", "hoangmai", "hoangsa"}
