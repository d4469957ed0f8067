package mongo

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
	"github.com/coreproof/coreproof/refcore/store/internal/place"
)

// Kind of store: MongoDB.
func Kind() store.Kind {
	const uri = "mongodb_connection_uri"
	return store.Kind{
		Name: "mongodb", Connection: uri, Picks: []string{uri}, Open: Open,
		Settings: []setting.Setting{
			{Key: "mongodb_config_version", Type: setting.Integer, Default: "0", Example: "1", Doc: "marks the file's version", Ignored: true},
			{Key: uri, Env: "MONGODB_CONNECTION_URI", Example: "mongodb://user:pw@db/sessions", Doc: "mongodb://user:password@host:port/name?options"},
			{Key: "mongodb_database_name", Env: "MONGODB_DATABASE_NAME", Example: "sessions", Doc: "name of the database"},
			{Key: "mongodb_collection_names_prefix", Env: "MONGODB_COLLECTION_NAMES_PREFIX", Example: "a", Doc: "put before each collection's name, with _"},
			{Key: "mongodb_key_value_collection_name", Env: "MONGODB_KEY_VALUE_COLLECTION_NAME", Example: "constants", Doc: "name of the collection key_value"},
			{Key: "mongodb_session_info_collection_name", Env: "MONGODB_SESSION_INFO_COLLECTION_NAME", Example: "logins", Doc: "name of the collection session_info"},
		},
		Configure: configure,
	}
}

func configure(v *setting.Values) (store.Config, []string, error) {
	uri := v.Text("mongodb_connection_uri")
	if !strings.HasPrefix(uri, "mongodb://") && !strings.HasPrefix(uri, "mongodb+srv://") {
		return store.Config{}, nil, setting.Error("'mongodb_connection_uri' must begin with mongodb:// or mongodb+srv://")
	}
	asked, err := optionsOf(uri)
	if err == nil {
		err = checkTLS(asked)
	}
	if err != nil {
		return store.Config{}, nil, setting.Errorf("mongodb_connection_uri: %v", err)
	}
	cfg := store.Config{
		URI: uri, Database: v.Trimmed("mongodb_database_name"), Prefix: v.Trimmed("mongodb_collection_names_prefix"),
		SessionTable: v.Text("mongodb_session_info_collection_name"), KeyValueTable: v.Text("mongodb_key_value_collection_name"),
	}
	if _, err := databaseName(cfg); err != nil {
		cfg.Database = "supertokens"
	}
	return cfg, warnings(asked), nil
}

// overruled are options that a revoke depends on, in small letters, with the only
// value that does it no harm; "" for none.
var overruled = map[string]string{
	"readpreference": "primary", "readpreferencetags": "", "maxstalenessseconds": "", "w": "majority", "wtimeoutms": "",
	"journal": "true", "j": "true",
}

// unbounded are options for which 0 is no bound; it is overruled by the default.
var unbounded = []string{"maxpoolsize", "timeoutms", "serverselectiontimeoutms", "connecttimeoutms"}

// warnings name what does not count, and what counts and is weaker than promised.
func warnings(asked url.Values) (texts []string) {
	var without []string
	for key, values := range asked {
		lower, value := strings.ToLower(key), values[len(values)-1]
		switch good, listed := overruled[lower]; {
		case listed && (good == "" || !strings.EqualFold(value, good)), value == "0" && slices.Contains(unbounded, lower):
			without = append(without, key)
		case lower == "readconcernlevel" && !strings.EqualFold(value, "linearizable"):
			texts = append(texts, "mongodb_connection_uri: readConcernLevel="+value+" is weaker than a revoke needs: in a replica set a deposed primary accepts revoked tokens for seconds")
		}
	}
	if slices.Sort(without); len(without) > 0 {
		texts = append(texts, "mongodb_connection_uri: options that are overruled, as a revoke must hold at once and no call wait for ever: "+strings.Join(without, ", "))
	}
	return texts
}

func optionsOf(uri string) (url.Values, error) {
	_, query, _ := strings.Cut(uri, "?")
	asked, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("its options cannot be parsed")
	}
	return asked, nil
}

// tlsOptions are those about TLS that the driver understands.
var tlsOptions = []string{
	"tls", "ssl", "tlscafile", "tlscertificatekeyfile", "tlscertificatekeyfilepassword", "tlsinsecure", "tlsallowinvalidcertificates",
	"tlsallowinvalidhostnames", "tlsdisableocspendpointcheck", "sslcertificateauthorityfile", "sslclientcertificatekeyfile",
	"sslclientcertificatekeypassword", "sslinsecure",
}

// checkTLS refuses options about TLS that the driver would pass over.
func checkTLS(asked url.Values) error {
	for key := range asked {
		if place.AboutTLS(key) && !slices.Contains(tlsOptions, strings.ToLower(key)) {
			return fmt.Errorf("option %s is not known; use tls, tlsCAFile and tlsCertificateKeyFile", key)
		}
	}
	return place.Once(asked)
}
