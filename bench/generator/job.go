// Package generator sends load and counts what comes of it. The open model is
// vegeta's; a leaner library's client takes over where the generator itself
// would weigh, at saturation.
//
// A generator runs in this process (Local) or, so that it can be pinned or be
// put on a container network, in another one (Handler there, Remote here).
package generator

import (
	"context"
	"encoding/json"
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
	// Paced is the open model by the lean client, for rates near saturation and above:
	// calls are due with random gaps (Poisson), and latency counts from when they were.
	// At most Connections calls are under way; what is due meanwhile waits.
	Paced Kind = "paced"
)

// Side is one of the parties that share a window of load.
type Side struct {
	Name   string      `json:"name"`
	Method string      `json:"method"`
	URLs   []string    `json:"urls"` // instances, taken in turn
	Header http.Header `json:"header"`
	// Set names the bodies that were loaded; each request draws one uniformly.
	Set string `json:"set"`
}

// Job is one window of load.
type Job struct {
	Kind Kind `json:"kind"`
	// Protocol and Version of the answers, e.g. "CDI" and "5.4"; they decide what
	// counts as good.
	Protocol string `json:"protocol"`
	Version  string `json:"version"`
	// Sides share the load: call by call, in random order within each turn of
	// all sides.
	Sides       []Side        `json:"sides"`
	RateHz      float64       `json:"rateHz"` // open and paced: all sides together
	Duration    time.Duration `json:"durationNs"`
	Connections int           `json:"connections"` // per side; paced: of all sides together
	Seed        uint64        `json:"seed"`
	// Part of Of senders of one schedule (paced): this one sends each Of-th call, from
	// call Part on. Of 0 or 1 sends all.
	Part int `json:"part,omitempty"`
	Of   int `json:"of,omitempty"`
	// At is when the window begins; zero is at once. Only paced load waits for it.
	At time.Time `json:"at,omitzero"`
}

// Result is what a window of load came to.
type Result struct {
	Sides []SideResult  `json:"sides"`
	Began time.Time     `json:"began"`  // by this sender's clock
	Took  time.Duration `json:"tookNs"` // to the last answer
	// Achieved is the share of the wanted calls that were sent (open), before the
	// window's end (paced).
	Achieved float64       `json:"achieved"`
	LagP99   time.Duration `json:"lagP99Ns"` // how late sends were (open)
	// CPU that the generator spent; negative when it cannot be read.
	CPU time.Duration `json:"cpuNs"`
	// Backlog is how many calls were sent but not answered when the last one was
	// due (open).
	Backlog int64 `json:"backlog"`
	// Due is how many calls the schedule held for this sender, InTime how many of them
	// were sent before the window's end, Late how late all were sent (paced).
	Due    int64    `json:"due,omitempty"`
	InTime int64    `json:"inTime,omitempty"` // sent before the window's end
	Late   *Latency `json:"late,omitempty"`
}

// SideResult is one side's part.
type SideResult struct {
	Name  string `json:"name"`
	Calls int64  `json:"calls"`
	Wrong int64  `json:"wrong"` // not answered, or answered otherwise than OK
	// Shed are those of the wrong ones that were answered 429 or 503: the core turned
	// them away.
	Shed int64 `json:"shed,omitempty"`
	// Example of a wrong answer, one line.
	Example string `json:"example,omitempty"`
	// Latency from the intended send (open) or the send (closed) to the last
	// byte, in ns.
	Latency  *Latency `json:"latency"`
	BytesIn  int64    `json:"bytesIn"` // bodies and headers, as far as they are seen
	BytesOut int64    `json:"bytesOut"`
}

// Latency is a histogram of latencies in ns that travels in its V2 encoding.
type Latency struct{ *hdrhistogram.Histogram }

// MarshalJSON encodes the histogram.
func (l *Latency) MarshalJSON() ([]byte, error) {
	b, err := l.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil, fmt.Errorf("encode latencies: %w", err)
	}
	return json.Marshal(b)
}

// UnmarshalJSON decodes it.
func (l *Latency) UnmarshalJSON(data []byte) error {
	var b []byte
	if err := json.Unmarshal(data, &b); err != nil {
		return fmt.Errorf("decode latencies: %w", err)
	}
	h, err := hdrhistogram.Decode(b)
	if err != nil {
		return fmt.Errorf("decode latencies: %w", err)
	}
	l.Histogram = h
	return nil
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
	// Run sends one window of load. When ctx ends the load stops and its error
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
	case len(j.Sides) > maxSides:
		return fmt.Errorf("load: %d sides, at most %d", len(j.Sides), maxSides)
	case j.Duration <= 0:
		return fmt.Errorf("load: no duration")
	case j.Kind != Open && j.Kind != Closed && j.Kind != Paced:
		return fmt.Errorf("load: unknown kind %q", j.Kind)
	case j.Kind != Closed && j.RateHz <= 0:
		return fmt.Errorf("load: no rate")
	case j.Of < 0 || j.Part < 0 || j.Part > max(0, j.Of-1):
		return fmt.Errorf("load: part %d of %d: parts count from 0", j.Part, j.Of)
	case j.Of > 1 && j.Kind != Paced:
		return fmt.Errorf("load: only paced load is sent in parts")
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
