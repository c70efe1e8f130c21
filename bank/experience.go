package bank

// Experience is one experience that a customer was asked about, with what the customer
// would answer: the truth that a survey is to find.
type Experience struct {
	Instrument string
	Trigger    string // event
	Journey    string
	Unit       string // path
	Channel    string // on which the customer was asked
	Age        int
	Score      int     // what the customer would answer, whether or not they do
	Felt       float64 // sd
	Chance     float64 // of answering
	// CallChance is that of answering a call that asks again.
	CallChance float64
}

// experiences is an observer that keeps what it sees.
type experiences struct {
	truthWatch
	s   *sim
	out []Experience
}

func (w *experiences) asked(c *customer, _ int64, it *item, would int, felt, chance float64, _ bool) {
	w.out = append(w.out, Experience{Instrument: instrumentNames[it.x], Trigger: eventNames[it.trig], Journey: journeyNames[it.jour],
		Channel: channelNames[it.ch], Age: int(c.age), Score: would, Felt: felt, Chance: chance, CallChance: w.s.responseChance(c, chCallOut, felt)})
	if it.unit > 0 {
		w.out[len(w.out)-1].Unit = w.s.b.packs.unitPath(it.unit - 1)
	}
}

// Experiences runs the history once and gives every asking with its truth, in the order
// of the customers.
func (b *Bank) Experiences() []Experience {
	var all []Experience
	slots := b.slots(b.end)
	const size = 256
	ordered(int((slots+size-1)/size), func() func(int) []Experience {
		s := &sim{b: b}
		c := &customer{}
		return func(k int) []Experience {
			w := &experiences{truthWatch: *newTruthWatch(b), s: s}
			s.watch = w
			from := uint64(k) * size
			for slot := from; slot < min(from+size, slots); slot++ {
				s.each(c, slot, func() {})
			}
			return w.out
		}
	}, func(part []Experience) bool {
		all = append(all, part...)
		return true
	})
	return all
}
