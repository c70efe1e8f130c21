package cause

// Isotonic is the non-decreasing sequence nearest to y in weighted squares, by
// pooling adjacent violators (Ayer et al., 1955). Weights are above zero; nil
// means equal ones.
func Isotonic(y, weights []float64) []float64 {
	type block struct {
		sum, weight float64
		n           int
	}
	blocks := make([]block, 0, len(y))
	for i, v := range y {
		w := 1.0
		if weights != nil {
			w = weights[i]
		}
		b := block{v * w, w, 1}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if last.sum*b.weight < b.sum*last.weight {
				break
			}
			b = block{last.sum + b.sum, last.weight + b.weight, last.n + b.n}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	out := make([]float64, 0, len(y))
	for _, b := range blocks {
		for range b.n {
			out = append(out, b.sum/b.weight)
		}
	}
	return out
}
