package postgres

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/refcore/store/internal/place"
)

// understood are the options of a URI that the driver gets.
var understood = []string{
	"host", "port", "user", "password", "passfile", "connect_timeout", "sslmode", "sslkey", "sslcert", "sslcertmode", "sslrootcert",
	"sslnegotiation", "sslpassword", "sslsni", "krbspn", "krbsrvname", "target_session_attrs", "service", "servicefile",
	"min_protocol_version", "max_protocol_version", "channel_binding", "require_auth", "application_name", "options",
}

var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// translate gives the options in the driver's words. JDBC's keep their meaning
// there; what no one knows is named in a warning and left out; what is about
// security and makes no sense is an error. schema is currentSchema, "" for none.
func translate(given url.Values) (options url.Values, schema string, warnings []string, err error) {
	if err := place.Once(given); err != nil {
		return nil, "", nil, err
	}
	options = url.Values{}
	var ignored []string
	keys := make([]string, 0, len(given))
	for key := range given {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		value := given[key][len(given[key])-1]
		switch {
		case key == "sslmode":
			if !slices.Contains(sslModes, value) {
				return nil, "", nil, fmt.Errorf("option sslmode=%s: want one of %s", value, strings.Join(sslModes, ", "))
			}
			options.Set(key, value)
		case slices.Contains(understood, key):
			options.Set(key, value)
		case key == "currentSchema":
			schema, _, _ = strings.Cut(value, ",")
			schema = strings.Trim(strings.TrimSpace(schema), `"`)
		case key == "ApplicationName":
			options.Set("application_name", value)
		case key == "ssl", key == "sslfactory": // below
		case key == "targetServerType":
			if value != "primary" && value != "master" && value != "any" {
				return nil, "", nil, fmt.Errorf("option targetServerType=%s: sessions need the primary", value)
			}
		case place.AboutTLS(key):
			return nil, "", nil, fmt.Errorf("option %s is not known; use sslmode, sslrootcert, sslcert and sslkey", key)
		default:
			ignored = append(ignored, key)
		}
	}
	mode := options.Get("sslmode")
	switch ssl := given.Get("ssl"); {
	case !given.Has("ssl"):
	case ssl == "true" || ssl == "":
		if mode == "disable" || mode == "allow" || mode == "prefer" {
			return nil, "", nil, fmt.Errorf("options ssl=true and sslmode=%s contradict each other", mode)
		}
		if mode == "" { // as JDBC has it: checked, unless the factory says no
			options.Set("sslmode", "verify-full")
			if strings.HasSuffix(given.Get("sslfactory"), "NonValidatingFactory") {
				options.Set("sslmode", "require")
			}
		}
	case ssl == "false":
		if mode != "" && mode != "disable" && mode != "allow" && mode != "prefer" {
			return nil, "", nil, fmt.Errorf("options ssl=false and sslmode=%s contradict each other", mode)
		}
	default:
		return nil, "", nil, fmt.Errorf("option ssl=%s: want true or false", ssl)
	}
	if len(ignored) > 0 {
		warnings = []string{"postgresql_connection_uri: options that this core does not know are ignored: " + strings.Join(ignored, ", ")}
	}
	return options, schema, warnings, nil
}
