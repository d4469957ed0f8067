package serve

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/coreproof/coreproof/refcore/config"
)

// health asks a core on this machine for /hello, for a container's HEALTHCHECK.
// It finds the core by the settings that the core itself reads; a URL as its one
// argument overrides them. Without arguments in a container it takes those that
// the container's first process, the core, was started with.
func health(ctx context.Context, name string, args, environ []string, stderr io.Writer) int {
	if len(args) == 0 {
		args = coreArguments("/proc/1/cmdline")
	}
	url, filtered := "", false
	if len(args) == 1 && strings.Contains(args[0], "://") {
		url = args[0]
	} else {
		o, code, done := parse(name, args, io.Discard, stderr)
		if done {
			return code
		}
		cfg, err := load(o, environ)
		if err != nil {
			fmt.Fprintf(stderr, "health: %v\n", err)
			return exitUsage
		}
		url, filtered = address(cfg), cfg.IPAllow != nil || cfg.IPDeny != nil
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(url, "/")+"/hello", nil)
	if err != nil {
		fmt.Fprintf(stderr, "health: %v\n", err)
		return exitUsage
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Fprintf(stderr, "health: %v\n", err)
		return exitError
	}
	defer resp.Body.Close()
	// A filter that leaves this machine out is no illness.
	if resp.StatusCode != http.StatusOK && (resp.StatusCode != http.StatusForbidden || !filtered) {
		fmt.Fprintf(stderr, "health: the core answers HTTP %d\n", resp.StatusCode)
		return exitError
	}
	return exitOK
}

// address is where a core with these settings is reached from its own machine.
func address(cfg *config.Config) string {
	host := cfg.Host
	if ip := net.ParseIP(host); host == "" || host == "localhost" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port)) + cfg.BasePath
}

// coreArguments are those of the process whose command line is in a file, if it
// runs the same program; nil else.
func coreArguments(cmdline string) []string {
	text, err := os.ReadFile(cmdline)
	self, selfErr := os.Executable()
	if err != nil || selfErr != nil {
		return nil
	}
	var args []string
	for a := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte{0}), []byte{0}) {
		args = append(args, string(a))
	}
	if len(args) < 2 || filepath.Base(args[0]) != filepath.Base(self) {
		return nil
	}
	return args[1:]
}
