package link

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
)

// Ready is what Main prints first when it listens.
const Ready = "relay ready"

// Main is a relay as a program of its own: it listens, says so on out, and relays until
// ctx ends. It gives an exit status.
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
		fmt.Fprintf(out, "%s: %s\n", Ready, l.Addr())
		err = Relay(ctx, l, *to, *delay)
	}
	if err != nil {
		fmt.Fprintf(errs, "coreproof relay: %v\n", err)
		return 2
	}
	return 0
}
