package broken

import (
	"context"

	"github.com/coreproof/coreproof/refcore"
	"github.com/coreproof/coreproof/refcore/httpapi"
	"github.com/coreproof/coreproof/refcore/serve"
	"github.com/coreproof/coreproof/refcore/token"
)

// spellingDefects: a token is known by its text, which is not the only one that verifies.
func spellingDefects() []Defect {
	return []Defect{{
		Name: "denies-the-spelling-only", Text: "a revoke denies the texts of the session's tokens: with padding, other spare bits or a dot at the end they are let in",
		CaughtBy: []string{"BL-13"},
		Decorate: deniesTexts(),
	}}
}

// deniesTexts lets in what is a session's token and not as it was handed out, at whichever
// core of this process.
func deniesTexts() serve.Decorate {
	given := &set{}
	return over(func(next httpapi.Engine) engine {
		e := granting(next, func(g refcore.Granted, _ string) { given.add(g.Access.Token) })
		verify := letsIn(next, func(in refcore.VerifyInput, _ token.Access) bool { return !given.has(in.AccessToken) })
		e.verify = func(ctx context.Context, in refcore.VerifyInput) (refcore.Verified, error) {
			v, err := verify(ctx, in)
			given.add(v.Access.Token)
			return v, err
		}
		return e
	})
}
