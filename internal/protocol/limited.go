package protocol

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// ErrLimited says that a call was turned away for being one of too many: nothing was
// done, and nothing follows about sessions. It is no answer of the core's to the call.
var ErrLimited = errors.New("calls are limited (HTTP 429): lift the limit for this run, or, where the host is another machine, lower --rate-cap")

// ErrUnavailable says that what stands before a core gave the answer, a limiter or a
// proxy that could not reach it. What became of the call is not known.
var ErrUnavailable = errors.New("no answer of the core's but of what stands before it (HTTP 502, 503 or 504): see its log, lift its limit for this run, or, where the host is another machine, lower --rate-cap")

type everyAnswerKey struct{}

// WithEveryAnswer takes each answer to the calls made under ctx for the core's own but
// HTTP 429: for rules about which answers it gives.
func WithEveryAnswer(ctx context.Context) context.Context {
	return context.WithValue(ctx, everyAnswerKey{}, true)
}

// TurnedAway gives ErrLimited or ErrUnavailable for the status of a call that did not
// get to the core.
func TurnedAway(ctx context.Context, httpStatus int) error {
	switch httpStatus {
	case http.StatusTooManyRequests:
		return ErrLimited
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if ctx.Value(everyAnswerKey{}) == nil {
			return fmt.Errorf("HTTP %d: %w", httpStatus, ErrUnavailable)
		}
	}
	return nil
}

// WasTurnedAway says whether err is one of TurnedAway's.
func WasTurnedAway(err error) bool {
	return errors.Is(err, ErrLimited) || errors.Is(err, ErrUnavailable)
}

// singled is how many pairs of calls tell one that is singled out from one that meets
// with a limit: 1 in a million by chance, were each second call turned away.
const singled = 20

// SinglesOut says whether a call is turned away for what it asks: it is asked again and
// again beside one that must be answered, in an order drawn by lot, and each time it
// alone is turned away. Once it is answered it is not singled out, and the answer is
// given: whoever asks so may find a fault in it, and never a merit. HTTP 429 singles nothing
// out: limits are kept for each token too, and what was asked for often meets its own.
func SinglesOut(ctx context.Context, call, other func(context.Context) (Reply, error)) (r Reply, alone bool) {
	for range singled {
		var err, otherErr error
		if rand.IntN(2) == 0 {
			_, otherErr = other(ctx)
			r, err = call(ctx)
		} else {
			r, err = call(ctx)
			_, otherErr = other(ctx)
		}
		if !errors.Is(err, ErrUnavailable) || otherErr != nil {
			return r, false
		}
	}
	r.Status = HTTPError
	return r, true
}
