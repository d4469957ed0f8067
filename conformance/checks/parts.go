package checks

import (
	"context"
	"errors"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// partRead is a call that reads one part of a session.
type partRead struct {
	what string
	read func(ctx context.Context, handle string) (protocol.Info, error)
}

// partReads are those that an instance's protocol has. Whether the core has them its
// answer for a live session tells.
func partReads(at Instance) []partRead {
	r, ok := at.Core.(protocol.PartReader)
	if !ok {
		return nil
	}
	return []partRead{{"data", r.GetData}, {"payload", r.GetPayload}}
}

// partsRead reads the parts of a live session, so that what would be kept of them is kept.
func partsRead(ctx context.Context, at Instance, handle string) error {
	for _, p := range partReads(at) {
		if _, err := answeredFor(ctx, at, p, handle); err != nil {
			return err
		}
	}
	return nil
}

// partsGone wants no part of a revoked session to be read by a call that reads that of a
// live one, the twin's.
func partsGone(ctx context.Context, t *Trial, at Instance, handle string) error {
	for _, p := range partReads(at) {
		ok, err := answeredFor(ctx, at, p, t.Twin().Session.Handle)
		if err != nil {
			return err
		}
		if !ok {
			t.Observe("notTried", "reads of a session's "+p.what+" alone: "+at.Name()+" has no such call")
			continue
		}
		i, err := p.read(ctx, handle)
		if err := conformance.Want(i.Reply, err, "read the "+p.what+" of a revoked session at "+at.Name(), protocol.Unauthorised); err != nil {
			return err
		}
	}
	return nil
}

// answeredFor says whether a core has a call that reads a part: it is OK for a live
// session. Its trouble is an error, and any other answer says that there is no such call.
func answeredFor(ctx context.Context, at Instance, p partRead, handle string) (bool, error) {
	i, err := p.read(ctx, handle)
	var breach interface{ Violation() string }
	switch {
	case errors.As(err, &breach): // something is there, and it is not this call
		return false, nil
	case err != nil:
		return false, conformance.HarnessError("read the "+p.what+" of a live session at "+at.Name(), err)
	}
	return i.Status == protocol.OK, nil
}
