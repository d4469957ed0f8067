package launch_test

import (
	"testing"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/dbserver"
)

// TestEncryptedDatabases: a core that was asked to encrypts, its database says so, and
// without the wish it does not.
func TestEncryptedDatabases(t *testing.T) {
	t.Parallel()
	for _, name := range dbserver.Encrypted() {
		t.Run(name, func(t *testing.T) {
			for wish, want := range map[bool]string{true: "yes", false: "no"} {
				x := containerOn(t, launch.ContainerOptions{Database: name, DatabaseTLS: wish})
				at := cores(t, start(t, x, 1, launch.Settings{Flag: true}), "2.20")[0]
				s := create(t, at)
				if got := status(t, at, s.Access.Value); got != "OK" {
					t.Errorf("verify = %s", got)
				}
				untold := wish && name == "mariadb" // without performance_schema it only tells that some are not
				if got, err := database(t, x).TLS(t.Context()); err != nil || got != want && !(untold && got == "unknown") {
					t.Errorf("asked for TLS %v: the database says %q, %v", wish, got, err)
				}
			}
		})
	}
}
