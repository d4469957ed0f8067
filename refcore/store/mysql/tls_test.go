package mysql

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/storetest"
	"github.com/coreproof/coreproof/refcore/store/storetest/dbtest"
)

// TestTLS: the words of all drivers, against a server with a certificate of an
// authority that was made here, and against one that says that it has no TLS.
func TestTLS(t *testing.T) {
	for _, product := range servers {
		t.Run(product.name, func(t *testing.T) {
			t.Parallel()
			a := dbtest.NewAuthority(t)
			secure := dbtest.Secure(t, product.name, a)
			plain := withoutTLS(t, secure.URI)
			ca, other := "&ssl-ca="+a.File, "&ssl-ca="+dbtest.NewAuthority(t).File
			cert, key := a.Issue(t, dbtest.SecureUser)
			client := "&ssl-cert=" + cert + "&ssl-key=" + key
			by := url.User(dbtest.SecureUser)
			encrypted := func(t *testing.T, s store.Store) bool {
				var name, cipher string
				if err := s.(*Store).db.QueryRowContext(t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err != nil {
					t.Error(err)
				}
				return cipher != ""
			}
			storetest.RunTLS(t, Open, secure.URI, plain, "localhost", encrypted, []storetest.TLSCase{
				{Name: "nothing said"},
				{Name: "disabled", Options: "sslMode=DISABLED"},
				{Name: "preferred", Options: "sslMode=PREFERRED", Encrypted: true},
				{Name: "not verified", Options: "tls=skip-verify", Encrypted: true},
				{Name: "required", Options: "ssl-mode=REQUIRED", Encrypted: true},
				{Name: "verified", Options: "sslMode=VERIFY_IDENTITY" + ca, Encrypted: true},
				{Name: "verified by Go's words", Options: "tls=true" + ca, Encrypted: true},
				{Name: "verified by JDBC's words", Options: "useSSL=true&serverSslCert=" + a.File, Encrypted: true},
				{Name: "JDBC's trust", Options: "useSsl=true&trustServerCertificate=true", Encrypted: true},
				{Name: "unknown authority", Options: "tls=true", Refused: true},
				{Name: "unknown authority by JDBC's words", Options: "useSSL=true", Refused: true},
				{Name: "another authority", Options: "sslMode=VERIFY_IDENTITY" + other, Refused: true},
				{Name: "another authority, verify-ca", Options: "sslMode=VERIFY_CA" + other, Refused: true},
				{Name: "another name", Options: "sslMode=VERIFY_IDENTITY" + ca, Misnamed: true, Refused: true},
				{Name: "another name, verify-ca", Options: "sslMode=VERIFY_CA" + ca, Misnamed: true, Encrypted: true},
				{Name: "another name, JDBC's verification", Options: "useSSL=true&verifyServerCertificate=true" + ca, Misnamed: true, Encrypted: true},
				{Name: "required of a server without", Options: "tls=skip-verify", Plain: true, Refused: true},
				{Name: "required by JDBC's words of a server without", Options: "useSSL=true&requireSSL=true&verifyServerCertificate=false", Plain: true, Refused: true},
				{Name: "verified of a server without", Options: "tls=true" + ca, Plain: true, Refused: true},
				{Name: "preferred of a server without", Options: "tls=preferred", Plain: true},
				{Name: "client's certificate", Options: "tls=true" + ca + client, User: by, Encrypted: true},
				{Name: "client without its certificate", Options: "tls=true" + ca, User: by, Refused: true},
			})
		})
	}
}

// withoutTLS is the URI of a server whose greeting has lost, on its way, the word
// that it speaks TLS: as one that does not, or as somebody in between has it.
func withoutTLS(t *testing.T, uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	server := u.Host
	strip := func(client net.Conn) {
		defer func() { _ = client.Close() }()
		s, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer func() { _ = s.Close() }()
		head := make([]byte, 4) // length in 3 bytes, number
		if _, err := io.ReadFull(s, head); err != nil {
			return
		}
		greeting := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
		if _, err := io.ReadFull(s, greeting); err != nil {
			return
		}
		// Protocol, version up to a NUL, thread, 8 bytes, a NUL, capabilities.
		greeting[1+bytes.IndexByte(greeting[1:], 0)+1+4+8+1+1] &^= 0x0800 >> 8
		if _, err := client.Write(append(head, greeting...)); err != nil {
			return
		}
		go func() { _, _ = io.Copy(s, client); _ = s.Close() }()
		_, _ = io.Copy(client, s)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go strip(c)
		}
	}()
	u.Host = l.Addr().String()
	return u.String()
}

// TestSecurity: what the words ask for, and what contradicts itself.
func TestSecurity(t *testing.T) {
	t.Parallel()
	ca := dbtest.NewAuthority(t).File
	for _, tc := range []struct {
		query string
		want  level
	}{
		{"", plain}, {"tls=false", plain}, {"useSSL=false", plain}, {"useSSL=false&sslMode=PREFERRED", preferred},
		{"tls=preferred", preferred}, {"sslMode=trust", encrypted}, {"ssl-mode=verify-ca", verifyCA}, {"sslMode=verify_full", verifyIdentity},
		{"useSSL=true", verifyIdentity}, {"requireSSL=true", verifyIdentity}, {"useSSL=true&verifyServerCertificate=true", verifyCA},
		{"useSSL=true&verifyServerCertificate=false", encrypted}, {"useSsl=true&trustServerCertificate=true", encrypted},
		{"useSsl=true&disableSslHostnameVerification=true", verifyCA}, {"useSSL=true&sslMode=REQUIRED", encrypted}, {"ssl_ca=" + ca, verifyCA},
		{"serverSslCert=file:" + ca, verifyCA}, {"tls=true&sslMode=VERIFY_IDENTITY", verifyIdentity}, {"allowPublicKeyRetrieval=true", plain},
	} {
		q, _ := url.ParseQuery(tc.query)
		c, got, err := security(q, "h")
		if err != nil || got != tc.want || (c == nil) != (got == plain) {
			t.Errorf("%s: %d, %v, %v, want %d", tc.query, got, c, err, tc.want)
		}
	}
	for _, query := range []string{
		"tls=maybe", "tls=custom", "ssl-mode=SOMETIMES", "ssl-mod=REQUIRED", "tls=false&sslMode=VERIFY_CA", "tls=true&useSSL=false", "useSSL=1",
		"requireSSL=true&useSSL=false", "sslMode=DISABLED&useSSL=true", "sslMode=REQUIRED&verifyServerCertificate=true",
		"trustServerCertificate=true&verifyServerCertificate=true", "tls=true&ssl-ca=/nowhere.pem", "tls=true&ssl-cert=/nowhere.pem",
		"trustCertificateKeyStoreUrl=file:/x.jks", "trustStore=/x.jks", "keyStorePassword=x", "enabledTLSProtocols=TLSv1.2", "sslaccept=strict", "pinnedCertificate=x",
	} {
		q, _ := url.ParseQuery(query)
		if _, got, err := security(q, "h"); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d, %v, want an error of one line", query, got, err)
		}
	}
}
