package stats

import "math"

// Cell says whether a count may be published.
type Cell uint8

const (
	Shown         Cell = iota
	Primary            // too small itself
	Complementary      // hidden so that a primary cell cannot be worked out
)

// Suppression is a table of counts with row totals, column totals and the grand
// total, each marked.
type Suppression struct {
	Cells [][]Cell
	Rows  []Cell
	Cols  []Cell
	Total Cell
}

// Suppress decides which counts of a table to hide so that no count from 1 to
// least−1 can be read or worked out from the rest and the totals. For each such
// cell it looks for the cheapest cycle of cells through rows and columns along
// which counts could be shifted without changing anything published, far enough
// that the cell might hold least or more (Cox 1980; Castro 2012): whoever
// subtracts can then not tell it is small. Zero counts are not themselves
// disclosive and are shown unless needed to protect others. All rows must be of
// equal length.
func Suppress(counts [][]int64, least int64) Suppression {
	g := newGrid(counts)
	for i := range g.value {
		for j, v := range g.value[i] {
			if v > 0 && v < least {
				g.mark[i][j] = Primary
			}
		}
	}
	for i := range g.value {
		for j, v := range g.value[i] {
			if g.mark[i][j] == Primary {
				g.protect(i, j, least-v)
			}
		}
	}
	return g.result()
}

// SuppressList decides which counts of a list published with its total to hide:
// small ones, and the next smallest until the hidden ones cannot be told apart
// and add up to at least that many.
func SuppressList(counts []int64, least int64) []Cell {
	out := make([]Cell, len(counts))
	hidden, sum := 0, int64(0)
	for i, c := range counts {
		if c > 0 && c < least {
			out[i] = Primary
			hidden++
			sum += c
		}
	}
	for hidden > 0 && (hidden < 2 || sum < least) {
		next := -1
		for i, c := range counts {
			if out[i] == Shown && (next < 0 || cheaper(c, counts[next])) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		out[next] = Complementary
		hidden++
		sum += counts[next]
	}
	return out
}

// cheaper prefers the smallest count above zero; hiding a zero protects little.
func cheaper(a, b int64) bool {
	if (a == 0) != (b == 0) {
		return b == 0
	}
	return a < b
}

// grid is the table with its margins as one more row and column. Counting
// margins as negative, every row and every column sums to zero.
type grid struct {
	rows, cols int // including the margin
	value      [][]int64
	mark       [][]Cell
}

func newGrid(counts [][]int64) *grid {
	g := &grid{rows: len(counts) + 1, cols: 1}
	if len(counts) > 0 {
		g.cols = len(counts[0]) + 1
	}
	for i := range g.rows {
		g.value = append(g.value, make([]int64, g.cols))
		g.mark = append(g.mark, make([]Cell, g.cols))
		if i < len(counts) {
			copy(g.value[i], counts[i])
		}
	}
	last, total := g.rows-1, g.cols-1
	for i, line := range counts {
		for j, c := range line {
			g.value[i][total] += c
			g.value[last][j] += c
			g.value[last][total] += c
		}
	}
	return g
}

// can reports whether the signed entry may move up (or down) by delta without
// its count falling below zero.
func (g *grid) can(i, j int, up bool, delta int64) bool {
	margin := (i == g.rows-1) != (j == g.cols-1)
	rises := up != margin
	return rises || g.value[i][j] >= delta
}

func (g *grid) cost(i, j int) float64 {
	if g.mark[i][j] != Shown {
		return 0
	}
	return float64(g.value[i][j]) + 1
}

// protect hides the cheapest cycle through cell (r, c) along which its count
// can rise by delta. When there is none, the whole row and column are hidden.
func (g *grid) protect(r, c int, delta int64) {
	margin := (r == g.rows-1) != (c == g.cols-1)
	up := !margin // the signed move of (r, c)
	path := g.cheapestPath(r, c, up, delta)
	if path == nil {
		for i := range g.rows {
			g.hide(i, c)
		}
		for j := range g.cols {
			g.hide(r, j)
		}
		return
	}
	for _, at := range path {
		g.hide(at[0], at[1])
	}
}

func (g *grid) hide(i, j int) {
	if g.mark[i][j] == Shown {
		g.mark[i][j] = Complementary
	}
}

// cheapestPath is Dijkstra's algorithm from column c to row r over the cells,
// leaving out (r, c). Moves alternate: from a column against the sign of the
// start, from a row with it. Nodes 0..rows−1 are rows, the rest columns.
func (g *grid) cheapestPath(r, c int, up bool, delta int64) [][2]int {
	n := g.rows + g.cols
	dist, from, done := make([]float64, n), make([]int, n), make([]bool, n)
	for i := range dist {
		dist[i] = math.Inf(1)
	}
	start := g.rows + c
	dist[start] = 0
	for {
		at := -1
		for v := range n {
			if !done[v] && !math.IsInf(dist[v], 1) && (at < 0 || dist[v] < dist[at]) {
				at = v
			}
		}
		if at < 0 {
			return nil
		}
		if at == r {
			return g.walkBack(from, start, r)
		}
		done[at] = true
		relax := func(i, j, next int, move bool) {
			if (i == r && j == c) || !g.can(i, j, move, delta) {
				return
			}
			if d := dist[at] + g.cost(i, j); d < dist[next] {
				dist[next], from[next] = d, at
			}
		}
		if at >= g.rows {
			for i := range g.rows {
				relax(i, at-g.rows, i, !up)
			}
		} else {
			for j := range g.cols {
				relax(at, j, g.rows+j, up)
			}
		}
	}
}

func (g *grid) walkBack(from []int, start, at int) [][2]int {
	var cells [][2]int
	for at != start {
		prev := from[at]
		if at < g.rows {
			cells = append(cells, [2]int{at, prev - g.rows})
		} else {
			cells = append(cells, [2]int{prev, at - g.rows})
		}
		at = prev
	}
	return cells
}

func (g *grid) result() Suppression {
	last, total := g.rows-1, g.cols-1
	s := Suppression{Cells: make([][]Cell, last), Rows: make([]Cell, last), Cols: g.mark[last][:total], Total: g.mark[last][total]}
	for i := range last {
		s.Cells[i], s.Rows[i] = g.mark[i][:total], g.mark[i][total]
	}
	return s
}
