package postgres

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/store/storetest"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

func TestT6TooManyConnections(t *testing.T) {
	t.Parallel()
	admin, cfg := openOn(t)
	u, err := url.Parse(cfg.URI)
	if err != nil {
		t.Fatal(err)
	}
	role := "crowd_" + strings.TrimPrefix(u.Path, "/")
	for _, text := range []string{
		"CREATE ROLE %[1]s LOGIN PASSWORD 'x' CONNECTION LIMIT 5", "GRANT ALL ON ALL TABLES IN SCHEMA public TO %[1]s",
	} {
		if _, err := admin.pool.Exec(t.Context(), fmt.Sprintf(text, role)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		_, _ = admin.pool.Exec(t.Context(), "DROP OWNED BY "+role)
	})
	u.User = url.UserPassword(role, "x")
	storetest.RunCrowded(t, backend(dbtest.Postgres(t)), u.String())
}
