package conformance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coreproof/coreproof/internal/protocol"
	"github.com/coreproof/coreproof/reports/proof"
)

// Violation is a rule broken by the core.
type Violation struct {
	Expected, Got string
	// Exchange decided; nil when no single one did.
	Exchange *protocol.Exchange
}

func (v *Violation) Error() string { return fmt.Sprintf("want %s, got %s", v.Expected, v.Got) }

// Violated makes a Violation from an answer.
func Violated(r protocol.Reply, expected, got string) error {
	return &Violation{Expected: expected, Got: got, Exchange: &r.Exchange}
}

// couldNotFail says why a check would prove nothing by passing.
type couldNotFail struct{ why string }

func (v *couldNotFail) Error() string { return v.why }

// CouldNotFailf says why a check would prove nothing by passing.
func CouldNotFailf(format string, args ...any) error {
	return &couldNotFail{fmt.Sprintf(format, args...)}
}

// CouldNotFail says whether err was made by CouldNotFailf.
func CouldNotFail(err error) bool {
	var v *couldNotFail
	return errors.As(err, &v)
}

// lacking says that the target lacks something, found out on the way.
type lacking struct{ lack proof.Lack }

func (v *lacking) Error() string { return v.lack.Text }

// Lackf says that a target lacks something; kind is a word for it, see proof.Lack.
func Lackf(kind, format string, args ...any) error {
	return &lacking{proof.Lack{Kind: kind, Text: fmt.Sprintf(format, args...)}}
}

// HarnessError is an error of the harness's own, or of the network: what was
// tried and what happened. A core that answers outside of its protocol is no
// error of the harness but in breach of it.
func HarnessError(what string, err error) error {
	var breach interface{ Violation() string }
	if errors.As(err, &breach) {
		return &Violation{Expected: "an answer as the protocol describes it", Got: fmt.Sprintf("%s: %s", what, breach.Violation())}
	}
	return fmt.Errorf("%s: %w", what, err)
}

// Describe tells an answer in words.
func Describe(r protocol.Reply) string {
	text := string(r.Status)
	if r.Status == protocol.HTTPError {
		text = fmt.Sprintf("HTTP %d", r.HTTPStatus)
	}
	if hint := r.Status.Misspelt(); hint != "" {
		text += " (" + hint + ")"
	}
	if m := strings.TrimSpace(r.Message); m != "" {
		text += fmt.Sprintf(" (%s)", proof.ShortenTokens(m))
	}
	return text
}

// Want gives a Violation unless r has one of the given statuses.
func Want(r protocol.Reply, err error, what string, statuses ...protocol.Status) error {
	if err != nil {
		return HarnessError(what, err)
	}
	words := make([]string, len(statuses))
	for i, s := range statuses {
		if r.Status == s {
			return nil
		}
		words[i] = string(s)
	}
	return Violated(r, fmt.Sprintf("%s: %s", what, strings.Join(words, " or ")), Describe(r))
}

// Need gives an error of the harness unless r is OK: for what a check does before
// it tries its rule. What fails there is another check's rule.
func Need(r protocol.Reply, err error, what string) error {
	if err != nil {
		// A misshapen answer here is another check's finding.
		return fmt.Errorf("%s: %w", what, err)
	}
	if r.Status != protocol.OK {
		return fmt.Errorf("%s: got %s, want OK", what, Describe(r))
	}
	return nil
}

// First gives the first error of a list.
func First(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// AsViolation gives the violation in err, if there is one.
func AsViolation(err error) (*Violation, bool) {
	var v *Violation
	ok := errors.As(err, &v)
	return v, ok
}

// IsViolation says whether err holds a violation.
func IsViolation(err error) bool {
	_, ok := AsViolation(err)
	return ok
}
