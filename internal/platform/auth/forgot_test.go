package auth

import (
	"context"
	"testing"
	"time"

	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// TestForgot sends links to those who have an account, tells nobody whether they
// do, and keeps the present password until a link is used.
func TestForgot(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		var sent []Reset
		r.o.SendReset = func(_ context.Context, _ store.Tx, l Reset) error {
			sent = append(sent, l)
			return nil
		}
		id := r.add("lan@bank.test")
		ask := func(email string) error { return r.Forgot(t.Context(), email, Client{Address: "192.0.2.1"}) }
		for _, email := range []string{"nobody@bank.test", "", " LAN@bank.test "} {
			if err := ask(email); err != nil {
				t.Fatalf("%q: %v", email, err)
			}
		}
		if len(sent) != 1 || sent[0].Account != id || sent[0].Email != "lan@bank.test" || sent[0].Life != ResetLife {
			t.Fatalf("sent %+v", sent)
		}
		r.mustSignIn("lan@bank.test", "")
		if err := ask("lan@bank.test"); err != nil {
			t.Fatal(err)
		}
		redeem := func(token, password string) error {
			_, err := r.Redeem(t.Context(), token, password, Client{})
			return err
		}
		const next = "một mật khẩu khác hẳn"
		wantKey(t, "the older link", redeem(sent[0].Token, next), "auth.link_invalid")
		if err := redeem(sent[1].Token, next); err != nil {
			t.Fatal(err)
		}
		if _, err := r.signIn("lan@bank.test", good, ""); err == nil {
			t.Error("the forgotten password still opens the account")
		}
		if _, err := r.signIn("lan@bank.test", next, ""); err != nil {
			t.Error(err)
		}
		if err := ask("lan@bank.test"); err != nil {
			t.Fatal(err)
		}
		testkit.Clock(r.db).Advance(ResetLife + time.Second)
		wantKey(t, "a link that is too old", redeem(sent[2].Token, good), "auth.link_invalid")
		for range freeByAccount + 2 {
			_ = ask("lan@bank.test")
		}
		wantKey(t, "too often", ask("lan@bank.test"), "auth.too_many_attempts")
	})
}
