package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/dbserver"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
)

// DefaultServer is the database of cores in images.
const DefaultServer = "postgres"

func (r Refs) server() string {
	if r.Database == "" {
		return DefaultServer
	}
	return r.Database
}

// checkTarget refuses a descriptor that base and head cannot be put into, and a database
// that nothing of theirs runs on.
func (r Refs) checkTarget(kind string) error {
	d := r.Target
	switch {
	case d == nil && r.Database != "" && kind == KindImage && !slices.Contains(dbserver.Names(), r.Database):
		return fmt.Errorf("--db %s: there is no such database server; choose from %s", r.Database, strings.Join(dbserver.Names(), ", "))
	case d == nil && r.Database != "" && kind != KindImage && kind != KindDescriptor:
		return fmt.Errorf("--db %s: it is for images and descriptors, and --base %s is %s: take it out", r.Database, r.Base.Text, a(kind))
	case d == nil:
		return nil
	case kind != KindProgram && kind != KindRevision && kind != KindImage:
		return fmt.Errorf("--target stands with programs, revisions and images, and --base %s is %s: take one out", r.Base.Text, a(kind))
	case !d.UsesBuild():
		return fmt.Errorf("--target %s: nothing in its command or image uses {{.Build}}, so base and head would be one core: write it where the %s stands, e.g. {{or .Build \"./core\"}}", d.Name, kind)
	case kind == KindImage && d.Image == "":
		return fmt.Errorf("--target %s starts a command, and --base %s is an image: give programs, or revisions with --build", d.Name, r.Base.Text)
	case kind != KindImage && d.Image != "":
		return fmt.Errorf("--target %s starts an image, and --base %s is %s: give images", d.Name, r.Base.Text, a(kind))
	case kind == KindProgram && (strings.Contains(r.Base.Text, " ") || strings.Contains(r.Head.Text, " ")):
		return fmt.Errorf("--base and --head: with --target a program has no arguments here: they are the descriptor's")
	case r.Database != "" && !slices.Contains(d.Kinds(), r.Database):
		return fmt.Errorf("--db %s: %s runs on %s", r.Database, d.Name, strings.Join(d.Kinds(), ", "))
	}
	return nil
}

// descriptors bring each build up in its own way.
func (r Refs) descriptors(p Pair) (Pair, error) {
	var of [2]*descriptor.Descriptor
	for i, f := range []Ref{r.Base, r.Head} {
		d, err := descriptor.File(f.Text)
		if err != nil {
			return p, fmt.Errorf("%s %w", f.Flag, err)
		}
		switch {
		case len(d.Command) == 0 && d.Image == "":
			return p, fmt.Errorf("%s %s: it has neither command nor image: name the servers by their URLs", f.Flag, f.Text)
		case r.Database != "" && !slices.Contains(d.Kinds(), r.Database):
			return p, fmt.Errorf("--db %s: %s runs on %s", r.Database, f.Text, strings.Join(d.Kinds(), ", "))
		}
		of[i] = d
	}
	return r.described(p, of, [2]string{}), nil
}

// described are brought up by descriptors, each on a database of its own.
func (r Refs) described(p Pair, of [2]*descriptor.Descriptor, builds [2]string) Pair {
	open := func(i int) func(context.Context) (launch.Target, error) {
		return func(ctx context.Context) (launch.Target, error) {
			x, err := launch.NewDescribed(ctx, launch.DescribedOptions{Descriptor: of[i], Build: builds[i], Database: r.Database, GeneratorCommand: r.Generator, Say: r.Say})
			if err != nil {
				return nil, err
			}
			return x, nil
		}
	}
	p.Base.Open, p.Head.Open = open(0), open(1)
	p.Open = both(p)
	return p
}
