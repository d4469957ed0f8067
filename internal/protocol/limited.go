package protocol

import (
	"errors"
	"net/http"
)

// ErrLimited says that a call was turned away for being one of too many: nothing was
// done, and nothing follows about sessions. It is no answer of the core's to the call.
var ErrLimited = errors.New("calls are limited (HTTP 429): lift the limit for this run, or, where the host is another machine, lower --rate-cap")

// TurnedAway gives ErrLimited for the status of a call that was turned away.
func TurnedAway(httpStatus int) error {
	if httpStatus == http.StatusTooManyRequests {
		return ErrLimited
	}
	return nil
}
