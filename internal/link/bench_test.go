package link_test

import (
	"io"
	"slices"
	"testing"
	"time"
)

// BenchmarkRoundTrip reports how much longer round trips through a relay take than was
// asked for, with a pause after each as of a core with little to do.
func BenchmarkRoundTrip(b *testing.B) {
	for _, delay := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond} {
		b.Run(delay.String(), func(b *testing.B) {
			addr, stop := relay(b, echo(b), delay)
			defer stop()
			c := dial(b, addr)
			var took []time.Duration
			buf := make([]byte, 64)
			for b.Loop() {
				begun := time.Now()
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun)-delay)
				time.Sleep(2 * time.Millisecond)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-beyond")
		})
	}
}
