package gate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/reports/proof"
)

// Kinds of builds that a caller can name.
const (
	KindProgram  = "program"
	KindRevision = "revision"
	KindImage    = "image"
	KindURL      = "url"
	KindProof    = "proof"
	// KindDescriptor is a file that says how a core is brought up.
	KindDescriptor = "descriptor"
)

// Ref is a build as the caller names it.
type Ref struct {
	Flag string // "--base" or "--head", for errors
	Text string
	// PIDs are the processes of cores by URL, one a URL or none.
	PIDs []int
}

// Refs say what to hold against what, and how to bring it up.
type Refs struct {
	Base, Head Ref
	// Build is the command that makes a revision's core, with {out} for its path.
	Build string
	// Target is a descriptor in whose command or image {{.Build}} stands for a program,
	// a revision's build or an image; nil: they are started as the reference core is.
	Target *descriptor.Descriptor
	// Database of cores in containers, or one of a descriptor's; "" is the first.
	Database string
	// External is what cores by URL have in common: keys, certificates, caps.
	External launch.ExternalOptions
	// Generator starts a load generator.
	Generator []string
	// Say is told what described cores leave and find.
	Say func(line string)
}

// Kind tells what a text names.
func (r Refs) kind(f Ref) (string, error) {
	first, _, _ := strings.Cut(f.Text, " ")
	switch st, err := os.Stat(first); {
	case f.Text == "":
		return "", fmt.Errorf("%s is missing: a program, an image, a URL, a descriptor, a proof, or a revision with --build", f.Flag)
	case strings.Contains(f.Text, "://"):
		return KindURL, nil
	case r.Build != "":
		return KindRevision, nil
	case err == nil && st.IsDir():
		if _, err := os.Stat(filepath.Join(first, proof.FileName)); err != nil {
			return "", fmt.Errorf("%s %s: a folder without %s; give a proof's folder, or a program", f.Flag, f.Text, proof.FileName)
		}
		return KindProof, nil
	case err == nil && strings.HasSuffix(first, ".json"):
		return KindProof, nil
	case err == nil && (strings.HasSuffix(first, ".yaml") || strings.HasSuffix(first, ".yml")):
		return KindDescriptor, nil
	case err == nil && st.Mode()&0o111 == 0 && filepath.Ext(first) != ".exe":
		return "", fmt.Errorf("%s %s: the file is no program and no proof; chmod +x it, or name a %s", f.Flag, f.Text, proof.FileName)
	case err == nil:
		return KindProgram, nil
	case strings.ContainsAny(first, `\`) || strings.HasPrefix(first, ".") || strings.HasPrefix(first, "/") || strings.HasSuffix(first, ".json"):
		return "", fmt.Errorf("%s %s: there is no such file", f.Flag, f.Text)
	case !strings.Contains(f.Text, ":") && isRevision(f.Text):
		return "", fmt.Errorf("%s %s: a git revision of this folder; say how its core is built, --build 'go build -o %s ./cmd/core' (an image of that name is %s:latest)", f.Flag, f.Text, outMark, f.Text)
	case !imageName.MatchString(f.Text):
		return "", fmt.Errorf("%s %s: there is no such program, and no image is called so; a git revision needs --build", f.Flag, f.Text)
	}
	return KindImage, nil
}

// imageName is what an image may be called: [host[:port]/]path[:tag][@digest].
var imageName = regexp.MustCompile(`^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@[a-z0-9]+:[0-9a-f]+)?$`)

// isRevision says whether git knows a text in this folder.
func isRevision(text string) bool {
	_, err := run(context.Background(), "", "git", "rev-parse", "--verify", "--quiet", "--end-of-options", text+"^{commit}")
	return err == nil
}

// Saved says whether both are saved proofs.
func (r Refs) Saved() (bool, error) {
	b, h, err := r.kinds()
	return b == KindProof && h == KindProof, err
}

func (r Refs) kinds() (base, head string, err error) {
	if base, err = r.kind(r.Base); err != nil {
		return "", "", err
	}
	if head, err = r.kind(r.Head); err != nil {
		return "", "", err
	}
	if base != head {
		return "", "", fmt.Errorf("--base %s is %s and --head %s %s: what is brought up otherwise costs otherwise; give two of one kind", r.Base.Text, a(base), r.Head.Text, a(head))
	}
	if err := r.checkTarget(base); err != nil {
		return "", "", err
	}
	for _, pid := range r.Base.PIDs {
		if slices.Contains(r.Head.PIDs, pid) {
			return "", "", fmt.Errorf("--base-pid and --head-pid both name %d: one process cannot be both builds; give each the process that answers at its own URL", pid)
		}
	}
	return base, head, nil
}

// a puts the article before a kind's name.
func a(kind string) string {
	if strings.ContainsAny(kind[:1], "aeio") {
		return "an " + kind
	}
	return "a " + kind
}

// Pair makes two builds ready to be brought up. What it made for that goes with
// clean.
func (r Refs) Pair(ctx context.Context) (p Pair, clean func() error, err error) {
	kind, _, err := r.kinds()
	if err != nil {
		return p, nil, err
	}
	p.Base.Side, p.Head.Side = proof.GateSide{Ref: r.Base.Text, Kind: kind}, proof.GateSide{Ref: r.Head.Text, Kind: kind}
	nothing := func() error { return nil }
	switch kind {
	case KindURL:
		return r.urls(p), nothing, nil
	case KindDescriptor:
		p, err = r.descriptors(p)
		return p, nothing, err
	case KindImage:
		if r.Target != nil {
			return r.described(p, [2]*descriptor.Descriptor{r.Target, r.Target}, [2]string{r.Base.Text, r.Head.Text}), nothing, nil
		}
		return r.images(p), nothing, nil
	case KindProof:
		return p, nothing, errors.New("saved proofs are not brought up")
	}
	dir, err := os.MkdirTemp("", "coreproof-gate-")
	if err != nil {
		return p, nil, fmt.Errorf("make a folder for the two builds: %w", err)
	}
	clean = func() error { return os.RemoveAll(dir) }
	var commands [2][]string
	for i, f := range []Ref{r.Base, r.Head} {
		at := filepath.Join(dir, []string{"base", "head"}[i]) // of equal length: that alone can move a program's speed
		words := strings.Fields(f.Text)
		side := []*proof.GateSide{&p.Base.Side, &p.Head.Side}[i]
		if kind == KindRevision {
			if side.Commit, err = buildRevision(ctx, f, r.Build, at); err != nil {
				return p, nil, errors.Join(err, clean())
			}
			commands[i] = []string{at}
			continue
		}
		path, err := filepath.Abs(words[0])
		if err == nil {
			path, err = exec.LookPath(path)
		}
		if err == nil {
			err = os.Symlink(path, at)
		}
		if err != nil {
			return p, nil, errors.Join(fmt.Errorf("%s %s: %w", f.Flag, f.Text, err), clean())
		}
		commands[i] = append([]string{at}, words[1:]...)
	}
	if r.Target != nil {
		return r.described(p, [2]*descriptor.Descriptor{r.Target, r.Target}, [2]string{commands[0][0], commands[1][0]}), clean, nil
	}
	return r.programs(p, dir, commands), clean, nil
}

// programs run as processes of this machine, each on an embedded database of its own.
func (r Refs) programs(p Pair, dir string, commands [2][]string) Pair {
	made := 0
	open := func(i int) (launch.Target, error) {
		made++
		at := filepath.Join(dir, fmt.Sprintf("db%04d", made))
		if err := os.Mkdir(at, 0o755); err != nil {
			return nil, fmt.Errorf("make a folder for a database: %w", err)
		}
		return launch.NewEmbedded(launch.EmbeddedOptions{Command: commands[i], GeneratorCommand: r.Generator, Dir: at, Product: filepath.Base(strings.Fields([]Ref{r.Base, r.Head}[i].Text)[0])})
	}
	p.Base.Open = func(context.Context) (launch.Target, error) { return open(0) }
	p.Head.Open = func(context.Context) (launch.Target, error) { return open(1) }
	p.Open = both(p)
	return p
}

// both opens one after the other.
func both(p Pair) func(ctx context.Context) (base, head launch.Target, err error) {
	return func(ctx context.Context) (base, head launch.Target, err error) {
		if base, err = p.Base.Open(ctx); err != nil {
			return nil, nil, err
		}
		if head, err = p.Head.Open(ctx); err != nil {
			return nil, nil, errors.Join(err, base.Close(context.WithoutCancel(ctx)))
		}
		return base, head, nil
	}
}

// urls are cores that somebody else started.
func (r Refs) urls(p Pair) Pair {
	open := func(f Ref) func(context.Context) (launch.Target, error) {
		return func(ctx context.Context) (launch.Target, error) {
			o := r.External
			o.On, o.PIDsOn, o.Off, o.PIDsOff, o.Apart = strings.Split(f.Text, ","), slices.Clone(f.PIDs), nil, nil, true
			e, err := launch.NewExternal(ctx, o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Flag, err)
			}
			return e, nil
		}
	}
	p.Base.Open, p.Head.Open = open(r.Base), open(r.Head)
	p.Open = both(p)
	return p
}

// images run in containers beside one database server, each on a database of its own.
func (r Refs) images(p Pair) Pair {
	open := func(image string) func(context.Context) (launch.Target, error) {
		return func(ctx context.Context) (launch.Target, error) {
			c, err := launch.NewContainerOf(ctx, r.server(), image)
			if err != nil {
				return nil, err
			}
			return c, nil
		}
	}
	p.Base.Open, p.Head.Open = open(r.Base.Text), open(r.Head.Text)
	p.Open = func(ctx context.Context) (launch.Target, launch.Target, error) {
		base, err := launch.NewContainerOf(ctx, r.server(), r.Base.Text)
		if err != nil {
			return nil, nil, err
		}
		head, err := base.Beside(ctx, r.Head.Text)
		if err != nil {
			return nil, nil, errors.Join(err, base.Close(context.WithoutCancel(ctx)))
		}
		return base, head, nil
	}
	return p
}
