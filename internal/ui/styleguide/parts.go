package styleguide

import (
	"context"

	"omote/internal/platform/i18n"
	"omote/internal/ui"
)

type stateRow struct {
	state           ui.MetricState
	value, interval string
	means           string
}

func stateRows(ctx context.Context) []stateRow {
	f := i18n.Fmt(ctx)
	return []stateRow{
		{ui.Better, "**" + f.Percent(0.914, 1) + "**", f.Interval(90.6, 92.2, 1), say(ctx, "outside the band on the good side", "ngoài dải, phía tốt")},
		{ui.Worse, "**" + f.Percent(0.648, 1) + "**", f.Interval(63.9, 65.7, 1), say(ctx, "outside the band on the bad side", "ngoài dải, phía xấu")},
		{ui.Noise, "**" + f.Decimal(5.6, 1) + "** / 7", f.Interval(5.3, 5.9, 1), say(ctx, "no detectable change; no arrow, no colour", "không phát hiện thay đổi; không mũi tên, không màu")},
		{ui.Few, "**n = 18 / 30**", say(ctx, "value withheld", "chưa hiện số"), say(ctx, "the number is not shown until there are enough", "chưa hiện số khi chưa đủ")},
		{ui.Stale, "**" + f.Percent(0.71, 1) + "**", say(ctx, "to ", "đến ") + f.DateTime(day.AddDate(0, 0, -3), day), say(ctx, "last good value, with its time", "giá trị cuối còn đúng, kèm giờ")},
	}
}

func facts(ctx context.Context) []ui.KeyValue {
	return []ui.KeyValue{
		{Key: say(ctx, "Owner", "Chủ"), Node: ui.A(ui.Link{Label: "Vũ Thị Minh Hoạ", Href: "#"})},
		{Key: say(ctx, "Counts", "Tính"), Value: say(ctx, "problems, not calls; one customer, one topic", "vấn đề, không phải cuộc gọi; một khách, một việc")},
		{Key: say(ctx, "Interval", "Khoảng"), Value: say(ctx, "Wilson, widened for repeat customers", "Wilson, nới cho khách lặp lại")},
		{Key: say(ctx, "Smallest n", "n nhỏ nhất"), Value: say(ctx, "45 per unit; fewer is not shown", "45 mỗi đơn vị; ít hơn thì không hiện")},
	}
}

func dimensionChips(ctx context.Context) []ui.ChipProps {
	return []ui.ChipProps{
		{Label: say(ctx, "Branch", "Chi nhánh"), Href: "#", Pressed: true}, {Label: say(ctx, "Channel", "Kênh"), Href: "#"},
		{Label: say(ctx, "Product", "Sản phẩm"), Href: "#"}, {Label: say(ctx, "Topic", "Việc"), Href: "#"},
		{Label: say(ctx, "Adjusted for topic", "Hiệu chỉnh theo việc"), Href: "#", Set: true},
	}
}

func formErrors(ctx context.Context) ui.FieldErrors {
	return ui.FieldErrors{
		{Field: "owner", Text: say(ctx, "Choose one owner, for example the journey owner Mai Thị Tưởng.", "Chọn một người chịu trách nhiệm, ví dụ chủ hành trình Mai Thị Tưởng.")},
		{Field: "worth.high", Text: say(ctx, "High (1.200) is below expected (1.500). Enter 1.500 or more.", "Mức cao (1.200) đang thấp hơn mức dự kiến (1.500). Nhập từ 1.500 trở lên.")},
	}
}

func ptr[T any](v T) *T { return &v }
