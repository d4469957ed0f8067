package program

import (
	"errors"
	"os"
	"syscall"
)

// OwnGroup puts a child into a process group of its own.
func OwnGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// signalGroup ends the process: this system knows no other signal.
func signalGroup(pid int, _ os.Signal) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return nil // none is left
	}
	if err = p.Kill(); errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

var signals = map[string]os.Signal{"TERM": os.Kill, "INT": os.Kill, "QUIT": os.Kill, "HUP": os.Kill, "KILL": os.Kill}
