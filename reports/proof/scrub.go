package proof

import "regexp"

// token is an access or a refresh token, whatever stands around it.
var token = regexp.MustCompile(`eyJ[0-9A-Za-z_+/=-]{16,}(?:\.[0-9A-Za-z_+/=-]+)*|[0-9A-Za-z+/_=-]{8,}\.[0-9A-Fa-f]{16,}\.V[0-9]`)

// Scrub shortens each credential in the free texts of p: in exchanges, replays,
// rerun commands, errors and examples. Producers shorten what they record; this
// is for what slipped through, and is done before anything is derived or saved.
// It gives the paths of the texts that it changed. In command and rerun lines, which
// are made without secrets and hold paths that may look like some, it shortens only
// what can be nothing else than a token.
func Scrub(p *Proof) (changed []string) {
	s := scrubber{&changed}
	s.text("interrupted", &p.Interrupted)
	s.texts("notes", p.Notes)
	for i := range p.Command {
		s.line(index("command", i), &p.Command[i])
	}
	for i := range p.Targets {
		t := &p.Targets[i]
		at := index("targets", i)
		s.text(at+".error", &t.Error)
		s.texts(at+".notes", t.Notes)
		if c := t.Conformance; c != nil {
			for j := range c.Switch {
				s.text(index(at+".conformance.switch", j)+".trouble", &c.Switch[j].Trouble)
				s.text(index(at+".conformance.switch", j)+".apart", &c.Switch[j].Apart)
			}
			if c.Pairs != nil {
				s.texts(at+".conformance.pairs.leftOut", c.Pairs.LeftOut)
			}
			for j := range c.Checks {
				s.check(index(at+".conformance.checks", j), &c.Checks[j])
			}
		}
		for j := range t.Bench {
			s.bench(index(at+".bench", j), &t.Bench[j])
		}
		if t.LeftBehind != nil {
			s.text(at+".leftBehind.reason", &t.LeftBehind.Reason)
		}
	}
	if g := p.Gate; g != nil {
		s.text("gate.error", &g.Error)
		for i := range g.Bench {
			s.bench(index("gate.bench", i), &g.Bench[i])
		}
	}
	return changed
}

type scrubber struct{ changed *[]string }

func (s scrubber) text(path string, text *string) {
	if short := ShortenTokens(*text); short != *text {
		*text = short
		*s.changed = append(*s.changed, path)
	}
}

// line is text for a command line.
func (s scrubber) line(path string, text *string) {
	short := named.ReplaceAllStringFunc(*text, shortenNamed)
	if short = token.ReplaceAllStringFunc(short, shorten); short != *text {
		*text = short
		*s.changed = append(*s.changed, path)
	}
}

func (s scrubber) texts(path string, list []string) {
	for i := range list {
		s.text(index(path, i), &list[i])
	}
}

func (s scrubber) check(at string, k *Check) {
	s.text(at+".trouble", &k.Trouble)
	s.text(at+".couldNotFail", &k.CouldNotFail)
	s.line(at+".rerun", &k.Rerun)
	if k.Lacks != nil {
		s.text(at+".lacks.text", &k.Lacks.Text)
	}
	for name, value := range k.Observations {
		short := value // a figure or a path, which may look like a credential
		s.line(at+".observations."+name, &short)
		k.Observations[name] = short
	}
	for i := range k.Violations {
		v, at := &k.Violations[i], index(at+".violations", i)
		s.text(at+".expected", &v.Expected)
		s.text(at+".got", &v.Got)
		s.text(at+".replay", &v.Replay)
		for j := range v.Exchanges {
			e, at := &v.Exchanges[j], index(at+".exchanges", j)
			s.text(at+".url", &e.URL)
			s.text(at+".requestBody", &e.RequestBody)
			s.text(at+".responseBody", &e.ResponseBody)
			s.text(at+".error", &e.Error)
		}
	}
}

func (s scrubber) bench(at string, b *Bench) {
	for i := range b.Controls {
		s.text(index(at+".controls", i)+".trouble", &b.Controls[i].Trouble)
		s.texts(index(at+".controls", i)+".against", b.Controls[i].Against)
	}
	for i := range b.Rounds {
		for j := range b.Rounds[i].Windows {
			s.text(index(index(at+".rounds", i)+".windows", j)+".example", &b.Rounds[i].Windows[j].Example)
		}
	}
	if b.Sweep != nil {
		for i := range b.Sweep.Points {
			s.text(index(at+".sweep.points", i)+".example", &b.Sweep.Points[i].Example)
		}
	}
	for i := range b.Dropped {
		s.text(index(at+".dropped", i)+".reason", &b.Dropped[i].Reason)
	}
}
