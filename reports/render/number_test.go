package render

import (
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ got, want string }{
		{number(0, 0), "0"}, {number(999, 0), "999"}, {number(1000, 0), "1,000"}, {number(1234567.891, 1), "1,234,567.9"},
		{number(-1234.5, 1), "−1,234.5"}, {number(-0.0001, 2), "0.00"}, {number(1e300, 0), "1e+300"}, {number(-1e300, 0), "−1e+300"},
		{figure(0), "0"}, {figure(2000), "2,000"}, {figure(61.3619), "61.4"}, {figure(0.14023), "0.140"}, {figure(0.5), "0.500"}, {figure(1e-20), "0.000000000"},
		{percent(0.000490983), "0.050 %"}, {percent(0.00746), "0.75 %"}, {percent(0.0729), "7.3 %"}, {percent(0.01), "1.0 %"}, {percent(0), "0 %"}, {percent(1), "100 %"},
		{change(0.7055), "−29 %"}, {change(1.003), "+0.3 %"}, {change(1), "0.0 %"}, {change(1.951), "+95 %"},
		{signed(0.0004, 3), "0.000"}, {signed(0.0006, 3), "+0.001"}, {signed(-2, 0), "−2"},
		{duration(0), "0 s"}, {duration(412 * time.Microsecond), "412 µs"}, {duration(4930 * time.Millisecond), "4.93 s"}, {duration(6 * time.Minute), "6 min"}, {duration(12), "12 ns"},
		{size(500), "500 B"}, {size(2_990_080), "2.85 MiB"}, {size(8 << 30), "8 GiB"},
		{plural(1, "check"), "1 check"}, {plural(0, "check"), "0 checks"}, {plural(int64(2000), "call"), "2,000 calls"},
		{moment(time.Time{}), "unknown"}, {moment(time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))), "2026-01-02 02:04:05 UTC"},
		{list(nil), ""}, {list([]string{"a", "b", "c"}), "a, b and c"}, {percentile(0.99), "99"}, {percentile(0.9999), "99.99"}, {percentile(0.5), "50 (median)"},
		{perCall(proof.Statements{Calls: 3, Count: 4}), "≈ 1.33"}, {perCall(proof.Statements{}), "no calls"}, {perCall(proof.Statements{Calls: 2000, Count: 2000}), "1"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name        string
		e           *proof.Estimate
		want, short string
	}{
		{"missing", nil, "not measured", missing},
		{"three digits", &proof.Estimate{Value: 61.3619, Low: 59.2112, High: 63.5127, N: 18, Unit: "µs"}, "61.4 (59.2 to 63.5)", "61.4 ±2.2"},
		{"an interval that is wide", &proof.Estimate{Value: 0.0019, Low: -0.0611, High: 0.0649, N: 8, Unit: "s"}, "0.002 (−0.061 to 0.065)", "0.002 ±0.063"},
		{"ms have three decimals at most", &proof.Estimate{Value: 0.04873, Low: 0.0471, High: 0.0503, N: 8, Unit: "ms"}, "0.049 (0.047 to 0.050)", "0.049 ±0.002"},
		{"ratios have three decimals", &proof.Estimate{Value: 1.35285, Low: 1.34468, High: 1.36106, N: 18, Unit: "ratio"}, "1.353 (1.345 to 1.361)", "1.353 ±0.008"},
		{"one round has no interval", &proof.Estimate{Value: 5, Low: 5, High: 5, N: 1, Unit: "µs"}, "5.00 (one round)", "5.00"},
		{"rates are whole", &proof.Estimate{Value: 10734.7, Low: 9900.5, High: 11568.8, N: 6, Unit: "1/s"}, "10,735 (9,900 to 11,569)", "10,735 ±834"},
	} {
		m := measure(tc.e)
		if m.String() != tc.want || m.Short() != tc.short {
			t.Errorf("%s: got %q, %q; want %q, %q", tc.name, m.String(), m.Short(), tc.want, tc.short)
		}
	}
}

func TestStand(t *testing.T) {
	t.Parallel()
	e := func(low, value, high float64) *proof.Estimate {
		return &proof.Estimate{Value: value, Low: low, High: high, N: 8, Unit: "ratio"}
	}
	for _, tc := range []struct {
		name         string
		claim, floor *proof.Estimate
		want         standing
	}{
		{"clear of it", e(1.34, 1.35, 1.36), e(0.99, 1, 1.01), clearOf},
		{"below it", e(0.90, 0.91, 0.92), e(0.99, 1, 1.01), clearOf},
		{"inside it", e(1.001, 1.005, 1.009), e(0.99, 1, 1.01), noise},
		{"overlapping it", e(1.005, 1.02, 1.035), e(0.99, 1, 1.01), overlap},
		{"no difference within its interval", e(0.99, 1.05, 1.1), e(0.999, 1, 1.001), noise},
		{"no difference within its interval, no floor", e(0.99, 1.05, 1.1), nil, noise},
		{"no floor", e(1.34, 1.35, 1.36), nil, noFloor},
		{"a floor of one round", e(1.34, 1.35, 1.36), &proof.Estimate{Value: 1, Low: 1, High: 1, N: 1}, noFloor},
		{"no claim", nil, e(0.99, 1, 1.01), noFloor},
	} {
		if got := stand(tc.claim, tc.floor, 1); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ got, want string }{
		{clean("a\tb\nc"), "a\tb\nc"}, {clean("a\x1b[31m\x00\r"), `a\x1b[31m\x00\x0d`}, {clean("a\u202eb\u2028"), `a\u202eb\u2028`}, {clean("\xff"), "\uFFFD"},
		{oneLine(" a\n\t b "), "a b"}, {clip("äöü", 3), "äöü"}, {clip("äöüß", 3), "äöü… (1 more characters)"}, {cut("äöüß", 3), "äö…"}, {cut("abc", 3), "abc"},
		{strings.Join(wrap("aa bb cccccc d", 5), "|"), "aa bb|cccccc|d"}, {pad("ä", 3), "ä  "},
		{markdownText("a|b `c` *d* <e> [f](g) @h #1 http://i\n\n# j"), "a\\|b \\`c\\` \\*d\\* &lt;e&gt; \\[f\\](g) @\u200bh \\#1 http:\u200b//i \\# j"},
		{annotation("50 %\r\n::error::x"), "50 %25\\x0d%0A::error::x"}, {property("a:b,c%\n"), "a%3Ab%2Cc%25"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}
