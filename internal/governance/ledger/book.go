package ledger

import (
	"omote/internal/platform/approval"
	"omote/internal/platform/i18n/fmtx"
	"omote/internal/platform/money"
)

// bookingDetails are what the finance partner must know before signing.
func bookingDetails(l Line) []approval.Text {
	write := func(minor int64) approval.Text {
		a := money.Amount{Minor: minor, Currency: l.Currency}
		return approval.Text{VI: fmtx.For("vi").Money(a), EN: fmtx.For("en").Money(a)}
	}
	booked, mid, low, high := write(l.Bookable()), write(l.Valued.Mid), write(l.Valued.Low), write(l.Valued.High)
	return []approval.Text{
		{VI: "Số được ghi: **" + booked.VI + "**", EN: "Booked: **" + booked.EN + "**"},
		{VI: "Giá trị ước tính " + mid.VI + ", khoảng " + low.VI + " đến " + high.VI, EN: "Estimated value " + mid.EN + ", between " + low.EN + " and " + high.EN},
		{VI: "Phương pháp " + l.Method + ", chỉ số " + l.Metric, EN: "Method " + l.Method + ", measure " + l.Metric},
	}
}
