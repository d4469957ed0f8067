package words

import (
	"strings"
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ got, want string }{
		{Number(0, 0), "0"}, {Number(999, 0), "999"}, {Number(1000, 0), "1,000"}, {Number(1234567.891, 1), "1,234,567.9"},
		{Number(-1234.5, 1), "−1,234.5"}, {Number(-0.0001, 2), "0.00"}, {Number(1e300, 0), "1e+300"}, {Number(-1e300, 0), "−1e+300"},
		{Figure(0), "0"}, {Figure(2000), "2,000"}, {Figure(61.3619), "61.4"}, {Figure(0.14023), "0.140"}, {Figure(0.5), "0.500"}, {Figure(1e-20), "0.000000000"},
		{Percent(0.000490983), "0.050 %"}, {Percent(0.00746), "0.75 %"}, {Percent(0.0729), "7.3 %"}, {Percent(0.01), "1.0 %"}, {Percent(0), "0 %"}, {Percent(1), "100 %"},
		{Change(0.7055), "−29 %"}, {Change(1.003), "+0.3 %"}, {Change(1), "0.0 %"}, {Change(1.951), "+95 %"},
		{Signed(0.0004, 3), "0.000"}, {Signed(0.0006, 3), "+0.001"}, {Signed(-2, 0), "−2"},
		{Duration(0), "0 s"}, {Duration(412 * time.Microsecond), "412 µs"}, {Duration(4930 * time.Millisecond), "4.93 s"}, {Duration(6 * time.Minute), "6 min"}, {Duration(12), "12 ns"},
		{Size(500), "500 B"}, {Size(2_990_080), "2.85 MiB"}, {Size(8 << 30), "8 GiB"},
		{Plural(1, "check"), "1 check"}, {Plural(0, "check"), "0 checks"}, {Plural(int64(2000), "call"), "2,000 calls"},
		{Moment(time.Time{}), "unknown"}, {Moment(time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))), "2026-01-02 02:04:05 UTC"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ got, want string }{
		{Clean("a\tb\nc"), "a\tb\nc"}, {Clean("a\x1b[31m\x00\r"), `a\x1b[31m\x00\x0d`}, {Clean("a\u202eb\u2028"), `a\u202eb\u2028`}, {Clean("\xff"), "\uFFFD"},
		{OneLine(" a\n\t b "), "a b"}, {Clip("äöü", 3), "äöü"}, {Clip("äöüß", 3), "äöü… (1 more characters)"}, {Cut("äöüß", 3), "äö…"}, {Cut("abc", 3), "abc"},
		{strings.Join(Wrap("aa bb cccccc d", 5), "|"), "aa bb|cccccc|d"}, {Pad("ä", 3), "ä  "},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}
