package mysql

import (
	"strings"
	"testing"

	"github.com/coreproof/coreproof/refcore/setting"
)

// TestT12Precedence: the URI says host, port and database, the parts user and
// password; where one is silent the other speaks.
func TestT12Precedence(t *testing.T) {
	t.Parallel()
	parts := []string{"host", "ph", "port", "1", "user", "pu", "password", "pp", "database_name", "pd"}
	for _, tc := range []struct {
		uri, want string
		parts     []string
	}{
		{"mysql://u:p@h:2/d", "mysql://pu:pp@h:2/d", parts},
		{"mysql://h", "mysql://pu:pp@h:1/pd", parts},
		{"", "mysql://pu:pp@ph:1/pd", parts},
		{"mysql://u:p@h", "mysql://u:p@h:3306/supertokens", nil},
		{"", "mysql://root@localhost:3306/supertokens", nil},
		{"mysql://[::1]/d?useUnicode=true&ssl-mode=REQUIRED", "mysql://root@[::1]:3306/d?useUnicode=true&ssl-mode=REQUIRED", nil},
	} {
		v := setting.NewValues(Kind().Settings)
		for i, given := 0, append([]string{"connection_uri", tc.uri}, tc.parts...); i < len(given); i += 2 {
			for _, r := range Kind().Settings {
				if r.Key == kindName+"_"+given[i] {
					if err := v.Set(r, given[i+1], r.Key); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		cfg, warnings, err := configure(v)
		if err != nil || cfg.URI != tc.want {
			t.Errorf("%s: %s, %v, want %s", tc.uri, cfg.URI, err, tc.want)
		}
		if strings.Contains(tc.uri, "useUnicode") != (len(warnings) == 1) { // T9
			t.Errorf("%s: warnings %q", tc.uri, warnings)
		}
	}
}
