package profile_test

import (
	"strings"
	"testing"
	"unicode"

	"omote/internal/customer/identity"
	"omote/internal/platform/auth"
	"omote/internal/platform/store"
	"omote/internal/testkit"
)

// TestWhatNobodySees feeds one person twice, once with zero-width characters and
// marks of direction amid every value: they are one customer, are found by what a
// clerk types, and nothing on the page turns the text behind it round. What was
// stated stays, and the merge can be taken back.
func TestWhatNobodySees(t *testing.T) {
	t.Parallel()
	testkit.Stores(t, func(t *testing.T, db *store.DB) {
		d := newDesk(t, db)
		d.states("core", "1", `{"name":"Nguy\u200bễn Thị\u202e H\u2060ồng","email":"ho\u200bng@vi-du.example","phone":"\u202d0903\u00ad004321","birth_date":"1985-03-09\u200f"}`)
		d.states("crm", "2", `{"name":"NGUYEN THI HONG","email":"hong@vi-du.example","phone":"+84903004321","birth_date":"1985-03-09"}`)
		// One whose name is nothing that can be seen, and one who is called by a joke.
		d.states("core", "3", `{"name":"\u202e\u200b\u200f","phone":"0903009999"}`)
		d.states("core", "4", `{"name":"`+strings.Repeat("ạ", 5000)+`","phone":"0903009999"}`)
		ctx := as(t, auth.DPO, "/")
		if err := d.service.State(ctx, d.id("core", "1"), "identification", "test"); err != nil {
			t.Fatal(err)
		}
		c, err := d.service.Get(ctx, d.id("core", "1"))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.RecordIDs()) != 2 {
			t.Errorf("one person in two spellings is a customer of %d records", len(c.RecordIDs()))
		}
		seen := c.Name
		for _, a := range c.Attributes {
			seen += c.Value(a.Rule.Name)
		}
		if i := strings.IndexFunc(seen, func(r rune) bool { return unicode.Is(unicode.Cf, r) }); i >= 0 {
			t.Errorf("the page shows %q", seen)
		}
		for _, q := range []string{"nguyen thi hong", "hong 4321", "hong@vi-du.example", "Nguyễn\u200b Hồng"} {
			found, err := d.service.Find(ctx, q, 10)
			if err != nil || len(found.Items) != 1 {
				t.Errorf("%q finds %d: %v", q, len(found.Items), err)
			}
		}
		if found, err := d.service.Find(ctx, "0903009999", 10); err != nil || len(found.Items) != 2 {
			t.Errorf("two strangers with one phone are %d: %v", len(found.Items), err)
		}
		decide := identity.NewService(db)
		if _, err := decide.Unmerge(testkit.Context(t), d.id("core", "1"), []string{d.id("crm", "2")}, "two sisters"); err != nil {
			t.Fatal(err)
		}
		if c, err = d.service.Get(ctx, d.id("core", "1")); err != nil || len(c.RecordIDs()) != 1 {
			t.Errorf("after taking it back: %v %v", c.RecordIDs(), err)
		}
	}, tables...)
}
