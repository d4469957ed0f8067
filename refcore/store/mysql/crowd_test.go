package mysql

import (
	"net/url"
	"testing"

	"github.com/coreproof/coreproof/refcore/store/storetest"
)

func TestT6TooManyConnections(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			admin := openOn(t, server.start(t))
			u, err := url.Parse(admin.cfg.URI)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{
				"CREATE USER crowd IDENTIFIED BY 'x' WITH MAX_USER_CONNECTIONS 5", "GRANT ALL ON *.* TO crowd",
			} {
				if _, err := admin.db.ExecContext(t.Context(), text); err != nil {
					t.Fatal(err)
				}
			}
			u.User = url.UserPassword("crowd", "x")
			storetest.RunCrowded(t, backend(server.start(t)), u.String())
		})
	}
}
