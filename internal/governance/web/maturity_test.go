package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"omote/internal/platform/auth"
)

// The pages of maturity, campaigns and the board pack in the whole program.
func TestMaturityCampaignAndBoardPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.person("lead", "/", auth.CXLead)
	s.person("chair", "/", auth.Council)
	s.person("champion", "/north/", auth.Champion)
	sees := func(name, path, says string) {
		t.Helper()
		if status, body, _ := s.ask(name, path, nil); status != http.StatusOK || !strings.Contains(body, says) {
			t.Errorf("%s at %s: status %d, wanted %q", name, path, status, says)
		}
	}
	sees("lead", "/governance/maturity", "Not assessed yet")
	_, _, to := s.ask("lead", "/governance/maturity", values("title.vi", "Năm nay", "title.en", "This year", "until", "2099-01-01"))
	if !strings.HasPrefix(to, "/governance/maturity/") {
		t.Fatalf("no assessment was opened: %q", to)
	}
	sees("champion", to+"/rate", "CX Champions")
	answers := url.Values{}
	for _, q := range s.g.Instrument.Questions {
		answers.Set(q.ID, "4")
	}
	if status, _, _ := s.ask("lead", to+"/rate", answers); status != http.StatusSeeOther {
		t.Errorf("rate: %d", status)
	}
	s.refuses("a champion closes it", "champion", to+"/close", values("x", "1"), http.StatusForbidden, "")
	s.refuses("evidence without a name", "lead", to+"/proof", values("indicator", "gov_1", "grade", "2"), http.StatusUnprocessableEntity, "Name the document")
	if status, body, _ := s.ask("lead", to+"/close", values("x", "1")); status != http.StatusSeeOther {
		t.Errorf("close: %d %.300s", status, body)
	}
	sees("chair", to, "Six pillars")
	if _, body, _ := s.ask("champion", to, nil); strings.Contains(body, "Six pillars") {
		t.Error("a champion reads what is not published")
	}

	sees("lead", "/program/waves", "No campaign yet")
	sees("lead", "/program/waves/new", "First Monday")
	sees("lead", "/program/behaviours", "Greet within two minutes")
	sees("champion", "/program/checkin", "Nothing to check in today")
	s.refuses("a campaign without behaviours", "lead", "/program/waves", values("title.vi", "a", "title.en", "a"), http.StatusUnprocessableEntity, "one or two behaviours")

	sees("chair", "/report/board", "What we do not know")
	if _, body, _ := s.ask("chair", "/report/board/download", nil); !strings.Contains(body, "<style>") || strings.Contains(body, "<script") || strings.Contains(body, `href="/`) {
		t.Error("the file does not stand alone")
	}
	s.refuses("a champion reads the board pack", "champion", "/report/board", nil, http.StatusForbidden, "")
}
