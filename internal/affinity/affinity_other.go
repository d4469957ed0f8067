//go:build !linux

package affinity

import "runtime"

// Supported says whether this operating system can pin.
const Supported = false

// Allowed lists the CPUs that this process may run on.
func Allowed() ([]int, error) {
	cpus := make([]int, runtime.NumCPU())
	for i := range cpus {
		cpus[i] = i
	}
	return cpus, nil
}

// Self gives ErrUnsupported.
func Self([]int) error { return ErrUnsupported }

// Process gives ErrUnsupported.
func Process(int, []int) error { return ErrUnsupported }

// Around runs start; with CPUs it gives ErrUnsupported.
func Around(cpus []int, start func() error) error {
	if len(cpus) == 0 {
		return start()
	}
	return ErrUnsupported
}
