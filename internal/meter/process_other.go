//go:build !linux

package meter

import "time"

// PID reads a process of this machine; its readings are ErrUnsupported here.
func PID(name string, _ int) Process { return unreadable(name) }

type unreadable string

func (p unreadable) Name() string                { return string(p) }
func (p unreadable) CPU() (time.Duration, error) { return 0, ErrUnsupported }
func (p unreadable) RSS() (int64, error)         { return 0, ErrUnsupported }
