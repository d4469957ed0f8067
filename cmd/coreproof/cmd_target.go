package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/coreproof/coreproof/internal/launch"
	"github.com/coreproof/coreproof/internal/launch/descriptor"
	"github.com/coreproof/coreproof/internal/protocol"
)

func cmdTarget(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "target",
		Short: "descriptors: how cores are brought up",
		Long: `A descriptor is a YAML file that says how a core is brought up. run, conform and
bench take one with --target, by file or by the name of one inside this program.
docs/targets.md describes them.`,
		Example: `  coreproof target list
  coreproof target show refcore > mycore.yaml
  coreproof target check mycore.yaml
  coreproof run --target mycore.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return errors.New("say what: list, show NAME, schema, or check FILE")
		},
	}
	cmd.AddCommand(targetList(s), targetShow(s), targetSchema(s), targetCheck(s))
	return cmd
}

func targetList(s streams) *cobra.Command {
	return &cobra.Command{Use: "list", Short: "list the descriptors inside this program", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		w := tabwriter.NewWriter(s.out, 0, 8, 2, ' ', 0)
		for _, name := range descriptor.Shipped() {
			d, err := descriptor.Find(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%s\t%s\ttried: %s\n", name, strings.Join(d.Kinds(), ","), d.About, d.Tried)
		}
		return w.Flush()
	}}
}

func targetShow(s streams) *cobra.Command {
	return &cobra.Command{Use: "show NAME", Short: "print a descriptor, to begin one's own with", Args: cobra.ExactArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		b, err := descriptor.Source(args[0])
		if err == nil {
			_, err = s.out.Write(b)
		}
		return err
	}}
}

func targetSchema(s streams) *cobra.Command {
	return &cobra.Command{Use: "schema", Short: "print the JSON Schema of descriptors", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		b, err := descriptor.Schema()
		if err == nil {
			_, err = s.out.Write(b)
		}
		return err
	}}
}

func targetCheck(s streams) *cobra.Command {
	t := &targetFlags{}
	cmd := &cobra.Command{Use: "check FILE", Short: "bring a core up by a descriptor and say what was found", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		t.target = args[0]
		t.url.RateCap = launch.DefaultRateCap
		var mistakes descriptor.Mistakes
		if err := t.check(); errors.As(err, &mistakes) {
			return mistakes
		} else if err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), "--target "))
		}
		return checkTarget(cmd.Context(), t, s)
	}}
	g := newGroup("Flags")
	g.StringSliceVar(&t.dbs, "db", nil, "databases of the descriptor to try (default its first)")
	attach(cmd, g)
	return cmd
}

// checkTarget tries each database of a descriptor.
func checkTarget(ctx context.Context, t *targetFlags, s streams) error {
	failed := false
	for _, src := range t.describedSources("", func(line string) { fmt.Fprintln(s.err, line) }) {
		x, err := src.Open(ctx)
		if err == nil {
			fmt.Fprintf(s.out, "%s on %s\n", t.described.Name, x.Name())
			err = errors.Join(bringUp(ctx, x.(*launch.Described), t.described, s), x.Close(context.WithoutCancel(ctx)))
		}
		if err != nil {
			failed = true
			fmt.Fprintf(s.err, "coreproof target check: %s: %s\n", src.Name, strings.Join(strings.Fields(err.Error()), " "))
		}
	}
	if failed {
		return status(exitUntried)
	}
	return nil
}

// bringUp starts one core with the flag on and one with each mapped setting, and says
// what it finds.
func bringUp(ctx context.Context, x *launch.Described, d *descriptor.Descriptor, s streams) error {
	say := func(what, format string, args ...any) {
		fmt.Fprintf(s.out, "  %-14s %s\n", what, fmt.Sprintf(format, args...))
	}
	began := time.Now()
	on, err := x.Start(ctx, 1, launch.Settings{Flag: true})
	if err != nil {
		return err
	}
	say("ready", "after %s", time.Since(began).Round(10*time.Millisecond))
	versions, err := x.Versions(ctx)
	if err != nil {
		return err
	}
	say("versions", "%s", strings.Join(versions, " "))
	cores, err := on.Cores(versions[len(versions)-1])
	if err != nil {
		return err
	}
	if _, err := trySession(ctx, cores[0]); err != nil {
		return err
	}
	say("session", "made and accepted (%s)", protocol.Label(x.Protocol(), cores[0].Version()))
	if err := sayFlag(ctx, x, d, versions, say); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(descriptor.Known)) {
		value := map[string]string{"access_token_validity_jitter": "0", "refresh_token_validity": "120000"}[name]
		if value == "" {
			value = "20"
		}
		settings := launch.Settings{Flag: true, Extra: map[string]string{name: value}}
		dep, err := x.Start(ctx, 1, settings)
		switch {
		case errors.Is(err, launch.ErrUnsupported):
			say("setting", "%s: not in the descriptor; checks that ask for it are skipped", name)
			continue
		case err != nil:
			return fmt.Errorf("with %s %s: %w", name, value, err)
		}
		say("setting", "%s: comes up with %s", name, value)
		if err := dep.Stop(ctx); err != nil {
			return err
		}
	}
	if d.Instances == 1 {
		say("instances", "1: checks of several instances cannot be tried")
	}
	if _, err := x.Database(ctx); errors.Is(err, launch.ErrUnsupported) {
		say("statements", "cannot be counted: no database server, and no metrics in the descriptor")
	}
	return nil
}

// trySession makes a session and has it accepted.
func trySession(ctx context.Context, c protocol.Core) (string, error) {
	made, err := c.Create(ctx, protocol.CreateRequest{UserID: "coreproof-target-check"})
	if err := protocol.Answered(made.Reply, err); err != nil {
		return "", fmt.Errorf("make a session: %w", err)
	}
	v, err := c.Verify(ctx, protocol.VerifyRequest{AccessToken: made.Access.Value, CheckDatabase: true})
	if err := protocol.Answered(v.Reply, err); err != nil {
		return "", fmt.Errorf("verify its token: %w", err)
	}
	_, err = c.Revoke(ctx, made.Session.Handle)
	return made.Access.Value, err
}

// sayFlag says what turns the flag, and whether a revoked token shows it.
func sayFlag(ctx context.Context, x *launch.Described, d *descriptor.Descriptor, versions []string, say func(string, string, ...any)) error {
	if !x.Capabilities().Off {
		say("flag", "%s", d.Flag)
		return nil
	}
	off, err := x.Start(ctx, 1, launch.Settings{})
	if err != nil {
		return fmt.Errorf("with the flag off: %w", err)
	}
	// The oldest version is the one in which the setting decides, if any.
	if x.Protocol().FlagMode(versions[0]) != protocol.BySetting {
		say("flag", "%s, but no version is spoken in which it decides: say flag: request", d.Flag)
		return off.Stop(ctx)
	}
	cores, err := off.Cores(versions[0])
	if err != nil {
		return err
	}
	// One that was made there: what the other side hands out may be of another kind.
	revoked, err := trySession(ctx, cores[0])
	if err != nil {
		return fmt.Errorf("with the flag off: %w", err)
	}
	v, err := cores[0].Verify(ctx, protocol.VerifyRequest{AccessToken: revoked})
	if err != nil {
		return fmt.Errorf("verify a revoked token with the flag off: %w", err)
	}
	text := "off, a revoked token is still accepted: the flag arrives"
	if v.Status != protocol.OK {
		text = fmt.Sprintf("off, a revoked token gets %s: the flag does not arrive, or the core always checks (flag: always)", v.Status)
	}
	say("flag", "%s; %s", d.Flag, text)
	return off.Stop(ctx)
}
