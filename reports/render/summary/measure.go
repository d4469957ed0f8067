package summary

import (
	"fmt"
	"math"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// Missing stands in a table where there is no figure.
const Missing = "–"

// Measured is an estimate in words; the zero value is a figure that is missing.
type Measured struct {
	Value    string // without unit
	Signed   string // with a plus sign where it is above zero
	Low      string
	High     string
	Half     string // of the interval, for narrow tables; "" without one
	Unit     string
	Rounds   int
	Present  bool
	Interval bool // false where there were too few rounds for one

	// Raw is the value itself, for pictures.
	Raw float64
}

// Measure puts e into words. Ratios have three decimals, since floors are told
// apart there; everything else has three significant digits, less where the
// interval is so wide that two of its digits end earlier, and two where there is
// no interval.
func Measure(e *proof.Estimate) Measured {
	if e == nil {
		return Measured{}
	}
	m := Measured{Unit: e.Unit, Present: true, Interval: e.Interval != nil, Rounds: e.N, Raw: e.Value}
	half := 0.0
	if m.Interval {
		half = math.Max(e.Interval.High-e.Value, e.Value-e.Interval.Low)
	}
	d := words.Decimals(math.Max(math.Abs(e.Value), half))
	if m.Interval && half > 0 {
		d = min(d, max(0, words.Decimals(half)-1))
	}
	switch e.Unit {
	case "ratio":
		d, m.Unit = 3, ""
	case "ms":
		d = min(d, 3) // latency is not known to less than a µs
	}
	step := 1.0
	if e.Unit == "1/s" {
		d, step = 0, rateStep(e.Value, half)
	}
	write := func(x float64) string { return words.Number(math.Round(x/step)*step, d) }
	if step == 1 {
		write = func(x float64) string { return words.Number(x, d) }
	}
	m.Value = write(e.Value)
	m.Signed = m.Value
	if e.Value > 0 && strings.Trim(m.Value, "0.,") != "" {
		m.Signed = "+" + m.Value
	}
	if m.Interval {
		m.Low, m.High, m.Half = write(e.Interval.Low), write(e.Interval.High), write(half)
	}
	return m
}

// rateStep is what a rate is rounded to: the second digit of half its interval,
// but three digits of the rate at most, and two where it has no interval. More
// would claim what a few rounds cannot know.
func rateStep(value, half float64) float64 {
	digit := func(x float64, n int) float64 {
		if x < 1 || math.IsInf(x, 0) || math.IsNaN(x) || x > 1e15 {
			return 1
		}
		return math.Max(1, math.Pow(10, math.Floor(math.Log10(x))+1-float64(n)))
	}
	if half > 0 {
		return math.Max(digit(half, 2), digit(math.Abs(value), 3))
	}
	return digit(math.Abs(value), 2)
}

// String is the value with its interval, without unit.
func (m Measured) String() string {
	switch {
	case !m.Present:
		return "not measured"
	case !m.Interval:
		return m.Value + " (" + m.few() + ")"
	default:
		return fmt.Sprintf("%s (%s to %s)", m.Value, m.Low, m.High)
	}
}

// few says why there is no interval.
func (m Measured) few() string { return words.Plural(m.Rounds, "round") + ", no interval" }

// SignedString is String with a plus sign where the value is above zero.
func (m Measured) SignedString() string { return strings.Replace(m.String(), m.Value, m.Signed, 1) }

// Bounds are the interval alone, or why there is none.
func (m Measured) Bounds() string {
	if !m.Interval {
		return m.few()
	}
	return m.Low + " to " + m.High
}

// Short is the value with half its interval, without unit.
func (m Measured) Short() string {
	switch {
	case !m.Present:
		return Missing
	case !m.Interval:
		return m.Value
	default:
		return m.Value + " ±" + m.Half
	}
}
