//go:build !linux

package serve_test

import (
	"errors"
	"time"
)

func cpuClock(int) (time.Duration, error) { return 0, errors.ErrUnsupported }
