package postgres

import (
	"net/url"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// TestTLS: libpq's words, and JDBC's, against a server with a certificate of an
// authority that was made here, and against one without TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	a := dbtest.NewAuthority(t)
	server := dbtest.Secure(t, "postgres", a)
	ca, other := "&sslrootcert="+a.File, "&sslrootcert="+dbtest.NewAuthority(t).File
	cert, key := a.Issue(t, dbtest.SecureUser)
	client := "&sslcert=" + cert + "&sslkey=" + key
	by := url.User(dbtest.SecureUser)
	encrypted := func(t *testing.T, s store.Store) (yes bool) {
		err := s.(*Store).pool.QueryRow(t.Context(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&yes)
		if err != nil {
			t.Error(err)
		}
		return yes
	}
	storetest.RunTLS(t, Open, server.URI, dbtest.Postgres(t).Fresh(t), "localhost", encrypted, []storetest.TLSCase{
		{Name: "disabled", Options: "sslmode=disable"},
		{Name: "preferred", Options: "sslmode=prefer", Encrypted: true},
		{Name: "nothing said", Options: "", Encrypted: true},
		{Name: "not verified", Options: "sslmode=require", Encrypted: true},
		{Name: "required with the authority is verified", Options: "sslmode=require" + other, Refused: true},
		{Name: "verified", Options: "sslmode=verify-full" + ca, Encrypted: true},
		{Name: "verified by JDBC's words", Options: "ssl=true" + ca, Encrypted: true},
		{Name: "JDBC's factory that verifies nothing", Options: "ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", Encrypted: true},
		{Name: "unknown authority", Options: "sslmode=verify-full", Refused: true},
		{Name: "unknown authority by JDBC's words", Options: "ssl=true", Refused: true},
		{Name: "another authority", Options: "sslmode=verify-full" + other, Refused: true},
		{Name: "another authority, verify-ca", Options: "sslmode=verify-ca" + other, Refused: true},
		{Name: "another name", Options: "sslmode=verify-full" + ca, Misnamed: true, Refused: true},
		{Name: "another name, verify-ca", Options: "sslmode=verify-ca" + ca, Misnamed: true, Encrypted: true},
		{Name: "required of a server without", Options: "sslmode=require", Plain: true, Refused: true},
		{Name: "verified of a server without", Options: "sslmode=verify-full" + ca, Plain: true, Refused: true},
		{Name: "preferred of a server without", Options: "sslmode=prefer", Plain: true},
		{Name: "client's certificate", Options: "sslmode=verify-full" + ca + client, User: by, Encrypted: true},
		{Name: "client without its certificate", Options: "sslmode=verify-full" + ca, User: by, Refused: true},
	})
}
