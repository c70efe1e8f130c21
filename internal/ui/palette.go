package ui

import "strconv"

// shortcut is one line of the list of keys.
type shortcut struct {
	keys []string
	text string
}

// keyboard lists the keys that work on every page. assets/js/20-keys.js obeys
// the same list. Single letters rest while a field has the focus.
var keyboard = []shortcut{
	{[]string{"/"}, "ui.keys.search"},
	{[]string{"?"}, "ui.keys.help"},
	{[]string{"G", "1…4"}, "ui.keys.layer"},
	{[]string{"G", "H"}, "ui.keys.home"},
	{[]string{"F"}, "ui.keys.filter"},
	{[]string{"N"}, "ui.keys.new"},
	{[]string{"[", "]"}, "ui.keys.period"},
	{[]string{"J", "K"}, "ui.keys.rows"},
	{[]string{"X", "Shift X"}, "ui.keys.select"},
	{[]string{"Enter", "Esc"}, "ui.keys.panel"},
	{[]string{"Z"}, "ui.keys.undo"},
	{[]string{"T"}, "ui.keys.table"},
	{[]string{"←", "→"}, "ui.keys.points"},
	{[]string{"Ctrl ↵"}, "ui.keys.submit"},
}

func paletteID(i int) string { return "palette-" + strconv.Itoa(i) }
