package rotation_test

import (
	"context"
	"encoding/json"
	"testing"

	"omote/internal/admin"
	"omote/internal/admin/rotation"
	"omote/internal/platform/audit"
	"omote/internal/platform/auth"
	"omote/internal/platform/jobs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/outbox"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

var migrations = []store.Migrations{sealed.Migrations, audit.Migrations, jobs.Migrations, outbox.Migrations, auth.Migrations, admin.Migrations}

func TestEveryByteColumnOfThePlatformIsInAnInventory(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t, migrations...)
	s, err := db.ReadSchema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if missing := sealed.Missing(s, nil, auth.Sealed(), outbox.Sealed()); missing != nil {
		t.Errorf("a rotation would leave behind %v", missing)
	}
	if missing := sealed.Missing(s, []string{"auth_flow.verifier"}, outbox.Sealed()); len(missing) != 4 {
		t.Errorf("without accounts %v are missing", missing)
	}
}

type nowhere struct{ outbox.Sender }

// The job moves accounts and messages to the newest keys; a ring without the old
// ones opens and finds them.
func TestJobMovesEverythingToTheNewestKeys(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		ctx := testkit.Context(t)
		ring := db.Keys().(*keyring.File)
		box, err := sealed.NewBox(ring)
		if err != nil {
			t.Fatal(err)
		}
		cheap := auth.Options{Password: auth.Params{Memory: 8, Time: 1, Threads: 1}}
		signIn, err := auth.New(ctx, db, box, cheap)
		if err != nil {
			t.Fatal(err)
		}
		const password = "con trâu gặm cỏ ngoài đồng"
		o := outbox.New(db, box, map[string]outbox.Sender{"task": nowhere{}}, outbox.Options{})
		err = db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			a, err := signIn.AddAccount(ctx, tx, auth.NewAccount{Email: "lan@bank.test", Name: "Lan", Locale: "vi"})
			if err != nil {
				return err
			}
			if err := signIn.SetPassword(ctx, tx, a.ID, password); err != nil {
				return err
			}
			_, err = o.Enqueue(ctx, tx, outbox.Message{CustomerID: "c", Channel: "task", Purpose: "p", Key: "k", Payload: json.RawMessage(`{}`)})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, purpose := range []string{keyring.Field, keyring.Blind} {
			if _, err := ring.Rotate(ctx, purpose); err != nil {
				t.Fatal(err)
			}
		}
		j := jobs.New(db, jobs.Options{Kinds: []jobs.Kind{rotation.Job(db, box, auth.Sealed(), outbox.Sealed())}})
		var id string
		err = db.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
			id, err = j.Submit(ctx, tx, rotation.JobKind, struct{}{}, jobs.Submission{Unique: rotation.JobKind})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := j.RunOnce(ctx); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		err = db.Read(ctx, func(ctx context.Context, tx store.Tx) error {
			job, err := j.Get(ctx, tx, id)
			var result map[string]int
			if job.State != jobs.Done || json.Unmarshal(job.Result, &result) != nil || result["auth_account.email"] != 1 ||
				result["auth_account.email_index"] != 1 || result["outbox_message.payload"] != 1 {
				t.Errorf("%s %s %s", job.State, job.ErrorText, job.Result)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		onlyNew, err := sealed.NewBox(newest{ring})
		if err != nil {
			t.Fatal(err)
		}
		if signIn, err = auth.New(ctx, db, onlyNew, cheap); err != nil {
			t.Fatal(err)
		}
		if _, err := signIn.SignIn(ctx, auth.Credentials{Email: "lan@bank.test", Password: password}, auth.Client{}); err != nil {
			t.Errorf("with the new keys alone: %v", err)
		}
	}, migrations...)
}

// newest is a ring from which the old keys were taken out.
type newest struct{ *keyring.File }

func (n newest) Lookup(ctx context.Context, purpose, id string) (keyring.Key, error) {
	k, err := n.Current(ctx, purpose)
	if err == nil && k.ID != id {
		err = keyring.ErrUnknownKey
	}
	return k, err
}
