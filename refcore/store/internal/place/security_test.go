package place

import (
	"net/url"
	"testing"
)

func TestAboutTLS(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"sslmode": true, "tls": true, "gssencmode": true, "encrypt": true, "trust-store": true, "trustServerCertificate": true,
		"application_name": false, "pgbouncer": false, "connect_timeout": false,
	} {
		if got := AboutTLS(key); got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	for query, refused := range map[string]bool{
		"sslmode=verify-full&sslmode=disable": true, "tls=true&tls=true": false, "schema=a&schema=b": false, "": false,
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if err := Once(q); (err != nil) != refused {
			t.Errorf("%q: %v, refused %v wanted", query, err, refused)
		}
	}
}
