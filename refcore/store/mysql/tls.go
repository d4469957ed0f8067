package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/coreproof/coreproof/refcore/store/internal/place"
)

// level is how much is asked of the way to the server; each asks for more than
// those before it.
type level int

const (
	plain          level = iota
	preferred            // encrypted if the server can
	encrypted            // by whom does not matter
	verifyCA             // by a server whose certificate an authority vouches for
	verifyIdentity       // and whose name is the host's
)

// levels have the names of MySQL's clients, MariaDB's and go-sql-driver's.
var levels = map[string]level{
	"DISABLED": plain, "DISABLE": plain, "PREFERRED": preferred, "REQUIRED": encrypted, "TRUST": encrypted,
	"VERIFY_CA": verifyCA, "VERIFY_IDENTITY": verifyIdentity, "VERIFY_FULL": verifyIdentity,
}

var goLevels = map[string]level{"false": plain, "preferred": preferred, "skip-verify": encrypted, "true": verifyIdentity}

// word is an option's name without what writers of it differ in.
func word(key string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
}

// security reads the options about TLS: tls of go-sql-driver; ssl-mode, ssl-ca,
// ssl-cert and ssl-key of MySQL's clients; sslMode, useSSL and what belongs to
// them of the JDBC drivers. useSSL=true means what it means to MariaDB's, the
// stricter: the server's certificate is verified unless another option says no.
// What is not understood, or contradicts itself, is an error. The
// configuration is nil for plain.
func security(q url.Values, host string) (*tls.Config, level, error) {
	if err := place.Once(q); err != nil {
		return nil, 0, err
	}
	var mode level
	var modeKey, ca, cert, key string
	flags := map[string]bool{}
	for k, values := range q {
		value := values[len(values)-1]
		switch w := word(k); w {
		case "tls", "sslmode":
			names, want := goLevels, "true, false, preferred or skip-verify"
			name := value
			if w == "sslmode" {
				names, want = levels, "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY"
				name = strings.ToUpper(strings.ReplaceAll(value, "-", "_"))
			}
			l, ok := names[name]
			if !ok {
				return nil, 0, fmt.Errorf("option %s=%s: want %s", k, value, want)
			}
			if modeKey != "" && l != mode {
				return nil, 0, fmt.Errorf("options %s and %s contradict each other", min(k, modeKey), max(k, modeKey))
			}
			mode, modeKey = l, k
		case "usessl", "requiressl", "verifyservercertificate", "trustservercertificate", "disablesslhostnameverification":
			if value != "true" && value != "false" {
				return nil, 0, fmt.Errorf("option %s=%s: want true or false", k, value)
			}
			flags[w] = value == "true"
		case "sslca", "serversslcert":
			ca = strings.TrimPrefix(value, "file:")
		case "sslcert":
			cert = value
		case "sslkey":
			key = value
		default:
			if strings.Contains(w, "keystore") || strings.Contains(w, "truststore") {
				return nil, 0, fmt.Errorf("option %s: Java's key stores cannot be read; name PEM files with ssl-ca, ssl-cert and ssl-key", k)
			}
			if place.AboutTLS(k) {
				return nil, 0, fmt.Errorf("option %s is not known; use tls or ssl-mode, with ssl-ca, ssl-cert and ssl-key", k)
			}
		}
	}
	mode, err := agreed(mode, modeKey, flags, ca)
	if err != nil || mode == plain {
		return nil, mode, err
	}
	c, err := tlsConfig(mode, host, ca, cert, key)
	return c, mode, err
}

// agreed is the level that all options together ask for.
func agreed(mode level, modeKey string, flags map[string]bool, ca string) (level, error) {
	trust, knowsTrust := flags["trustservercertificate"]
	verify, knowsVerify := flags["verifyservercertificate"]
	if knowsTrust && knowsVerify && trust == verify {
		return 0, errors.New("options trustServerCertificate and verifyServerCertificate contradict each other")
	}
	use, knowsUse := flags["usessl"]
	asks := use || flags["requiressl"] || verify
	if knowsUse && !use && asks {
		return 0, errors.New("useSSL=false contradicts the other options about TLS")
	}
	least := plain
	switch {
	case verify:
		least = verifyCA
	case asks:
		least = encrypted
	}
	if modeKey != "" {
		if mode < least || knowsUse && !use && mode > preferred {
			return 0, fmt.Errorf("option %s contradicts the other options about TLS", modeKey)
		}
		return mode, nil
	}
	switch {
	case !asks && ca != "" && !knowsUse:
		return verifyCA, nil // as MySQL's clients
	case !asks:
		return plain, nil
	case trust || knowsVerify && !verify:
		return encrypted, nil
	case verify || flags["disablesslhostnameverification"]:
		return verifyCA, nil
	}
	return verifyIdentity, nil
}

func tlsConfig(mode level, host, ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, InsecureSkipVerify: mode < verifyIdentity}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, fmt.Errorf("read the authority's certificate: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", ca)
		}
	}
	if (cert == "") != (key == "") {
		return nil, errors.New("ssl-cert and ssl-key go together")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("read the client's certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if mode == verifyCA {
		c.VerifyConnection = func(s tls.ConnectionState) error { return vouchedFor(s.PeerCertificates, c.RootCAs) }
	}
	return c, nil
}

// vouchedFor checks a chain as crypto/tls does, but for the name.
func vouchedFor(chain []*x509.Certificate, roots *x509.CertPool) error {
	opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(opts)
	return err
}
