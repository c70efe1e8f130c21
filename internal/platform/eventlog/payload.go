package eventlog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// One message of the log holds one group of events:
//
//	'O' version flags | count | raw length | written at | key id | nonce | sealed bytes
//
// Everything before the nonce is in clear (numbers as varints, the key id with
// its length) and authenticated together with the stream's name, so a message
// cannot be moved between partitions. The sealed bytes are the events, one
// after another, compressed when that makes them shorter.
const (
	payloadMagic   = 'O'
	payloadVersion = 1
	flagCompressed = 1

	minEventBytes = 25 // an encoded event is never shorter; bounds the count
)

// ErrPayload is returned for bytes that are no message of the log.
var ErrPayload = errors.New("eventlog: not a message of the log")

// head is the clear part of a message.
type head struct {
	compressed bool
	count      int   // events
	raw        int   // bytes of the events before compression
	written    int64 // when the group was closed, Unix microseconds of the writer's clock
	keyID      string
	size       int // bytes of the head itself
}

func (h *head) append(dst []byte) []byte {
	var flags byte
	if h.compressed {
		flags |= flagCompressed
	}
	dst = append(dst, payloadMagic, payloadVersion, flags)
	dst = binary.AppendUvarint(dst, uint64(h.count))
	dst = binary.AppendUvarint(dst, uint64(h.raw))
	dst = binary.AppendVarint(dst, h.written)
	dst = binary.AppendUvarint(dst, uint64(len(h.keyID)))
	return append(dst, h.keyID...)
}

func parseHead(b []byte) (head, error) {
	if len(b) < 3 || b[0] != payloadMagic {
		return head{}, ErrPayload
	}
	if b[1] != payloadVersion {
		return head{}, fmt.Errorf("%w: version %d is not known here", ErrPayload, b[1])
	}
	h := head{compressed: b[2]&flagCompressed != 0}
	at, bad := 3, false
	number := func(limit uint64) uint64 {
		v, n := binary.Uvarint(b[at:])
		if n <= 0 || v > limit {
			bad = true
			return 0
		}
		at += n
		return v
	}
	h.count = int(number(maxRaw / minEventBytes))
	h.raw = int(number(maxRaw))
	if written, n := binary.Varint(b[at:]); n > 0 {
		h.written = written
		at += n
	} else {
		bad = true
	}
	idLen := int(number(255))
	if bad || len(b)-at < idLen || h.raw < h.count*minEventBytes {
		return head{}, ErrPayload
	}
	h.keyID = string(b[at : at+idLen])
	h.size = at + idLen
	return h, nil
}

// encoder builds messages; its buffers are used again and again, so a message
// is valid until the next one is built.
type encoder struct {
	sealer     *sealer
	compressed []byte
	additional []byte
	out        []byte
}

// message seals a group of count events encoded one after another in raw.
func (e *encoder) message(ctx context.Context, stream string, raw []byte, count int, written int64) ([]byte, error) {
	id, key, err := e.sealer.current(ctx)
	if err != nil {
		return nil, err
	}
	plain := raw
	if n := s2.MaxEncodedLen(len(raw)); cap(e.compressed) < n {
		e.compressed = make([]byte, n)
	}
	if packed := s2.Encode(e.compressed[:cap(e.compressed)], raw); len(packed) < len(raw) {
		plain = packed
	}
	h := head{compressed: len(plain) < len(raw), count: count, raw: len(raw), written: written, keyID: id}
	e.out = h.append(e.out[:0])
	e.additional = append(append(e.additional[:0], e.out...), stream...)
	e.out = key.seal(e.out, plain, e.additional)
	return e.out, nil
}

// decoder opens messages; its buffers are used again and again.
type decoder struct {
	sealer     *sealer
	plain      []byte
	raw        []byte
	additional []byte
}

// open gives the clear head and the encoded events of a message. The events are
// valid until the next call.
func (d *decoder) open(ctx context.Context, stream string, message []byte) (head, []byte, error) {
	h, err := parseHead(message)
	if err != nil {
		return h, nil, err
	}
	key, err := d.sealer.lookup(ctx, h.keyID)
	if err != nil {
		return h, nil, err
	}
	d.additional = append(append(d.additional[:0], message[:h.size]...), stream...)
	if d.plain, err = key.open(d.plain[:0], message[h.size:], d.additional); err != nil {
		d.plain = nil
		return h, nil, err
	}
	raw, err := d.unpack(h, d.plain)
	return h, raw, err
}

// unpack gives the encoded events that the opened bytes of a message hold.
func (d *decoder) unpack(h head, plain []byte) ([]byte, error) {
	if !h.compressed {
		if len(plain) != h.raw {
			return nil, ErrPayload
		}
		return plain, nil
	}
	if n, err := s2.DecodedLen(plain); err != nil || n != h.raw {
		return nil, ErrPayload
	}
	if cap(d.raw) < h.raw {
		d.raw = make([]byte, h.raw)
	}
	raw, err := s2.Decode(d.raw[:cap(d.raw)], plain)
	if err != nil || len(raw) != h.raw {
		return nil, ErrPayload
	}
	return raw, nil
}
