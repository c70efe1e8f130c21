package bank

// Ids that systems give are scattered over their number space by a keyed
// permutation, so that an id tells nothing about the person behind it and no two
// records ever share one.

// scatter maps x in [0, n) to [0, n) one-to-one: a four-round Feistel network
// over the next even number of bits, walked until it falls below n.
func scatter(key, x, n uint64) uint64 {
	half := uint(1)
	for uint64(1)<<(2*half) < n {
		half++
	}
	mask := uint64(1)<<half - 1
	for {
		l, r := x>>half, x&mask
		for round := range uint64(4) {
			l, r = r, l^(mix(r^key+round*0x9e3779b97f4a7c15)&mask)
		}
		if x = l<<half | r; x < n {
			return x
		}
	}
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func appendDigits(dst []byte, v uint64, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; v > 0 && i >= len(dst)-n; i-- {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

func appendBase32(dst []byte, v uint64, n int) []byte {
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, crockford[v>>(5*i)&31])
	}
	return dst
}

func appendHex(dst []byte, v uint64) []byte {
	const hex = "0123456789abcdef"
	for i := 60; i >= 0; i -= 4 {
		dst = append(dst, hex[v>>i&15])
	}
	return dst
}

// appendID writes the id of record copy of person idx in a system.
func (b *Bank) appendID(dst []byte, sys, copy uint8, idx uint64) []byte {
	key := mix(b.cfg.Seed ^ uint64(sys)<<56 ^ sID)
	x := idx<<1 | uint64(copy&1)
	switch sys {
	case sysCore: // customer number of nine digits
		return appendDigits(dst, scatter(key, x, 1_000_000_000), 9)
	case sysCRM:
		return appendBase32(append(dst, "KH"...), scatter(key, x, 1<<40), 8)
	case sysCard:
		return appendDigits(append(dst, 'T'), scatter(key, x, 10_000_000_000), 10)
	case sysCall:
		return appendBase32(append(dst, "CC-"...), scatter(key, x, 1<<35), 7)
	case sysApp: // the shape of a random UUID
		h := appendHex(appendHex(make([]byte, 0, 32), mix(key^x)), mix(key+x*0x9e3779b97f4a7c15))
		h[12], h[16] = '4', "89ab"[h[16]&3]
		dst = append(append(dst, h[:8]...), '-')
		dst = append(append(dst, h[8:12]...), '-')
		dst = append(append(dst, h[12:16]...), '-')
		dst = append(append(dst, h[16:20]...), '-')
		return append(dst, h[20:]...)
	}
	return appendHex(append(dst, "d-"...), mix(key^x^0x5bd1e995))
}
