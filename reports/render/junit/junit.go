// Package junit shows a proof as JUnit XML, for CI systems.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
	"github.com/coreproof/coreproof/reports/render/summary"
	"github.com/coreproof/coreproof/reports/words"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property,omitempty"`
	Cases      []junitCase     `xml:"testcase"`
	took       time.Duration
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string       `xml:"name,attr"`
	Class     string       `xml:"classname,attr"`
	Time      string       `xml:"time,attr"`
	Failure   *junitResult `xml:"failure"`
	Error     *junitResult `xml:"error"`
	Skipped   *junitResult `xml:"skipped"`
	SystemOut *junitText   `xml:"system-out"`
	took      time.Duration
}

type junitResult struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// junitText is an element's text, kept readable in the file.
type junitText struct {
	Text string `xml:",cdata"`
}

func textOf(s string) *junitText {
	if s == "" {
		return nil
	}
	return &junitText{s}
}

// Render writes JUnit XML. What fails the verdict is a failure, what keeps it
// from being reached is an error, so a CI system that reads only this file
// comes to the same verdict. A failure that explains others stands for them: they
// are skipped, and name it.
func Render(w io.Writer, given *proof.Proof) error {
	sum := summary.Of(given)
	p := sum.Proof
	d := document{sum: sum, left: mostDetailed}
	root := junitSuites{Name: "coreproof", Time: seconds(p.Finished.Sub(p.Started))}
	root.add(p, junitSuite{Name: "run", Cases: append(edited(sum.Edited), d.found("")...)})
	root.add(p, junitSuite{Name: "gate", Cases: gateCases(p)})
	seen := map[string]bool{}
	for i := range p.Targets {
		t := &p.Targets[i]
		if p.Gate == nil { // else its budgets say what weighs
			for _, s := range d.checkSuites(t) {
				root.add(p, s)
			}
			root.add(p, junitSuite{Name: dotted(t.Name, "claims"), Cases: d.claims(t)})
		}
		if !seen[t.Name] { // findings name their target, so two of one name share them
			root.add(p, junitSuite{Name: dotted(t.Name, "run"), Cases: d.found(t.Name)})
		}
		seen[t.Name] = true
	}
	data, err := xml.MarshalIndent(root, "", "  ")
	if err != nil {
		return fmt.Errorf("encode JUnit XML: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(data)+"\n")
	return err
}

// edited is a failure where stored outcomes do not follow from the evidence: a file
// that reads well must not come from a proof that was changed by hand.
func edited(how string) []junitCase {
	if how == "" {
		return nil
	}
	return []junitCase{{Name: "the proof is as it was made", Failure: &junitResult{Type: "edited", Message: how, Text: how}}}
}

// add counts the cases of s and keeps it unless it has none.
func (r *junitSuites) add(p *proof.Proof, s junitSuite) {
	if len(s.Cases) == 0 {
		return
	}
	if len(r.Suites) == 0 { // once is enough
		s.Properties = junitProperties(p)
	}
	s.Tests = len(s.Cases)
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Class = s.Name
		c.Time = seconds(c.took)
		s.took += c.took
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	s.Time = seconds(s.took)
	if !p.Started.IsZero() {
		s.Timestamp = p.Started.UTC().Format("2006-01-02T15:04:05")
	}
	r.Tests += s.Tests
	r.Failures += s.Failures
	r.Errors += s.Errors
	r.Skipped += s.Skipped
	r.Suites = append(r.Suites, s)
}

func junitProperties(p *proof.Proof) []junitProperty {
	m := p.Machine
	out := []junitProperty{
		{"tool", strings.TrimSpace(p.Tool.Name + " " + p.Tool.Version)}, {"command", strings.Join(p.Command, " ")}, {"seed", fmt.Sprint(p.Seed)},
		{"cpu", m.CPU}, {"cpus", fmt.Sprint(m.CPUs)}, {"memoryBytes", fmt.Sprint(m.MemoryBytes)}, {"kernel", m.Kernel},
		{"loadStart", fmt.Sprint(m.LoadStart)}, {"loadEnd", fmt.Sprint(m.LoadEnd)},
	}
	for _, t := range p.Targets {
		name := words.OneLine(t.Name)
		out = append(out, junitProperty{name + ".core", summary.CoreName(t.Core)})
		if t.Database != nil {
			out = append(out, junitProperty{name + ".database", t.Database.Product + " " + t.Database.Version}, junitProperty{name + ".tls", t.Database.TLS})
		}
	}
	for i := range out {
		out[i].Name, out[i].Value = words.OneLine(out[i].Name), words.OneLine(out[i].Value)
	}
	return out
}

// seconds is how JUnit writes durations.
func seconds(d time.Duration) string {
	return fmt.Sprintf("%.3f", max(0, d.Seconds()))
}
