package link

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
)

// Ready is what Main prints first when it listens; the others once it has done what a
// signal asked for.
const (
	Ready   = "relay ready"
	Refuses = "relay refuses"   // SIGUSR1
	Silent  = "relay is silent" // SIGUSR2
	Opened  = "relay is open"   // SIGHUP
)

// Main is a relay as a program of its own: it listens, says so on out, and relays until
// ctx ends. Signals break it off and mend it. It gives an exit status.
func Main(ctx context.Context, args []string, out, errs io.Writer) int {
	f := flag.NewFlagSet("relay", flag.ContinueOnError)
	f.SetOutput(errs)
	listen := f.String("listen", "127.0.0.1:0", "address to listen on")
	to := f.String("to", "", "address to relay to")
	delay := f.Duration("delay", 0, "how much longer each round trip takes")
	if err := f.Parse(args); err != nil {
		return 2
	}
	l, err := net.Listen("tcp", *listen)
	if err == nil {
		gate := &Gate{}
		defer obey(ctx, gate, out)() // before who waits for Ready sends a signal
		fmt.Fprintf(out, "%s: %s\n", Ready, l.Addr())
		err = RelayThrough(ctx, l, *to, *delay, gate)
	}
	if err != nil {
		fmt.Fprintf(errs, "coreproof relay: %v\n", err)
		return 2
	}
	return 0
}
