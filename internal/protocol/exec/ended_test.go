package exec

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// lastMoment gives a line when the time of the call that reads it ends.
type lastMoment struct {
	line string
	over context.CancelFunc
}

func (l lastMoment) Read(b []byte) (int, error) {
	l.over()
	return copy(b, l.line), nil
}

// TestAnAdapterThatWasEndedIsNotUsedAgain: its answer counts, and the next call gets
// another adapter.
func TestAnAdapterThatWasEndedIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sleep", "600")
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	a := &adapter{cmd: cmd, in: in, out: bufio.NewReader(io.Reader(lastMoment{"{}\n", cancel})), stderr: &strings.Builder{}}
	p := New(Options{})
	p.slots <- struct{}{}
	if text, err := a.exchange(ctx, []byte("{}")); err != nil || text != "{}" {
		t.Errorf("%q, %v", text, err)
	}
	if p.give(a, true); len(p.idle) != 0 || len(p.slots) != 0 {
		t.Errorf("%d adapters wait for a call, %d calls are under way", len(p.idle), len(p.slots))
	}
}
