//go:build unix

package program

import (
	"errors"
	"os"
	"syscall"
)

// OwnGroup puts a child into a process group of its own.
func OwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// signalGroup reaches the process and all that it started and that stayed with it.
func signalGroup(pid int, s os.Signal) error {
	err := syscall.Kill(-pid, s.(syscall.Signal))
	if errors.Is(err, syscall.ESRCH) {
		return nil // none is left
	}
	return err
}

var signals = map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}
