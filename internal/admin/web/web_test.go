package web_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

const password = "sông Hồng chảy về biển"

// setUp makes the bank and its first administrator and signs them in.
func (v *visitor) setUp() {
	v.t.Helper()
	v.play(map[string]string{"token": v.token},
		step{name: "every page leads to the set-up", path: "/admin/people", status: 303, to: "/setup"},
		step{name: "set up", path: "/setup", form: "token=$token&bank=Example Bank&kind=region&unit=North&code=north&name=Chief Example&email=chief@example.org&password=" + password, status: 303, to: "/admin/organisation"},
	)
}

func TestSetUpOnceAndOnlyWithTheToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.visitor()
	notes := map[string]string{"token": s.token}
	v.play(notes,
		step{name: "any page leads here", path: "/", status: 303, to: "/setup"},
		step{name: "so does the sign-in", path: "/sign-in", status: 303, to: "/setup"},
		step{name: "an act leads here, too", path: "/admin/people/new", form: "name=x", status: 303, to: "/setup"},
		step{name: "the API stays", path: "/api/openapi.json", status: 200},
		step{name: "without the token it asks for it", path: "/setup", status: 200, has: []string{"Set-up token", "Event log", "Warehouse"}, hasNot: []string{`name="password"`}},
		step{name: "with it, it asks for the rest", path: "/setup?token=$token", status: 200, has: []string{`name="password"`, `value="$token"`}},
		step{name: "everything wrong is told at once and nothing typed is lost", path: "/setup", form: "token=$token&bank=&unit=North&code=No rth&kind=unit&name=&email=chief&password=short", status: 422,
			has: []string{"5 things to correct", `href="#bank"`, `href="#code"`, `href="#email"`, `href="#name"`, `href="#password"`, `value="no rth"`, `value="chief"`}, hasNot: []string{"short\""}},
		step{name: "a wrong token opens nothing", path: "/setup", form: "token=wrong&bank=Example Bank&name=Chief&email=chief@example.org&password=" + password, status: 403, has: []string{"wrong or too old"}},
		step{name: "from another site it is refused", path: "/setup", form: "token=$token&bank=Example Bank&name=Chief&email=chief@example.org&password=" + password, header: "Sec-Fetch-Site: cross-site", status: 403},
		step{name: "set up", path: "/setup", form: "token=$token&bank=Example Bank&unit=North&code=north&kind=region&name=Chief Example&email=chief@example.org&password=" + password, status: 303, to: "/admin/organisation"},
		step{name: "the bank and its unit are there", path: "/admin/organisation", status: 200, has: []string{"Example Bank", "North", "is set up"}},
	)
	s.visitor().play(notes,
		step{name: "it is over", path: "/setup?token=$token", status: 303, to: "/sign-in"},
		step{name: "and works no second time", path: "/setup", form: "token=$token&bank=Other&name=Second&email=second@example.org&password=" + password, status: 403},
		step{name: "pages ask to sign in", path: "/admin/people", status: 303, to: "/sign-in?next=%2Fadmin%2Fpeople"},
	)
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.visitor().setUp()
	notes := map[string]string{}
	v := s.visitor()
	v.play(notes,
		step{name: "the door", path: "/sign-in?next=/admin/keys", status: 200, has: []string{"Example Bank", `value="/admin/keys"`}},
		step{name: "a wrong password keeps the address", path: "/sign-in", form: "email=chief@example.org&password=wrong", status: 401, has: []string{"do not match", `value="chief@example.org"`}, hasNot: []string{`value="wrong"`}},
		step{name: "from another site it is refused", path: "/sign-in", form: "email=chief@example.org&password=" + password, header: "Origin: https://evil.example", status: 403},
		step{name: "the right one leads on", path: "/sign-in", form: "email=Chief@Example.org&password=" + password + "&next=/admin/keys", status: 303, to: "/admin/keys"},
		step{name: "never to another host", path: "/sign-in?next=//evil.example", status: 303, to: "/"},
		step{name: "signed in", path: "/admin/keys", status: 200, has: []string{"API keys", "Chief Example"}},
		step{name: "begin the one-time code with the wrong password", path: "/account/code/begin", form: "password=wrong", status: 422, has: []string{"present password is wrong"}},
		step{name: "begin it", path: "/account/code/begin", form: "password=" + password, status: 303, to: "/account#code"},
		step{name: "the picture and the secret", path: "/account", status: 200, has: []string{`class="qr"`}, note: "secret", find: `<b class="secret">([A-Z2-7 ]+)</b>`},
		step{name: "a wrong code", path: "/account/code/confirm", form: "code=000000", status: 422, has: []string{"not the app", `class="qr"`}},
	)
	step1 := step{name: "password", path: "/sign-in", form: "email=chief@example.org&password=" + password + "&next=/account", status: 303, to: "/sign-in?next=%2Faccount&step=code"}
	code := func(ahead time.Duration) string {
		c, err := totp.GenerateCode(compact(notes["secret"]), time.Now().Add(ahead))
		must(t, err)
		return c
	}
	v.play(notes,
		step{name: "confirm", path: "/account/code/confirm", form: "code=" + code(0), status: 303, to: "/account"},
		step{name: "recovery codes", path: "/account", status: 200, has: []string{"Keep these recovery codes now"}, note: "recovery", find: `([A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4})`},
		step{name: "only once", path: "/account", status: 200, hasNot: []string{"$recovery"}, has: []string{"10 recovery codes"}},
		step{name: "sign out", path: "/sign-out", form: "x=1", status: 303, to: "/sign-in?after=sign-out"},
		step{name: "out", path: "/account", status: 303, to: "/sign-in"},
		step{name: "no code without a password", path: "/sign-in?step=code", status: 200, has: []string{`name="password"`}},
		step1,
		step{name: "the second step", path: "/sign-in?step=code&next=/account", status: 200, has: []string{"chief@example.org", `name="code"`}, hasNot: []string{password}},
		step{name: "the code of before is used up", path: "/sign-in", form: "step=code&code=" + code(0), status: 401, has: []string{"wrong or was used before"}},
		step{name: "the next one opens", path: "/sign-in", form: "step=code&next=/account&code=" + code(30*time.Second), status: 303, to: "/account"},
		step{name: "sign out", path: "/sign-out", form: "x=1", status: 303, to: "/sign-in"},
		step1,
		step{name: "a recovery code opens", path: "/sign-in", form: "step=code&next=/account&code=$recovery", status: 303, to: "/account"},
		step{name: "and is used up", path: "/account", status: 200, has: []string{"9 recovery codes"}},
	)
	wrong := step{name: "wrong", path: "/sign-in", form: "email=nobody@example.org&password=wrong", status: 401}
	s.visitor().play(notes, wrong, wrong, wrong, wrong, wrong,
		step{name: "the sixth must wait", path: "/sign-in", form: "email=nobody@example.org&password=wrong", status: 429, has: []string{"Too many failures"}})
}

// What a role may not see is not in the navigation either.
func TestNavigationFollowsTheRoles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	chief := s.visitor()
	chief.setUp()
	entries := map[string]string{"people": `href="/admin/people"`, "organisation": `href="/admin/organisation"`, "audit": `href="/admin/audit"`, "keys": `href="/admin/keys"`, "system": `href="/admin/health"`}
	for role, sees := range map[string][]string{
		"admin":    {"people", "organisation", "audit", "keys", "system"},
		"auditor":  {"people", "organisation", "audit", "keys", "system"},
		"dpo":      {"people", "organisation", "audit"},
		"cx_lead":  {"organisation"},
		"champion": {"organisation"},
	} {
		notes := map[string]string{}
		chief.play(notes, step{name: role, path: "/admin/people/new", form: "name=" + role + "&email=" + role + "@example.org&locale=en&unit=/&role=" + role, status: 303, note: "id", find: `/admin/people/([0-9a-f-]{36})`},
			step{name: role, path: "/admin/people/$id", status: 200, note: "link", find: `(/invitation/[A-Za-z0-9_-]+)`})
		v := s.visitor()
		st := step{name: role + " looks around", path: "/account", status: 200}
		for name, href := range entries {
			if slices.Contains(sees, name) {
				st.has = append(st.has, href)
			} else {
				st.hasNot = append(st.hasNot, href)
			}
		}
		v.play(notes, step{name: role + " comes in", path: "$link", form: "password=" + password + "&again=" + password, status: 303}, st)
		if role != "admin" {
			v.play(notes, step{name: role + " invites nobody", path: "/admin/people/new", status: 403}, step{name: role + " makes no key", path: "/admin/keys/new", form: "name=x&scope=key:admin&unit=/", status: 403},
				step{name: role + " changes no unit", path: "/admin/organisation/add", form: "above=/&code=x&kind=unit&name=X", status: 403})
		}
	}
}

// Seals that were kept elsewhere prove that the trail is still the one that they
// sealed.
func TestSealsFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.visitor()
	v.setUp()
	notes := map[string]string{}
	for begin := time.Now(); !strings.Contains(v.page, `"no":1`); { // the sealer works once a second
		if time.Since(begin) > 20*time.Second {
			t.Fatal("nothing was sealed")
		}
		time.Sleep(100 * time.Millisecond)
		v.play(notes, step{name: "download", path: "/admin/audit/seals.jsonl", status: 200})
	}
	seals := v.page
	for _, c := range []struct {
		name, file string
		status     int
		has        string
	}{
		{"the same", seals, 200, "It also agrees with"},
		{"another", strings.Replace(seals, `"hash":"`, `"hash":"x`, 1), 200, "The trail differs from the seal that was kept elsewhere"},
		{"a later one", strings.Replace(seals, `"no":1`, `"no":1000000`, 1), 200, "The end of the trail was cut off"},
		{"no seals at all", "one,two\n", 422, "Line 1 of the file is no seal"},
		{"an empty file", "", 200, "Checked from the inside only"},
	} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("heads", "seals.jsonl")
		must(t, err)
		_, err = part.Write([]byte(c.file))
		must(t, err)
		must(t, form.Close())
		res, err := v.http.Post(s.base+"/admin/audit/verify/upload", form.FormDataContentType(), &body)
		must(t, err)
		page, err := io.ReadAll(res.Body)
		must(t, err)
		res.Body.Close()
		if res.StatusCode != c.status || !strings.Contains(string(page), c.has) {
			t.Errorf("%s: status %d, want %d and %q: %s", c.name, res.StatusCode, c.status, c.has, text(string(page)))
		}
	}
}

func compact(s string) string {
	out := []byte{}
	for i := range len(s) {
		if s[i] != ' ' {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func TestPeopleKeysAndOrganisation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	v := s.visitor()
	v.setUp()
	notes := map[string]string{}
	v.play(notes,
		step{name: "the tree", path: "/admin/organisation", status: 200, note: "bank", find: `unit=([0-9a-f-]{36})"[^>]*>Example Bank`},
		step{name: "the tree", path: "/admin/organisation", status: 200, note: "north", find: `unit=([0-9a-f-]{36})"[^>]*>North`},
		step{name: "add a branch", path: "/admin/organisation/add", form: "above=/north/&beside=$north&kind=unit&code=b1&name=Ba Đình", status: 303, to: "/admin/organisation?unit="},
		step{name: "a taken code comes back as typed", path: "/admin/organisation/add", form: "above=/&beside=$bank&kind=region&code=b1&name=South", status: 422, has: []string{"The code b1 is taken", `value="South"`}},
		step{name: "add a region", path: "/admin/organisation/add", form: "above=/&beside=$bank&kind=region&code=south&name=South", status: 303, note: "south", find: `unit=([0-9a-f-]{36})`},
		step{name: "search folds marks", path: "/admin/organisation?q=ba+dinh", status: 200, has: []string{"Ba Đình"}, hasNot: []string{">South<"}},
		step{name: "a unit with open ones below says why it stays", path: "/admin/organisation?unit=$north", status: 200, has: []string{"Units below are still open"}},
		step{name: "and cannot be closed past the page", path: "/admin/organisation/$north/close", form: "x=1", status: 422, has: []string{"Close them first"}},
		step{name: "rename", path: "/admin/organisation/$south/rename", form: "name=Miền Nam", status: 303},
		step{name: "close", path: "/admin/organisation/$south/close", form: "x=1", status: 303, to: "/admin/organisation?closed=1&unit=$south"},
		step{name: "with undo", path: "/admin/organisation?closed=1&unit=$south", status: 200, has: []string{"Miền Nam is closed", "/admin/organisation/$south/reopen"}},
		step{name: "reopen", path: "/admin/organisation/$south/reopen", form: "x=1", status: 303},
		step{name: "move", path: "/admin/organisation/$south/move", form: "parent=/north/", status: 303},
		step{name: "not into itself", path: "/admin/organisation/$north/move", form: "parent=/north/south/", status: 422, has: []string{"into itself"}},

		step{name: "invite without a name", path: "/admin/people/new", form: "name=&email=lan@example.org&locale=en&role=admin&unit=/north/", status: 422, has: []string{"Enter a name", `value="lan@example.org"`}},
		step{name: "one more row of roles", path: "/admin/people/new", form: "name=Lan&email=&locale=en&role=admin&unit=/north/&add=1", status: 200, has: []string{`id="role-1"`, `value="Lan"`}},
		step{name: "invite the administrator of the north", path: "/admin/people/new", form: "name=Lan Example&email=lan@example.org&locale=en&role=admin&unit=/north/&role=auditor&unit=/north/", status: 303, note: "lan", find: `/admin/people/([0-9a-f-]{36})`},
		step{name: "the link is shown", path: "/admin/people/$lan", status: 200, has: []string{"Lan Example is invited"}, note: "link", find: `(/invitation/[A-Za-z0-9_-]+)`},
		step{name: "once", path: "/admin/people/$lan", status: 200, hasNot: []string{"/invitation/"}},
		step{name: "the same address again", path: "/admin/people/new", form: "name=Lan&email=LAN@example.org&locale=en&role=agent&unit=/", status: 422, has: []string{"account with this e-mail", `href="#email"`}},
		step{name: "the list", path: "/admin/people?q=chief", status: 200, has: []string{"Chief Example"}, hasNot: []string{"Lan Example"}},
		step{name: "as CSV", path: "/admin/people?format=csv", status: 200, has: []string{"Chief Example,chief@example.org", "Administrator, Auditor (North)"}},
		step{name: "own roles cannot be changed here", path: "/admin/people?q=chief", status: 200, note: "chief", find: `/admin/people/([0-9a-f-]{36})`},
		step{name: "nor the own account be disabled", path: "/admin/people/$chief", status: 200, has: []string{"Nobody changes their own roles", "Nobody disables their own account"}},
		step{name: "not past the page either", path: "/admin/people/$chief/disable", form: "x=1", status: 422, has: []string{"Nobody disables their own account"}},

		step{name: "a key needs a scope", path: "/admin/keys/new", form: "name=Mobile app&unit=/&expires=", status: 422, has: []string{"at least one scope", `value="Mobile app"`}},
		step{name: "and no day of the past", path: "/admin/keys/new", form: "name=Mobile app&unit=/&scope=key:ingest&expires=2020-01-01", status: 422, has: []string{"in the past", `value="2020-01-01"`}},
		step{name: "make a key", path: "/admin/keys/new", form: "name=Mobile app&unit=/&scope=key:ingest&expires=", status: 303, note: "key", find: `/admin/keys/([0-9a-f-]{36})`},
		step{name: "the secret", path: "/admin/keys/$key", status: 200, note: "secret", find: `<code>(omote_[^<]+)</code>`},
		step{name: "once", path: "/admin/keys/$key", status: 200, hasNot: []string{"$secret"}},
		step{name: "revoking asks for its name", path: "/admin/keys/$key/revoke", form: "confirm=mobile", status: 422, has: []string{"is not “Mobile app”", `value="mobile"`}},
		step{name: "revoke", path: "/admin/keys/$key/revoke", form: "confirm=Mobile app&reason=leaked", status: 303},
		step{name: "revoked", path: "/admin/keys/$key", status: 200, has: []string{"Revoked"}, hasNot: []string{"/revoke"}},

		step{name: "the trail", path: "/admin/audit?action=admin.key.", status: 200, has: []string{"Revoked an API key", "leaked", "Chief Example"}, hasNot: []string{"Invited a person"}},
		step{name: "a wrong day is told", path: "/admin/audit?from=yesterday", status: 422, has: []string{"is no date", `value="yesterday"`}},
		step{name: "verify", path: "/admin/audit/verify/upload", form: "x=1", status: 200, has: []string{"The trail is sound"}},
		step{name: "health", path: "/admin/health", status: 200, has: []string{"All 4 parts answer", "SQLite", "DuckDB", "No event was refused"}},
		step{name: "its part", path: "/admin/health/live", status: 200, has: []string{`id="health"`}, hasNot: []string{"<html"}},
	)
	lan := s.visitor()
	lan.play(notes,
		step{name: "choose a password", path: "$link", status: 200, has: []string{"Choose a password"}},
		step{name: "twice the same", path: "$link", form: "password=" + password + "&again=other", status: 422, has: []string{"passwords differ"}},
		step{name: "not a weak one", path: "$link", form: "password=lan&again=lan", status: 422, has: []string{"at least 12 characters"}},
		step{name: "in", path: "$link", form: "password=" + password + "&again=" + password, status: 303, to: "/"},
		step{name: "the link is used up", path: "$link", form: "password=" + password + "&again=" + password, status: 403, has: []string{"works no more"}},
		step{name: "nobody from outside", path: "/admin/people", status: 200, has: []string{"Lan Example"}, hasNot: []string{"Chief Example"}},
		step{name: "nor by address", path: "/admin/people/$chief", status: 404},
		step{name: "nor in CSV", path: "/admin/people?format=csv", status: 200, hasNot: []string{"Chief"}},
		step{name: "no unit from outside", path: "/admin/organisation?unit=$bank", status: 404},
		step{name: "no role beyond the own units", path: "/admin/people/new", form: "name=Friend&email=friend@example.org&locale=en&role=admin&unit=/", status: 422, has: []string{"do not allow"}},
		step{name: "a role within them", path: "/admin/people/new", form: "name=Friend&email=friend@example.org&locale=en&role=agent&unit=/north/b1/", status: 303},
		step{name: "no verification of the whole trail", path: "/admin/audit/verify/upload", form: "x=1", status: 403},
		step{name: "no seals", path: "/admin/audit/seals.jsonl", status: 403},
		step{name: "the own place", path: "/account", status: 200, has: []string{"Ba Đình"}},
		step{name: "not another one", path: "/account/place", form: "unit=/", status: 403},
	)
	operator := s.operator()
	operator.play(notes,
		step{name: "the operator at the machine may look after people", path: "/admin/people/$chief", status: 200, has: []string{"This is the last administrator of the whole bank"}},
		step{name: "but not disable the last administrator", path: "/admin/people/$chief/disable", form: "x=1", status: 422, has: []string{"Name another one first"}},
		step{name: "nor strip them", path: "/admin/people/$chief/grants", form: "role=analyst&unit=/", status: 422, has: []string{"Name another one first"}},
	)
	v.play(notes,
		step{name: "disable her", path: "/admin/people/$lan/disable", form: "x=1", status: 303},
		step{name: "with undo", path: "/admin/people/$lan", status: 200, has: []string{"is disabled", "/admin/people/$lan/enable"}},
	)
	lan.play(notes, step{name: "she is out", path: "/admin/people", status: 303, to: "/sign-in"})
	v.play(notes,
		step{name: "enable her", path: "/admin/people/$lan/enable", form: "x=1", status: 303},
		step{name: "make her a second administrator", path: "/admin/people/$lan/grants", form: "role=admin&unit=/", status: 303},
	)
	lan.play(notes,
		step{name: "in again", path: "/sign-in", form: "email=lan@example.org&password=" + password, status: 303, to: "/"},
		step{name: "disable the chief", path: "/admin/people/$chief/disable", form: "x=1", status: 303},
	)
	v.play(notes, step{name: "the chief is out", path: "/account", status: 303, to: "/sign-in"},
		step{name: "a part of a page leads the whole page to the door", path: "/sign-in", header: "HX-Request: true", status: 204})
}
