package launch_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/launch"
)

// TestFarDatabases: what asks the database takes the delay at least, and the proof says
// that it was made so; a core in a container and one that is a process alike.
func TestFarDatabases(t *testing.T) {
	t.Parallel()
	const delay = 60 * time.Millisecond
	for name, open := range map[string]func(t *testing.T) launch.Target{
		"container": func(t *testing.T) launch.Target {
			return containerOn(t, launch.ContainerOptions{Database: "postgres", DatabaseDelay: delay})
		},
		"process": func(t *testing.T) launch.Target { x, _ := describedFar(t, "refcore", "postgres", delay); return x },
	} {
		t.Run(name, func(t *testing.T) {
			x := open(t)
			at := cores(t, start(t, x, 1, launch.Settings{Flag: true}), "2.20")[0]
			s := create(t, at)
			began := time.Now()
			if got := status(t, at, s.Access.Value); got != "OK" {
				t.Errorf("verify = %s", got)
			}
			if took := time.Since(began); took < delay {
				t.Errorf("a verify that asks a database %s away took %s", delay, took)
			}
			d, err := x.Describe(t.Context())
			if err != nil || !strings.Contains(d.DatabaseAt, "made 60ms longer") {
				t.Errorf("described as %q, %v", d.DatabaseAt, err)
			}
		})
	}
}
