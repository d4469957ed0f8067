package look

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/reports/words"
)

// Size of a plot in user units. It scales with the page; text of 12 units stays
// legible on a telephone.
const (
	Width, Height            = 440.0, 290.0
	Left, Right, Top, Bottom = 52.0, 12.0, 12.0, 40.0
)

// Drawing is an SVG picture under construction. Colours come from the page's
// style sheet by class, so that a picture follows light and dark.
type Drawing struct{ b strings.Builder }

// Line from one point to another.
func (d *Drawing) Line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(&d.b, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, at(x1), at(y1), at(x2), at(y2))
}

// Rect from its upper left corner; a negative size is none.
func (d *Drawing) Rect(class string, x, y, w, h float64) {
	fmt.Fprintf(&d.b, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class, at(x), at(y), at(math.Max(0, w)), at(math.Max(0, h)))
}

// Dot around a point.
func (d *Drawing) Dot(class string, x, y float64) {
	fmt.Fprintf(&d.b, `<circle class="%s" cx="%s" cy="%s" r="3.2"/>`, class, at(x), at(y))
}

// Text takes any words; anchor is start, middle or end.
func (d *Drawing) Text(class, anchor string, x, y float64, s string) {
	fmt.Fprintf(&d.b, `<text class="%s" text-anchor="%s" x="%s" y="%s">%s</text>`, class, anchor, at(x), at(y), html.EscapeString(words.Clean(s)))
}

// Path joins points; nothing without any.
func (d *Drawing) Path(class string, points [][2]float64) {
	if len(points) == 0 {
		return
	}
	fmt.Fprintf(&d.b, `<path class="%s" d="`, class)
	for i, p := range points {
		command := " L"
		if i == 0 {
			command = "M"
		}
		d.b.WriteString(command + at(p[0]) + " " + at(p[1]))
	}
	d.b.WriteString(`"/>`)
}

// Done gives the picture with a title and a description for those who do not
// see it.
func (d *Drawing) Done(id string, width, height float64, title, description string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %s %s" role="img" aria-labelledby="%s-t %s-d"><title id="%s-t">%s</title><desc id="%s-d">%s</desc>%s</svg>`,
		at(width), at(height), id, id, id, html.EscapeString(words.Clean(title)), id, html.EscapeString(words.Clean(description)), d.b.String()))
}

// at writes a coordinate with a tenth of a unit.
func at(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "0"
	}
	s := strconv.FormatFloat(x, 'f', 1, 64)
	if s == "-0.0" {
		s = "0.0"
	}
	return strings.TrimSuffix(s, ".0")
}

// Scale maps values to coordinates, by logarithms if Log is set.
type Scale struct {
	Low, High float64 // values
	From, To  float64 // coordinates
	Log       bool
}

// At is the coordinate of a value; one far outside stays near the picture.
func (s Scale) At(v float64) float64 {
	low, high := s.Low, s.High
	if s.Log {
		v, low, high = math.Log(math.Max(v, s.Low/1e3)), math.Log(s.Low), math.Log(s.High)
	}
	if high == low {
		return (s.From + s.To) / 2
	}
	x := s.From + (v-low)/(high-low)*(s.To-s.From)
	// A value far outside must not stretch the picture.
	return math.Max(math.Min(s.From, s.To)-1e3, math.Min(math.Max(s.From, s.To)+1e3, x))
}

// LogTicks are 1, 2 and 5 times the powers of ten from low to high; only the
// powers where there would be too many.
func LogTicks(low, high float64) []float64 {
	var all, tens []float64
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, m := range []float64{1, 2, 5} {
			v, err := strconv.ParseFloat(fmt.Sprintf("%ge%d", m, int(e)), 64)
			if err != nil || v < low*0.9999 || v > high*1.0001 {
				continue
			}
			all = append(all, v)
			if m == 1 {
				tens = append(tens, v)
			}
		}
	}
	if len(all) > 9 && len(tens) >= 2 {
		return tens
	}
	return all
}

// EvenTicks are about five round values from low to high, and the decimals
// that tell them apart.
func EvenTicks(low, high float64) (ticks []float64, decimals int) {
	span := high - low
	if span <= 0 || math.IsInf(span, 0) || math.IsNaN(span) {
		return nil, 0
	}
	step := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, m := range []float64{5, 2} {
		if span/(step*m) >= 3 {
			step *= m
			break
		}
	}
	for k := math.Ceil(low/step - 1e-9); k*step <= high+step*1e-9 && len(ticks) < 20; k++ {
		ticks = append(ticks, k*step)
	}
	return ticks, max(0, min(9, -int(math.Floor(math.Log10(step)+1e-9))))
}
