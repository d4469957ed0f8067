// Package dbserver lists the database servers that can be started in a container.
package dbserver

import (
	"context"
	"net/url"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/mariadb"
	"github.com/testcontainers/testcontainers-go/modules/mongodb"
	"github.com/testcontainers/testcontainers-go/modules/mysql"
	"github.com/testcontainers/testcontainers-go/modules/postgres"

	"github.com/coreproof/coreproof/internal/launch/encrypted"
	"github.com/coreproof/coreproof/internal/meter"
)

// Kind is one database product. A new one is a row of kinds and its meter.
type Kind struct {
	Name     string
	ImageEnv string // replaces Image
	Image    string
	Port     string            // as containers name it, e.g. "5432/tcp"
	CoreEnv  string            // environment variable of the core that takes the URI
	User     string            // "" for a server without accounts
	TLS      *encrypted.Server // nil where it is not known how the server speaks TLS
	// Run starts a server and waits until it is ready.
	Run func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error)
	// Asked are settings that the reference core asks for and the server does not tell.
	Asked map[string]string
	// Administer creates or drops a database; uri connects the administrator.
	Administer func(ctx context.Context, uri, database string, create bool) error
	// Books counts what a server does; p is its process, for its CPU time.
	Books func(ctx context.Context, uri, database string, p meter.Process) (meter.Database, error)

	scheme string // of URI
}

// Admin is a database that is there from the start.
const Admin = "coreproof"

var kinds = []Kind{
	{
		Name: "postgres", ImageEnv: "COREPROOF_POSTGRES_IMAGE", Image: "postgres:17", Port: "5432/tcp",
		CoreEnv: "POSTGRESQL_CONNECTION_URI", scheme: "postgresql", User: "coreproof", TLS: encrypted.Postgres,
		Run: func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return postgres.Run(ctx, image, append(o,
				postgres.WithUsername("coreproof"), postgres.WithPassword(password), postgres.WithDatabase(Admin), postgres.BasicWaitStrategies(),
				// Statistics for the books; no vacuum of its own accord, whose bursts would be taken for the cores' work.
				testcontainers.WithCmdArgs("-c", "shared_preload_libraries=pg_stat_statements", "-c", "max_connections=300", "-c", "autovacuum=off"))...)
		},
		Administer: meter.AdministerPostgres, Books: meter.Postgres,
	},
	{
		Name: "mysql", ImageEnv: "COREPROOF_MYSQL_IMAGE", Image: "mysql:9", Port: "3306/tcp",
		CoreEnv: "MYSQL_CONNECTION_URI", scheme: "mysql", User: "root", TLS: encrypted.MySQL,
		Run: func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return mysql.Run(ctx, image, append(o,
				mysql.WithUsername("root"), mysql.WithPassword(password), mysql.WithDatabase(Admin),
				testcontainers.WithCmdArgs("--max-connections=300"))...)
		},
		Administer: meter.AdministerMySQL, Books: meter.MySQL,
	},
	{
		Name: "mariadb", ImageEnv: "COREPROOF_MARIADB_IMAGE", Image: "mariadb:11", Port: "3306/tcp",
		CoreEnv: "MYSQL_CONNECTION_URI", scheme: "mysql", User: "root", TLS: encrypted.MySQL,
		Run: func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return mariadb.Run(ctx, image, append(o,
				mariadb.WithUsername("root"), mariadb.WithPassword(password), mariadb.WithDatabase(Admin),
				testcontainers.WithCmdArgs("--max-connections=300"))...)
		},
		Administer: meter.AdministerMySQL, Books: meter.MySQL,
	},
	{
		Name: "mongo", ImageEnv: "COREPROOF_MONGO_IMAGE", Image: "mongo:8", Port: "27017/tcp",
		CoreEnv: "MONGODB_CONNECTION_URI", scheme: "mongodb", TLS: encrypted.Mongo,
		Asked: map[string]string{"write concern": "majority, journaled (asked for by the reference core)"},
		Run: func(ctx context.Context, image, _ string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return mongodb.Run(ctx, image, o...)
		},
		Administer: meter.AdministerMongo, Books: meter.Mongo,
	},
}

// Names lists them.
func Names() []string {
	names := make([]string, len(kinds))
	for i := range kinds {
		names[i] = kinds[i].Name
	}
	return names
}

// Encrypted lists those that can be made to speak TLS.
func Encrypted() (names []string) {
	for i := range kinds {
		if kinds[i].TLS != nil {
			names = append(names, kinds[i].Name)
		}
	}
	return names
}

// Find gives the kind of that name, nil when there is none.
func Find(name string) *Kind {
	for i := range kinds {
		if kinds[i].Name == name {
			return &kinds[i]
		}
	}
	return nil
}

// URI connects to a database at host:port; secure asks for TLS.
func (k *Kind) URI(at, password, database string, secure bool) string {
	u := url.URL{Scheme: k.scheme, Host: at, Path: "/" + database}
	if secure && k.TLS != nil {
		u.RawQuery = k.TLS.Query
	}
	if k.User != "" {
		u.User = url.UserPassword(k.User, password)
	}
	return u.String()
}
