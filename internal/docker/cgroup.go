package docker

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Where Linux tells the control groups of a process, and keeps their books.
const (
	procRoot   = "/proc"
	cgroupRoot = "/sys/fs/cgroup"
)

// group are the files in which this machine's kernel keeps what a container has used:
// those that Docker reads too, without the second that asking it takes (20.10).
type group struct {
	cpu    string
	key    string        // the line of cpu that counts; "" where it is one number
	unit   time.Duration // of cpu
	memory string
	// lines of memory that count: what processes hold, shared memory with it (some keep
	// their heap there). The rest is pages of files, which are charged to whoever read them
	// first and go when they are in the way.
	lines []string
}

// The lines of memory that processes hold, in versions 1 and 2.
var (
	held1 = []string{"total_rss", "total_shmem"}
	held2 = []string{"anon", "shmem"}
)

// groupOf finds the control group of a container by one of its processes. ok is false
// where it is not this machine's, or the kernel keeps no such books.
func groupOf(proc, root string, pid int, id string) (g group, ok bool) {
	f, err := os.Open(filepath.Join(proc, strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return g, false
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// hierarchy:controllers:path, see cgroups(7); version 2 names no controllers.
		part := strings.SplitN(lines.Text(), ":", 3)
		if len(part) < 3 || !strings.Contains(part[2], id) {
			continue // a process of the same number here, where the container is elsewhere
		}
		switch controllers := strings.Split(part[1], ","); {
		case slices.Contains(controllers, "cpuacct"):
			g.cpu, g.key, g.unit = existing(root, part[1], "cpuacct", part[2], "cpuacct.usage"), "", time.Nanosecond
		case slices.Contains(controllers, "memory"):
			g.memory, g.lines = existing(root, part[1], "memory", part[2], "memory.stat"), held1
		case part[1] == "" && g.cpu == "":
			if g.cpu = existing(root, "", "", part[2], "cpu.stat"); g.cpu != "" {
				g.key, g.unit = "usage_usec", time.Microsecond
				g.memory, g.lines = existing(root, "", "", part[2], "memory.stat"), held2
			}
		}
	}
	return g, g.cpu != "" && g.memory != ""
}

// existing is the file of a group below either name of its hierarchy; "" for none.
func existing(root, joined, single, path, file string) string {
	for _, hierarchy := range []string{joined, single} {
		at := filepath.Join(root, hierarchy, path, file)
		if _, err := os.Stat(at); err == nil {
			return at
		}
	}
	return ""
}

// used reads the CPU time of all processes that the container has had.
func (g group) used() (time.Duration, error) {
	n, err := number(g.cpu, g.key)
	return time.Duration(n) * g.unit, err
}

// held reads the memory that all processes of the container hold.
func (g group) held() (sum int64, err error) {
	for _, line := range g.lines {
		n, err := number(g.memory, line)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// number reads a file of one number, or that of the line which begins with key.
func number(path, key string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		words := strings.Fields(line)
		if key != "" && (len(words) != 2 || words[0] != key) {
			continue
		}
		if len(words) > 0 {
			return strconv.ParseInt(words[len(words)-1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no number %s", path, key)
}
