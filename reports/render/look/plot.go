package look

import (
	"html/template"
	"math"
	"strconv"

	"github.com/coreproof/coreproof/reports/words"
)

// Plot is a drawing with axes.
type Plot struct {
	Drawing
	X, Y Scale
}

// Limits of what is drawn: beyond them a figure is no time, rate or count.
const (
	least = 1e-6
	most  = 1e12
)

// Drawable says whether a value that must be above zero fits a picture.
func Drawable(v float64) bool { return v >= least && v <= most }

// NewPlot has even axes over [0, x] and over y from low to high, which is logarithmic if
// low is above zero; it draws the grid, the ticks and the names of the axes.
func NewPlot(x, low, high float64, xName, yName string) *Plot {
	p := &Plot{
		X: Scale{Low: 0, High: x, From: Left, To: Width - Right},
		Y: Scale{Low: low, High: high, From: Height - Bottom, To: Top, Log: low > 0},
	}
	if p.Y.Log {
		p.Y.Low, p.Y.High = low/1.15, high*1.15
		for _, v := range LogTicks(p.Y.Low, p.Y.High) {
			p.row(v, strconv.FormatFloat(v, 'f', -1, 64))
		}
	} else {
		p.Y.High *= 1.05
		ticks, decimals := EvenTicks(p.Y.Low, p.Y.High)
		for _, v := range ticks {
			p.row(v, words.Number(v, decimals))
		}
	}
	ticks, decimals := EvenTicks(0, x)
	for _, v := range ticks {
		p.Text("tick", "middle", math.Min(p.X.At(v), p.X.To-14), p.Y.From+16, words.Number(v, decimals))
	}
	p.Text("tick", "start", 2, Top-1, yName)
	p.Text("tick", "middle", (p.X.From+p.X.To)/2, p.Y.From+33, xName)
	p.Line("axis", p.X.From, p.Y.From, p.X.To, p.Y.From)
	return p
}

func (p *Plot) row(v float64, label string) {
	y := p.Y.At(v)
	p.Line("grid", p.X.From, y, p.X.To, y)
	if y > Top+14 { // above stands the axis' name
		p.Text("tick", "end", p.X.From-6, y+4, label)
	}
}

// Whisker is an interval at x. An end that lies beyond the picture is an arrow; cut says
// whether one does.
func (p *Plot) Whisker(class string, x, low, high float64) (cut bool) {
	from, to := math.Max(low, p.Y.Low), math.Min(high, p.Y.High)
	if from > to {
		return true // all of it is outside
	}
	at := p.X.At(x)
	p.Line("whisker "+class, at, p.Y.At(from), at, p.Y.At(to))
	const wide, tall = 3.5, 6.0
	if to < high {
		p.Path("whisker arrow "+class, [][2]float64{{at - wide, p.Y.At(to) + tall}, {at, p.Y.At(to)}, {at + wide, p.Y.At(to) + tall}})
	}
	if low < from {
		p.Path("whisker arrow "+class, [][2]float64{{at - wide, p.Y.At(from) - tall}, {at, p.Y.At(from)}, {at + wide, p.Y.At(from) - tall}})
	}
	return to < high || low < from
}

// Mark is a vertical line at x.
func (p *Plot) Mark(class string, x float64) {
	p.Line("mark "+class, p.X.At(x), p.Y.From, p.X.At(x), p.Y.To)
}

// Picture ends the plot.
func (p *Plot) Picture(id, title, description string) template.HTML {
	return p.Done(id, Width, Height, title, description)
}
