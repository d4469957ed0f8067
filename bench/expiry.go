package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreproof/coreproof/reports/proof"
)

// errExpiring says that tokens would end in the middle of a window.
var errExpiring = errors.New("tokens would expire")

// expiryMargin is left between the last call of a window and the end of a token.
const expiryMargin = 2 * time.Second

// expire notes that tokens whose making began then are good until a moment; zero is not
// known.
func (m *measurement) expire(began, until time.Time) {
	if until.IsZero() {
		return
	}
	if m.goodUntil.IsZero() || until.Before(m.goodUntil) {
		m.goodUntil, m.goodFor = until, until.Sub(began)
	}
}

// lasting says whether all tokens are good for a while still.
func (m *measurement) lasting(span time.Duration) bool {
	return m.goodUntil.IsZero() || time.Until(m.goodUntil) > span+expiryMargin
}

// last makes new tokens where those that there are would not be good for a while. It is
// called when nothing is being measured.
func (m *measurement) last(ctx context.Context, span time.Duration) error {
	if m.lasting(span) {
		return nil
	}
	began := time.Now()
	m.goodUntil = time.Time{}
	for _, t := range m.targets() {
		if _, err := m.populate(ctx, t); err != nil {
			return fmt.Errorf("make tokens anew, as those that there were end: %w", err)
		}
	}
	if m.lasting(span + restWithin) {
		m.rest(ctx)
	}
	if !m.lasting(span) {
		return fmt.Errorf("access tokens live for %s, and %d of them took %s to make: too short for a window of %s; set the core's access_token_validity to more (3600 is its default), or give fewer --tokens",
			m.goodFor.Round(time.Second), m.Tokens, time.Since(began).Round(time.Millisecond), span.Round(time.Millisecond))
	}
	return nil
}

// roundLasts is how long the windows of a round take.
func (m *measurement) roundLasts(step Step) time.Duration {
	if step.Kind == proof.KindSaturated {
		return time.Duration(len(step.Sides)) * (m.WarmUp + m.SaturatedWindow)
	}
	return m.WarmUp + m.Window
}

// up notes how long the cores of a round took to be up, and says whether all tokens are
// good for its windows.
func (m *measurement) up(began time.Time, step Step) bool {
	m.upTook = time.Since(began)
	return m.lasting(m.roundLasts(step))
}

// surely makes a round, once more with new tokens where those that there were would have
// ended in it.
func (m *measurement) surely(ctx context.Context, index int, step Step) (proof.Round, string, error) {
	r, reason, err := m.round(ctx, index, step)
	if !errors.Is(err, errExpiring) {
		return r, reason, err
	}
	if err := m.last(ctx, m.roundLasts(step)+m.upTook); err != nil {
		return r, "", err
	}
	if r, reason, err = m.round(ctx, index, step); errors.Is(err, errExpiring) {
		err = fmt.Errorf("access tokens live for %s, and end before the cores of a round are up: set the core's access_token_validity to more (3600 is its default)", m.goodFor.Round(time.Second))
	}
	return r, reason, err
}
