package publication

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol/protocols"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

// Readme is the page beside a publication: what it says, and how to see the same.
func (b *Publication) Readme(signed bool) string {
	var w strings.Builder
	fmt.Fprintf(&w, "# %s %s\n\n", b.Implementation.Name, b.Implementation.Version)
	if b.Implementation.URL != "" {
		fmt.Fprintf(&w, "%s\n\n", b.Implementation.URL)
	}
	fmt.Fprintf(&w, "Tried as %s, %s %s, on %s, %s.\n\n", b.Core, b.Protocol, span(b.Protocol, b.Versions), b.Environment.Database, b.Date.Format("2006-01-02"))
	fmt.Fprintf(&w, "| profile | outcome |\n| --- | --- |\n")
	for _, name := range b.Claimed {
		i := slices.IndexFunc(b.NotPassed, func(g Gap) bool { return g.Profile == name })
		if i < 0 {
			fmt.Fprintf(&w, "| %s | passed |\n", name)
		} else {
			fmt.Fprintf(&w, "| %s | not passed: %s: %s |\n", name, b.NotPassed[i].Outcome, cell(b.NotPassed[i].Reason))
		}
	}
	fmt.Fprintf(&w, "\nRevokes that were broken: %s. ", b.Immediacy)
	switch doubt := b.Immediacy.Doubt(); {
	case b.Conformant:
		w.WriteString("Conformant.\n")
	case doubt != "":
		fmt.Fprintf(&w, "Not conformant: %s.\n", doubt)
	default:
		w.WriteString("Not conformant.\n")
	}
	w.WriteString("\n## See for yourself\n\n")
	if b.Reproduce != "" {
		fmt.Fprintf(&w, "%s\n\n", b.Reproduce)
	}
	fmt.Fprintf(&w, "```console\n$ %s    # coreproof %s%s, seed %d\n$ coreproof report --verify .        # derives every outcome anew from the evidence here\n", strings.Join(b.Command, " "), b.Tool.Version, commit(b.Tool), b.Seed)
	if signed {
		fmt.Fprintf(&w, "$ ssh-keygen -Y verify -f allowed_signers -I WHO -n %s -s %s < %s\n", Namespace, SignatureName, FileName)
	}
	fmt.Fprintf(&w, "```\n\nMade on %s/%s, %s, %d CPUs. Digest of the proof: `%s`.\n", b.Environment.OS, b.Environment.Arch, b.Environment.CPU, b.Environment.CPUs, b.Digest)
	return w.String()
}

// String is e.g. "0 of 2,438, at most 0.13 %".
func (m Immediacy) String() string {
	return fmt.Sprintf("%s of %s, at most %s", words.Count(m.Broken), words.Count(m.Revokes), words.Percent(m.UpperBound))
}

func commit(t proof.Tool) string {
	if t.Commit == "" {
		return ""
	}
	return " (" + t.Commit + ")"
}

func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }

// Published is a publication in its folder.
type Published struct {
	Dir string // with slashes, e.g. "cdi/refcore"
	*Publication
	Signed bool
}

// Find reads the publications below a folder: PROTOCOL/IMPLEMENTATION/publication.json.
// It checks that each stands where its words belong.
func Find(root fs.FS) ([]Published, error) {
	files, err := fs.Glob(root, "*/*/"+FileName)
	if err != nil {
		return nil, fmt.Errorf("look for publications: %w", err)
	}
	var out []Published
	for _, f := range files {
		text, err := fs.ReadFile(root, f)
		if err != nil {
			return nil, fmt.Errorf("read a publication: %w", err)
		}
		b, err := Decode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		dir := path.Dir(f)
		if want := strings.ToLower(b.Protocol) + "/" + b.Implementation.Name; dir != want {
			return nil, fmt.Errorf("%s: it belongs in %s", f, want)
		}
		_, err = fs.Stat(root, path.Join(dir, SignatureName))
		out = append(out, Published{dir, b, err == nil})
	}
	return out, nil
}

// Page lists implementations: those that are conformant, and those that are not.
// folder leads from the page to the publications.
func Page(list []Published, folder string) string {
	var w strings.Builder
	w.WriteString("# Implementations\n\nMade from [`reports/published`](" + folder + ") by `go test ./reports/publication -update`; edit nothing here. An implementation is\nconformant when its proof failed nothing and each profile that it claims passed whole, " + strings.Join(Core, " and ") + " among\nthem, and the revokes that it tried leave at most " + words.Percent(MostBroken) + " of all open to be broken (95 % confidence). A profile with a skipped required\ncheck has not passed.\n")
	section := func(title, none string, conformant bool) {
		fmt.Fprintf(&w, "\n## %s\n\n", title)
		rows := 0
		for _, p := range list {
			if p.Conformant != conformant {
				continue
			}
			if rows++; rows == 1 {
				w.WriteString("| implementation | version | protocol | passed | not passed | broken revokes | on | date | signed |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
			}
			var gaps []string
			for _, g := range p.NotPassed {
				gaps = append(gaps, fmt.Sprintf("%s (%s)", g.Profile, g.Outcome))
			}
			fmt.Fprintf(&w, "| [%s](%s/%s) | %s | %s %s | %s | %s | %s | %s | %s | %s |\n", p.Implementation.Name, folder, p.Dir, cell(p.Implementation.Version), p.Protocol, span(p.Protocol, p.Versions),
				orNone(p.Passed), orNone(gaps), p.Immediacy, cell(p.Environment.Database), p.Date.Format("2006-01-02"), map[bool]string{true: "yes", false: "no"}[p.Signed])
		}
		if rows == 0 {
			w.WriteString(none + "\n")
		}
	}
	section("Conformant", "None yet.", true)
	section("Not conformant, or not shown to be", "None.", false)
	w.WriteString("\n## To be listed\n\n```console\n$ coreproof conform --url-on URL,URL --url-off URL --out proof/\n$ coreproof publish proof/ --implementation my-core --release 1.2.3 --sign-key ~/.ssh/id_ed25519\n```\n\nThen open a pull request with the folder that `publish` made. A test verifies it and makes this page.\n")
	return w.String()
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// span writes versions that were tried, oldest first. From one to another is said of those
// alone between which the protocol has no other; all others are listed.
func span(name string, v []string) string {
	p, err := protocols.Find(name)
	if len(v) < 3 || err != nil {
		return strings.Join(v, ", ")
	}
	all := p.Versions()
	from := slices.Index(all, v[0])
	if from < 0 || len(all) < from+len(v) || !slices.Equal(all[from:from+len(v)], v) {
		return strings.Join(v, ", ")
	}
	return fmt.Sprintf("%s to %s", v[0], v[len(v)-1])
}
