package protocol

import (
	"fmt"
	"strings"
)

// Status is a business outcome in CDI's own words.
type Status string

const (
	OK              Status = "OK"
	Unauthorised    Status = "UNAUTHORISED"
	TryRefreshToken Status = "TRY_REFRESH_TOKEN"
	TokenTheft      Status = "TOKEN_THEFT_DETECTED"
	// HTTPError stands for any answer that is not HTTP 200; see Reply.HTTPStatus.
	HTTPError Status = "HTTP_ERROR"
)

// Misspelt tells which status an unknown one was probably meant to be; "" for none.
func (s Status) Misspelt() string {
	plain := func(s Status) string {
		t := strings.ToUpper(string(s))
		t = strings.NewReplacer("IZ", "IS", "-", "_", " ", "_").Replace(t)
		return t
	}
	hint := ""
	for _, known := range []Status{OK, Unauthorised, TryRefreshToken, TokenTheft, HTTPError} {
		if s == known {
			return ""
		}
		if plain(s) == plain(known) {
			hint = fmt.Sprintf("the protocol spells it %s", known)
		}
	}
	return hint
}
