package i18n_test

import (
	"fmt"
	"testing/fstest"

	"omote/internal/platform/i18n"
)

func ExampleNew() {
	catalogue := i18n.Source{Name: "import", Dir: "locales", FS: fstest.MapFS{
		"locales/en.json": {Data: []byte(`{"done": {"one": "{count} row is in.", "other": "{count} rows are in."}}`)},
		"locales/vi.json": {Data: []byte(`{"done": "Đã nhận {count} dòng."}`)},
	}}
	bundle, err := i18n.New(catalogue)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, locale := range bundle.Locales() {
		fmt.Println(bundle.Localizer(locale).T("done", "count", 12388))
	}
	// Output:
	// 12,388 rows are in.
	// Đã nhận 12.388 dòng.
}
