// Package generator sends load and keeps the books of it. The open model is
// vegeta's; a lean client of our own takes over where the generator itself
// would weigh, at saturation.
//
// A generator runs in this process (Local) or, so that it can be pinned or be
// put on a container network, in another one (Handler there, Remote here).
package generator

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Kind of load.
type Kind string

const (
	// Open sends at a fixed rate whatever the answers do.
	Open Kind = "open"
	// Closed keeps every connection busy.
	Closed Kind = "closed"
)

// Side is one of the parties that share a stretch of load.
type Side struct {
	Name   string      `json:"name"`
	Method string      `json:"method"`
	URLs   []string    `json:"urls"` // instances, taken in turn
	Header http.Header `json:"header"`
	// Set names the bodies that were loaded; each request draws one uniformly.
	Set string `json:"set"`
}

// Job is one stretch of load.
type Job struct {
	Kind Kind `json:"kind"`
	// Protocol of the answers, e.g. "5.4" of CDI; it decides what counts as good.
	Protocol string `json:"protocol"`
	// Sides share the load: call by call, in random order within each turn of
	// all sides.
	Sides       []Side        `json:"sides"`
	RateHz      float64       `json:"rateHz"` // open: all sides together
	Duration    time.Duration `json:"durationNs"`
	Connections int           `json:"connections"` // per side
	Seed        uint64        `json:"seed"`
}

// Result is what a stretch of load came to.
type Result struct {
	Sides []SideResult  `json:"sides"`
	Took  time.Duration `json:"tookNs"` // to the last answer
	// Achieved is the share of the wanted calls that were sent (open).
	Achieved float64       `json:"achieved"`
	LagP99   time.Duration `json:"lagP99Ns"` // how late sends were (open)
	// CPU that the generator spent; negative when it cannot be read.
	CPU time.Duration `json:"cpuNs"`
}

// SideResult is one side's part.
type SideResult struct {
	Name  string `json:"name"`
	Calls int64  `json:"calls"`
	Wrong int64  `json:"wrong"` // not answered, or answered otherwise than OK
	// Example of a wrong answer, one line.
	Example string `json:"example,omitempty"`
	// Latency from the intended send (open) or the send (closed) to the last
	// byte, in ns: an HdrHistogram in its V2 encoding.
	Latency  []byte `json:"latency"`
	BytesIn  int64  `json:"bytesIn"` // bodies and headers, as far as they are seen
	BytesOut int64  `json:"bytesOut"`
}

// Histogram decodes the latencies.
func (r *SideResult) Histogram() (*hdrhistogram.Histogram, error) {
	h, err := hdrhistogram.Decode(r.Latency)
	if err != nil {
		return nil, fmt.Errorf("decode the latencies of side %s: %w", r.Name, err)
	}
	return h, nil
}

const (
	shortest = int64(time.Microsecond)
	longest  = int64(2 * time.Minute)
)

// NewHistogram makes an empty histogram for latencies in ns.
func NewHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(shortest, longest, 3) }

func record(h *hdrhistogram.Histogram, d time.Duration) {
	n := min(max(int64(d), shortest), longest)
	_ = h.RecordValue(n) // within the bounds, so never an error
}

// Generator sends load.
type Generator interface {
	// Load keeps request bodies under a name.
	Load(ctx context.Context, set string, bodies [][]byte) error
	// Run sends one stretch of load. When ctx ends the load stops and its error
	// is returned.
	Run(ctx context.Context, j Job) (Result, error)
	// Close releases what the generator holds.
	Close() error
}

// check refuses jobs that cannot be run.
func (j *Job) check() error {
	switch {
	case len(j.Sides) == 0:
		return fmt.Errorf("load: no side to send to")
	case j.Duration <= 0:
		return fmt.Errorf("load: no duration")
	case j.Kind != Open && j.Kind != Closed:
		return fmt.Errorf("load: unknown kind %q", j.Kind)
	case j.Kind == Open && j.RateHz <= 0:
		return fmt.Errorf("load: no rate")
	case j.Connections <= 0:
		return fmt.Errorf("load: no connections")
	}
	return nil
}

// mix scatters a number (SplitMix64, Steele et al. 2014): draws without a lock.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
