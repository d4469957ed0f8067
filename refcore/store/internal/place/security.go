package place

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// tlsWords stand in the names of options about the way to a server.
var tlsWords = []string{"ssl", "tls", "encrypt", "gssenc", "keystore", "truststore", "certificate"}

// AboutTLS says whether an option of a connection's URI must be understood, as
// passing it over could leave the way to the server open.
func AboutTLS(key string) bool {
	key = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
	return slices.ContainsFunc(tlsWords, func(w string) bool { return strings.Contains(key, w) })
}

// Once refuses options about TLS that are given twice with different values: which
// one counts would be a guess.
func Once(options url.Values) error {
	for key, values := range options {
		if !AboutTLS(key) {
			continue
		}
		for _, v := range values {
			if v != values[0] {
				return fmt.Errorf("option %s is given as %s and as %s: keep one", key, values[0], v)
			}
		}
	}
	return nil
}
