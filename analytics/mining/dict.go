package mining

import "strings"

// None is the id that stands for a missing value.
const None int32 = -1

// Dict numbers distinct names 0, 1, 2, ... in the order of their first use.
// The zero value is empty and ready to use.
type Dict struct {
	names []string
	index map[string]int32
}

// NewDict returns a dictionary that holds the names with ids 0, 1, 2, ...
// Repeated names keep their first id.
func NewDict(names ...string) *Dict {
	d := &Dict{}
	for _, name := range names {
		d.ID(name)
	}
	return d
}

// ID returns the id of the name, adding it if it is new.
func (d *Dict) ID(name string) int32 {
	if id, ok := d.index[name]; ok {
		return id
	}
	return d.add(strings.Clone(name))
}

// IDBytes is ID for a name in bytes; it allocates only for new names.
func (d *Dict) IDBytes(name []byte) int32 {
	if id, ok := d.index[string(name)]; ok {
		return id
	}
	return d.add(string(name))
}

func (d *Dict) add(name string) int32 {
	if d.index == nil {
		d.index = map[string]int32{}
	}
	id := int32(len(d.names))
	d.names = append(d.names, name)
	d.index[name] = id
	return id
}

// Lookup returns the id of the name, or None and false.
func (d *Dict) Lookup(name string) (int32, bool) {
	if id, ok := d.index[name]; ok {
		return id, true
	}
	return None, false
}

// Name returns the name of the id, and "" for None.
func (d *Dict) Name(id int32) string {
	if id < 0 {
		return ""
	}
	return d.names[id]
}

// Names returns all names by id. The slice must not be changed.
func (d *Dict) Names() []string { return d.names }

// Len returns the number of names.
func (d *Dict) Len() int { return len(d.names) }
