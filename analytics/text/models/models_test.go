package models

import (
	"testing"
)

func TestShippedModels(t *testing.T) {
	t.Parallel()
	if total := len(aspectFile) + len(sentimentFile) + len(intentFile); total >= 12<<20 {
		t.Errorf("the models take %d bytes, 12 MiB is the limit", total)
	}
	aspect := VietnameseAspect().NewPredictor()
	for text, want := range map[string]string{
		"nhân viên ngân hàng thái độ quá tệ, gọi tổng đài không ai nghe": "CUSTOMER SUPPORT",
		"bị trừ phí mà không biết phí gì":                                "INTEREST RATE",
	} {
		if got, p := aspect.Classify(text).Top(); got != want {
			t.Errorf("%q: %s (%.2f), want %s", text, got, p, want)
		}
	}
	sentiment := VietnameseSentiment().NewPredictor()
	for text, want := range map[string]string{"dịch vụ quá tệ, bực mình": "NEGATIVE", "cảm ơn ngân hàng, rất hài lòng": "POSITIVE", "phuc vu te qua": "NEGATIVE"} {
		if got, p := sentiment.Classify(text).Top(); got != want || p < 0.6 {
			t.Errorf("%q: %s (%.2f), want %s", text, got, p, want)
		}
	}
	intent := EnglishIntent().NewPredictor()
	for text, want := range map[string]string{"my card has not arrived yet": "card_arrival", "what is the exchange rate today": "exchange_rate"} {
		if got, _ := intent.Classify(text).Top(); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	if n := len(EnglishIntent().Labels()); n != 77 {
		t.Errorf("%d intents", n)
	}
}
