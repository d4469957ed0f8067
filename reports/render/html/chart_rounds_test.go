package html

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/reports/proof"
)

// ofRounds is a bench of cost rounds with these ratios, on / off; a negative one is
// saturated.
func ofRounds(ratios ...float64) *proof.Bench {
	b := &proof.Bench{Cost: &proof.Cost{CoreCPURatio: &proof.Estimate{Value: 1.2, Unit: "ratio", N: len(ratios), Interval: &proof.Interval{Low: 1.15, High: 1.25, Level: 0.95}}}}
	for i, r := range ratios {
		round := proof.Round{Index: i, Kind: proof.KindCost, Saturated: r < 0}
		round.Windows = []proof.Window{{Variant: "off", Calls: 1000, CPU: 100_000}, {Variant: "on", Calls: 1000, CPU: 100_000 * max(r, -r)}}
		b.Rounds = append(b.Rounds, round)
	}
	return b
}

var dotted = regexp.MustCompile(`<circle class="([^"]*)" cx="[^"]*" cy="([^"]*)"`)

// TestSaturatedRounds are drawn hollow and leave the axis to those that count.
func TestSaturatedRounds(t *testing.T) {
	t.Parallel()
	heights := func(b *proof.Bench) (out []string, hollow int) {
		for _, m := range dotted.FindAllStringSubmatch(string(roundsChart(b, 1, detail[0])), -1) {
			if m[1] == saturatedDot {
				hollow++
				if y, err := strconv.ParseFloat(m[2], 64); err != nil || y < 12 || y > 250 {
					t.Errorf("a dot is outside of the picture: %s", m[2])
				}
				continue
			}
			out = append(out, m[2])
		}
		return out, hollow
	}
	want, none := heights(ofRounds(1.18, 1.2, 1.22))
	got, some := heights(ofRounds(1.18, 1.2, 1.22, -40))
	if fmt.Sprint(got) != fmt.Sprint(want) || len(want) != 3 || none != 0 || some != 1 {
		t.Errorf("with a saturated round %v and %d hollow, without %v and %d", got, some, want, none)
	}
	if got, some := heights(ofRounds(-2, -40)); len(got) != 0 || some != 2 {
		t.Errorf("of saturated rounds alone %v, %d hollow", got, some)
	}
	v := newBenchView(&proof.Target{}, ofRounds(1.18, 1.2, -40), 1, detail[0])
	if !v.HasSaturated || !strings.Contains(string(v.Rounds), "1 of them saturated") {
		t.Error("the picture does not say what is hollow")
	}
	if v := newBenchView(&proof.Target{}, ofRounds(1.18, 1.2), 1, detail[0]); v.HasSaturated {
		t.Error("something is said to be hollow")
	}
}

// TestAMeanIsPromisedWhereItIsDrawn: few rounds have no interval, and no line.
func TestAMeanIsPromisedWhereItIsDrawn(t *testing.T) {
	t.Parallel()
	for _, interval := range []*proof.Interval{nil, {Low: 1.15, High: 1.25, Level: 0.95}, {Low: 1.15, High: 1e9, Level: 0.95}} {
		b := ofRounds(1.18, 1.2)
		b.Cost.CoreCPURatio.Interval = interval
		b.Cost.Floor = &proof.Estimate{Value: 1, Unit: "ratio", N: 2, Interval: interval}
		v := newBenchView(&proof.Target{}, b, 1, detail[0])
		if drawn := strings.Contains(string(v.Rounds), "mean on"); drawn != v.HasMean || drawn != (interval != nil && interval.High < 2) {
			t.Errorf("interval %+v: a mean is drawn %v, promised %v", interval, drawn, v.HasMean)
		}
		if drawn := strings.Contains(string(v.Rounds), "band floor"); drawn != v.HasFloor {
			t.Errorf("interval %+v: a noise floor is drawn %v, promised %v", interval, drawn, v.HasFloor)
		}
	}
}
