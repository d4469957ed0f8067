// Command refcore is the reference core alone: what goes into the image.
package main

import (
	"context"
	"os"

	"github.com/coreproof/coreproof/refcore/serve"
)

func main() {
	os.Exit(serve.Main(context.Background(), "refcore", os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
