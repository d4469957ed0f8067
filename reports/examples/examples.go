// Package examples builds the example proofs of testdata/proofs, on which the
// reports are tested. Every figure in them is invented, and says so; the checks
// have the ids and titles of real ones. The evidence is written here, and what
// follows from it is derived as in a real run.
package examples

import (
	"time"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
)

// Example is one proof with the histories that it refers to.
type Example struct {
	// Name is that of its file, without ".json".
	Name string
	// Proof holds evidence only: nothing is derived.
	Proof *proof.Proof
	// Histories by file name, relative to the proof's folder.
	Histories map[string]*history.History
}

// builders of the examples, in order.
var builders = []struct {
	name  string
	build func(*Example)
}{
	{"good", good},
	{"databases", databases},
	{"failing", failing},
	{"cascade", cascade},
	{"url", byURL},
	{"incomplete", incomplete},
	{"undecided", undecided},
	{"interrupted", interrupted},
	{"gate", gate},
	{"gate-undecided", func(e *Example) {
		e.Proof = gateProof(e, GateDuet{Rounds: 8, Off: 0, On: 0.018, Sigma: 0.01})
	}},
	{"swept", swept},
	{"empty", empty},
}

// Names of the examples, in order.
func Names() []string {
	names := make([]string, len(builders))
	for i, b := range builders {
		names[i] = b.name
	}
	return names
}

// Named builds one of them anew; false where there is none of that name.
func Named(name string) (Example, bool) {
	for _, b := range builders {
		if b.name == name {
			e := Example{Name: name, Histories: map[string]*history.History{}}
			b.build(&e)
			return e, true
		}
	}
	return Example{}, false
}

// note stands in every example, so that nobody takes one for a result.
const note = "example data, not a measurement: every figure in this proof is invented"

func newProof(command ...string) *proof.Proof {
	return &proof.Proof{
		Tool:     proof.Tool{Name: "coreproof", Version: "0.0.0-example", Commit: "0000000", Go: "go1.26.8", OS: "linux", Arch: "amd64"},
		Command:  append([]string{"coreproof", "run"}, command...),
		Seed:     4242,
		Started:  time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC),
		Finished: time.Date(2026, 3, 2, 9, 31, 24, 0, time.UTC),
		Notes:    []string{note},
		Machine: proof.Machine{CPU: "Example CPU at 2.5 GHz", CPUs: 2, MemoryBytes: 8 << 30, Kernel: "Linux 6.1.0",
			LoadStart: 0.42, LoadEnd: 1.87},
	}
}

// good is the reference core on a database in a container; everything held.
func good(e *Example) {
	p := newProof("--db", "postgres", "--budget", "core-cpu-us=90")
	p.Limits = []proof.Limit{{Name: "core-cpu-us", Value: 90}}
	p.Targets = []proof.Target{e.target(postgres)}
	e.Proof = p
}

// databases is the same on four of them.
func databases(e *Example) {
	p := newProof("--db", "sqlite,postgres,mariadb,mongo")
	p.Finished = p.Started.Add(6*time.Minute + 12*time.Second)
	for _, d := range []store{sqlite, postgres, mariadb, mongo} {
		t := e.target(d)
		for i := range t.Bench {
			t.Bench[i].Histograms = nil // keeps it small, and shows a report without them
		}
		p.Targets = append(p.Targets, t)
	}
	p.Targets[3].Notes = append(p.Targets[3].Notes, "this server accepts write concerns without checking them; they were seen on the wire, not proved on a replica set")
	e.Proof = p
}

// failing is a core that caches liveness for 5 s, asks twice where it asks, keeps
// revoked rows and loses races.
func failing(e *Example) {
	p := newProof("--image", "example.org/cachecore:0.9", "--budget", "core-cpu-us=50")
	p.Limits = []proof.Limit{{Name: "core-cpu-us", Value: 50}}
	t := e.target(postgres)
	t.Name, t.Core = "cachecore", proof.Server{Name: "cachecore", Product: "cachecore", Version: "0.9", Image: "example.org/cachecore:0.9", Protocols: []string{"CDI 2.20", "CDI 5.4"}}
	for i := range t.Conformance.Checks {
		breakCheck(&t.Conformance.Checks[i])
	}
	e.breakHistories(t.Conformance)
	for i := range t.Footprint.Statements {
		if s := &t.Footprint.Statements[i]; s.Operation == proof.OpVerify && s.Flag == "on" {
			s.Count = 2 * s.Calls
		}
	}
	t.Footprint.Space = &proof.Space{SchemaOn: "9c1e0b7d", SchemaOff: "51f3a2c8", RowsOn: 10000, RowsOff: 10000, RevokedOn: 10000, RevokedOff: 5000,
		BytesOn: 5_832_704, BytesOff: 2_990_080}
	p.Targets = []proof.Target{t}
	e.Proof = p
}

// cascade is a core whose create answers a word that no one knows: one root
// cause, and all that needs a session with it.
func cascade(e *Example) {
	p := newProof("conform", "--url-on", "http://127.0.0.1:3567")
	p.Command = []string{"coreproof", "conform", "--url-on", "http://127.0.0.1:3567"}
	t := e.target(sqlite)
	t.Name, t.Kind, t.Database, t.Footprint, t.Bench = "url", "url", nil, nil, nil
	t.Core = proof.Server{Name: "newcore", URLsOn: []string{"http://127.0.0.1:3567"}, Protocols: []string{"CDI 2.20", "CDI 5.4"}}
	c := t.Conformance
	c.Histories, c.Switch, c.Pairs = nil, nil, nil
	e.Histories = map[string]*history.History{}
	for i := range c.Checks {
		k := &c.Checks[i]
		if k.ID == "SE-01" {
			k.Violations = []proof.Violation{{Expected: `status "OK"`, Got: `status "okay"`, Exchanges: []proof.Exchange{{Method: "POST", URL: "http://127.0.0.1:3567/recipe/session",
				RequestBody: `{"userId":"u-1"}`, Status: 200, ResponseBody: `{"status":"okay"}`, Took: 2 * time.Millisecond}}}}
			k.Trials, k.Tagged = 1, 0
			continue
		}
		k.Trouble, k.Cause = "create a session at on-0: the status is \"okay\"", "SE-01"
		k.Trials, k.Tagged, k.Immediacy, k.Race = 0, 0, nil, nil
	}
	p.Targets = []proof.Target{t}
	e.Proof = p
}

// byURL is a core that somebody else runs: nothing but HTTP is visible.
func byURL(e *Example) {
	p := newProof("--url-on", "https://core-on.example.org", "--url-off", "https://core-off.example.org", "--api-key", "***")
	t := e.target(postgres)
	behindURL(&t)
	p.Targets = []proof.Target{t}
	e.Proof = p
}

func behindURL(t *proof.Target) {
	t.Name, t.Kind, t.Database, t.Footprint = "url", "url", nil, nil
	t.Core = proof.Server{Name: "supertokens-core", Product: "supertokens-core", URLsOn: []string{"https://core-on.example.org"}, URLsOff: []string{"https://core-off.example.org"}, Protocols: []string{"CDI 2.20", "CDI 5.4"}}
	t.Notes = []string{"the cores were started by somebody else: statements, space and CPU cannot be seen"}
	c := t.Conformance
	c.Instances = 1
	for i := range c.Switch {
		c.Switch[i].Named, c.Switch[i].Instance = true, "off-0"
	}
	for i := range c.Checks {
		k := &c.Checks[i]
		switch {
		case has(k, "multi-instance"):
			lack(k, "instances", "needs two cores with the flag on, one was given")
		case has(k, "lifetimes"):
			lack(k, "settings", "needs cores with settings of its own, which a core by URL cannot have")
		}
	}
	t.Bench = t.Bench[:1]
	withoutCPU(&t.Bench[0])
	t.LeftBehind = &proof.LeftBehind{Users: []string{"coreproof-4242-*"}, Sessions: 3, Reason: "the core answered 500 to a revoke by user"}
}

// incomplete is a core whose required checks could only be tried in part.
func incomplete(e *Example) {
	p := newProof("conform", "--db", "sqlite")
	p.Command = []string{"coreproof", "conform", "--db", "sqlite"}
	t := e.target(sqlite)
	for i := range t.Conformance.Checks {
		if k := &t.Conformance.Checks[i]; has(k, "multi-instance") {
			lack(k, "instances", "needs two cores with the flag on, one was given")
		}
	}
	t.Conformance.Instances = 1
	t.Footprint, t.Bench = nil, nil
	p.Targets = []proof.Target{t}
	e.Proof = p
}

// undecided has a limit in the middle of an interval, few rounds at one version,
// and a race whose calls hardly met.
func undecided(e *Example) {
	p := newProof("--db", "postgres", "--budget", "core-cpu-ratio=1.35", "--rounds", "4")
	p.Limits = []proof.Limit{{Name: "core-cpu-ratio", Value: 1.35}}
	t := e.target(postgres)
	t.Bench[1] = newBench("request", "CDI 5.4", postgres, rounds{cost: 4, floor: 2, saturated: 2})
	t.Bench[1].Steady[1].Reached = false
	for i := range t.Conformance.Checks {
		if k := &t.Conformance.Checks[i]; k.ID == "BL-54" && k.Race != nil {
			for j := range k.Race.Trials {
				if x := &k.Race.Trials[j]; j > 2 { // one ends before the other begins
					x.ACall, x.AReturn, x.BCall, x.BReturn, x.Order = 0, 900_000, 5_000_000, 5_900_000, "ab"
				}
			}
		}
	}
	p.Targets = []proof.Target{t}
	e.Proof = p
}

// interrupted ended early, on a machine without containers.
func interrupted(e *Example) {
	p := newProof("--db", "sqlite,postgres")
	p.Interrupted = "SIGINT after 41 s"
	p.Finished = p.Started.Add(41 * time.Second)
	p.Machine.Limits = []string{"no container runtime"}
	t := e.target(sqlite)
	c := t.Conformance
	c.Checks[3].Trouble = "verify at on-1: read: connection reset by peer"
	c.Histories = nil
	e.Histories = map[string]*history.History{}
	t.Footprint.Space = nil
	cut := newBench("setting", "CDI 2.20", sqlite, rounds{cost: 3})
	for i := range cut.Rounds {
		cut.Rounds[i].Index += 2
	}
	cut.Design.RoundsPlanned = 32
	cut.Dropped = []proof.Dropped{
		{Index: 0, Kind: proof.KindCost, Reason: "only 91.0 % of the wanted rate was sent"},
		{Index: 1, Kind: proof.KindFloor, Reason: "torn reading that could not be repeated"},
	}
	t.Bench = []proof.Bench{cut}
	p.Targets = []proof.Target{t, {Name: "postgres", Kind: "container", Core: proof.Server{Name: "refcore", Product: "refcore"},
		Error: "no container runtime answers at unix:///var/run/docker.sock; start one, or set DOCKER_HOST to where it listens, or leave postgres out of --db"}}
	e.Proof = p
}

// empty is what is left when nothing could be tried.
func empty(e *Example) {
	e.Proof = newProof("--db", "postgres", "--check", "XX-99")
	e.Proof.Finished = e.Proof.Started.Add(2 * time.Second)
}
