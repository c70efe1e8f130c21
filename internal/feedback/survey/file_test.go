package survey

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"omote/internal/feedback/form"
	"omote/internal/platform/errs"
	"omote/internal/platform/keyring"
	"omote/internal/platform/store"
	"omote/internal/platform/store/sealed"
	"omote/internal/testkit"
)

// onlyNewest is a ring that has lost every key but the current ones.
type onlyNewest struct{ *keyring.File }

func (n onlyNewest) Lookup(ctx context.Context, purpose, id string) (keyring.Key, error) {
	k, err := n.Current(ctx, purpose)
	if err == nil && k.ID != id {
		err = keyring.ErrUnknownKey
	}
	return k, err
}

// picky refuses a file with a word in it.
type picky struct{ word string }

func (p picky) Scan(_ context.Context, content []byte) (bool, error) {
	return !bytes.Contains(content, []byte(p.word)), nil
}

var picture = []byte("\x89PNG\r\n\x1a\n of a receipt")

// TestFileAndRotation takes a file as an answer, refuses what must not come in, and
// reads everything of surveys with the newest keys alone after a rotation.
func TestFileAndRotation(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.Scanner = picky{"EICAR"}
		b.publish("tx_csat", func(d *form.Document) {
			d.Asking.Sample, d.Asking.Delay = 1, 0
			d.Items = append(d.Items, form.Item{ID: "tc_file", Type: form.File, Text: form.Text{VI: "Ảnh?", EN: "A picture?"}, MaxKB: 1})
		})
		b.feed(b.happened(1))
		b.fire()
		in := b.invitations(Asked)[0]
		token := b.token(in)
		v, err := b.Answer(b.ctx, token, "", "tc_score", "vi", value("tc_score", "4"))
		must(t, err)
		for what, content := range map[string][]byte{"a page": []byte("<html><script>alert(1)</script>"), "a program": []byte("MZ\x90\x00"), "too large": append(picture, make([]byte, 2048)...),
			"empty": nil, "harmful": append(picture, "EICAR"...)} {
			if err := b.TakeFile(b.ctx, v, "vi", "tc_file", "x.png", content); err == nil {
				t.Errorf("%s was taken", what)
			}
		}
		must(t, b.TakeFile(b.ctx, v, "vi", "tc_file", "old.png", append(picture, '1')))
		must(t, b.TakeFile(b.ctx, v, "vi", "tc_file", `..\..\receipt.png`, picture))
		read := func(s *Service) {
			t.Helper()
			v, err := s.Begin(b.ctx, token, "")
			must(t, err)
			f := v.Answers()["tc_file"].File
			if f == nil || f.Name != "receipt.png" || *v.Answers()["tc_score"].Number != 4 {
				t.Fatalf("answers %+v", v.Answers())
			}
			if _, content, err := s.File(b.ctx, "tx_csat", f.ID); err != nil || !bytes.Equal(content, picture) {
				t.Errorf("file %q, %v", content, err)
			}
			must(t, db.Read(b.ctx, func(ctx context.Context, tx store.Tx) error {
				back, err := s.findInvitation(ctx, tx, in.CustomerID, in.ID)
				if err == nil && back.UserID != "C1" {
					t.Errorf("invitation of %q", back.UserID)
				}
				return err
			}))
		}
		read(b.Service)
		ring := db.Keys().(*keyring.File)
		_, err = ring.Rotate(b.ctx, keyring.Field)
		must(t, err)
		lost := &Service{Deps: b.Deps, live: map[string]map[string]*Version{}}
		lost.Box, err = sealed.NewBox(onlyNewest{ring})
		must(t, err)
		if _, err := lost.Begin(b.ctx, token, ""); err == nil {
			t.Error("before the rotation the newest key alone reads what an older one wrote")
		}
		done, err := sealed.Rotation{Box: b.Box}.All(b.ctx, db, Sealed())
		must(t, err)
		if done["survey_file.content"] != 1 || done["survey_response.answers"] != 1 || done["survey_response.who"] != 1 || done["survey_invitation.who"] != 1 {
			t.Errorf("rotated %v", done)
		}
		read(lost)
		schema, err := db.ReadSchema(b.ctx)
		must(t, err)
		missing := sealed.Missing(schema, nil, Sealed())
		if i := slices.IndexFunc(missing, func(c string) bool { return strings.HasPrefix(c, "survey_") }); i >= 0 {
			t.Errorf("no rotation reaches %s", missing[i])
		}
	}, tables...)
}

// TestBadInput refuses what must not count, and counts what comes twice once.
func TestBadInput(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db)
		b.publish("tx_csat", func(d *form.Document) { d.Asking.Sample, d.Asking.Delay = 1, 0 })
		b.feed(b.happened(1))
		b.fire()
		token := b.token(b.invitations(Asked)[0])
		_, err := b.Answer(b.ctx, token, "", "tc_text", "vi", value("tc_text", strings.Repeat("dài ", 2_600_000)))
		if errs.KindOf(err) != errs.KindTooLarge {
			t.Errorf("a comment of 10 MB: %v", err)
		}
		v, err := b.Answer(b.ctx, token, "", "tc_text", "vi", value("tc_text", "<script>alert(1)</script>\u202e\x00 ok"))
		must(t, err)
		if v.Answers()["tc_text"].Text != "<script>alert(1)</script> ok" && v.Answers()["tc_text"].Text != "" {
			t.Errorf("kept %q", v.Answers()["tc_text"].Text)
		}
		// A new version is published while the page is open: it is ended as it was begun.
		must(t, b.DB.Write(b.ctx, func(ctx context.Context, tx store.Tx) error {
			last, err := latest(ctx, tx, "tx_csat")
			if err != nil {
				return err
			}
			changed := *last.Document
			changed.Items = slices.DeleteFunc(slices.Clone(changed.Items), func(it form.Item) bool { return it.ID == "tc_done" })
			if err := insertVersion(ctx, tx, &Version{Entity: "bank", Version: 2, State: Draft, Document: &changed, Created: tx.Now().Time(), CreatedBy: "test"}); err != nil {
				return err
			}
			return golive(ctx, tx, "tx_csat", 2)
		}))
		b.forget("bank")
		for range 2 {
			v, err = b.Answer(b.ctx, token, "", "tc_done", "vi", value("tc_done", "yes"))
			must(t, err)
		}
		if v.Version.Version != 1 || v.Over != "" {
			t.Errorf("answered version %d, over %q", v.Version.Version, v.Over)
		}
		// Another customer's signature on this one's invitation.
		other := *b.invitations(Asked)[0]
		other.CustomerID = "somebody else"
		if _, err := b.Begin(b.ctx, b.token(&other), ""); errs.KindOf(err) != errs.KindNotFound {
			t.Errorf("an invitation that is not there: %v", err)
		}
		half := strings.Split(token, ".")
		for _, forged := range []string{"", "x", token + "A", half[0], strings.Repeat("A", 10_000)} {
			if _, err := b.Begin(b.ctx, forged, ""); errs.KindOf(err) != errs.KindNotFound {
				t.Errorf("token %.20q: %v", forged, err)
			}
		}
		testkit.Clock(db).Advance(400 * 24 * time.Hour)
		if _, err := b.Answer(b.ctx, token, "", "tc_score", "vi", value("tc_score", "5")); errs.KindOf(err) != errs.KindConflict {
			t.Errorf("an answer long after: %v", err)
		}
	}, tables...)
}
