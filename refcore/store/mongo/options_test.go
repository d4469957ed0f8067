package mongo

import (
	"strings"
	"testing"
	"time"

	"github.com/coreproof/coreproof/refcore/setting"
	"github.com/coreproof/coreproof/refcore/store"
)

// TestOptionsOfTheURI: what the URI says about the pool and about waiting counts,
// as far as it is a bound; defaults are for what it does not say.
func TestOptionsOfTheURI(t *testing.T) {
	t.Parallel()
	type pool struct{ most, least, connecting uint64 }
	type waits struct{ statement, selection, connect, idle time.Duration }
	usual := waits{5 * time.Second, 5 * time.Second, 5 * time.Second, time.Minute}
	for _, tc := range []struct {
		options string
		pool    pool
		waits   waits
	}{
		{"", pool{10, 0, 4}, usual},
		{"maxPoolSize=50&minPoolSize=5&maxConnecting=7", pool{50, 5, 7}, usual},
		{"maxPoolSize=2", pool{2, 0, 2}, usual},
		{"minPoolSize=20", pool{20, 20, 4}, usual},
		{"maxPoolSize=0", pool{10, 0, 4}, usual},
		{"timeoutMS=2000", pool{10, 0, 4}, waits{2 * time.Second, 2 * time.Second, 2 * time.Second, time.Minute}},
		{"timeoutMS=0&serverSelectionTimeoutMS=0&connectTimeoutMS=0", pool{10, 0, 4}, usual},
		{"serverSelectionTimeoutMS=700&connectTimeoutMS=800&maxIdleTimeMS=900", pool{10, 0, 4}, waits{5 * time.Second, 700 * time.Millisecond, 800 * time.Millisecond, 900 * time.Millisecond}},
	} {
		o, err := clientOptions(store.Config{URI: "mongodb://h/d?" + tc.options}.Filled())
		if err != nil {
			t.Errorf("%s: %v", tc.options, err)
			continue
		}
		if got := (pool{*o.MaxPoolSize, *o.MinPoolSize, *o.MaxConnecting}); got != tc.pool {
			t.Errorf("%s: pool %+v, want %+v", tc.options, got, tc.pool)
		}
		if got := (waits{*o.Timeout, *o.ServerSelectionTimeout, *o.ConnectTimeout, *o.MaxConnIdleTime}); got != tc.waits {
			t.Errorf("%s: %+v, want %+v", tc.options, got, tc.waits)
		}
	}
}

// TestOverruledOptionsAreNamed in one line; what changes nothing is not.
func TestOverruledOptionsAreNamed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ options, want string }{
		{"w=majority&journal=true&readPreference=primary&maxPoolSize=5&readConcernLevel=linearizable", ""},
		{"w=1&journal=false&readPreference=secondaryPreferred&maxPoolSize=0&appName=x", "for ever: journal, maxPoolSize, readPreference, w"},
		{"readConcernLevel=local", "readConcernLevel=local is weaker"},
	} {
		v := setting.NewValues(Kind().Settings)
		for _, s := range Kind().Settings {
			if s.Key == "mongodb_connection_uri" {
				if err := v.Set(s, "mongodb://h/d?"+tc.options, s.Key); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, got, err := configure(v)
		if err != nil || (len(got) == 0) != (tc.want == "") || len(got) > 1 || !strings.Contains(strings.Join(got, ""), tc.want) {
			t.Errorf("%s: %q, %v, want %q", tc.options, got, err, tc.want)
		}
	}
}
