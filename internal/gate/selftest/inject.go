// Package selftest tries the gate on the reference core itself: identical builds,
// which must not fail, and builds with a known slowdown, which must. Every run is
// appended to a record, so that rates can be added up over days and machines.
package selftest

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/store"
)

// Injection makes every verify of a core dearer by a known amount.
type Injection struct {
	// Loops of arithmetic, a fixed number: one that watches the clock would do no work
	// while it is preempted.
	Loops int
	// Statements more, reads by primary key.
	Statements int
}

// Name of the setting that carries it, and of the flag that does.
const (
	setting    = "coreproof_inject"
	injectFlag = "--inject="
)

// text has the same length for every injection: the size of a program's environment
// alone can move its speed.
func (i Injection) text() string { return fmt.Sprintf("%09d,%d", i.Loops, i.Statements) }

// Injected reads an injection from a core's arguments or environment, and gives the
// arguments without it. There is none for anybody but the self-test.
func Injected(args, environ []string) (d serve.Decorate, rest []string, err error) {
	text := ""
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, strings.ToUpper(setting)+"="); ok {
			text = v
		}
	}
	for _, a := range args {
		if v, ok := strings.CutPrefix(a, injectFlag); ok {
			text = v
		} else {
			rest = append(rest, a)
		}
	}
	if text == "" {
		return d, rest, nil
	}
	loops, statements, _ := strings.Cut(text, ",")
	var i Injection
	if i.Loops, err = strconv.Atoi(loops); err == nil {
		i.Statements, err = strconv.Atoi(statements)
	}
	if err != nil || i.Loops < 0 || i.Statements < 0 {
		return d, rest, fmt.Errorf("%s%s: want LOOPS,STATEMENTS", injectFlag, text)
	}
	return i.decorate(), rest, nil
}

func (i Injection) decorate() (d serve.Decorate) {
	// Without loops the wrapper is there all the same: identical builds are identical.
	d.Engine = func(next httpapi.Engine) httpapi.Engine { return slower{next, i.Loops} }
	if i.Statements > 0 {
		d.Store = func(next store.Store) store.Store { return asking{next, i.Statements} }
	}
	return d
}

type slower struct {
	httpapi.Engine
	loops int
}

func (s slower) Verify(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
	if turn(s.loops) == 0 { // never: it keeps the compiler from leaving the work out
		return refcore.Verified{}, context.Canceled
	}
	return s.Engine.Verify(ctx, in)
}

// turn does n steps of xorshift64 (Marsaglia 2003), which never gives 0.
func turn(n int) uint64 {
	x := uint64(88172645463325252)
	for range n {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	return x
}

type asking struct {
	store.Store
	more int
}

func (s asking) Liveness(ctx context.Context, handle string) (store.Liveness, error) {
	for range s.more {
		if _, err := s.Store.Liveness(ctx, handle); err != nil {
			return store.Liveness{}, err
		}
	}
	return s.Store.Liveness(ctx, handle)
}
