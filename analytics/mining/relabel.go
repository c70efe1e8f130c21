package mining

// Relabel returns a log in which each activity has another name: names holds one
// for each activity id of l, and activities of the same name become one. It
// shares all other columns with l.
func Relabel(l *Log, names []string) *Log {
	d := &Dict{}
	label := make([]int32, len(names))
	for a, name := range names {
		label[a] = d.ID(name)
	}
	return relabelled(l, d, label)
}

func relabelled(l *Log, d *Dict, label []int32) *Log {
	out := *l
	out.activities = d
	out.activity = make([]int32, len(l.activity))
	inParallel(l.chunks(), func(_ int, c chunk) {
		for _, s := range l.spans[c.lo:c.hi] {
			for i := s.lo; i < s.hi; i++ {
				out.activity[i] = label[l.activity[i]]
			}
		}
	})
	return &out
}
