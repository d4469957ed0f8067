//go:build unix

package link

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// obey has a gate do what signals say, and says on out what it did: SIGUSR1 refuses,
// SIGUSR2 silences, SIGHUP opens. It gives what ends that.
func obey(ctx context.Context, gate *Gate, out io.Writer) (stop func()) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP)
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(done)
		for {
			select {
			case s := <-told:
				switch s {
				case syscall.SIGUSR1:
					gate.Refuse()
					fmt.Fprintln(out, Refuses)
				case syscall.SIGUSR2:
					gate.Silence()
					fmt.Fprintln(out, Silent)
				default:
					gate.Open()
					fmt.Fprintln(out, Opened)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { signal.Stop(told); cancel(); <-done }
}
