package serve_test

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuClock is the CPU time that a process has used, all threads, to the ns.
func cpuClock(pid int) (time.Duration, error) {
	var ts unix.Timespec
	const sched = 2 // the scheduler's exact clock; see clock_getcpuclockid(3)
	if err := unix.ClockGettime(int32(^pid<<3|sched), &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}
