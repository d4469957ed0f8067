package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// number writes x with the given decimals, a true minus sign and commas
// between thousands.
func number(x float64, decimals int) string {
	if math.Abs(x) >= 1e15 {
		return strings.Replace(strconv.FormatFloat(x, 'g', 3, 64), "-", "−", 1)
	}
	s := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	whole, rest := s, ""
	if i := strings.IndexByte(s, '.'); i >= 0 {
		whole, rest = s[:i], s[i:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if x < 0 && strings.Trim(s, "0.") != "" {
		return "−" + whole + rest
	}
	return whole + rest
}

// decimals is how many decimals show three digits of x.
func decimals(x float64) int {
	x = math.Abs(x)
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	return max(0, min(9, 2-int(math.Floor(math.Log10(x)))))
}

// figure writes x with three significant digits, whole numbers in full.
func figure(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return number(x, 0)
	}
	return number(x, decimals(x))
}

func count[T int | int64](n T) string { return number(float64(n), 0) }

// plural is "1 check", "2 checks".
func plural[T int | int64](n T, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// percent writes a share of 1 with two significant digits, rounded up: it is
// used for upper bounds, which must not be understated.
func percent(share float64) string {
	x := share * 100
	if x <= 0 {
		return "0 %"
	}
	p := math.Pow(10, math.Floor(math.Log10(x))-1)
	x = math.Ceil(x/p-1e-9) * p
	return strconv.FormatFloat(x, 'f', max(0, 1-int(math.Floor(math.Log10(x)+1e-9))), 64) + " %"
}

// change writes a ratio as a change in per cent: 0.7 is "−30 %".
func change(ratio float64) string {
	x := (ratio - 1) * 100
	d := 0
	if math.Abs(x) < 10 {
		d = 1
	}
	return signed(x, d) + " %"
}

// signed is number with a plus sign where x is above zero.
func signed(x float64, decimals int) string {
	s := number(x, decimals)
	if x > 0 && strings.Trim(s, "0.") != "" {
		return "+" + s
	}
	return s
}

// duration writes d in the unit that fits, with three significant digits.
func duration(d time.Duration) string {
	switch a := math.Abs(float64(d)); {
	case d == 0:
		return "0 s"
	case a < 1e3:
		return figure(float64(d)) + " ns"
	case a < 1e6:
		return figure(float64(d)/1e3) + " µs"
	case a < 1e9:
		return figure(float64(d)/1e6) + " ms"
	case a < 120e9:
		return figure(float64(d)/1e9) + " s"
	default:
		return figure(float64(d)/60e9) + " min"
	}
}

// size writes n bytes with a binary unit.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return figure(float64(n)/(1<<30)) + " GiB"
	case n >= 1<<20:
		return figure(float64(n)/(1<<20)) + " MiB"
	case n >= 1<<10:
		return figure(float64(n)/(1<<10)) + " KiB"
	default:
		return count(n) + " B"
	}
}

// moment writes t in UTC, to the second.
func moment(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// measured is an estimate in words; the zero value is a figure that is missing.
type measured struct {
	Value    string // without unit
	Low      string
	High     string
	Half     string // of the interval, for narrow tables; "" without one
	Unit     string
	Present  bool
	Interval bool // false where there were too few rounds for one

	raw float64 // the value itself, for pictures
}

// measure puts e into words. Ratios have three decimals, since floors are told
// apart there; everything else has three significant digits, less where the
// interval is so wide that two of its digits end earlier.
func measure(e *proof.Estimate) measured {
	if e == nil {
		return measured{}
	}
	half := math.Max(e.High-e.Value, e.Value-e.Low)
	d := decimals(math.Max(math.Abs(e.Value), half))
	m := measured{Unit: e.Unit, Present: true, Interval: e.N >= 2, raw: e.Value}
	if m.Interval && half > 0 {
		d = min(d, max(0, decimals(half)-1))
	}
	if e.Unit == "ratio" {
		d, m.Unit = 3, ""
	}
	switch e.Unit {
	case "1/s":
		d = 0
	case "ms":
		d = min(d, 3) // latency is not known to less than a µs
	}
	m.Value, m.Low, m.High = number(e.Value, d), number(e.Low, d), number(e.High, d)
	if m.Interval {
		m.Half = number(half, d)
	}
	return m
}

// String is the value with its interval, without unit.
func (m measured) String() string {
	switch {
	case !m.Present:
		return "not measured"
	case !m.Interval:
		return m.Value + " (one round)"
	default:
		return fmt.Sprintf("%s (%s to %s)", m.Value, m.Low, m.High)
	}
}

// Short is the value with half its interval, without unit.
func (m measured) Short() string {
	switch {
	case !m.Present:
		return missing
	case !m.Interval:
		return m.Value
	default:
		return m.Value + " ±" + m.Half
	}
}
