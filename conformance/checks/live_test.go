package checks

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/coreproof/coreproof/internal/protocol"
)

// TestRefusals: what is met twice is a refusal, but for what everybody meets at that time.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const ok, hungUp = http.StatusOK, 0
	// answering gives calls whose answers are the next of each list, and then OK.
	answering := func(create, get, list []int) func() []probe {
		next := func(what string, codes []int) probe {
			return probe{what, func(ctx context.Context) (r protocol.Reply, err error) {
				r = protocol.Reply{Status: protocol.OK, HTTPStatus: ok}
				if len(codes) > 0 {
					r.HTTPStatus, codes = codes[0], codes[1:]
				}
				if r.HTTPStatus != ok {
					r.Status = protocol.HTTPError
				}
				if err = protocol.TurnedAway(ctx, r.HTTPStatus); r.HTTPStatus == hungUp {
					err = errors.New("EOF")
				}
				return r, err
			}}
		}
		calls := []probe{next(toCreate, create), next(toGet, get), next(toList, list)}
		return func() []probe { return calls }
	}
	good, busy := answering(nil, nil, nil), answering(nil, []int{503}, nil)
	for name, tc := range map[string]struct {
		calls, usual func() []probe
		want         []string
		err          error
	}{
		"nothing":                 {good, good, nil, nil},
		"once":                    {answering([]int{403}, nil, nil), good, nil, nil},
		"twice":                   {answering(nil, []int{403, 403}, nil), good, []string{toGet}, nil},
		"two calls":               {answering(nil, []int{403, 404}, []int{500, 403}), good, []string{toGet, toList}, nil},
		"each once":               {answering(nil, []int{403, ok}, []int{ok, 403}), good, nil, nil},
		"no session":              {answering([]int{403, 403}, []int{403, 403}, nil), good, []string{toCreate}, nil},
		"502, and others not":     {answering(nil, []int{502, 504}, nil), good, []string{toGet}, nil},
		"503, and others too":     {answering(nil, []int{503, 503}, nil), busy, nil, protocol.ErrUnavailable},
		"503, and nobody else":    {answering(nil, []int{503, 503}, nil), nil, nil, protocol.ErrUnavailable},
		"hung up, and others not": {answering(nil, []int{hungUp, hungUp}, nil), good, []string{toGet}, nil},
		"a limit":                 {answering(nil, []int{429}, nil), good, nil, protocol.ErrLimited},
	} {
		no, err := refusals(t.Context(), tc.calls, tc.usual)
		var got []string
		for _, r := range no {
			got = append(got, r.what)
		}
		if !slices.Equal(got, tc.want) || !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, error %v", name, got, err)
		}
	}
}

// TestNoLoadIsTrouble: one answer is a load, and what was never answered says why.
func TestNoLoadIsTrouble(t *testing.T) {
	t.Parallel()
	l, down := &loadBeside{}, errors.New("down")
	if err := l.trouble(); err != nil {
		t.Errorf("before it began: %v", err)
	}
	l.note(down)
	if err := l.trouble(); !errors.Is(err, down) {
		t.Errorf("never answered: %v", err)
	}
	l.note(nil)
	if err := l.trouble(); err != nil {
		t.Errorf("answered once: %v", err)
	}
}
