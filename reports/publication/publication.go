// Package publication makes of a proof what an implementation shows to others: which
// profiles it claims, which of them it passed, on what, and how to see the same. Like
// everything in reports it decides nothing that does not follow from the evidence; an
// edited publication is found out by Check.
package publication

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/words"
)

const (
	// FileName is what a publication is called beside its proof.
	FileName = "publication.json"
	// SignatureName is what its signature is called.
	SignatureName = FileName + ".sig"
	// Namespace is what signatures of publications are for.
	Namespace = "coreproof"
	// SchemaVersion of the document.
	SchemaVersion = 2
)

// Core are the profiles that an implementation has to claim and pass to be called
// conformant.
var Core = []string{"blacklisting", "session-basic"}

// MostBroken is the share of revokes that a conformant implementation may have left
// without effect, as far as the proof can tell: a few trials that all went well leave a
// larger one open.
const MostBroken = 0.01

// Publication is the document. Implementation, Claimed and Reproduce are the publisher's
// words; all else follows from the proof.
type Publication struct {
	SchemaVersion  int            `json:"schemaVersion"`
	Implementation Implementation `json:"implementation"`
	// Core is what the proof calls it: product and version as the core or its descriptor
	// says, or the name that the caller gave.
	Core string `json:"core"`
	// Protocol is e.g. "CDI", Versions those that were tried.
	Protocol string   `json:"protocol"`
	Versions []string `json:"versions"`
	// Claimed profiles, and those of them that passed whole: one with a skipped required
	// check is not passed.
	Claimed   []string `json:"claimed"`
	Passed    []string `json:"passed"`
	NotPassed []Gap    `json:"notPassed"`
	// Immediacy is how much stands behind the main promise.
	Immediacy Immediacy `json:"immediacy"`
	// Outcome of the proof as a whole; Conformant when it passed, and each claimed profile
	// with it, those of Core among them, and the bound of Immediacy is not above MostBroken.
	Outcome     proof.Outcome `json:"outcome"`
	Conformant  bool          `json:"conformant"`
	Date        time.Time     `json:"date"` // when the run ended, UTC
	Environment Environment   `json:"environment"`
	Tool        proof.Tool    `json:"tool"`
	Seed        uint64        `json:"seed"`
	Command     []string      `json:"command"` // that made the proof
	// Digest of the proof: "sha256:…", see there.
	Digest string `json:"digest"`
	// Reproduce says in the publisher's words how to get the same core.
	Reproduce string `json:"reproduce"`
}

// Implementation is what was tried.
type Implementation struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	URL     string `json:"url,omitempty"` // of the project
}

// Immediacy is the proof's answer to the main question.
type Immediacy struct {
	Revokes int `json:"revokes"` // that were followed by calls that had to be refused
	Broken  int `json:"broken"`  // of the revokes, those after which a call was accepted
	// UpperBound is the 95 % upper bound of the share that is broken; 1 without revokes.
	UpperBound float64 `json:"upperBound"`
}

// Doubt says why so few revokes show too little, "" where they show enough.
func (m Immediacy) Doubt() string {
	if m.UpperBound <= MostBroken || m.Broken > 0 { // broken ones are no matter of how many were tried
		return ""
	}
	return fmt.Sprintf("%s of %s were broken, so up to %s of all may be (95 %% confidence), and at most %s is asked for: try more, without a small --scale",
		words.Count(m.Broken), words.Plural(m.Revokes, "revoke"), words.Percent(m.UpperBound), words.Percent(MostBroken))
}

// Gap is a claimed profile that was not passed.
type Gap struct {
	Profile string        `json:"profile"`
	Outcome proof.Outcome `json:"outcome"`
	Reason  string        `json:"reason"`
}

// Environment is where it was tried.
type Environment struct {
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	CPU      string `json:"cpu,omitempty"`
	CPUs     int    `json:"cpus"`
	Kernel   string `json:"kernel,omitempty"`
	Database string `json:"database"` // "unknown" where it could not be seen
}

// Claim is what the publisher says.
type Claim struct {
	Implementation Implementation
	// Profiles that are claimed; nil claims each that the proof has and that is not
	// optional.
	Profiles  []string
	Reproduce string
}

// Of makes the publication of a proof of one target. The proof's derived fields must be
// current: verify it first.
func Of(p *proof.Proof, c Claim) (*Publication, error) {
	switch {
	case p.Interrupted != "":
		return nil, fmt.Errorf("the run ended early (%s): publish one that ran to its end", p.Interrupted)
	case len(p.Targets) != 1:
		return nil, fmt.Errorf("the proof is of %d targets: publish one of one", len(p.Targets))
	case p.Gate != nil:
		return nil, errors.New("the proof holds one build against another: publish one of coreproof conform or run")
	case p.Targets[0].Conformance == nil || len(p.Targets[0].Conformance.Checks) == 0:
		return nil, errors.New("no checks were tried: publish a proof of coreproof conform or run")
	case !plainName.MatchString(c.Implementation.Name):
		return nil, fmt.Errorf("the implementation's name is %q: it becomes a folder, so small letters, digits and - alone", c.Implementation.Name)
	case strings.TrimSpace(c.Implementation.Version) == "":
		return nil, errors.New("the implementation's version is missing")
	}
	t := &p.Targets[0]
	out := &Publication{
		SchemaVersion: SchemaVersion, Implementation: c.Implementation, Claimed: slices.Clone(c.Profiles), Passed: []string{}, NotPassed: []Gap{}, Versions: []string{},
		Outcome: p.Verdict.Outcome, Date: p.Finished.UTC(), Tool: p.Tool, Seed: p.Seed, Command: p.Command, Digest: p.Digest, Reproduce: strings.TrimSpace(c.Reproduce),
		Environment: Environment{OS: p.Tool.OS, Arch: p.Tool.Arch, CPU: p.Machine.CPU, CPUs: p.Machine.CPUs, Kernel: p.Machine.Kernel, Database: "unknown"},
	}
	out.Core = strings.TrimSpace(t.Core.Name + " " + t.Core.Version)
	if t.Database != nil {
		out.Environment.Database = strings.TrimSpace(t.Database.Product + " " + t.Database.Version)
	}
	for i := range t.Conformance.Checks {
		label := t.Conformance.Checks[i].Protocol
		name, version, _ := strings.Cut(label, " ")
		if out.Protocol == "" {
			out.Protocol = name
		}
		if name != out.Protocol {
			return nil, fmt.Errorf("the proof is of two protocols, %s and %s", out.Protocol, name)
		}
		if version != "" && !slices.Contains(out.Versions, version) {
			out.Versions = append(out.Versions, version)
		}
	}
	slices.SortFunc(out.Versions, byNumber)
	if c.Profiles == nil {
		for _, x := range t.Conformance.Profiles {
			if !x.Optional && x.NotClaimed == "" {
				out.Claimed = append(out.Claimed, x.Name)
			}
		}
	}
	for _, name := range out.Claimed {
		i := slices.IndexFunc(t.Conformance.Profiles, func(x proof.Profile) bool { return x.Name == name })
		switch {
		case i < 0:
			out.NotPassed = append(out.NotPassed, Gap{name, proof.Incomplete, "none of its checks was tried"})
		case t.Conformance.Profiles[i].Outcome == proof.Pass:
			out.Passed = append(out.Passed, name)
		default:
			x := t.Conformance.Profiles[i]
			out.NotPassed = append(out.NotPassed, Gap{name, x.Outcome, x.Reason})
		}
	}
	out.Immediacy = Immediacy{Revokes: t.Conformance.Immediacy.Revokes, Broken: t.Conformance.Immediacy.Broken, UpperBound: 1}
	if out.Immediacy.Revokes > 0 {
		out.Immediacy.UpperBound = t.Conformance.Immediacy.UpperBound
	}
	// A proof that failed is conformant in nothing, whatever was claimed.
	out.Conformant = (p.Verdict.Outcome == proof.Pass || p.Verdict.Outcome == proof.Incomplete) && len(out.NotPassed) == 0 && t.Error == "" && out.Immediacy.UpperBound <= MostBroken &&
		!slices.ContainsFunc(Core, func(name string) bool { return !slices.Contains(out.Passed, name) })
	return out, nil
}

var plainName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// byNumber orders versions: 2.9 before 2.10.
func byNumber(a, b string) int {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	return slices.CompareFunc(x, y, func(p, q string) int {
		if len(p) != len(q) {
			return len(p) - len(q)
		}
		return strings.Compare(p, q)
	})
}

// Check says what in a publication does not follow from its proof, one line each.
func Check(b *Publication, p *proof.Proof) []string {
	want, err := Of(p, Claim{b.Implementation, b.Claimed, b.Reproduce})
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	var got, should map[string]json.RawMessage
	for _, x := range []struct {
		from *Publication
		into *map[string]json.RawMessage
	}{{b, &got}, {want, &should}} {
		text, err := x.from.Encode()
		if err == nil {
			err = json.Unmarshal(text, x.into)
		}
		if err != nil {
			return []string{err.Error()}
		}
	}
	for _, name := range slices.Sorted(keys(should)) {
		if !bytes.Equal(got[name], should[name]) {
			out = append(out, fmt.Sprintf("%s: the publication says %s, the proof %s", name, compact(got[name]), compact(should[name])))
		}
	}
	return out
}

func keys(m map[string]json.RawMessage) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func compact(b json.RawMessage) string {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return string(b)
	}
	return out.String()
}

// Encode writes the document; the same publication gives the same bytes.
func (b *Publication) Encode() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(b); err != nil {
		return nil, fmt.Errorf("encode the publication: %w", err)
	}
	return out.Bytes(), nil
}

// Decode reads a document. Fields that are unknown are refused: what is signed is read
// whole.
func Decode(text []byte) (*Publication, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var b Publication
	if err := d.Decode(&b); err != nil {
		return nil, fmt.Errorf("it is no publication: %w", err)
	}
	if d.More() {
		return nil, errors.New("it is no publication: there is text after it")
	}
	if b.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("its schemaVersion is %d; this program reads %d", b.SchemaVersion, SchemaVersion)
	}
	// A name that stands there twice, or in another case, would read differently elsewhere.
	again, err := b.Encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, text) {
		return nil, errors.New("it is not written as coreproof publish writes it")
	}
	return &b, nil
}
