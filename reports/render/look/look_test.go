package look

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Text and lines stand out from the background as WCAG 2 AA wants: 4.5 for
// text, 3 for what is drawn.
func TestContrast(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(CSS, -1)
	if len(blocks) != 3 {
		t.Fatalf("the style sheet has %d sets of colours, want light, dark and print", len(blocks))
	}
	for i, b := range blocks {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z]+): (#[0-9a-f]{3,6})`).FindAllStringSubmatch(b[1], -1) {
			colour[m[1]] = m[2]
		}
		for name, least := range map[string]float64{"fg": 7, "muted": 4.5, "good": 4.5, "bad": 4.5, "unsure": 4.5, "off": 3, "on": 3, "db": 3, "core": 3, "floor": 2.5} {
			for _, ground := range []string{"bg", "soft"} {
				if got := contrast(t, colour[name], colour[ground]); got < least {
					t.Errorf("set %d: %s on %s has contrast %.2f, want at least %.1f", i, name, ground, got, least)
				}
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.03928 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		low, high float64
		want      string
	}{
		{0.13, 8, "[0.2 0.5 1 2 5]"}, {1e-3, 1e3, "[0.001 0.01 0.1 1 10 100 1000]"}, {0.21, 0.24, "[]"},
	} {
		if got := fmt.Sprint(LogTicks(tc.low, tc.high)); got != tc.want {
			t.Errorf("LogTicks(%g, %g) = %s, want %s", tc.low, tc.high, got, tc.want)
		}
	}
	ticks, decimals := EvenTicks(0.97, 1.41)
	if got := fmt.Sprintf("%.3g %d", ticks, decimals); got != "[1 1.1 1.2 1.3 1.4] 1" {
		t.Errorf("EvenTicks(0.97, 1.41) = %s", got)
	}
	if ticks, _ := EvenTicks(1, 1); len(ticks) > 0 {
		t.Errorf("EvenTicks(1, 1) = %v, want none", ticks)
	}
}
