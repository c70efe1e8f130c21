package pii

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Gọi tôi 0912 345 678 nhé":                       "Gọi tôi [phone] nhé",
		"sđt +84 912.345.678":                            "sđt [phone]",
		"call me on (+84) 912-345-678":                   "call me on [phone]",
		"số cũ 01234567890 hoặc (028) 3822 1234":         "số cũ [phone] hoặc [phone]",
		"sdt0912345678":                                  "sdt[phone]",
		"gọi 912345678":                                  "gọi [phone]",
		"Thẻ 4111 1111 1111 1111 hết hạn 12/27":          "Thẻ [card] hết hạn 12/27",
		"thẻ 4111-1111-1111-1111, 378282246310005":       "thẻ [card], [card]",
		"mã giao dịch 4111111111111112":                  "mã giao dịch 4111111111111112",
		"CCCD 079099001234 cấp 2021":                     "CCCD [id] cấp 2021",
		"cmnd: 025123456":                                "cmnd: [id]",
		"căn cước công dân số 001 099 001 234":           "căn cước công dân số [id]",
		"stk 19033456789012 techcombank":                 "stk [account] techcombank",
		"số tài khoản của tôi là 0011001234567":          "số tài khoản của tôi là [account]",
		"mail nguyen.van-a+b@gmail.com.vn.":              "mail [email].",
		"phí 1.250.000 đ, 12.000.000đ và 250000000 đồng": "phí 1.250.000 đ, 12.000.000đ và 250000000 đồng",
		"mã đơn 0912345678":                              "mã đơn 0912345678",
		"FT0912345678":                                   "FT0912345678",
		"tổng đài 1900 5555 88 gọi mãi":                  "tổng đài 1900 5555 88 gọi mãi",
		"ngày 12/05/2024 10:30:00":                       "ngày 12/05/2024 10:30:00",
		"Chị Hương ở quầy 3 rất tốt":                     "Chị [name] ở quầy 3 rất tốt",
		"anh Nguyễn Văn An hỗ trợ":                       "anh [name] hỗ trợ",
		"chị hương tư vấn":                               "chị [name] tư vấn",
		"Tôi tên là Trần Thị Bình, khách lâu năm":        "Tôi tên là [name], khách lâu năm",
		"My name is John Smith and Mr. Brown":            "My name is [name] and Mr. [name]",
		"NGUYEN VAN AN da chuyen tien":                   "[name] da chuyen tien",
		"Phạm Thị Dung":                                  "[name]",
		"nhà tôi ở 12/3B Lê Lợi, phường Bến Nghé, Quận 1, TP.HCM nhé": "nhà tôi ở [address] nhé",
		"địa chỉ: số 5 đường Nguyễn Trãi, Thanh Xuân, Hà Nội":         "địa chỉ: [address]",
		"ngõ 12 Láng Hạ, Đống Đa":                                     "[address]",
		"I live at 123 Nguyen Hue Street, District 1":                 "I live at [address]",
		"VCB trên đường Võ Văn Ngân quận Thủ Đức":                     "VCB trên đường Võ Văn Ngân quận Thủ Đức",
		"Chào anh Chị, có App nào không":                              "Chào anh Chị, có App nào không",
		"Em Chào Ad":                                                  "Em Chào Ad",
		"TP.Hồ Chí Minh và Hà Nội":                                    "TP.Hồ Chí Minh và Hà Nội",
		"chi nhánh quận 2 mở cửa 8h":                                  "chi nhánh quận 2 mở cửa 8h",
		"":                                                            "",
	} {
		if got, _ := Mask(in); got != want {
			t.Errorf("Mask(%q)\n have %q\n want %q", in, got, want)
		}
	}
}

func TestMaskIsStable(t *testing.T) {
	t.Parallel()
	pieces := []string{"0912345678", "4111 1111 1111 1111", "079099001234", "cccd", "stk", "gọi", "chị", "Hương", "Nguyễn", "Văn",
		"12/3", "đường", "Lê Lợi", ",", ".", "phường 5", "a@b.vn", "mã giao dịch", " ", "và", "đ", "+84", "(", ")", "名", "é"}
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(t, "pieces"), " ")
		masked, spans := Mask(s)
		checkSpans(t, s, spans)
		again, _ := Mask(masked)
		if again != masked {
			t.Fatalf("Mask(%q) = %q, again %q", s, masked, again)
		}
	})
}

type failer interface {
	Fatalf(string, ...any)
}

func checkSpans(t failer, s string, spans []Span) {
	last := 0
	for _, sp := range spans {
		if sp.Start < last || sp.End <= sp.Start || sp.End > len(s) {
			t.Fatalf("span %v after %d in %q", sp, last, s)
		}
		if utf8.ValidString(s) && !utf8.ValidString(s[sp.Start:sp.End]) {
			t.Fatalf("span %v cuts a letter of %q", sp, s)
		}
		last = sp.End
	}
}

func FuzzMask(f *testing.F) {
	for _, seed := range []string{"gọi 0912 345 678", "a@b.c.", "@@", "số 12/3 Lê Lợi, P.", "địa chỉ:", "４１１１", "+(", "\xff0912345678", "ngõ 1 ngách", "tên là"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, spans := Mask(s)
		checkSpans(t, s, spans)
	})
}

func BenchmarkFindPlain(b *testing.B) {
	benchmarkFind(b, "Ngân hàng phục vụ không tốt, chờ 2 tiếng mà chưa được gọi lại")
}

func BenchmarkFindPersonal(b *testing.B) {
	benchmarkFind(b, "Chị Hương ở 12 Lê Lợi, quận 1, sđt 0912 345 678, thẻ 4111 1111 1111 1111")
}

func benchmarkFind(b *testing.B, s string) {
	var spans []Span
	b.ReportAllocs()
	for b.Loop() {
		spans = AppendFind(spans[:0], s)
	}
}

func ExampleMask() {
	masked, found := Mask("Chị Hương ơi, gọi em số 0912 345 678, stk 19033456789012")
	fmt.Println(masked)
	for _, f := range found {
		fmt.Println(f.Kind)
	}
	// Output:
	// Chị [name] ơi, gọi em số [phone], stk [account]
	// name
	// phone
	// account
}
