package lang

import (
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"omote/analytics/text/normalise"

	"omote/internal/testkit/shared"
)

// sentences were written for this test, in the manner of customers.
var sentences = map[string][]string{
	"vi": {"app hôm nay bị lỗi không vào được", "nhân viên ở quầy rất dễ thương", "sao tiền của tôi chưa về vậy", "lãi suất cao hơn mấy chỗ khác", "mất thẻ thì phải làm thế nào"},
	"en": {"the app keeps crashing on my phone", "where is the money i sent", "your staff were lovely and patient", "i want to close this account", "why was i charged twice for it"},
	"fr": {"je n'arrive pas à me connecter", "où est passé mon virement d'hier", "le personnel est vraiment très aimable", "pourquoi ma carte a été refusée", "les frais sont beaucoup trop élevés"},
	"de": {"ich kann mich nicht mehr anmelden", "wo bleibt meine überweisung von gestern", "die mitarbeiter sind wirklich sehr freundlich", "warum wurde meine karte abgelehnt", "die gebühren sind viel zu hoch"},
	"es": {"no puedo entrar en la aplicación", "dónde está el dinero que envié", "el personal es realmente muy amable", "por qué rechazaron mi tarjeta ayer", "las comisiones son demasiado altas"},
	"pt": {"não consigo entrar no aplicativo", "onde está o dinheiro que enviei", "os funcionários são muito simpáticos", "por que recusaram o meu cartão ontem", "as taxas são altas demais aqui"},
	"it": {"non riesco ad accedere alla mia area", "dove sono finiti i soldi inviati", "il personale è davvero molto gentile", "perché la mia carta è stata rifiutata", "le commissioni sono troppo alte"},
	"nl": {"ik kan niet meer inloggen vandaag", "waar blijft het geld dat ik stuurde", "de medewerkers zijn echt heel vriendelijk", "waarom is mijn kaart geweigerd", "de kosten zijn veel te hoog"},
	"id": {"saya tidak bisa masuk ke aplikasi", "di mana uang yang saya kirim", "petugasnya sangat ramah dan sabar", "kenapa kartu saya ditolak kemarin", "biayanya terlalu tinggi untuk saya"},
	"pl": {"nie mogę się dzisiaj zalogować", "gdzie są pieniądze które wysłałem", "pracownicy są naprawdę bardzo mili", "dlaczego moja karta została odrzucona", "opłaty są o wiele za wysokie"},
	"tr": {"bugün uygulamaya giriş yapamıyorum hala", "gönderdiğim para nerede kaldı acaba", "çalışanlar gerçekten çok güler yüzlü", "kartım dün neden reddedildi ki", "ücretler benim için çok yüksek"},
	"sv": {"jag kan inte logga in idag", "var är pengarna som jag skickade", "personalen är verkligen mycket vänlig", "varför nekades mitt kort igår", "avgifterna är alldeles för höga"},
	"th": {"แอปเข้าไม่ได้เลยวันนี้"}, "ko": {"오늘 앱에 로그인이 안 돼요"}, "ja": {"アプリにログインできません", "送金がまだ届いていません"}, "zh": {"应用程序今天打不开", "為什麼我的卡被拒絕"},
	"ru": {"не могу войти в приложение"}, "ar": {"لا أستطيع الدخول إلى التطبيق"}, "hi": {"मैं ऐप में लॉगिन नहीं कर पा रहा"}, "km": {"ខ្ញុំមិនអាចចូលបានទេ"}, "lo": {"ຂ້ອຍເຂົ້າບໍ່ໄດ້"},
}

func TestDetectSentences(t *testing.T) {
	t.Parallel()
	n, right := 0, 0
	for language, list := range sentences {
		for _, s := range list {
			n++
			if g := Detect(s); g.Language == language {
				right++
			} else {
				t.Logf("%q is %s, have %+v", s, language, g)
			}
		}
	}
	if right < n-1 {
		t.Errorf("%d of %d sentences right", right, n)
	}
}

func TestDetectPlain(t *testing.T) {
	t.Parallel()
	for _, s := range sentences["vi"] {
		if g := Detect(normalise.Fold(s)); g.Language != "vi" || !g.Plain {
			t.Errorf("%q: have %+v", normalise.Fold(s), g)
		}
		if g := Detect(s); g.Plain {
			t.Errorf("%q has diacritics, have %+v", s, g)
		}
	}
}

func TestDetectNothing(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "  ", "12345", "👍👍", "\xff\xfe", "!!!"} {
		if g := Detect(s); g.Language != Undetermined || g.Words != 0 {
			t.Errorf("Detect(%q) = %+v", s, g)
		}
	}
}

// TestDetectCorpora runs on the shared corpora: customers' texts of at least
// four words, Vietnamese ones also without diacritics.
func TestDetectCorpora(t *testing.T) {
	t.Parallel()
	english := column(t, "text/banking77/test.csv", 0)
	reviews := column(t, "text/vi_bank_app_reviews/cleaned_reviews.csv", 0)
	for name, c := range map[string]struct {
		texts []string
		want  string
		plain bool
		least float64
	}{
		"banking77":       {english, "en", false, 0.99},
		"reviews":         {reviews, "vi", false, 0.99},
		"reviews, folded": {reviews, "vi", true, 0.97},
	} {
		n, right := 0, 0
		for _, s := range c.texts {
			if len(strings.Fields(s)) < 4 {
				continue
			}
			if c.plain {
				s = normalise.Fold(s)
			}
			n++
			if Detect(s).Language == c.want {
				right++
			}
		}
		share := float64(right) / float64(n)
		t.Logf("%s: %d of %d, %.4f", name, right, n, share)
		if share < c.least {
			t.Errorf("%s: %.4f, want %.2f", name, share, c.least)
		}
	}
}

// column reads a column of a shared CSV file.
func column(t *testing.T, path string, at int) []string {
	t.Helper()
	f, err := os.Open(shared.Path(t, path))
	if err != nil {
		t.Skipf("shared data absent: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, r := range rows[1:] {
		texts = append(texts, r[at])
	}
	return texts
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	if n := len(Languages()); n < 20 {
		t.Errorf("%d languages", n)
	}
}

func FuzzDetect(f *testing.F) {
	for _, s := range []string{"xin chào", "アプリ", "a\xff", strings.Repeat("x", 100), "ß ﬁ İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		g := Detect(s)
		if g.Probability < 0 || g.Probability > 1 || !utf8.ValidString(g.Language) {
			t.Fatalf("%q: %+v", s, g)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	Detect("warm up")
	b.ReportAllocs()
	for b.Loop() {
		Detect("Ngân hàng phục vụ ko tốt, chờ 2 tiếng mà chưa dc gọi lại")
	}
}

func ExampleDetect() {
	for _, s := range []string{"chuyen tien hoai khong duoc", "my card has not arrived", "wo ist mein Geld geblieben"} {
		g := Detect(s)
		fmt.Println(g.Language, g.Plain)
	}
	// Output:
	// vi true
	// en false
	// de false
}
