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

// askedFor are the settings without which checks are skipped.
var askedFor = []string{"access_token_validity", "refresh_token_rotation_grace_period"}

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
	if err := sayFlag(ctx, x, on, d, versions, say); err != nil {
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
			if slices.Contains(askedFor, name) {
				say("setting", "%s: not in the descriptor; checks that ask for it are skipped", name)
			}
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
	ended, err := c.Revoke(ctx, made.Session.Handle)
	if err := protocol.Answered(ended.Reply, err); err != nil {
		return "", fmt.Errorf("revoke it: %w", err)
	}
	return made.Access.Value, nil
}

// sayFlag says what turns the flag, and holds it to that: a revoked token is refused with
// the flag on, and accepted with it off where there is an off.
func sayFlag(ctx context.Context, x *launch.Described, on launch.Deployment, d *descriptor.Descriptor, versions []string, say func(string, string, ...any)) error {
	// The oldest version is the one in which the setting decides, if any.
	decides := x.Protocol().FlagMode(versions[0]) == protocol.BySetting
	version := versions[len(versions)-1]
	if x.Capabilities().Off && decides {
		version = versions[0]
	}
	status, err := offerRevoked(ctx, on, version)
	if err != nil {
		return fmt.Errorf("with the flag on: %w", err)
	}
	switch status {
	case protocol.Unauthorised, protocol.TryRefreshToken:
	case protocol.OK:
		return fmt.Errorf("flag: %s; on, a revoked token is still accepted: the flag does not arrive, or the core does not check", d.Flag)
	default:
		return fmt.Errorf("flag: %s; on, a revoked token gets %s, which is no refusal", d.Flag, status)
	}
	switch {
	case !x.Capabilities().Off:
		say("flag", "%s; a revoked token is refused", d.Flag)
		return nil
	case !decides:
		say("flag", "%s; a revoked token is refused, but no version is spoken in which the flag decides: say flag: request", d.Flag)
		return nil
	}
	off, err := x.Start(ctx, 1, launch.Settings{})
	if err != nil {
		return fmt.Errorf("with the flag off: %w", err)
	}
	status, err = offerRevoked(ctx, off, version)
	if err = errors.Join(err, off.Stop(ctx)); err != nil {
		return fmt.Errorf("with the flag off: %w", err)
	}
	if status != protocol.OK {
		return fmt.Errorf("flag: %s; off, a revoked token gets %s: the flag does not arrive, or the core always checks (flag: always)", d.Flag, status)
	}
	say("flag", "%s; on, a revoked token is refused, off, it is still accepted: the flag arrives", d.Flag)
	return nil
}

// offerRevoked gives what a core answers to the token of a session that was made and
// revoked there: what another side hands out may be of another kind.
func offerRevoked(ctx context.Context, at launch.Deployment, version string) (protocol.Status, error) {
	cores, err := at.Cores(version)
	if err != nil {
		return "", err
	}
	revoked, err := trySession(ctx, cores[0])
	if err != nil {
		return "", err
	}
	v, err := cores[0].Verify(ctx, protocol.VerifyRequest{AccessToken: revoked, CheckDatabase: true})
	if err != nil {
		return "", fmt.Errorf("verify a revoked token: %w", err)
	}
	return v.Status, nil
}
