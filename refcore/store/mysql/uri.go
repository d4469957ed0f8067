package mysql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/coreproof/coreproof/refcore/store"
)

// driverConfig reads mysql://user:password@host:port/name?options. Of the
// options only those about TLS count: tls=true|false|preferred|skip-verify as in
// Go's driver, sslMode or ssl-mode as in MySQL's clients, useSSL. Others, which
// a URI made for another driver may have, are ignored: the store sets what it
// needs. An unknown option that smells of TLS is an error.
func driverConfig(cfg store.Config) (*mysql.Config, error) {
	u, err := url.Parse(cfg.URI)
	if err != nil {
		return nil, errors.New("the URI cannot be parsed; is its password escaped?")
	}
	name := strings.TrimPrefix(u.Path, "/")
	switch {
	case u.Scheme != "mysql" && u.Scheme != "mariadb":
		return nil, fmt.Errorf("the URI begins with %q, want mysql://", u.Scheme+"://")
	case u.Hostname() == "":
		return nil, errors.New("the URI names no host")
	case name == "":
		return nil, errors.New("the URI names no database")
	case u.Fragment != "":
		return nil, errors.New("the URI has a #; is its password escaped?")
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}

	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr, c.DBName = "tcp", net.JoinHostPort(u.Hostname(), port), name
	c.Timeout = cfg.StatementTimeout
	c.DialFunc = dial
	c.Logger = &mysql.NopLogger{} // errors are returned
	// An update that changes nothing must not look like one that found nothing.
	c.ClientFoundRows = true
	// For lists of handles, whose length differs: preparing them would cost two
	// more round trips. All other statements are prepared.
	c.InterpolateParams = true
	c.RejectReadOnly = true // look again for the primary after a failover
	if err := c.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin")); err != nil {
		return nil, err
	}
	c.Params = map[string]string{
		"autocommit": "1",
		"sql_mode":   "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
		// What the client gives up, the server shall give up too.
		"innodb_lock_wait_timeout": strconv.Itoa(int(max(1, (cfg.StatementTimeout+time.Second-1)/time.Second))),
	}
	var mode level
	c.TLS, mode, err = security(u.Query(), u.Hostname())
	c.AllowFallbackToPlaintext = mode == preferred
	return c, err
}

// dial keeps a dead peer from holding a connection for ever.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{KeepAlive: 15 * time.Second}).DialContext(ctx, network, address)
}
