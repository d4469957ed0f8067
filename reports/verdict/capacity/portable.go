package capacity

import "slices"

// Portable is a curve as another program can read it, with the same result as At.
type Portable struct {
	Low  float64 `json:"low"`  // lowest rate that was measured and not saturated
	High float64 `json:"high"` // highest
	// Shape is what a figure is linear in: "1/λ", "ln λ" or "λ"; "" of one that is read
	// between its two neighbours.
	Shape string `json:"shape,omitempty"`
	// Lines are a and b of a + b·shape, one a block; a result below zero is zero.
	Lines [][2]float64 `json:"lines,omitempty"`
	// Points are rate and value, from low to high, one list a block. With Busy it is
	// rate · value that is read between two of them.
	Points [][][2]float64 `json:"points,omitempty"`
	Busy   bool           `json:"busy,omitempty"`
}

// Portable form of the curve.
func (c *Curve) Portable() *Portable {
	p := &Portable{Low: c.Low, High: c.High, Busy: c.beside && c.figure != P99}
	if c.beside {
		for _, list := range c.blocks {
			var points [][2]float64
			for _, s := range list {
				points = append(points, [2]float64{s.hz, s.y})
			}
			p.Points = append(p.Points, points)
		}
		return p
	}
	i := slices.IndexFunc(shapes, func(s shape) bool { return s.name == c.shape.name })
	p.Shape = []string{"1/λ", "ln λ", "λ"}[i]
	for _, list := range c.blocks {
		if a, b, ok := line(list, c.shape); ok {
			p.Lines = append(p.Lines, [2]float64{a, b})
		}
	}
	return p
}
