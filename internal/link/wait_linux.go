package link

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits for moments by a timer of the kernel's (timerfd_create(2)): while nothing
// else goes on, Go's own timers wake by whole milliseconds, which is as long as the way to
// another zone.
type waiter struct {
	file *os.File // nil where there is no such timer
	fd   int
}

func newWaiter() *waiter {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return &waiter{}
	}
	return &waiter{os.NewFile(uintptr(fd), "timer"), fd}
}

// until waits until t.
func (w *waiter) until(t time.Time) {
	d := time.Until(t)
	if d <= 0 {
		return
	}
	if w.file != nil {
		once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		var fired [8]byte
		if unix.TimerfdSettime(w.fd, 0, &once, nil) == nil {
			_, _ = w.file.Read(fired[:]) // the rest is slept where it fails
		}
	}
	time.Sleep(time.Until(t))
}

func (w *waiter) close() {
	if w.file != nil {
		_ = w.file.Close()
	}
}
