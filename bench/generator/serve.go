package generator

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/coreproof/coreproof/internal/announce"
)

// Main runs a generator as a program of its own until ctx ends; it gives the
// exit code. Its control port asks for the secret in announce.GeneratorSecretEnv.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	f := flag.NewFlagSet("generator", flag.ContinueOnError)
	f.SetOutput(stderr)
	listen := f.String("listen", "127.0.0.1:0", "address of the control port")
	withStdin := f.Bool("exit-with-stdin", false, "stop when standard input ends")
	if err := f.Parse(args); err != nil {
		return 2
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if *withStdin {
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // ends when whoever started us is gone
			cancel()
		}()
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		fmt.Fprintf(stderr, "generator: listen on %s: %v\n", *listen, err)
		return 1
	}
	fmt.Fprintf(stdout, "%shttp://%s\n", announce.GeneratorReady, l.Addr())
	srv := &http.Server{Handler: Handler(&Local{}, os.Getenv(announce.GeneratorSecretEnv)), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintf(stderr, "generator: %v\n", err)
		return 1
	}
	return 0
}
