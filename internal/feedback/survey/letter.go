package survey

import (
	"html/template"
	"strconv"
	"strings"

	"omote/internal/feedback/form"
)

// tap is one point of the first question in an e-mail.
type tap struct{ Label, Href string }

// letterTemplate is an e-mail as mail programs can show it: a table, styles on
// the elements, no picture and no script.
var letterTemplate = template.Must(template.New("letter").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Question}}</title></head>
<body style="margin:0;background:#f6f4ee;color:#1b2430;font:16px/1.5 -apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#fffdf8;border-top:1px solid #1b2430"><tr><td style="padding:28px 24px">
<p style="margin:0 0 20px;font-size:13px;color:#5c6672">{{.Bank}}</p>
<p style="margin:0 0 20px;font-size:20px;line-height:1.4">{{.Question}}</p>
<table role="presentation" cellpadding="0" cellspacing="4"><tr>{{range .Taps}}<td><a href="{{.Href}}" style="display:inline-block;min-width:20px;padding:10px 8px;border:1px solid #b9b4a6;border-radius:4px;color:#1b2430;text-align:center;text-decoration:none">{{.Label}}</a></td>{{end}}</tr></table>
{{if .Low}}<p style="margin:8px 0 0;font-size:13px;color:#5c6672">{{.Low}} &rarr; {{.High}}</p>{{end}}
{{if not .Taps}}<p style="margin:0"><a href="{{.Href}}" style="color:#1b2430">{{.Open}}</a></p>{{end}}
<p style="margin:28px 0 0;font-size:13px;color:#5c6672">{{.Note}} <a href="{{.Href}}/stop" style="color:#5c6672">{{.Stop}}</a></p>
</td></tr></table></td></tr></table></body></html>
`))

// letter writes the HTML of an invitation by e-mail.
func letter(d *form.Document, r form.Reader, address string) string {
	first := &d.Items[0]
	v := struct {
		Lang, Bank, Question, Href, Open, Note, Stop, Low, High string
		Taps                                                    []tap
	}{Lang: words(r.Locale, "vi", "en"), Bank: r.Bank, Question: d.Fill(first.Text, r), Href: address,
		Open: words(r.Locale, "Mở khảo sát", "Open the survey"),
		Note: words(r.Locale, "Câu trả lời chỉ được ghi nhận khi xác nhận trên trang.", "Your answer counts once you confirm it on the page."),
		Stop: words(r.Locale, "Không nhận khảo sát nữa", "Stop surveys")}
	if first.Type.Scored() {
		for _, p := range first.Scale.Points() {
			v.Taps = append(v.Taps, tap{strconv.Itoa(p), address + "?" + first.ID + "=" + strconv.Itoa(p)})
		}
		v.Low, v.High = first.Scale.Labels[first.Scale.Min].In(r.Locale), first.Scale.Labels[first.Scale.Max].In(r.Locale)
	}
	var b strings.Builder
	if err := letterTemplate.Execute(&b, v); err != nil {
		return ""
	}
	return b.String()
}
