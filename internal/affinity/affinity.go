// Package affinity pins processes to CPUs where the operating system can.
package affinity

import "errors"

// ErrUnsupported says that this operating system cannot pin.
var ErrUnsupported = errors.New("pinning to CPUs is not supported on this operating system")
