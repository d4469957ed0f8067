//go:build !linux

package outage

import "github.com/coreproof/coreproof/internal/cores"

// NewFile: locks that belong to an open file are Linux's.
func NewFile(string) (cores.Way, error) { return nil, cores.ErrUnsupported }
