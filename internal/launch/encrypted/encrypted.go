// Package encrypted makes the database servers that tests start in containers speak TLS.
package encrypted

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/testcontainers/testcontainers-go"
)

// Server is how a database server is made to speak TLS, and asked to.
type Server struct {
	// Query of a core's URI, in words that JDBC knows too: the server's name is not
	// verified, as its certificate is nobody's.
	Query string
	// Only: the server takes encrypted connections alone, those of the harness too.
	Only bool
	// script runs before the server's first start; args are added to its command.
	script string
	args   []string
	env    map[string]string
}

// Where the server finds its certificate and key.
const (
	certificateAt = "/coreproof-tls/server.pem"
	keyAt         = "/coreproof-tls/server.key"
	bothAt        = "/coreproof-tls/both.pem"
)

var (
	// Postgres is PostgreSQL.
	Postgres = &Server{Query: "sslmode=require", script: `#!/bin/sh
set -eu
cp /coreproof-tls/* "$PGDATA/"
chmod 600 "$PGDATA/server.key"
echo "ssl = on
ssl_cert_file = 'server.pem'
ssl_key_file = 'server.key'" >> "$PGDATA/postgresql.conf"
`}
	// MySQL is MySQL or MariaDB.
	MySQL = &Server{Query: "sslMode=REQUIRED", args: []string{"--ssl-cert=" + certificateAt, "--ssl-key=" + keyAt}}
	// Mongo is MongoDB, by its arguments, or FerretDB, which speaks MongoDB's protocol, by
	// its environment. Its driver verifies no certificate; MongoDB does not ask for one.
	Mongo = &Server{
		Query: "tls=true&tlsInsecure=true", Only: true,
		args: []string{"--tlsMode", "requireTLS", "--tlsCertificateKeyFile", bothAt},
		env: map[string]string{
			"FERRETDB_LISTEN_ADDR": "-", "FERRETDB_LISTEN_TLS": ":27017",
			"FERRETDB_LISTEN_TLS_CERT_FILE": certificateAt, "FERRETDB_LISTEN_TLS_KEY_FILE": keyAt,
		},
	}
)

// Customizers give a server a new certificate for some names.
func (e *Server) Customizers(names ...string) ([]testcontainers.ContainerCustomizer, error) {
	cert, key, err := selfSigned(time.Now(), names)
	if err != nil {
		return nil, fmt.Errorf("make a certificate for the database: %w", err)
	}
	files := []testcontainers.ContainerFile{
		{Reader: bytes.NewReader(cert), ContainerFilePath: certificateAt, FileMode: 0o644},
		{Reader: bytes.NewReader(key), ContainerFilePath: keyAt, FileMode: 0o644}, // the container's user is not known; it is thrown away with it
	}
	if slices.Contains(e.args, bothAt) {
		files = append(files, testcontainers.ContainerFile{Reader: bytes.NewReader(slices.Concat(cert, key)), ContainerFilePath: bothAt, FileMode: 0o644})
	}
	if e.script != "" {
		files = append(files, testcontainers.ContainerFile{Reader: strings.NewReader(e.script), ContainerFilePath: "/docker-entrypoint-initdb.d/coreproof-tls.sh", FileMode: 0o755})
	}
	out := []testcontainers.ContainerCustomizer{testcontainers.WithFiles(files...)}
	if len(e.args) > 0 {
		out = append(out, testcontainers.WithCmdArgs(e.args...))
	}
	if len(e.env) > 0 {
		out = append(out, testcontainers.WithEnv(e.env))
	}
	return out, nil
}

// selfSigned is a certificate of a throw-away server, good for a day, and its key, in PEM.
func selfSigned(now time.Time, names []string) (cert, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	model := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "coreproof"}, DNSNames: names,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, model, model, private.Public(), private)
	if err != nil {
		return nil, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), nil
}
