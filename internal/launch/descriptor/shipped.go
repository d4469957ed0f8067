package descriptor

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/coreproof/coreproof/internal/spelling"
)

//go:embed shipped/*.yaml
var shipped embed.FS

// Shipped are the names of the descriptors inside this program. A new one is a
// file in the folder shipped.
func Shipped() (names []string) {
	files, _ := fs.Glob(shipped, "shipped/*.yaml") // the pattern is well-formed
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".yaml"))
	}
	return names
}

// Source is the text of a shipped descriptor.
func Source(name string) ([]byte, error) {
	b, err := shipped.ReadFile("shipped/" + name + ".yaml")
	if err != nil {
		text := "choose from " + strings.Join(Shipped(), ", ")
		if near := spelling.Nearest(name, Shipped()); near != "" {
			text = "did you mean " + near + "?"
		}
		return nil, fmt.Errorf("%s: there is no such descriptor and no such file; %s", name, text)
	}
	return b, nil
}

// Find gives a shipped descriptor by name, else the one in a file.
func Find(nameOrFile string) (*Descriptor, error) {
	if _, err := os.Stat(nameOrFile); err == nil && (strings.ContainsAny(nameOrFile, "/\\") || strings.HasSuffix(nameOrFile, ".yaml") || strings.HasSuffix(nameOrFile, ".yml")) {
		return File(nameOrFile)
	}
	b, err := Source(nameOrFile)
	if err != nil {
		return nil, err
	}
	return Read(nameOrFile, "", b)
}
