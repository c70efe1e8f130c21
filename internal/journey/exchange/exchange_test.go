package exchange

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"omote/internal/journey/blueprint"
)

// sample is a map with everything that a map can have.
func sample() *blueprint.Document {
	min := blueprint.Duration(time.Minute)
	return &blueprint.Document{Journey: "loan_demo", Name: blueprint.Text{EN: "Loan", VI: "Vay vốn: Ẩn Ế Ỗ Ữ Ặ"}, Promise: blueprint.Text{EN: "Money in time", VI: "Tiền kịp lúc"}, Owner: "retail <credit> & co",
		Timeout: blueprint.Duration(30 * 24 * time.Hour), Start: []string{"applied"}, Success: []string{"paid_out"}, Failure: []string{"declined"}, Exceptions: []string{"asked_again"},
		Metrics: []string{"loan_time_to_cash_p90"}, Cost: "handling_cost", Segments: []string{"salaried"}, Personas: []blueprint.Persona{{Name: "Chị Ví Dụ", Story: "cần tiền trước Tết"}},
		Groups: []blueprint.Group{{ID: "how", Mode: blueprint.Alternative}, {ID: "both", Mode: blueprint.Parallel}, {ID: "round", Mode: blueprint.Loop}, {ID: "once_more", Mode: blueprint.Loop}},
		Stages: []blueprint.Stage{
			{ID: "apply", Name: blueprint.Text{EN: "Apply", VI: "Nộp hồ sơ"}, Steps: []blueprint.Step{
				{ID: "applied", Name: blueprint.Text{EN: "Applies", VI: "Nộp đơn"}, Actor: blueprint.Customer, Kind: blueprint.Action, Channels: []string{"mobile_app", "branch"}, Events: []string{"applied", "applied_branch"},
					Layers: map[blueprint.Layer]blueprint.Cell{blueprint.LayerFront: {Text: "biểu mẫu, \"một trang\"\nhai dòng"}, blueprint.LayerPartner: {None: true}}, Intent: "yên tâm", Expectation: "nhanh",
					Handoffs: []blueprint.Handoff{{When: "ba lần lỗi", To: "tổng đài", Within: 5 * min}}, RACI: blueprint.RACI{Accountable: []string{"a"}, Responsible: []string{"b", "c"}}, Shared: "apply"},
				{ID: "called", Name: blueprint.Text{EN: "Is called", VI: "Được gọi"}, Actor: blueprint.Staff, Kind: blueprint.Communication, Events: []string{"called"}, Optional: true, MaxWait: 90 * min},
				{ID: "online", Name: blueprint.Text{EN: "Online", VI: "Trực tuyến"}, Actor: blueprint.Customer, Events: []string{"signed_online"}, Group: "how", Branch: "b1"},
				{ID: "code", Name: blueprint.Text{EN: "Code", VI: "Mã"}, Actor: blueprint.System, Events: []string{"code_ok"}, Group: "how", Branch: "b1"},
				{ID: "paper", Name: blueprint.Text{EN: "Paper", VI: "Giấy"}, Actor: blueprint.Staff, Events: []string{"signed_paper"}, Group: "how", Branch: ""},
			}},
			{ID: "check", Name: blueprint.Text{EN: "Check", VI: "Kiểm tra"}, Steps: []blueprint.Step{
				{ID: "score", Name: blueprint.Text{EN: "Score", VI: "Chấm điểm"}, Actor: blueprint.System, Events: []string{"scored"}, Group: "both"},
				{ID: "papers", Name: blueprint.Text{EN: "Papers", VI: "Giấy tờ"}, Actor: blueprint.Partner, Kind: blueprint.Action, Events: []string{"papers_ok"}, Group: "both"},
				{ID: "ask", Name: blueprint.Text{EN: "Ask", VI: "Hỏi thêm"}, Actor: blueprint.Staff, Events: []string{"asked"}, Group: "round"},
				{ID: "answer", Name: blueprint.Text{EN: "Answer", VI: "Trả lời"}, Actor: blueprint.Customer, Events: []string{"answered"}, Group: "round"},
				{ID: "look", Name: blueprint.Text{EN: "Look", VI: "Xem"}, Actor: blueprint.Staff, Events: []string{"looked"}, Group: "once_more"},
			}},
			{ID: "end", Name: blueprint.Text{EN: "End", VI: "Kết thúc"}, Steps: []blueprint.Step{
				{ID: "paid_out", Name: blueprint.Text{EN: "Is paid", VI: "Nhận tiền"}, Actor: blueprint.System, Kind: blueprint.Communication, Events: []string{"paid_out"}, Moment: true, MaxWait: blueprint.Duration(26 * time.Hour)},
				{ID: "glad", Name: blueprint.Text{EN: "Is glad", VI: "Vui"}, Unseen: true},
			}},
		}}
}

func roundTrip(t *testing.T, format string) *blueprint.Document {
	t.Helper()
	raw, _, err := Write(sample(), format, "vi")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Read(bytes.NewReader(raw), "map."+Extension(format), "")
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return d
}

// TestFullRoundTrips: JSON and OJF give back the same journey.
func TestFullRoundTrips(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "ojf"} {
		if d := cmp.Diff(sample(), roundTrip(t, format)); d != "" {
			t.Errorf("%s (-want +got):\n%s", format, d)
		}
	}
}

// form is what every form keeps of a journey: order, groups, events, waits.
type form struct {
	Stage, Step, Group, Mode, Wait string
	Optional                       bool
	Events                         []string
	Actor                          blueprint.Actor
}

func shapeOf(d *blueprint.Document) (out []form) {
	groups := map[string]string{}
	for _, st := range d.Stages {
		for i := range st.Steps {
			s := &st.Steps[i]
			g := d.GroupOf(s)
			if g.ID != "" && groups[g.ID] == "" { // groups are named anew by some forms
				groups[g.ID] = string(rune('A' + len(groups)))
			}
			out = append(out, form{Stage: st.ID, Step: s.ID, Group: groups[g.ID], Mode: string(g.Mode), Wait: s.MaxWait.String(), Optional: s.Optional, Events: s.Events, Actor: s.Actor})
		}
	}
	return out
}

// TestShapeRoundTrips: all forms that can be read keep the shape of the journey.
func TestShapeRoundTrips(t *testing.T) {
	t.Parallel()
	want := sample()
	for _, format := range []string{"json", "ojf", "cjml", "bpmn", "xlsx"} {
		got := roundTrip(t, format)
		if d := cmp.Diff(shapeOf(want), shapeOf(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", format, d)
		}
		if got.Journey != want.Journey || got.Owner != want.Owner || got.Name.VI != want.Name.VI {
			t.Errorf("%s: %s %q %q", format, got.Journey, got.Owner, got.Name.VI)
		}
	}
}

// TestTemplatesTravel: every template goes out and comes back in every form.
func TestTemplatesTravel(t *testing.T) {
	t.Parallel()
	all, err := blueprint.LoadTemplates(func(e string) blueprint.Text { return blueprint.Text{EN: e, VI: e} })
	if err != nil {
		t.Fatal(err)
	}
	for _, tp := range all {
		d := tp.In("vi")
		for _, format := range []string{"json", "ojf", "cjml", "bpmn", "xlsx"} {
			raw, _, err := Write(d, format, "vi")
			if err != nil {
				t.Fatal(err)
			}
			back, err := Read(bytes.NewReader(raw), "x", "")
			if err != nil {
				t.Errorf("%s as %s: %v", d.Journey, format, err)
				continue
			}
			if diff := cmp.Diff(shapeOf(d), shapeOf(back)); diff != "" {
				t.Errorf("%s as %s:\n%s", d.Journey, format, diff)
			}
		}
	}
}

// TestForeignBPMN reads a process of another tool: no attributes of ours.
func TestForeignBPMN(t *testing.T) {
	t.Parallel()
	d, err := Read(strings.NewReader(`<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p" name="Mở thẻ">
<startEvent id="s"><outgoing>f1</outgoing></startEvent><userTask id="a" name="Xin thẻ"/><exclusiveGateway id="x"/><task id="b" name="Nhận ở quầy"/><sendTask id="c" name="Gửi về nhà"/><exclusiveGateway id="y"/><endEvent id="e"/>
<sequenceFlow id="f1" sourceRef="s" targetRef="a"/><sequenceFlow id="f2" sourceRef="a" targetRef="x"/><sequenceFlow id="f3" sourceRef="x" targetRef="b"/><sequenceFlow id="f4" sourceRef="x" targetRef="c"/>
<sequenceFlow id="f5" sourceRef="b" targetRef="y"/><sequenceFlow id="f6" sourceRef="c" targetRef="y"/><sequenceFlow id="f7" sourceRef="y" targetRef="e"/></process></definitions>`), "the.bpmn", "")
	if err != nil {
		t.Fatal(err)
	}
	if d.Journey != "mo_the" || len(d.Steps()) != 3 || d.GroupOf(d.Steps()[1]).Mode != blueprint.Alternative || d.Steps()[0].Actor != blueprint.Customer || d.Steps()[2].Kind != blueprint.Communication {
		t.Errorf("%+v", d)
	}
}

// TestRefused: what a map cannot keep is an error with its place, never dropped.
func TestRefused(t *testing.T) {
	t.Parallel()
	process := func(body string) string {
		return `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"><process id="p">` + body + `</process></definitions>`
	}
	flow := func(pairs ...string) (out string) {
		for _, p := range pairs {
			a, b, _ := strings.Cut(p, ">")
			out += `<sequenceFlow id="` + a + b + `" sourceRef="` + a + `" targetRef="` + b + `"/>`
		}
		return out
	}
	for name, file := range map[string]struct{ body, want string }{
		"cycle":     {process(`<startEvent id="s"/><task id="a" name="A"/><task id="b" name="B"/>` + flow("s>a", "a>b", "b>a")), "comes back"},
		"no start":  {process(`<task id="a"/>`), "start event"},
		"inclusive": {process(`<startEvent id="s"/><inclusiveGateway id="g"/><task id="a"/><task id="b"/>` + flow("s>g", "g>a", "g>b")), "inclusive"},
		"nested":    {process(`<startEvent id="s"/><exclusiveGateway id="g"/><parallelGateway id="h"/><task id="a"/><task id="b"/><task id="c"/>` + flow("s>g", "g>h", "g>a", "h>b", "h>c")), "lies inside another"},
		"stray":     {process(`<startEvent id="s"/><task id="a"/><task id="z" name="Z"/>` + flow("s>a")), "no way leads"},
		"dangling":  {process(`<startEvent id="s"/>` + flow("s>q")), "not there"},
		"json":      {`{"journey": 5`, "JSON"},
		"other xml": {`<html/>`, "neither BPMN nor CJML"},
		"text":      {"hello", "not known"},
		"layer":     {`{"journey":"x","name":{"en":"X"},"stages":[{"id":"s","steps":[{"id":"a","layers":{"cellar":{"text":"y"}}}]}]}`, "no layer"},
		"5000":      {manySteps(5000), "at most 200 steps"},
	} {
		_, err := Read(strings.NewReader(file.body), name, "")
		if err == nil || !strings.Contains(err.Error(), file.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(bytes.NewReader(make([]byte, MaxFile+1)), "x.json", ""); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Error(err)
	}
}

func manySteps(n int) string {
	d := &blueprint.Document{Journey: "x", Name: blueprint.Text{EN: "X"}, Stages: []blueprint.Stage{{ID: "s"}}}
	for i := range n {
		d.Stages[0].Steps = append(d.Stages[0].Steps, blueprint.Step{ID: "a" + strings.Repeat("x", i%40) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26))})
	}
	raw, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// TestDrawings: the drawings are what they say, twice the same, and hold the
// Vietnamese words.
func TestDrawings(t *testing.T) {
	t.Parallel()
	for format, mark := range map[string]string{"svg": "<svg", "png": "\x89PNG", "pdf": "%PDF-"} {
		first, _, err := Write(sample(), format, "vi")
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := Write(sample(), format, "vi")
		if err != nil || !bytes.Equal(first, again) {
			t.Errorf("%s differs from one time to the next: %v", format, err)
		}
		if !bytes.HasPrefix(first, []byte(mark)) {
			t.Errorf("%s begins with %q", format, first[:8])
		}
		switch format {
		case "svg":
			for _, text := range []string{"Vay vốn: Ẩn Ế Ỗ Ữ Ặ", "Nộp đơn", "hai dòng", "không có"} {
				if !strings.Contains(string(first), text) {
					t.Errorf("the drawing lacks %q", text)
				}
			}
		case "png":
			img, err := png.Decode(bytes.NewReader(first))
			if err != nil || img.Bounds().Dx() < 1000 {
				t.Error(err)
			}
		}
	}
	for _, format := range []string{"svg", "png", "pdf"} { // an empty map too
		if _, _, err := Write(&blueprint.Document{Journey: "x", Name: blueprint.Text{EN: "X"}}, format, "en"); err != nil {
			t.Errorf("%s of an empty map: %v", format, err)
		}
	}
}

// TestTemplatesAreDrawn: every template is drawn in every form, each opens, and every
// step stands in it.
func TestTemplatesAreDrawn(t *testing.T) {
	t.Parallel()
	all, err := blueprint.LoadTemplates(func(e string) blueprint.Text { return blueprint.Text{EN: e, VI: strings.ReplaceAll(e, "_", " ")} })
	if err != nil || len(all) != 12 {
		t.Fatalf("%d templates: %v", len(all), err)
	}
	for _, tp := range all {
		d := tp.In("vi")
		t.Run(d.Journey, func(t *testing.T) {
			t.Parallel()
			svg, kind, err := Write(d, "svg", "vi")
			if err != nil || !strings.HasPrefix(kind, "image/svg+xml") {
				t.Fatalf("svg: %s %v", kind, err)
			}
			words, elements := svgText(t, svg)
			if elements < 3*len(d.Steps()) {
				t.Errorf("svg: %d elements for %d steps", elements, len(d.Steps()))
			}
			for _, s := range d.Steps() {
				if first, _, _ := strings.Cut(s.Name.VI, " "); !strings.Contains(words, first) {
					t.Errorf("svg: the step %q is not drawn", s.Name.VI)
				}
			}
			raw, _, err := Write(d, "png", "vi")
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(raw))
			if err != nil || img.Bounds().Dx() < 1000 || img.Bounds().Dy() < 500 {
				t.Errorf("png: %v", err)
			}
			colours := map[color.Color]bool{}
			for x := 0; x < img.Bounds().Dx(); x += 7 {
				for y := 0; y < img.Bounds().Dy(); y += 7 {
					colours[img.At(x, y)] = true
				}
			}
			if len(colours) < 5 {
				t.Errorf("png: only %d colours: nothing is drawn", len(colours))
			}
			raw, kind, err = Write(d, "pdf", "vi")
			if err != nil || kind != "application/pdf" {
				t.Fatalf("pdf: %s %v", kind, err)
			}
			// eight steps to a page at most
			if pages := pdfPages(t, raw); pages < (len(d.Steps())+7)/8 {
				t.Errorf("pdf: %d pages for %d steps", pages, len(d.Steps()))
			}
			raw, _, err = Write(d, "xlsx", "vi")
			if err != nil {
				t.Fatal(err)
			}
			book, err := excelize.OpenReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal("xlsx:", err)
			}
			rows, err := book.GetRows(stepSheet)
			if err != nil || len(rows) != 1+len(d.Steps()) {
				t.Errorf("xlsx: %d rows for %d steps: %v", len(rows), len(d.Steps()), err)
			}
		})
	}
}

// svgText reads a drawing as XML and gives its words and the number of its elements.
func svgText(t *testing.T, raw []byte) (words string, elements int) {
	t.Helper()
	var b strings.Builder
	for in := xml.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return b.String(), elements
		}
		if err != nil {
			t.Fatal("svg:", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			elements++
		case xml.CharData:
			b.Write(x)
			b.WriteByte(' ')
		}
	}
}

// pdfPages follows the table of a PDF to its objects, checks that each stands where
// the table says and that its compressed streams unpack, and counts the pages.
func pdfPages(t *testing.T, raw []byte) (pages int) {
	t.Helper()
	tail := regexp.MustCompile(`startxref\s+(\d+)\s+%%EOF\s*$`).FindSubmatch(raw)
	if tail == nil {
		t.Fatal("pdf: no end")
	}
	at, _ := strconv.Atoi(string(tail[1]))
	if at >= len(raw) || !bytes.HasPrefix(raw[at:], []byte("xref")) {
		t.Fatalf("pdf: no table at %d", at)
	}
	entries := regexp.MustCompile(`(?m)^(\d{10}) 00000 n`).FindAllSubmatch(raw[at:], -1)
	streams := 0
	for i, e := range entries {
		from, _ := strconv.Atoi(string(e[1]))
		if from >= at || !regexp.MustCompile(`^\d+ 0 obj`).Match(raw[from:min(from+20, at)]) {
			t.Fatalf("pdf: object %d is not at %d", i+1, from)
		}
		object := raw[from:at]
		if end := bytes.Index(object, []byte("endobj")); end >= 0 {
			object = object[:end]
		}
		if regexp.MustCompile(`/Type\s*/Page\b`).Match(object) {
			pages++
		}
		if head, body, ok := bytes.Cut(object, []byte("stream\n")); ok && bytes.Contains(head, []byte("/FlateDecode")) {
			z, err := zlib.NewReader(bytes.NewReader(body))
			if err == nil {
				_, err = io.Copy(io.Discard, z)
			}
			if err != nil {
				t.Errorf("pdf: object %d: %v", i+1, err)
			}
			streams++
		}
	}
	if streams < pages {
		t.Errorf("pdf: %d streams for %d pages", streams, pages)
	}
	return pages
}

// fuzzRead: whatever comes in, reading ends, and what it takes is a valid map
// that can be written again.
func fuzzRead(f *testing.F, format string) {
	raw, _, err := Write(sample(), format, "vi")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := Read(bytes.NewReader(raw), "map."+Extension(format), "")
		if err != nil {
			return
		}
		if err := d.Validate(); err != nil {
			t.Fatal("not valid:", err)
		}
		for _, out := range []string{"json", "bpmn", "cjml"} {
			if _, _, err := Write(d, out, "vi"); err != nil {
				t.Fatalf("cannot be written as %s: %v", out, err)
			}
		}
	})
}

func FuzzJSON(f *testing.F) { fuzzRead(f, "json") }
func FuzzOJF(f *testing.F)  { fuzzRead(f, "ojf") }
func FuzzCJML(f *testing.F) { fuzzRead(f, "cjml") }
func FuzzBPMN(f *testing.F) { fuzzRead(f, "bpmn") }
func FuzzXLSX(f *testing.F) { fuzzRead(f, "xlsx") }
