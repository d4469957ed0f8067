package conformance

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/coreproof/coreproof/internal/cores"
	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// Options of a run. Target, On and Checks are required.
type Options struct {
	Target cores.Target
	// On is the deployment whose flag is on, Off the one whose flag is off; Off
	// may be nil, and is only needed where the core's own setting decides.
	On, Off cores.Deployment
	// Checks to choose from: checks.All().
	Checks []Check
	// Stages are the versions to try; nil chooses them by rule from those that the
	// target speaks.
	Stages []protocol.Stage
	Select Selection
	// Seed of all randomness but user ids.
	Seed uint64
	// HistoryDir is where histories and their pictures are saved; "" saves none.
	// HistoryPath is that folder relative to the proof, with slashes.
	HistoryDir, HistoryPath string
	// Rerun makes the command that runs one check again in one version; may be nil.
	Rerun func(checkID, version string) string
	// Progress is told when a check ends, one call at a time; may be nil.
	Progress func(Event)
	// Scale multiplies the number of trials; 0 is 1.
	Scale float64
	// Thorough tries every triple of dimension values instead of every pair.
	Thorough bool
	// Parallel checks at once, but for serial ones; 0 is DefaultParallel.
	Parallel int
	// Follow is how long coreproof goes on asking where an answer is overdue: to
	// measure an acceptance window, and to see an expired token refused. 0 is
	// DefaultFollow.
	Follow time.Duration
	// CheckTimeout bounds one check; 0 is DefaultCheckTimeout. Where calls are
	// throttled it grows as they take longer.
	CheckTimeout time.Duration
	// Log; nil discards.
	Log *slog.Logger
}

const (
	// DefaultParallel is how many checks run side by side.
	DefaultParallel = 6
	// DefaultFollow is how long coreproof goes on asking.
	DefaultFollow = 3 * time.Second
	// DefaultCheckTimeout bounds one check.
	DefaultCheckTimeout = 90 * time.Second
	// outageTimeout bounds a check that waits for a core's own time-outs, with others.
	outageTimeout = 12 * time.Minute
	// callsInTime is how many calls a check may make within its time-out when
	// nothing throttles them: the time-out grows where a throttle allows fewer.
	callsInTime = 6000
)

// Event is the end of one check.
type Event struct {
	Check       proof.Check
	Done, Total int
}

// ErrNothingSelected says that a selection matches no check.
var ErrNothingSelected = errors.New("the selection matches no check")

// Selection chooses checks; an empty one chooses all. A check is chosen when
// each non-empty list names it.
type Selection struct {
	IDs, Suites, Profiles []string
}

// Choose gives the selected checks; an id, suite or profile that does not exist
// is an error even when others do, since the caller meant something.
func (s Selection) Choose(all []Check) ([]Check, error) {
	known := func(kind string, names []string, of func(Check) []string) error {
		for _, n := range names {
			if !slices.ContainsFunc(all, func(c Check) bool { return slices.Contains(of(c), n) }) {
				return fmt.Errorf("%w: no check has %s %q", ErrNothingSelected, kind, n)
			}
		}
		return nil
	}
	ids := func(c Check) []string { return []string{c.ID} }
	suites := func(c Check) []string { return []string{c.Suite} }
	profiles := func(c Check) []string { return c.profiles() }
	if err := errors.Join(known("id", s.IDs, ids), known("suite", s.Suites, suites), known("profile", s.Profiles, profiles)); err != nil {
		return nil, err
	}
	matches := func(want, has []string) bool {
		return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(has, w) })
	}
	var chosen []Check
	for _, c := range all {
		if matches(s.IDs, ids(c)) && matches(s.Suites, suites(c)) && matches(s.Profiles, profiles(c)) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) == 0 {
		return nil, ErrNothingSelected
	}
	return chosen, nil
}
