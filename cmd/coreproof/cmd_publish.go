package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/internal/sshsig"
	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/publication"
	"github.com/coreproof/coreproof/reports/words"
)

// publishing is what the flags of publish say.
type publishing struct {
	s              streams
	claimed        []string
	into, signKey  string
	implementation string
	release, urlOf string
	reproduce      string
}

func cmdPublish(s streams) *cobra.Command {
	p := &publishing{s: s}
	cmd := &cobra.Command{
		Use:   "publish PROOF",
		Short: "make of a proof what an implementation shows to others",
		Long: `PROOF is the folder of a run. publish verifies it, and writes a folder with the
publication (which profiles are claimed and which passed, on what, the proof's digest),
the proof itself with its histories, and a README that says how to see the same. With
--sign-key it is signed as ssh-keygen -Y sign does (ed25519, namespace coreproof).
coreproof report --verify checks all of it.

A profile with a skipped required check has not passed. Few revokes show little: where
more than 1 % of all may be broken as far as the proof can tell, the core is not
conformant. Exit status: 0 published and
conformant, 1 published and not, 2 it cannot be published.`,
		Example: `  coreproof publish proof/ --implementation my-core --release 1.2.3
  coreproof publish proof/ --implementation my-core --release 1.2.3 --claim blacklisting,session-basic --sign-key ~/.ssh/id_ed25519`,
		RunE: p.run,
	}
	g := newGroup("Flags")
	g.StringVar(&p.implementation, "implementation", "", "name of the core: small letters, digits and -")
	g.StringVar(&p.release, "release", "", "version of the core")
	g.StringVar(&p.urlOf, "project-url", "", "where the core is to be found")
	g.StringSliceVar(&p.claimed, "claim", nil, "profiles that the core claims (default each that is in the proof and not optional)")
	g.StringVar(&p.reproduce, "reproduce", "", "how to get and start the same core, in a sentence")
	g.StringVar(&p.signKey, "sign-key", "", "private ed25519 key of OpenSSH to sign with")
	g.StringVar(&p.into, "into", filepath.Join("reports", "published"), "folder in which PROTOCOL/IMPLEMENTATION is made")
	g.String(configFlag, "", "settings file (default coreproof.yaml, when it is there)")
	attach(cmd, g)
	return cmd
}

func (p *publishing) run(cmd *cobra.Command, args []string) error {
	if err := settle(cmd, os.LookupEnv); err != nil {
		return err
	}
	if len(args) != 1 {
		return errors.New("want one proof, the folder of a run")
	}
	for flag, value := range map[string]string{"implementation": p.implementation, "release": p.release} {
		if value == "" {
			return fmt.Errorf("--%s is missing", flag)
		}
	}
	from := args[0]
	if st, err := os.Stat(from); err == nil && !st.IsDir() {
		from = filepath.Dir(from)
	}
	read, err := proof.Load(from)
	if err != nil {
		return err
	}
	// The same as report --verify, which is asked about the publication later.
	different, err := unlikeEvidence(filepath.Join(from, proof.FileName), read)
	if err != nil {
		return err
	}
	if len(different) > 0 {
		return fmt.Errorf("%s is not what its evidence says (%s): coreproof report --verify names all", from, different[0])
	}
	if !cmd.Flags().Changed("claim") {
		p.claimed = nil
	}
	b, err := publication.Of(read, publication.Claim{
		Implementation: publication.Implementation{Name: p.implementation, Version: p.release, URL: p.urlOf}, Profiles: p.claimed, Reproduce: p.reproduce,
	})
	if err != nil {
		return err
	}
	text, err := b.Encode()
	if err != nil {
		return err
	}
	var signature []byte
	if p.signKey != "" {
		key, err := os.ReadFile(p.signKey)
		if err != nil {
			return fmt.Errorf("--sign-key %w", err)
		}
		if signature, err = sshsig.Sign(key, publication.Namespace, text); err != nil {
			return fmt.Errorf("--sign-key %s: %w", p.signKey, err)
		}
	}
	dir := filepath.Join(p.into, strings.ToLower(b.Protocol), b.Implementation.Name)
	texts, err := evidence(from, read)
	if err != nil {
		return err
	}
	texts[publication.FileName], texts["README.md"] = text, []byte(b.Readme(signature != nil))
	if signature != nil {
		texts[publication.SignatureName] = signature
	}
	if err := write(dir, texts); err != nil {
		return err
	}
	fmt.Fprintf(p.s.out, "%s: passed %s\n", dir, strings.Join(b.Passed, ", "))
	for _, g := range b.NotPassed {
		fmt.Fprintf(p.s.out, "  not passed  %s: %s: %s\n", g.Profile, g.Outcome, g.Reason)
	}
	fmt.Fprintf(p.s.out, "  broken revokes  %s\n", b.Immediacy)
	if doubt := b.Immediacy.Doubt(); doubt != "" {
		fmt.Fprintf(p.s.out, "  too few         %s\n", doubt)
	}
	if !b.Conformant {
		fmt.Fprintf(p.s.out, "not conformant: that takes a proof that failed nothing, each claimed profile passed whole, %s among them, and at most %s of all revokes open to be broken\n",
			strings.Join(publication.Core, " and "), words.Percent(publication.MostBroken))
		return exit(exitFailed)
	}
	fmt.Fprintln(p.s.out, "conformant")
	return nil
}

// evidence reads what a publication takes over from a proof's folder.
func evidence(from string, p *proof.Proof) (map[string][]byte, error) {
	files, err := os.OpenRoot(from)
	if err != nil {
		return nil, fmt.Errorf("open the proof's folder: %w", err)
	}
	defer files.Close()
	names := []string{proof.FileName}
	for _, t := range p.Targets {
		for _, h := range t.Conformance.Histories {
			if h.File != "" {
				names = append(names, h.File)
			}
		}
	}
	texts := map[string][]byte{}
	for _, name := range names {
		if texts[name], err = fs.ReadFile(files.FS(), name); err != nil {
			return nil, fmt.Errorf("copy the proof: %w", err)
		}
	}
	return texts, nil
}

// write makes the folder anew. What is there is only taken away when it is a publication,
// and when the new one stands whole beside it: it may be what the new one was made of.
func write(dir string, texts map[string][]byte) (err error) {
	fail := func(err error) error { return fmt.Errorf("write the publication: %w", err) }
	old := false
	if list, err := os.ReadDir(dir); err == nil && len(list) > 0 {
		if _, err := os.Stat(filepath.Join(dir, publication.FileName)); err != nil {
			return fmt.Errorf("%s is there and holds no publication: move it away", dir)
		}
		old = true
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fail(err)
	}
	beside, err := os.MkdirTemp(filepath.Dir(dir), ".publish-")
	if err != nil {
		return fail(err)
	}
	made, was := filepath.Join(beside, "new"), filepath.Join(beside, "old")
	defer func() {
		if _, gone := os.Stat(dir); err != nil && old && gone != nil {
			return // what was published is in there
		}
		err = errors.Join(err, os.RemoveAll(beside))
	}()
	for name, text := range texts {
		path := filepath.Join(made, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fail(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fail(err)
		}
	}
	if old {
		if err := os.Rename(dir, was); err != nil {
			return fmt.Errorf("replace the publication: %w", err)
		}
	} else if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return fail(err)
	}
	if err := os.Rename(made, dir); err != nil {
		if old && os.Rename(was, dir) != nil {
			return fmt.Errorf("replace the publication, which is in %s now: %w", was, err)
		}
		return fail(err)
	}
	return nil
}

// verifyPublication checks what is published beside a proof, when something is: that it
// follows from the proof, and its signature. said is what holds, wrong what does not.
func verifyPublication(dir string, p *proof.Proof, signers string) (said, wrong []string, err error) {
	text, err := os.ReadFile(filepath.Join(dir, publication.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, e := os.Stat(filepath.Join(dir, publication.SignatureName)); e == nil || signers != "" {
			return nil, []string{publication.FileName + " is missing"}, nil
		}
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the publication: %w", err)
	}
	b, err := publication.Decode(text)
	if err != nil {
		return nil, []string{publication.FileName + ": " + err.Error()}, nil
	}
	for _, line := range publication.Check(b, p) {
		wrong = append(wrong, publication.FileName+": "+line)
	}
	said = append(said, fmt.Sprintf("%s %s: passed %s; conformant: %t", b.Implementation.Name, b.Implementation.Version, strings.Join(b.Passed, ", "), b.Conformant))
	armour, err := os.ReadFile(filepath.Join(dir, publication.SignatureName))
	switch {
	case errors.Is(err, fs.ErrNotExist) && signers != "":
		return said, append(wrong, "it is not signed, and --signers asks for a signature"), nil
	case errors.Is(err, fs.ErrNotExist):
		return append(said, "not signed"), wrong, nil
	case err != nil:
		return said, wrong, fmt.Errorf("read the signature: %w", err)
	}
	signer, err := sshsig.Verify(armour, publication.Namespace, text)
	if err != nil {
		return said, append(wrong, publication.SignatureName+": "+err.Error()), nil
	}
	if signers == "" {
		return append(said, fmt.Sprintf("signed with the key %s; whose that is was not asked (--signers FILE)", signer.Fingerprint())), wrong, nil
	}
	list, err := os.ReadFile(signers)
	if err != nil {
		return said, wrong, fmt.Errorf("--signers %w", err)
	}
	who, err := signer.Allowed(list, publication.Namespace)
	if err != nil {
		return said, append(wrong, fmt.Sprintf("--signers %s: %v", signers, err)), nil
	}
	return append(said, "signed by "+who), wrong, nil
}
