// Package environ is the environment that cores are started with.
package environ

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/internal/cores"
)

// Of spells settings as the environment of a core. Deployments that
// differ only in the flag get environments of equal length, since the size of
// the environment alone can move a program's speed (Mytkowicz et al. 2009).
func Of(s cores.Settings) []string {
	env := []string{"LOG_LEVEL=WARN", "DATABASE_WAIT_SECONDS=15", "ACCESS_TOKEN_BLACKLISTING=" + strconv.FormatBool(s.Flag)}
	if s.Flag {
		env = append(env, "COREPROOF_PAD=x") // "true" is one letter shorter
	} else {
		env = append(env, "COREPROOF_PAD=")
	}
	if s.AccessTokenValidity > 0 {
		env = append(env, "ACCESS_TOKEN_VALIDITY="+strconv.FormatInt(int64(s.AccessTokenValidity/time.Second), 10))
	}
	if s.Jitter != nil {
		env = append(env, "ACCESS_TOKEN_VALIDITY_JITTER="+strconv.FormatFloat(*s.Jitter, 'f', -1, 64))
	}
	if s.GOMAXPROCS > 0 {
		env = append(env, "GOMAXPROCS="+strconv.Itoa(s.GOMAXPROCS))
	}
	names := make([]string, 0, len(s.Extra))
	for name := range s.Extra {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		env = append(env, strings.ToUpper(name)+"="+s.Extra[name])
	}
	return env
}

// Inherited is what a child keeps of this process's environment: nothing that
// could set a core up otherwise than asked.
func Inherited() []string {
	var env []string
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case "PATH", "HOME", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "SystemRoot", "LANG", "GOCOVERDIR", "GODEBUG", "GORACE":
			env = append(env, e)
		}
	}
	return env
}
