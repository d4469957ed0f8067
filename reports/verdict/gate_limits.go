package verdict

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/reports/proof"
)

// Names of what a gate can limit.
const (
	GateCPUOff     = "cpu-off"
	GateCPUOn      = "cpu-on"
	GateMemory     = "memory"
	GateOnOff      = "on-off"
	GateP50        = "p50-ms"
	GateP99        = "p99-ms"
	GateThroughput = "calls-per-s"
)

// GateLimit is something that a gate can limit.
type GateLimit struct {
	Name, Unit, Title string
	// Default holds unless the caller says otherwise; NaN where there is none.
	Default float64
	// Absolute limits are on head alone and mean something on one machine.
	Absolute bool
	// Measured: needs rounds, so it cannot be held against saved proofs; Saved: only
	// against these.
	Measured, Saved bool
}

// GateLimits are the things that a gate can limit.
func GateLimits() []GateLimit {
	none := math.NaN()
	return []GateLimit{
		{Name: GateCPUOff, Unit: "ratio", Title: "core CPU per verify with the flag off, more than base by", Default: 0.02, Measured: true},
		{Name: GateCPUOn, Unit: "ratio", Title: "core CPU per verify with the flag on, more than base by", Default: 0.02, Measured: true},
		{Name: GateMemory, Unit: "bytes", Title: "resident memory per session seen, more than base by", Default: 8192, Measured: true},
		{Name: GateOnOff, Unit: "ratio", Title: "CPU on / off, more than base's by (saved proofs)", Default: 0.10, Saved: true},
		{Name: GateP50, Unit: "ms", Title: "head's median latency with the flag on (absolute)", Default: none, Absolute: true},
		{Name: GateP99, Unit: "ms", Title: "head's 99th percentile with the flag on (absolute)", Default: none, Absolute: true},
		{Name: GateThroughput, Unit: "1/s", Title: "head's calls per second with the flag on, at least (absolute)", Default: none, Absolute: true},
	}
}

// leastOnOff: on/off ratios of two runs differ by so much between settings alone.
const leastOnOff = 0.10

// ParseGateLimits reads NAME=LIMIT, e.g. "cpu-on=3%", "cpu=0.02" (off and on) or
// "memory=off", over the defaults.
func ParseGateLimits(list []string, saved bool) ([]proof.Limit, error) {
	set := map[string]float64{}
	for _, k := range GateLimits() {
		if !math.IsNaN(k.Default) && k.applies(saved) {
			set[k.Name] = k.Default
		}
	}
	for _, s := range list {
		name, text, ok := strings.Cut(s, "=")
		names := []string{strings.TrimSpace(name)}
		if names[0] == "cpu" {
			names = []string{GateCPUOff, GateCPUOn}
		}
		for _, n := range names {
			k, known := gateLimit(n)
			if !ok || !known {
				return nil, fmt.Errorf("budget %q: %s", s, wantGateLimit())
			}
			if !k.applies(saved) {
				return nil, fmt.Errorf("budget %q: %s", s, map[bool]string{true: "saved proofs hold no duet of the two builds; give binaries, images, revisions or URLs", false: "this is for saved proofs; builds are held against each other by cpu-off and cpu-on"}[saved])
			}
			if text = strings.TrimSpace(text); text == "off" {
				delete(set, n)
				continue
			}
			x, err := k.parse(text)
			if err != nil {
				return nil, fmt.Errorf("budget %q: %w", s, err)
			}
			set[n] = x
		}
	}
	var out []proof.Limit
	for _, k := range GateLimits() {
		if x, ok := set[k.Name]; ok {
			out = append(out, proof.Limit{Name: k.Name, Value: x})
		}
	}
	return out, nil
}

func (k GateLimit) applies(saved bool) bool { return !(saved && k.Measured || !saved && k.Saved) }

func (k GateLimit) parse(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil || math.IsNaN(x) || math.IsInf(x, 0) || x < 0:
		return 0, fmt.Errorf("want a number that is not negative, e.g. 2%%, or off")
	case percent && k.Unit != "ratio":
		return 0, fmt.Errorf("want %s, no per cent", k.Unit)
	case percent:
		x /= 100
	}
	switch {
	case k.Unit == "ratio" && x >= 1:
		return 0, fmt.Errorf("%g is %g %% more than base; write 2%% or 0.02", x, 100*x)
	case k.Name == GateOnOff && x < leastOnOff:
		return 0, fmt.Errorf("runs at different times differ by more: %g %% at least", 100*leastOnOff)
	}
	return x, nil
}

func wantGateLimit() string {
	names := []string{"cpu"}
	for _, k := range GateLimits() {
		names = append(names, k.Name)
	}
	return "want NAME=LIMIT with a name of " + strings.Join(names, ", ")
}

func gateLimit(name string) (GateLimit, bool) {
	all := GateLimits()
	i := slices.IndexFunc(all, func(k GateLimit) bool { return k.Name == name })
	if i < 0 {
		return GateLimit{}, false
	}
	return all[i], true
}

// limitOf gives the caller's limit; false where none is set.
func limitOf(g *proof.Gate, name string) (float64, bool) {
	for _, l := range g.Limits {
		if l.Name == name {
			return l.Value, true
		}
	}
	return 0, false
}
