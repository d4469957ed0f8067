package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render"
	"github.com/coreproof/coreproof/reports/verdict"
)

func cmdReport(s streams) *cobra.Command {
	var format, out, trend, otava string
	var verify bool
	var signers string
	cmd := &cobra.Command{
		Use:   "report PROOF [PROOF…]",
		Short: "render a saved proof, verify it, compare several, or follow a trend",
		Long: `PROOF is a proof.json, or the folder of a run. --verify derives every outcome anew
from the evidence, judges saved histories again, checks the digest, and names each
thing that differs; the exit status is then 1. What was published beside the proof is
checked too: that it follows from the proof, and its signature, which --signers holds to
a list of keys. Rendering a proof that failed is no failure.

Several proofs are held against the first: what is better, by how much, and whether
that is noise. --trend follows the figures of all proofs in a folder and names the
ones at which they changed. Both are shown as terminal, markdown or html, decide
nothing (exit 0), and refuse edited proofs; see docs/compare.md.`,
		Example: `  coreproof report proof/
  coreproof report --format html -o report.html proof/proof.json
  coreproof report --verify proof/
  coreproof report before/ after/
  coreproof report --trend nightly/ --format html -o trend.html --otava trend.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if verify && (cmd.Flags().Changed("format") || cmd.Flags().Changed("output")) {
				return errors.New("--verify makes no report: leave out --format and --output, or --verify")
			}
			if err := settle(cmd, os.LookupEnv); err != nil {
				return err
			}
			switch {
			case signers != "" && !verify:
				return errors.New("--signers needs --verify")
			case trend != "" && (len(args) > 0 || verify):
				return errors.New("--trend stands alone: name a folder of proofs and no proof, and leave out --verify")
			case trend != "":
				return trendOf(s, trend, format, out, otava)
			case otava != "":
				return errors.New("--otava writes what a trend is made of: give --trend too")
			case len(args) > 1 && verify:
				return errors.New("--verify takes one proof at a time")
			case len(args) > 1:
				return compareProofs(s, args, format, out)
			case len(args) != 1:
				return errors.New("want one proof, a folder or a file; several to compare them")
			}
			f, ok := render.Find(format)
			if !ok {
				return fmt.Errorf("--format %s: choose from %s", format, strings.Join(formatNames(), ", "))
			}
			path := args[0]
			if st, err := os.Stat(path); err == nil && st.IsDir() {
				path = filepath.Join(path, proof.FileName)
			}
			p, err := proof.Load(path)
			switch {
			case err != nil:
			case verify:
				return exit(verifyProof(s, path, p, signers))
			case out != "":
				err = writeReport(out, f, p)
			default:
				err = f.Render(s.out, p)
			}
			if err != nil {
				fmt.Fprintf(s.err, "coreproof report: %v\n", err)
				return status(exitUntried)
			}
			return nil
		},
	}
	g := newGroup("Flags")
	g.StringVar(&format, "format", "terminal", strings.Join(formatNames(), ", "))
	g.StringVarP(&out, "output", "o", "", "write to this file instead of standard output")
	g.BoolVar(&verify, "verify", false, "derive everything anew and compare with what is saved")
	g.StringVar(&trend, "trend", "", "follow the figures of all proofs in this folder")
	g.StringVar(&otava, "otava", "", "with --trend, write the figures to this CSV for Apache Otava")
	g.StringVar(&signers, "signers", "", "with --verify: file of the keys that may have signed, as ssh-keygen's allowed_signers")
	g.String(configFlag, "", "settings file (default coreproof.yaml, when it is there)")
	attach(cmd, g)
	return cmd
}

// verifyProof derives a proof anew and names what differs, in it and in what was
// published of it.
func verifyProof(s streams, path string, p *proof.Proof, signers string) int {
	lines, err := unlikeEvidence(path, p)
	if err != nil {
		fmt.Fprintf(s.err, "coreproof report: %v\n", err)
		return exitUntried
	}
	said, wrong, err := verifyPublication(filepath.Dir(path), p, signers)
	if err != nil {
		fmt.Fprintf(s.err, "coreproof report: %v\n", err)
		return exitUntried
	}
	if lines = append(lines, wrong...); len(lines) == 0 {
		fmt.Fprintf(s.out, "%s: the verdict %q and all else that is derived follow from the evidence\n", path, p.Verdict.Outcome)
		for _, line := range said {
			fmt.Fprintf(s.out, "  %s\n", line)
		}
		return exitHeld
	}
	for _, line := range lines {
		fmt.Fprintf(s.err, "%s: %s\n", path, line)
	}
	fmt.Fprintf(s.err, "coreproof report: %s: %d things differ from what the evidence says\n", path, len(lines))
	return exitFailed
}

// unlikeEvidence names what a proof says and its evidence does not.
func unlikeEvidence(path string, p *proof.Proof) (lines []string, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := proof.Unknown(data); err != nil {
		lines = append(lines, err.Error())
	}
	folder, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	for _, d := range verdict.Verify(p, folder.FS()) {
		lines = append(lines, d.String())
	}
	return lines, nil
}
