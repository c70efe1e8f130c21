package bank

import "math"

// rng is a splitmix64 generator (Steele, Lea and Flood, OOPSLA 2014): eight
// bytes of state, so that a million customers can each carry their own stream,
// and bit-for-bit the same on every machine and Go version.
type rng uint64

// mix is the finaliser of splitmix64: a bijection that scatters its argument.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return x
}

// stream opens the generator of one purpose of one thing, independent of all others.
func stream(seed, purpose, id uint64) rng {
	return rng(mix(mix(seed+0x9e3779b97f4a7c15*purpose) ^ mix(id+0x632be59bd9b4e019)))
}

// hash01 is a fixed number in [0, 1) of (seed, purpose, id).
func hash01(seed, purpose, id uint64) float64 {
	r := stream(seed, purpose, id)
	return r.float()
}

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	return mix(uint64(*r))
}

// float draws from [0, 1).
func (r *rng) float() float64 { return float64(r.next()>>11) * (1.0 / (1 << 53)) }

// below draws an integer from [0, n).
func (r *rng) below(n int) int {
	return int((r.next() >> 32) * uint64(n) >> 32)
}

// chance is true with probability p.
func (r *rng) chance(p float64) bool { return r.float() < p }

// exp draws from the exponential distribution with mean 1.
func (r *rng) exp() float64 { return -math.Log(1 - r.float()) }

// normal draws from the standard normal distribution (polar method without the spare).
func (r *rng) normal() float64 {
	for {
		u, v := 2*r.float()-1, 2*r.float()-1
		if s := u*u + v*v; s > 0 && s < 1 {
			return u * math.Sqrt(-2*math.Log(s)/s)
		}
	}
}

// lognormal draws a value with the given median and log standard deviation.
func (r *rng) lognormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*r.normal())
}

// poisson draws a count with mean m, m being small.
func (r *rng) poisson(m float64) int {
	if m <= 0 {
		return 0
	}
	limit, p, n := math.Exp(-m), r.float(), 0
	for p > limit && n < 1000 {
		p *= r.float()
		n++
	}
	return n
}

// choice is a list of weights that can be drawn from.
type choice struct{ cum []float64 }

func newChoice(weights []float64) choice {
	c := choice{cum: make([]float64, len(weights))}
	sum := 0.0
	for i, w := range weights {
		sum += w
		c.cum[i] = sum
	}
	return c
}

// at maps u in [0, 1) to an index.
func (c choice) at(u float64) int {
	u *= c.cum[len(c.cum)-1]
	lo, hi := 0, len(c.cum)-1
	for lo < hi {
		mid := (lo + hi) / 2
		if c.cum[mid] > u {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

func (c choice) draw(r *rng) int { return c.at(r.float()) }

// logistic is the inverse of the log-odds.
func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// scaleOdds multiplies the odds of probability p by k.
func scaleOdds(p, k float64) float64 {
	o := p / (1 - p) * k
	return o / (1 + o)
}
