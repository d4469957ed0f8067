package proof_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

var update = flag.Bool("update", false, "write the example proofs again")

// exampleNote stands in every example, so that nobody takes one for a result.
const exampleNote = "example data, not a measurement: every figure in this proof is invented"

// The example proofs, by file name. Renderers, gate and plan test on them.
func exampleProofs() map[string]*proof.Proof {
	return map[string]*proof.Proof{
		"good.json":        goodExample(),
		"databases.json":   databasesExample(),
		"failing.json":     failingExample(),
		"url.json":         urlExample(),
		"interrupted.json": interruptedExample(),
		"empty.json":       emptyExample(),
	}
}

func TestExamplesAreCurrent(t *testing.T) {
	t.Parallel()
	for name, p := range exampleProofs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(examples, name)
			into := path
			if !*update {
				into = filepath.Join(t.TempDir(), name)
			}
			if err := proof.Save(into, p); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(into)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("%s is not what the code makes; run: go test ./reports/proof -run TestExamples -update", path)
			}
		})
	}
}

func exampleProof(command ...string) *proof.Proof {
	return &proof.Proof{
		Tool:     proof.Tool{Name: "coreproof", Version: "0.0.0-example", Commit: "0000000", Go: "go1.26.8", OS: "linux", Arch: "amd64"},
		Command:  append([]string{"coreproof", "run"}, command...),
		Seed:     4242,
		Started:  time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC),
		Finished: time.Date(2026, 3, 2, 9, 31, 24, 0, time.UTC),
		Notes:    []string{exampleNote},
		Machine: proof.Machine{CPU: "Example CPU at 2.5 GHz", CPUs: 2, MemoryBytes: 8 << 30, Kernel: "Linux 6.1.0",
			LoadStart: 0.42, LoadEnd: 1.87},
	}
}

func goodExample() *proof.Proof {
	p := exampleProof("--target", "postgres", "--budget", "core-cpu-us=90", "--budget", "statements=1")
	t := goodTarget(postgres)
	p.Targets = []proof.Target{t}
	p.Budgets = []proof.Budget{
		{Name: "core-cpu-us", Target: "postgres", Era: "setting", Limit: 90, Observed: t.Bench[0].CoreCPUDiff.Value, Unit: "µs", Outcome: proof.Pass},
		{Name: "statements", Target: "postgres", Era: "setting", Limit: 1, Observed: 1, Unit: "per verify", Outcome: proof.Pass},
	}
	return p
}

func databasesExample() *proof.Proof {
	p := exampleProof("--target", "sqlite,postgres,mariadb,mongo")
	p.Finished = p.Started.Add(6*time.Minute + 12*time.Second)
	for _, d := range []store{sqlite, postgres, mariadb, mongo} {
		t := goodTarget(d)
		for i := range t.Bench {
			t.Bench[i].Histograms = nil // keeps this example small, and shows a report without them
		}
		p.Targets = append(p.Targets, t)
	}
	p.Targets[3].Notes = append(p.Targets[3].Notes,
		"this server accepts write concerns without checking them; they were seen on the wire, not proved on a replica set")
	return p
}

// failingExample is a core that caches liveness for 5 s, asks twice where it
// asks, and loses races.
func failingExample() *proof.Proof {
	p := exampleProof("--target", "container", "--image", "example.org/cachecore:0.9")
	t := goodTarget(postgres)
	t.Name, t.Kind = "cachecore", "container"
	t.Core = proof.Server{Product: "cachecore", Version: "0.9", Image: "example.org/cachecore:0.9", Protocols: []string{"CDI 2.20", "CDI 5.4"}}
	c := t.Conformance
	c.Immediacy = proof.Immediacy{Trials: 4600, Accepted: 306, UpperBound: 0.07288, AcceptanceWindow: 4930 * time.Millisecond,
		ControlTrials: 600, ControlAccepted: 600, ConcurrentTrials: 480, ConcurrentAccepted: 301}
	for i := range c.Checks {
		breakCheck(&c.Checks[i])
	}
	c.Histories[0].Result, c.Histories[1].Result = "not linearizable", "unknown"
	countProfiles(c)
	for i := range t.Footprint.Statements {
		if s := &t.Footprint.Statements[i]; s.Operation == "verify" && s.Flag == "on" {
			s.Count = 2 * s.Calls
		}
	}
	t.Footprint.Space = &proof.Space{SchemaOn: "9c1e0b7d", SchemaOff: "51f3a2c8", RowsOn: 10000, RowsOff: 10000, RevokedOn: 10000, RevokedOff: 5000,
		BytesOn: 5_832_704, BytesOff: 2_990_080, Tolerance: 0.05, Reason: "the schema differs; 5,000 rows more after the revokes; 95 % more bytes, 5 % allowed"}
	p.Targets = []proof.Target{t}
	p.Budgets = []proof.Budget{
		{Name: "statements", Target: t.Name, Era: "setting", Limit: 1, Observed: 2, Unit: "per verify", Outcome: proof.Fail},
		{Name: "core-cpu-us", Target: t.Name, Era: "setting", Limit: 90, Observed: t.Bench[0].CoreCPUDiff.Value, Unit: "µs", Outcome: proof.Pass},
	}
	return p
}

// urlExample is a core that somebody else runs: nothing but HTTP is visible.
func urlExample() *proof.Proof {
	p := exampleProof("--url-on", "https://core-on.example.org", "--url-off", "https://core-off.example.org", "--api-key", "***")
	t := goodTarget(postgres)
	t.Name, t.Kind, t.Database, t.Footprint = "url", "url", nil, nil
	t.Core = proof.Server{Product: "supertokens-core", URLOn: "https://core-on.example.org", URLOff: "https://core-off.example.org", Protocols: []string{"CDI 2.20", "CDI 5.4"}}
	t.Notes = []string{"the cores were started by somebody else: statements, space and CPU cannot be seen"}
	c := t.Conformance
	c.Immediacy.Trials, c.Immediacy.UpperBound = 400, 0.007461
	c.Immediacy.ControlTrials, c.Immediacy.ControlAccepted = 40, 40
	for i := range c.Checks {
		k := &c.Checks[i]
		if k.Suite == "faults" || k.Suite == "footprint" || k.Suite == "multi-instance" {
			k.Outcome, k.Trials, k.Took = proof.Skip, 0, 0
			k.Reason = map[string]string{
				"faults":         "needs to stop the database, which a url target cannot",
				"footprint":      "needs the database's books, which a url target does not show",
				"multi-instance": "needs two instances on each side, one was given",
			}[k.Suite]
		}
	}
	countProfiles(c)
	t.Bench = t.Bench[:1]
	withoutCPU(&t.Bench[0], "CPU time of a core behind a URL cannot be read")
	p.Targets = []proof.Target{t}
	return p
}

// interruptedExample ended early, on a machine without containers.
func interruptedExample() *proof.Proof {
	p := exampleProof("--target", "sqlite,postgres")
	p.Interrupted = "SIGINT after 41 s"
	p.Finished = p.Started.Add(41 * time.Second)
	p.Machine.Limits = []string{"no container runtime"}
	t := goodTarget(sqlite)
	c := t.Conformance
	c.Checks[3].Outcome, c.Checks[3].Reason = proof.Error, "verify at on-1: read: connection reset by peer"
	c.Histories = nil
	countProfiles(c)
	t.Footprint.Space = nil
	t.Bench = t.Bench[:1]
	b := &t.Bench[0]
	cut := newBench("setting", "CDI 2.20", sqlite, rounds{cost: 3})
	cut.Dropped = []proof.Dropped{
		{Index: 1, Kind: "cost", Reason: "achieved 91 % of the wanted rate, at least 98 % needed"},
		{Index: 2, Kind: "aa", Reason: "torn reading that could not be repeated"},
	}
	*b = cut
	p.Targets = []proof.Target{t, {Name: "postgres", Kind: "container", Core: proof.Server{Product: "refcore"}, Instances: 2,
		Error: "no container runtime answers at unix:///var/run/docker.sock"}}
	return p
}

// emptyExample is what is left when nothing could be tried.
func emptyExample() *proof.Proof {
	p := exampleProof("--target", "postgres", "--only", "XX-99")
	p.Finished = p.Started.Add(2 * time.Second)
	return p
}
