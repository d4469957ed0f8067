// Package words writes numbers, spans of time and foreign text as the reports and
// the verdict show them. The same value always gives the same words.
package words

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Number writes x with the given decimals, a true minus sign and commas
// between thousands.
func Number(x float64, decimals int) string {
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

// Decimals is how many decimals show three digits of x.
func Decimals(x float64) int {
	x = math.Abs(x)
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	return max(0, min(9, 2-int(math.Floor(math.Log10(x)))))
}

// Figure writes x with three significant digits, whole numbers in full.
func Figure(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return Number(x, 0)
	}
	return Number(x, Decimals(x))
}

// Count writes n with commas between thousands.
func Count[T int | int64](n T) string { return Number(float64(n), 0) }

// Plural is "1 check", "2 checks".
func Plural[T int | int64](n T, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + one + "s"
}

// Percent writes a share of 1 with two significant digits, rounded up: it is
// used for upper bounds, which must not be understated.
func Percent(share float64) string {
	x := share * 100
	if x <= 0 {
		return "0 %"
	}
	p := math.Pow(10, math.Floor(math.Log10(x))-1)
	x = math.Ceil(x/p-1e-9) * p
	return strconv.FormatFloat(x, 'f', max(0, 1-int(math.Floor(math.Log10(x)+1e-9))), 64) + " %"
}

// Change writes a ratio as a change in per cent: 0.7 is "−30 %".
func Change(ratio float64) string {
	x := (ratio - 1) * 100
	d := 0
	if math.Abs(x) < 10 {
		d = 1
	}
	return Signed(x, d) + " %"
}

// Signed is number with a plus sign where x is above zero.
func Signed(x float64, decimals int) string {
	s := Number(x, decimals)
	if x > 0 && strings.Trim(s, "0.") != "" {
		return "+" + s
	}
	return s
}

// Duration writes d in the unit that fits, with three significant digits.
func Duration(d time.Duration) string {
	switch a := math.Abs(float64(d)); {
	case d == 0:
		return "0 s"
	case a < 1e3:
		return Figure(float64(d)) + " ns"
	case a < 1e6:
		return Figure(float64(d)/1e3) + " µs"
	case a < 1e9:
		return Figure(float64(d)/1e6) + " ms"
	case a < 120e9:
		return Figure(float64(d)/1e9) + " s"
	default:
		return Figure(float64(d)/60e9) + " min"
	}
}

// Size writes n bytes with a binary unit.
func Size(n int64) string {
	switch {
	case n >= 1<<30:
		return Figure(float64(n)/(1<<30)) + " GiB"
	case n >= 1<<20:
		return Figure(float64(n)/(1<<20)) + " MiB"
	case n >= 1<<10:
		return Figure(float64(n)/(1<<10)) + " KiB"
	default:
		return Count(n) + " B"
	}
}

// Moment writes t in UTC, to the second.
func Moment(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
