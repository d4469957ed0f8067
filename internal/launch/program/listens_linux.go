package program

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// listens says whether a process of a group is seen to listen at the port of a URL.
func listens(group int, at string) bool {
	u, err := url.Parse(at)
	if err != nil {
		return false
	}
	sockets := listeners(u.Port())
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, stat := range all {
		b, _ := os.ReadFile(stat) // it may have ended
		// After the name, which may hold anything: state, parent, group (proc_pid_stat(5)).
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(fields) < 3 || fields[2] != strconv.Itoa(group) {
			continue
		}
		open, _ := filepath.Glob(filepath.Join(filepath.Dir(stat), "fd", "*"))
		for _, fd := range open {
			if to, err := os.Readlink(fd); err == nil && sockets[to] {
				return true
			}
		}
	}
	return false
}

// listeners are the sockets that listen at a port, as links to them are shown.
func listeners(port string) map[string]bool {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil
	}
	const listening = "0A" // TCP_LISTEN
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, _ := os.ReadFile(table) // one may be missing
		for line := range strings.Lines(string(b)) {
			// sl, local address, remote, state, …, the tenth is the inode (proc_pid_net(5)).
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != listening {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			if p, err := strconv.ParseUint(hex, 16, 16); err == nil && p == n {
				sockets["socket:["+f[9]+"]"] = true
			}
		}
	}
	return sockets
}
