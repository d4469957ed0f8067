package launch

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

// dbKind is one database product that the container target can bring up. A
// new one is a row of dbKinds and its meter.
type dbKind struct {
	name     string
	imageEnv string // replaces image
	image    string
	port     string
	coreEnv  string // environment variable of the core that takes the URI
	scheme   string
	user     string            // "" for a server without accounts
	tls      *encrypted.Server // nil where it is not known how the server speaks TLS
	run      func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error)
	// asked are settings that the reference core asks for and the server does not tell.
	asked map[string]string
	// administer creates or drops a database; uri connects the administrator.
	administer func(ctx context.Context, uri, database string, create bool) error
	books      func(ctx context.Context, uri, database string, p meter.Process) (meter.Database, error)
}

// adminDatabase is there from the start.
const adminDatabase = "coreproof"

var dbKinds = []dbKind{
	{
		name: "postgres", imageEnv: "COREPROOF_POSTGRES_IMAGE", image: "postgres:17", port: "5432/tcp",
		coreEnv: "POSTGRESQL_CONNECTION_URI", scheme: "postgresql", user: "coreproof", tls: encrypted.Postgres,
		run: func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return postgres.Run(ctx, image, append(o,
				postgres.WithUsername("coreproof"), postgres.WithPassword(password), postgres.WithDatabase(adminDatabase), postgres.BasicWaitStrategies(),
				// Statistics for the books; no vacuum of its own accord, whose bursts would be taken for the cores' work.
				testcontainers.WithCmdArgs("-c", "shared_preload_libraries=pg_stat_statements", "-c", "max_connections=300", "-c", "autovacuum=off"))...)
		},
		administer: meter.AdministerPostgres, books: meter.Postgres,
	},
	{
		name: "mysql", imageEnv: "COREPROOF_MYSQL_IMAGE", image: "mysql:9", port: "3306/tcp",
		coreEnv: "MYSQL_CONNECTION_URI", scheme: "mysql", user: "root", tls: encrypted.MySQL,
		run: func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return mysql.Run(ctx, image, append(o,
				mysql.WithUsername("root"), mysql.WithPassword(password), mysql.WithDatabase(adminDatabase),
				testcontainers.WithCmdArgs("--max-connections=300"))...)
		},
		administer: meter.AdministerMySQL, books: meter.MySQL,
	},
	{
		name: "mariadb", imageEnv: "COREPROOF_MARIADB_IMAGE", image: "mariadb:11", port: "3306/tcp",
		coreEnv: "MYSQL_CONNECTION_URI", scheme: "mysql", user: "root", tls: encrypted.MySQL,
		run: func(ctx context.Context, image, password string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return mariadb.Run(ctx, image, append(o,
				mariadb.WithUsername("root"), mariadb.WithPassword(password), mariadb.WithDatabase(adminDatabase),
				testcontainers.WithCmdArgs("--max-connections=300"))...)
		},
		administer: meter.AdministerMySQL, books: meter.MySQL,
	},
	{
		name: "mongo", imageEnv: "COREPROOF_MONGO_IMAGE", image: "mongo:8", port: "27017/tcp",
		coreEnv: "MONGODB_CONNECTION_URI", scheme: "mongodb", tls: encrypted.Mongo,
		asked: map[string]string{"write concern": "majority, journaled (asked for by the reference core)"},
		run: func(ctx context.Context, image, _ string, o ...testcontainers.ContainerCustomizer) (testcontainers.Container, error) {
			return mongodb.Run(ctx, image, o...)
		},
		administer: meter.AdministerMongo, books: meter.Mongo,
	},
}

// ContainerDatabases lists the databases that NewContainer takes.
func ContainerDatabases() []string {
	names := make([]string, len(dbKinds))
	for i := range dbKinds {
		names[i] = dbKinds[i].name
	}
	return names
}

// EncryptedDatabases lists those that can be made to speak TLS.
func EncryptedDatabases() (names []string) {
	for i := range dbKinds {
		if dbKinds[i].tls != nil {
			names = append(names, dbKinds[i].name)
		}
	}
	return names
}

// uri connects to a database at host:port; secure asks for TLS.
func (k *dbKind) uri(at, password, database string, secure bool) string {
	u := url.URL{Scheme: k.scheme, Host: at, Path: "/" + database}
	if secure && k.tls != nil {
		u.RawQuery = k.tls.Query
	}
	if k.user != "" {
		u.User = url.UserPassword(k.user, password)
	}
	return u.String()
}
