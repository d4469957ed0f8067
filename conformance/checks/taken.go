package checks

import (
	"context"
	"slices"

	"github.com/coreproof/coreproof/conformance"
	"github.com/coreproof/coreproof/internal/protocol"
)

// takenValues are the values of dimensions that a core takes from live users. What it
// refuses is left out, and told, since nothing is known of revokes there.
type takenValues struct {
	manners, users []string
	// off says whether the flag-off side takes part: it knows the sessions of the other
	// one, and may be asked about them before, and told of the revoke.
	off bool
	// notOff are values, by dimension, that the flag-off side alone refuses.
	notOff  map[string]bool
	leftOut []string
}

// taken asks as live users do. What an SDK sends a core must take. It, or what stands
// before it, may refuse what others add to the protocol, HTTP/1.0, or users' ids with
// marks, by an answer or by ending the connection.
func taken(ctx context.Context, c *T, at map[string][]Instance) (*takenValues, error) {
	v := &takenValues{notOff: map[string]bool{}, manners: had(c, mannerUsual, mannerSDK)}
	for _, m := range v.manners {
		calls := enters(&protocol.Tokens{}, c.NewUser(), nil, c.On()[0])
		if what, reply, err := firstRefused(protocol.WithManner(ctx, protocol.Manner(m)), calls); what != "" {
			return nil, lives(reply, err)
		}
	}
	others := had(c, mannerProxied, mannerGateway, mannerNewer, mannerOlder, mannerTenants)
	how := make([]string, len(others)+1)
	if err := conformance.Each(ctx, len(how), len(how), func(ctx context.Context, i int) (err error) {
		if i < len(others) {
			how[i], err = inEachVersion(protocol.WithManner(ctx, protocol.Manner(others[i])), c, at, i, func(at Instance) []probe {
				return lifetime(c.NewUser(), at)
			})
		} else if c.On()[0].Has(protocol.VerbNames) { // else the harness names no user
			// Who takes such a user must be able to end his sessions: that is a rule.
			how[i], err = inEachVersion(ctx, c, at, i, func(at Instance) []probe { return reads(marked(c.NewUser()), at) })
		}
		return err
	}); err != nil {
		return nil, err
	}
	for i, m := range others {
		v.sort(c, &v.manners, dimManner, m, how[i])
	}
	if c.On()[0].Has(protocol.VerbNames) {
		v.users = []string{userPlain, userUUID, userMail}
		v.sort(c, &v.users, dimUser, userMarks, how[len(others)])
	}
	return v, v.askOff(ctx, c)
}

// had are manners in which the client's requests differ: with others nothing would be met.
func had(c *T, manners ...string) []string {
	return slices.DeleteFunc(manners, func(m string) bool {
		return m != mannerUsual && !protocol.HasManner(c.On()[0].Core, protocol.Manner(m))
	})
}

// inEachVersion makes a live user's calls at one instance in each version of the cases.
func inEachVersion(ctx context.Context, c *T, at map[string][]Instance, nth int, calls func(at Instance) []probe) (how string, err error) {
	for _, version := range makers(c) {
		list := at[version]
		no, err := turnsAway(ctx, func() []probe { return calls(list[nth%len(list)]) })
		if no.how != "" && version != c.Version() {
			no.how += ", spoken to in version " + version
		}
		if err != nil || no.how != "" {
			return no.how, err
		}
	}
	return "", nil
}

// sort adds a value to those that are taken, or to those left out.
func (v *takenValues) sort(c *T, taken *[]string, dimension, value, how string) {
	if how == "" {
		*taken = append(*taken, value)
		return
	}
	v.leave(c, dimension+" "+value, how)
}

func (v *takenValues) leave(c *T, what, how string) {
	c.Observe("not "+what, how)
	v.leftOut = append(v.leftOut, what+": "+how)
}

// askOff asks the flag-off side in the same ways about sessions of the other side.
func (v *takenValues) askOff(ctx context.Context, c *T) error {
	if len(c.Off()) == 0 || !c.On()[0].Has(protocol.VerbSameTokens) {
		return nil
	}
	asked := func(manner string, user func() string) (string, error) {
		ctx := protocol.WithManner(ctx, protocol.Manner(manner))
		for _, at := range c.Off() {
			if no, err := turnsAway(ctx, func() []probe { return beside(user(), c.On()[0], at) }); err != nil || no.how != "" {
				return no.how, err
			}
		}
		return "", nil
	}
	how, err := asked(mannerUsual, c.NewUser)
	if err != nil {
		return err
	}
	if v.off = how == ""; !v.off {
		v.leave(c, offSide, how)
		return nil
	}
	for _, m := range v.manners[1:] {
		if how, err = asked(m, c.NewUser); err != nil {
			return err
		}
		v.sortOff(c, dimManner, m, how)
	}
	if len(v.users) > 0 && v.users[len(v.users)-1] == userMarks {
		how, err = asked(mannerUsual, func() string { return marked(c.NewUser()) })
		v.sortOff(c, dimUser, userMarks, how)
	}
	return err
}

const offSide = "at the core whose flag is off"

func (v *takenValues) sortOff(c *T, dimension, value, how string) {
	if how != "" {
		v.notOff[dimension+" "+value] = true
		v.leave(c, dimension+" "+value+" "+offSide, how)
	}
}

// allowed says whether a case asks the flag-off side for nothing that it refuses.
func (v *takenValues) allowed(values map[string]string) bool {
	if values[dimRead] != readUnchecked && values[dimRevoker] != revokerOff {
		return true
	}
	for _, d := range []string{dimManner, dimUser} {
		if v.notOff[d+" "+values[d]] {
			return false
		}
	}
	return true
}
