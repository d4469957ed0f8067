package meter

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// PID reads a process of this machine. One that has processes of its own when it is
// asked for, as a start script has, cannot be read: the core would be one of them,
// and its work would be in no figure. It is a Starter, for those that start some later.
func PID(name string, pid int) Process {
	if list := children(pid); len(list) > 0 {
		return parent{name, pid, list[0]}
	}
	return &process{name, pid}
}

// Started looks at the processes that p started: those that live are an error, those that
// ended and were waited for have spent so much in all, in steps of 10 ms.
func (p *process) Started() (ended time.Duration, err error) {
	if list := children(p.pid); len(list) > 0 {
		return 0, parent{p.name, p.pid, list[0]}.err()
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, fmt.Errorf("read what %s started: %w", p.name, err)
	}
	// The name, in brackets, may hold anything; behind it, the 14th and the 15th are user
	// and system time of children, in ticks (proc_pid_stat(5)).
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 15 {
		return 0, fmt.Errorf("read what %s started: /proc/%d/stat has %d fields", p.name, p.pid, len(fields))
	}
	for _, f := range fields[13:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read what %s started: %w", p.name, err)
		}
		ended += time.Duration(n) * tick
	}
	return ended, nil
}

// tick is the unit of times in /proc: Linux shows them at 100 Hz whatever it runs at.
const tick = 10 * time.Millisecond

// children are the processes that a process started and that live.
func children(pid int) (list []string) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		b, _ := os.ReadFile(t) // a thread that ended has none
		list = append(list, strings.Fields(string(b))...)
	}
	return list
}

// parent is a process that started others.
type parent struct {
	name  string
	pid   int
	child string
}

func (p parent) Name() string                { return p.name }
func (p parent) CPU() (time.Duration, error) { return 0, p.err() }
func (p parent) RSS() (int64, error)         { return 0, p.err() }

func (p parent) err() error {
	return fmt.Errorf("%s (process %d) started another process (%s), in which the core may run: name that one, or end the script that starts it with exec", p.name, p.pid, p.child)
}

type process struct {
	name string
	pid  int
}

func (p *process) Name() string { return p.name }

// CPU reads the process's CPU clock: nanoseconds over all threads, ended ones
// included (clock id (^pid << 3) | 2, see clock_getcpuclockid(3)).
func (p *process) CPU() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid<<3|2), &ts); err != nil {
		return 0, fmt.Errorf("read the CPU clock of %s (process %d): %w", p.name, p.pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// RSS in bytes.
func (p *process) RSS() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(strings.TrimSpace(string(b)), &size, &resident); err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	return resident * int64(os.Getpagesize()), nil
}
