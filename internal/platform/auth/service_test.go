package auth

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"omote/internal/platform/audit"
	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/scope"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

const good = "con trâu gặm cỏ ngoài đồng"

type rig struct {
	*Service
	t *testing.T
}

func each(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) { fn(t, newRig(t, db)) }, sealed.Migrations, audit.Migrations, Migrations)
}

func newRig(t *testing.T, db *store.DB) rig {
	t.Helper()
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), db, box, Options{Password: cheap})
	if err != nil {
		t.Fatal(err)
	}
	return rig{s, t}
}

func (r rig) write(fn func(context.Context, store.Tx) error) {
	r.t.Helper()
	if err := r.db.Write(testkit.Context(r.t), fn); err != nil {
		r.t.Fatal(err)
	}
}

// add makes an active account with the password good.
func (r rig) add(email string, grants ...Grant) (id string) {
	r.t.Helper()
	r.write(func(ctx context.Context, tx store.Tx) error {
		a, err := r.AddAccount(ctx, tx, NewAccount{Email: email, Name: "Lan Example", Locale: "vi", Grants: grants})
		if err != nil {
			return err
		}
		id = a.ID
		return r.SetPassword(ctx, tx, id, good)
	})
	return id
}

func (r rig) signIn(email, password, code string) (string, error) {
	return r.SignIn(r.t.Context(), Credentials{email, password, code}, Client{Address: "10.0.0.1", Agent: "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
}

// as gives the context of a session.
func (r rig) as(token string) context.Context {
	r.t.Helper()
	a, err := r.Session(r.t.Context(), token)
	if err != nil {
		r.t.Fatal(err)
	}
	return WithActor(r.t.Context(), a)
}

func (r rig) mustSignIn(email, code string) context.Context {
	r.t.Helper()
	token, err := r.signIn(email, good, code)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.as(token)
}

func (r rig) advance(d time.Duration) { testkit.Clock(r.db).Advance(d) }

func wantKey(t *testing.T, what string, err error, key string) {
	t.Helper()
	e, _ := errors.AsType[*errs.Error](err)
	if e == nil || e.Key != key {
		t.Errorf("%s: %v, want %s", what, err, key)
	}
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	testkit.CheckMigrations(t, sealed.Migrations, audit.Migrations, Migrations)
}

func TestSignInAndSession(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		id := r.add("lan@bank.test", Grant{Champion, "/north/b1/"}, Grant{Analyst, "/"})
		token, err := r.signIn(" LAN@bank.test ", good, "")
		if err != nil {
			t.Fatal(err)
		}
		ctx := r.as(token)
		a, _ := From(ctx)
		want := Actor{Kind: Person, ID: id, Entity: "bank", Place: "/", Session: a.Session, Grants: []Grant{{Analyst, "/"}, {Champion, "/north/b1/"}}}
		if d := cmp.Diff(want, a); d != "" {
			t.Error(d)
		}
		me, err := r.Me(ctx)
		if err != nil || me.Email != "lan@bank.test" || me.Name != "Lan Example" || !me.SignedIn.Equal(testkit.Epoch) || !me.HasPassword {
			t.Errorf("%+v, %v", me, err)
		}
		if err := r.SetPlace(ctx, "/north/b1/"); err != nil {
			t.Error(err)
		}
		if s, _ := scope.From(r.as(token)); s.Unit != "/north/b1/" {
			t.Errorf("place %q", s.Unit)
		}
		wantKey(t, "a place that is no unit", r.SetPlace(ctx, "south"), "auth.place_denied")

		_, err = r.signIn("lan@bank.test", good+"x", "")
		wantKey(t, "wrong password", err, "auth.wrong")
		_, err = r.signIn("nobody@bank.test", good, "")
		wantKey(t, "no account", err, "auth.wrong")
		_, err = r.signIn("nobody@bank.test", "no account has this password", "")
		wantKey(t, "the dummy's password", err, "auth.wrong")
		_, err = r.Session(t.Context(), token+"x")
		wantKey(t, "wrong token", err, "auth.session_ended")

		r.write(func(ctx context.Context, tx store.Tx) error { return r.Disable(ctx, tx, id) })
		_, err = r.Session(t.Context(), token)
		wantKey(t, "session of a disabled account", err, "auth.session_ended")
		_, err = r.signIn("lan@bank.test", good, "")
		wantKey(t, "disabled account", err, "auth.wrong")
	})
}

// Whether there is an account or not, sign-in computes one password hash: with
// all slots of the hasher taken, it waits in every case.
func TestUnknownNamesCostAsMuch(t *testing.T) {
	t.Parallel()
	r := newRig(t, testkit.SQLite(t, sealed.Migrations, audit.Migrations, Migrations))
	r.add("known@bank.test")
	r.write(func(ctx context.Context, tx store.Tx) error {
		_, err := r.AddAccount(ctx, tx, NewAccount{Email: "invited@bank.test", Name: "x", Locale: "en"})
		return err
	})
	for range cap(r.hasher.slots) {
		r.hasher.slots <- struct{}{}
	}
	for _, email := range []string{"known@bank.test", "unknown@bank.test", "invited@bank.test"} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		_, err := r.SignIn(ctx, Credentials{Email: email, Password: good}, Client{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s did not wait for a hash: %v", email, err)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.add("lan@bank.test")
		idle, err := r.signIn("lan@bank.test", good, "")
		if err != nil {
			t.Fatal(err)
		}
		busy, err := r.signIn("lan@bank.test", good, "")
		if err != nil {
			t.Fatal(err)
		}
		if idle == busy {
			t.Error("two sessions have the same token")
		}
		for range 47 { // every 15 min for 11¾ hours
			r.advance(15 * time.Minute)
			if _, err := r.Session(t.Context(), busy); err != nil {
				t.Fatal(err)
			}
		}
		_, err = r.Session(t.Context(), idle)
		wantKey(t, "idle session", err, "auth.session_ended")
		r.advance(15 * time.Minute)
		_, err = r.Session(t.Context(), busy)
		wantKey(t, "session past its absolute end", err, "auth.session_ended")
		if err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.write(func(ctx context.Context, tx store.Tx) error {
			n, err := tx.NewSelect().Table("auth_session").Count(ctx)
			if n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			return err
		})
	})
}

func TestOwnSessionsAreListedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.add("lan@bank.test")
		r.add("other@bank.test")
		a, b, c := r.mustSignIn("lan@bank.test", ""), r.mustSignIn("lan@bank.test", ""), r.mustSignIn("lan@bank.test", "")
		other := r.mustSignIn("other@bank.test", "")
		list, err := r.Sessions(a)
		if err != nil || len(list) != 3 {
			t.Fatal(len(list), err)
		}
		current := 0
		for _, s := range list {
			if s.Current {
				current++
			}
			if s.Agent != "Firefox, Linux" || s.Address != "10.0.0.1" {
				t.Errorf("%+v", s)
			}
		}
		if current != 1 {
			t.Errorf("%d sessions are the current one", current)
		}
		bID := must(From(b)).Session
		wantKey(t, "another's session", r.Revoke(other, bID), "auth.session_not_found")
		if err := r.Revoke(a, bID); err != nil {
			t.Error(err)
		}
		if err := r.RevokeOthers(c); err != nil {
			t.Error(err)
		}
		if list, err := r.Sessions(c); err != nil || len(list) != 1 || !list[0].Current {
			t.Errorf("%+v, %v", list, err)
		}
		if _, err := r.Sessions(t.Context()); errs.KindOf(err) != errs.KindUnauthenticated {
			t.Errorf("nobody's sessions: %v", err)
		}
	})
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("absent")
	}
	return v
}

func TestFailuresDelay(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.add("lan@bank.test")
		addresses := 0
		try := func(email, password, code string) (string, error) {
			addresses++
			return r.SignIn(t.Context(), Credentials{email, password, code}, Client{Address: fmt.Sprint("10.0.0.", addresses)})
		}
		for _, email := range []string{"lan@bank.test", "nobody@bank.test"} { // both are delayed alike
			for range freeByAccount {
				_, err := try(email, "wrong", "")
				wantKey(t, "free attempt", err, "auth.wrong")
			}
			wait := firstDelay
			for range 12 {
				_, err := try(email, good, "")
				wantKey(t, "attempt during the delay", err, "auth.too_many_attempts")
				r.advance(wait - time.Millisecond)
				_, err = try(email, good, "")
				wantKey(t, "attempt just before its end", err, "auth.too_many_attempts")
				r.advance(time.Millisecond)
				_, err = try(email, "wrong", "")
				wantKey(t, "attempt after the delay", err, "auth.wrong")
				wait = min(2*wait, lastDelay)
			}
			r.advance(lastDelay)
		}
		if _, err := try("lan@bank.test", good, ""); err != nil {
			t.Errorf("the right password after the delay: %v", err)
		}
		for range freeByAccount {
			_, err := try("lan@bank.test", "wrong", "")
			wantKey(t, "success forgives", err, "auth.wrong")
		}
	})
}

func TestAddressesAreDelayedToo(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.add("lan@bank.test")
		for i := range freeByAddress { // one password for many names
			_, err := r.signIn(fmt.Sprintf("p%d@bank.test", i), "Sommer2026!?", "")
			wantKey(t, "free attempt", err, "auth.wrong")
		}
		_, err := r.signIn("lan@bank.test", good, "")
		wantKey(t, "the address", err, "auth.too_many_attempts")
		if _, err := r.SignIn(t.Context(), Credentials{"lan@bank.test", good, ""}, Client{Address: "10.0.0.2"}); err != nil {
			t.Errorf("another address: %v", err)
		}
	})
}

// Attempts that run at the same time all count: none slips through the check.
func TestParallelGuessesAreCounted(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.add("lan@bank.test")
		results := make(chan error, 20)
		for range cap(results) {
			go func() {
				_, err := r.signIn("lan@bank.test", "wrong", "")
				results <- err
			}()
		}
		tried := 0
		for range cap(results) {
			if e, _ := errors.AsType[*errs.Error](<-results); e != nil && e.Key == "auth.wrong" {
				tried++
			}
		}
		if tried > freeByAccount {
			t.Errorf("%d guesses were checked, %d are free", tried, freeByAccount)
		}
	})
}

func (r rig) code(secret string, d time.Duration) string {
	raw, err := b32.DecodeString(secret)
	if err != nil {
		r.t.Fatal(err)
	}
	return totpCode(raw, r.db.Clock().Now().Add(d).Unix()/totpStep, totpDigits)
}

func TestTwoFactor(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		id := r.add("lan@bank.test")
		ctx := r.mustSignIn("lan@bank.test", "")
		if _, err := r.BeginTwoFactor(ctx, "wrong"); errs.KindOf(err) != errs.KindInvalid {
			t.Errorf("with a wrong password: %v", err)
		}
		two, err := r.BeginTwoFactor(ctx, good)
		if err != nil {
			t.Fatal(err)
		}
		if want := "otpauth://totp/Omote:lan@bank.test?issuer=Omote&secret=" + two.Secret; two.URL != want {
			t.Errorf("%s, want %s", two.URL, want)
		}
		if _, err := r.signIn("lan@bank.test", good, ""); err != nil {
			t.Errorf("before it is confirmed, no code is asked for: %v", err)
		}
		_, err = r.ConfirmTwoFactor(ctx, "000000")
		wantKey(t, "a wrong code", err, "auth.code_wrong")
		recovery, err := r.ConfirmTwoFactor(ctx, r.code(two.Secret, 0))
		if err != nil || len(recovery) != recoveryCodes {
			t.Fatal(len(recovery), err)
		}
		if _, err := r.BeginTwoFactor(ctx, good); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("a second set-up: %v", err)
		}

		_, err = r.signIn("lan@bank.test", good, "")
		if !NeedsCode(err) {
			t.Errorf("without a code: %v", err)
		}
		_, err = r.signIn("lan@bank.test", "wrong", "")
		wantKey(t, "a wrong password does not ask for a code", err, "auth.wrong")
		_, err = r.signIn("lan@bank.test", good, r.code(two.Secret, 0))
		wantKey(t, "the code that confirmed", err, "auth.wrong")
		r.advance(30 * time.Second)
		code := r.code(two.Secret, 0)
		if _, err := r.signIn("lan@bank.test", good, code); err != nil {
			t.Errorf("the next code: %v", err)
		}
		_, err = r.signIn("lan@bank.test", good, code)
		wantKey(t, "the same code again", err, "auth.wrong")

		if _, err := r.signIn("lan@bank.test", good, recovery[3]); err != nil {
			t.Errorf("a recovery code: %v", err)
		}
		_, err = r.signIn("lan@bank.test", good, recovery[3])
		wantKey(t, "the same recovery code again", err, "auth.wrong")
		if n, err := r.RecoveryLeft(ctx); err != nil || n != recoveryCodes-1 {
			t.Errorf("%d codes left, %v", n, err)
		}
		r.write(func(ctx context.Context, tx store.Tx) error { return r.ClearTwoFactor(ctx, tx, id) })
		if _, err := r.signIn("lan@bank.test", good, ""); err != nil {
			t.Errorf("after it was cleared: %v", err)
		}
	})
}

func TestSetUpWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		n := NewAccount{Email: "first@bank.test", Name: "First Person", Locale: "en"}
		old, err := r.SetupToken(t.Context())
		if err != nil || old == "" {
			t.Fatal(old, err)
		}
		token, err := r.SetupToken(t.Context()) // a second start of the server
		if err != nil {
			t.Fatal(err)
		}
		try := func(token, password string) error {
			_, err := r.SetUp(t.Context(), token, n, password, Client{})
			return err
		}
		wantKey(t, "no token", try("", good), "auth.link_invalid")
		wantKey(t, "the token of the start before", try(old, good), "auth.link_invalid")
		wantKey(t, "a weak password", try(token, "short"), "auth.password_short")
		session, err := r.SetUp(t.Context(), token, n, good, Client{})
		if err != nil {
			t.Fatal(err)
		}
		if ctx := r.as(session); Require(ctx, "admin.account.edit", "") != nil {
			t.Error("the first account is no administrator")
		}
		wantKey(t, "the token again", try(token, good), "auth.link_invalid")
		if token, err := r.SetupToken(t.Context()); token != "" || err != nil {
			t.Errorf("a token after the set-up: %q, %v", token, err)
		}
		if needed, err := r.NeedsSetup(t.Context()); needed || err != nil {
			t.Error(needed, err)
		}
	})
}

func TestSetUpTokensAge(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		token, err := r.SetupToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.advance(SetupLife)
		_, err = r.SetUp(t.Context(), token, NewAccount{Email: "a@b.test", Name: "x", Locale: "en"}, good, Client{})
		wantKey(t, "an old token", err, "auth.link_invalid")
	})
}

func TestInvitation(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		var id, link, newer string
		r.write(func(ctx context.Context, tx store.Tx) (err error) {
			a, err := r.AddAccount(ctx, tx, NewAccount{Email: "lan@bank.test", Name: "Lan", Locale: "vi"})
			if err != nil {
				return err
			}
			id = a.ID
			link, err = r.Invite(ctx, tx, id)
			return err
		})
		r.write(func(ctx context.Context, tx store.Tx) (err error) {
			newer, err = r.Invite(ctx, tx, id)
			return err
		})
		redeem := func(link, password string) error {
			_, err := r.Redeem(t.Context(), link, password, Client{})
			return err
		}
		wantKey(t, "the older link", redeem(link, good), "auth.link_invalid")
		wantKey(t, "a weak password leaves the link", redeem(newer, "weak"), "auth.password_short")
		if err := redeem(newer, good); err != nil {
			t.Error(err)
		}
		wantKey(t, "the link again", redeem(newer, good), "auth.link_invalid")
		r.mustSignIn("lan@bank.test", "")
	})
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.add("lan@bank.test")
		here := r.mustSignIn("lan@bank.test", "")
		there, err := r.signIn("lan@bank.test", good, "")
		if err != nil {
			t.Fatal(err)
		}
		const next = "một mật khẩu khác hẳn"
		wantKey(t, "wrong present password", r.ChangePassword(here, "wrong", next), "auth.password_wrong")
		wantKey(t, "weak next password", r.ChangePassword(here, good, "weak"), "auth.password_short")
		if err := r.ChangePassword(here, good, next); err != nil {
			t.Fatal(err)
		}
		_, err = r.Session(t.Context(), there)
		wantKey(t, "the other session", err, "auth.session_ended")
		if list, err := r.Sessions(here); err != nil || len(list) != 1 {
			t.Errorf("own session: %d, %v", len(list), err)
		}
		_, err = r.signIn("lan@bank.test", good, "")
		wantKey(t, "the old password", err, "auth.wrong")
		if _, err := r.signIn("lan@bank.test", next, ""); err != nil {
			t.Error(err)
		}
	})
}

func TestStaleHashesAreReplaced(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		id := r.add("lan@bank.test")
		r.hasher = newHasher(Params{Memory: 16, Time: 1, Threads: 1}, 2)
		for range 2 {
			if _, err := r.signIn("lan@bank.test", good, ""); err != nil {
				t.Fatal(err)
			}
			r.write(func(ctx context.Context, tx store.Tx) error {
				row, err := r.accountByID(ctx, tx, id)
				if p, _, _, _ := parsePHC(row.Password); p != r.hasher.params {
					t.Errorf("hash has %+v", p)
				}
				return err
			})
		}
	})
}

func TestAccountsAreCheckedAndKept(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.add("lan@bank.test")
		bad := map[string]NewAccount{
			"auth.email_taken":    {Email: "LAN@bank.test", Name: "x", Locale: "en"},
			"auth.email_invalid":  {Email: "Lan <lan@bank.test>", Name: "x", Locale: "en"},
			"auth.name_invalid":   {Email: "a@bank.test", Name: " ", Locale: "en"},
			"auth.locale_invalid": {Email: "a@bank.test", Name: "x", Locale: "fr"},
			"auth.role_unknown":   {Email: "a@bank.test", Name: "x", Locale: "en", Grants: []Grant{{KeyIngest, "/"}}},
			"auth.unit_invalid":   {Email: "a@bank.test", Name: "x", Locale: "en", Grants: []Grant{{Agent, "north"}}},
			"auth.grant_twice":    {Email: "a@bank.test", Name: "x", Locale: "en", Grants: []Grant{{Agent, "/"}, {Agent, "/"}}},
		}
		for key, n := range bad {
			err := r.db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
				_, err := r.AddAccount(ctx, tx, n)
				return err
			})
			wantKey(t, "new account", err, key)
		}
		// An address is found, and taken, under the keys of before too.
		if _, err := r.db.Keys().(*keyring.File).Rotate(t.Context(), keyring.Blind); err != nil {
			t.Fatal(err)
		}
		err := r.db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error {
			_, err := r.AddAccount(ctx, tx, bad["auth.email_taken"])
			return err
		})
		wantKey(t, "the same address under a new key", err, "auth.email_taken")
		r.mustSignIn("lan@bank.test", "")
	})
}

func TestMovedUnitsTakeTheirGrantsAlong(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		id := r.add("lan@bank.test", Grant{Champion, "/north/b1/"}, Grant{Agent, "/north/b10/"}, Grant{Analyst, "/"})
		r.write(func(ctx context.Context, tx store.Tx) error {
			if _, _, err := r.AddKey(ctx, tx, NewKey{Name: "k", Roles: []Role{KeyRead}, Unit: "/north/b1/x/"}); err != nil {
				return err
			}
			if err := r.MoveGrants(ctx, tx, "/north/b1/", "/south/b1/"); err != nil {
				return err
			}
			a, err := r.GetAccount(ctx, tx, id)
			if d := cmp.Diff([]Grant{{Analyst, "/"}, {Agent, "/north/b10/"}, {Champion, "/south/b1/"}}, a.Grants); d != "" {
				t.Error(d)
			}
			if err != nil {
				return err
			}
			keys, err := r.Keys(ctx, tx)
			if len(keys) != 1 || keys[0].Unit != "/south/b1/x/" {
				t.Errorf("%+v", keys)
			}
			return err
		})
	})
}

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		var k APIKey
		var raw, short string
		r.write(func(ctx context.Context, tx store.Tx) (err error) {
			if k, raw, err = r.AddKey(ctx, tx, NewKey{Name: "app", Roles: []Role{KeyIngest, KeyRead}, System: "core"}); err != nil {
				return err
			}
			_, short, err = r.AddKey(ctx, tx, NewKey{Name: "short", Roles: []Role{KeyRead}, Expires: testkit.Epoch.Add(3 * time.Second)})
			return err
		})
		got, err := r.CheckKey(t.Context(), raw)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(k, got); d != "" {
			t.Error(d)
		}
		want := Actor{Kind: Key, ID: k.ID, Entity: "bank", Source: "app", Place: "/", Grants: []Grant{{KeyIngest, "/"}, {KeyRead, "/"}}}
		if d := cmp.Diff(want, got.Actor()); d != "" {
			t.Error(d)
		}
		r.write(func(ctx context.Context, tx store.Tx) error {
			k, err := r.GetKey(ctx, tx, k.ID)
			if !k.Used.Equal(testkit.Epoch) {
				t.Errorf("last use %v", k.Used)
			}
			return err
		})
		for _, wrong := range []string{"", "omote_", raw + "x", raw[:len(raw)-1] + "!", "omote_000000000000_" + raw[19:], raw[:19]} {
			_, err := r.CheckKey(t.Context(), wrong)
			wantKey(t, "wrong key", err, "auth.key_invalid")
		}
		if _, err := r.WriteKey(t.Context(), raw); err != nil {
			t.Error(err)
		}
		_, err = r.WriteKey(t.Context(), short)
		wantKey(t, "a key that may not send", err, "auth.key_no_ingest")
		r.advance(3 * time.Second)
		_, err = r.CheckKey(t.Context(), short)
		wantKey(t, "an expired key, though it was found good before", err, "auth.key_invalid")

		r.write(func(ctx context.Context, tx store.Tx) error { return r.RevokeKey(ctx, tx, k.ID) })
		_, err = r.CheckKey(t.Context(), raw)
		wantKey(t, "a revoked key", err, "auth.key_invalid")
		err = r.db.Write(testkit.Context(t), func(ctx context.Context, tx store.Tx) error { return r.RevokeKey(ctx, tx, k.ID) })
		wantKey(t, "revoked twice", err, "auth.key_not_active")
	})
}

// Another node learns of a revocation when its memory of the key ends.
func TestRevocationReachesOtherNodes(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		other := newRig(t, r.db)
		var id, raw string
		r.write(func(ctx context.Context, tx store.Tx) error {
			k, secret, err := r.AddKey(ctx, tx, NewKey{Name: "app", Roles: []Role{KeyRead}})
			id, raw = k.ID, secret
			return err
		})
		if _, err := other.CheckKey(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		r.write(func(ctx context.Context, tx store.Tx) error { return r.RevokeKey(ctx, tx, id) })
		r.advance(keyFresh)
		_, err := other.CheckKey(t.Context(), raw)
		wantKey(t, "revoked elsewhere", err, "auth.key_invalid")
	})
}

func BenchmarkCheckKey(b *testing.B) {
	db := testkit.SQLite(b, sealed.Migrations, audit.Migrations, Migrations)
	box, err := sealed.NewBox(db.Keys())
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(b.Context(), db, box, Options{Password: cheap})
	if err != nil {
		b.Fatal(err)
	}
	var raw, token string
	err = db.Write(testkit.Context(b), func(ctx context.Context, tx store.Tx) (err error) {
		if _, raw, err = s.AddKey(ctx, tx, NewKey{Name: "app", Roles: []Role{KeyIngest}}); err != nil {
			return err
		}
		a, err := s.AddAccount(ctx, tx, NewAccount{Email: "a@b.test", Name: "x", Locale: "en", Grants: []Grant{{Analyst, "/"}}})
		if err != nil {
			return err
		}
		return s.SetPassword(ctx, tx, a.ID, good)
	})
	if err != nil {
		b.Fatal(err)
	}
	if token, err = s.SignIn(b.Context(), Credentials{Email: "a@b.test", Password: good}, Client{}); err != nil {
		b.Fatal(err)
	}
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.CheckKey(b.Context(), raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("session", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Session(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
}
