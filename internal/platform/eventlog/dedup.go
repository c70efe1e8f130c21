package eventlog

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/dchest/siphash"
)

// An event is a duplicate if and only if an event with the same entity, source
// and message id stands before it in its partition, the nearest such event is
// at most DedupWindow.Events places before it, and arrived at most
// DedupWindow.Age before it (by the times that the writers put on their
// messages). Duplicates themselves count as "such an event", so a sender that
// keeps repeating is recognised for as long as it repeats.
//
// The decision looks at a bounded stretch of the log and at nothing else.
// Whoever starts reading somewhere first reads that stretch (see warm), and
// then decides as everyone else does.
//
// A deduper holds 24 bytes an event and 8 to 16 bytes of index, whatever the
// length of the ids. The hash is keyed with a secret of the process, so nobody
// can choose ids that collide.
type deduper struct {
	window DedupWindow
	k0, k1 uint64
	buf    []byte

	ring  []seen   // the last events, at index n%window.Events
	n     uint64   // events seen
	index []uint32 // open addressing: 1 + place in ring of the latest event of a hash
}

type seen struct {
	hash [2]uint64
	at   int64
}

func newDeduper(w DedupWindow) *deduper {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails: crypto/rand aborts the program instead
	return &deduper{
		window: w,
		k0:     binary.LittleEndian.Uint64(key[:8]),
		k1:     binary.LittleEndian.Uint64(key[8:]),
		index:  make([]uint32, 1024),
	}
}

// hashIdentity gives the keyed 128-bit hash of an event's identity.
func hashIdentity[T string | []byte](d *deduper, entity, source, id T) [2]uint64 {
	b := d.buf[:0]
	for _, s := range [...]T{entity, source, id} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	d.buf = b
	hi, lo := siphash.Hash128(d.k0, d.k1, b)
	return [2]uint64{hi, lo}
}

// see takes the next event of the partition and reports whether it is a duplicate.
func (d *deduper) see(hash [2]uint64, at int64) bool {
	slot := d.find(hash)
	duplicate := d.index[slot] != 0 && at-d.ring[d.index[slot]-1].at <= d.window.Age.Microseconds()

	place := int(d.n % uint64(d.window.Events))
	d.n++
	if place < len(d.ring) {
		d.forget(place)
		slot = d.find(hash) // forgetting may have moved it
		d.ring[place] = seen{hash, at}
	} else {
		d.ring = append(d.ring, seen{hash, at})
		if 2*len(d.ring) > len(d.index) {
			d.grow()
			slot = d.find(hash)
		}
	}
	d.index[slot] = uint32(place) + 1
	return duplicate
}

// find gives the slot of a hash, or the free slot where it belongs.
func (d *deduper) find(hash [2]uint64) int {
	mask := len(d.index) - 1
	for slot := int(hash[0]) & mask; ; slot = (slot + 1) & mask {
		if p := d.index[slot]; p == 0 || d.ring[p-1].hash == hash {
			return slot
		}
	}
}

// forget removes the event at a place of the ring from the index, unless a
// later event of the same hash took its slot, and closes the gap so that every
// search still finds what it looks for.
func (d *deduper) forget(place int) {
	gap := d.find(d.ring[place].hash)
	if d.index[gap] != uint32(place)+1 {
		return
	}
	mask := len(d.index) - 1
	for slot := (gap + 1) & mask; d.index[slot] != 0; slot = (slot + 1) & mask {
		home := int(d.ring[d.index[slot]-1].hash[0]) & mask
		if (slot-home)&mask >= (slot-gap)&mask {
			d.index[gap] = d.index[slot]
			gap = slot
		}
	}
	d.index[gap] = 0
}

// grow doubles the index. Places are entered in the order of the log, so that
// the latest event of a hash keeps the slot.
func (d *deduper) grow() {
	d.index = make([]uint32, 2*len(d.index))
	for place := range d.ring {
		d.index[d.find(d.ring[place].hash)] = uint32(place) + 1
	}
}
