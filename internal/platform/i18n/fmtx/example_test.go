package fmtx_test

import (
	"fmt"
	"time"

	"omote/internal/platform/i18n/fmtx"
	"omote/internal/platform/money"
)

func ExampleFormatter() {
	vi, en := fmtx.For("vi"), fmtx.For("en")
	fmt.Println(vi.Percent(0.648, 1), en.Percent(0.648, 1))
	fmt.Println(vi.MoneyShort(money.VND(4_300_000_000)))
	fmt.Println(vi.Duration(7*time.Hour + 10*time.Minute))
	// Output:
	// 64,8% 64.8%
	// 4,3 tỷ ₫
	// 7 giờ 10
}
