package meter

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPUClock says whether this machine can read the CPU time of other processes.
const CPUClock = true

// PID reads a process of this machine.
func PID(name string, pid int) Process { return &process{name, pid} }

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
